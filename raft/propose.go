//go:build go1.25

package raft

import "sync"

// A proposal is a command on its way from Start to the log.
type proposal struct {
	command any
	data    []byte        // encoded
	codec   *codec        // whose definition its readers need, or nil
	settled chan struct{} // of capacity 1: tells a Start that waits that the rest is final

	index    int
	term     int
	accepted bool
}

func (p *proposal) encode(command any) (err error) {
	p.command = command
	p.data, p.codec, err = encodeCommand(p.data[:0], command)
	return err
}

// proposals queues what Starts propose at the same time. The first Start in the queue takes all that has gathered
// when its turn for Raft.mu comes, and saves it in one go; the others only wait for it. So ten thousand of them
// do not compete with the replicators for the lock.
type proposals struct {
	mu     sync.Mutex
	queue  []*proposal
	spare  []*proposal // an empty slice, to be the next queue
	unused sync.Pool   // of *proposal
}

func (ps *proposals) get() *proposal {
	if p, ok := ps.unused.Get().(*proposal); ok {
		return p
	}
	return &proposal{settled: make(chan struct{}, 1)}
}

func (ps *proposals) put(p *proposal) {
	p.command = nil
	ps.unused.Put(p)
}

// add queues p, and reports whether it is the first, whose Start must call propose.
func (ps *proposals) add(p *proposal) (first bool) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.queue = append(ps.queue, p)
	return len(ps.queue) == 1
}

func (ps *proposals) take() []*proposal {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	queue := ps.queue
	ps.queue, ps.spare = ps.spare, nil
	return queue
}

func (ps *proposals) reuse(queue []*proposal) {
	clear(queue)
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.spare = queue[:0]
}

// propose appends what is queued to the log, if we lead, and lets the Starts that wait for it return. The caller's
// own proposal is the first.
func (rf *Raft) propose() {
	rf.mu.Lock()
	queue := rf.proposals.take()
	rf.acceptLocked(queue)
	rf.mu.Unlock()
	for _, p := range queue[1:] {
		p.settled <- struct{}{}
	}
	rf.proposals.reuse(queue)
}

// acceptLocked appends proposals to the leader's log (§5.3). A server that was deposed since Start looked refuses.
func (rf *Raft) acceptLocked(queue []*proposal) {
	accepted := rf.role == Leader
	d := batch{entries: rf.store.entries[:0], records: rf.store.records[:0]}
	for k, p := range queue {
		p.accepted, p.term, p.index = accepted, rf.currentTerm, -1
		if !accepted {
			continue
		}
		p.index = rf.log.lastIndex() + 1 + k
		if p.codec != nil {
			rf.definitions.add(p.codec.key, p.codec.definition)
		}
		d.records = appendRecord(d.records, rf.currentTerm, p.data)
		d.entries = append(d.entries, entry{term: rf.currentTerm, data: p.data, command: p.command})
	}
	if accepted {
		rf.saveEntriesLocked(d)
		clear(d.entries)
		rf.store.entries, rf.store.records = d.entries, d.records
		rf.advanceCommitLocked() // a cluster of one has no replies to wait for
		rf.wakeReplicatorsLocked()
	}
}
