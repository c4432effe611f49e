//go:build go1.25

package raft

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// proposals queues the commands of Starts at the same time. They get their indices at once: a leader's log grows by
// nothing else. The first Start in the queue takes all that has gathered when its turn for Raft.mu comes, and saves it in
// one go. The others need not wait for that, since what they return is no promise; when none is under way any more,
// all is saved. So ten thousand of them do not compete with the replicators for the lock.
type proposals struct {
	leading   atomic.Bool   // term is not 0
	alone     atomic.Int64  // how many queues in a row held a single command
	committed atomic.Int64  // commitIndex
	buffers   sync.Pool     // of *[]byte, to encode a command into
	yielding  chan struct{} // holds one for each Start far ahead that is just yielding

	mu    sync.Mutex
	term  int // in which we lead; 0 if we do not
	next  int // index of the next command
	queue *queue
}

// A queue is encoded commands, as the log will take them, and the commands themselves, nil where they must be decoded.
type queue struct {
	segment
	commands []any
}

func (q *queue) add(term int, data []byte, command any) {
	q.memory = appendRecord(q.memory, term, data)
	q.ends = append(q.ends, uint32(len(q.memory)))
	q.commands = append(q.commands, command)
}

// reset empties the queue. It keeps its memory, unless that is large.
func (q *queue) reset() {
	if cap(q.memory) > maxEmpty || cap(q.commands) > maxEmpty/10 {
		*q = queue{}
		return
	}
	clear(q.commands)
	q.memory, q.ends, q.commands = q.memory[:0], q.ends[:0], q.commands[:0]
}

const (
	// maxAhead is how many commands may wait to be committed before every Start lets others run. Otherwise thousands
	// of callers that wait for nothing keep the processors from the replicators, until the leader is deposed.
	maxAhead = 4096
	// maxYielding of them at a time stand in the scheduler's queue; the others wait for their turn. So the way through it
	// is short for the replicators, however many such callers there are.
	maxYielding = 16
	// maxGathered commands in the queue are enough to save in one go.
	maxGathered = 256
	// maxYields bounds how often a Start lets others run that may join the queue.
	maxYields = 8
	// aloneBeforeGather queues in a row that held a single command, and a Start tries again whether others would join it.
	aloneBeforeGather = 128
	// maxQueue bytes of records in the queue, and whoever comes next has them saved first.
	maxQueue = 64 << 20
	// maxEmpty is the size in bytes, or a tenth of it in commands, up to which an empty queue keeps its memory.
	maxEmpty = 1 << 20
)

// A ticket is a command's place in the queue.
type ticket struct {
	index, term int
	first       bool // its Start must call accept for all in the queue
	full        bool // there is no room before somebody has called accept
	waiting     int  // how many wait to be committed, this one among them
}

// open begins a term of leadership, at whose first command the log has the index next.
func (ps *proposals) open(term, next int) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.term, ps.next = term, next
	ps.leading.Store(true)
}

// close ends it. What is queued is lost, as it would be with a log that a new leader overwrites.
func (ps *proposals) close() {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.term = 0
	ps.leading.Store(false)
	ps.queue.reset()
}

// add queues an encoded command. The ticket's term is 0 if it may not.
func (ps *proposals) add(data []byte, command any) ticket {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if ps.term == 0 {
		return ticket{}
	}
	if len(ps.queue.memory) > maxQueue {
		return ticket{term: ps.term, full: true}
	}
	ps.queue.add(ps.term, data, command)
	ps.next++
	return ticket{
		index:   ps.next - 1,
		term:    ps.term,
		waiting: ps.next - 1 - int(ps.committed.Load()),
		first:   ps.queue.length() == 1,
	}
}

// expectsOthers reports whether the first Start in the queue should let others join it: they did the last time, or
// nobody did for long, since clients that wait for their commands may have come to take turns, each command going out
// alone. Who finds more waiting to be committed need not look: a yield in vain would only have a small message sent.
func (ps *proposals) expectsOthers(waiting int) bool {
	if waiting == 1 && ps.alone.Load() >= aloneBeforeGather {
		ps.alone.Store(0)
	}
	return waiting < maxAhead && ps.alone.Load() == 0
}

// gather lets other Starts that are ready to run join the queue.
func (ps *proposals) gather() {
	for n, had, has := 0, 0, 1; n < maxYields && has > had && has < maxGathered; n++ {
		runtime.Gosched()
		had, has = has, ps.length()
	}
}

func (ps *proposals) yield() {
	ps.yielding <- struct{}{}
	runtime.Gosched()
	<-ps.yielding
}

func (ps *proposals) length() int {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return ps.queue.length()
}

// take returns the queue, and goes on with an empty one.
func (ps *proposals) take(empty *queue) *queue {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	taken := ps.queue
	ps.queue = empty
	switch taken.length() {
	case 0:
	case 1:
		ps.alone.Add(1)
	default:
		ps.alone.Store(0)
	}
	return taken
}

// propose encodes a command and has it appended to the log, if we lead; if not, term is 0.
func (rf *Raft) propose(command any) (index, term int, err error) {
	buf, ok := rf.proposals.buffers.Get().(*[]byte)
	if !ok {
		buf = new([]byte)
	}
	data, c, err := encodeCommand((*buf)[:0], command)
	if err != nil {
		return 0, 0, err
	}
	if c != nil {
		rf.definitions.add(c.key, c.definition)
	}
	command = valueToApply(command, data, c)
	t := rf.proposals.add(data, command)
	for t.full && rf.accept(t.term) {
		t = rf.proposals.add(data, command)
	}
	if cap(data) <= maxEmpty {
		*buf = data
		rf.proposals.buffers.Put(buf)
	}
	switch {
	case t.full:
		return 0, 0, nil
	case t.first:
		if rf.proposals.expectsOthers(t.waiting) {
			rf.proposals.gather()
		}
		if !rf.accept(t.term) {
			return 0, 0, nil
		}
	}
	if t.waiting >= maxAhead {
		rf.proposals.yield()
	}
	return t.index, t.term, nil
}

// accept appends what is queued to the leader's log (§5.3). It reports whether we still lead in term: if not, what was
// queued then is lost.
func (rf *Raft) accept(term int) bool {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	if rf.role != Leader || rf.currentTerm != term {
		return false
	}
	q := rf.proposals.take(rf.spare)
	if q.length() == 0 { // somebody found the queue full and took all
		rf.spare = q
		return true
	}
	rf.log.accepted.add(rf.log.lastIndex()+1, q.commands)
	rf.saveEntriesLocked(false, q.segment)
	q.reset()
	rf.spare = q
	rf.advanceCommitLocked() // a cluster of one has no replies to wait for
	rf.wakeReplicatorsLocked()
	return true
}
