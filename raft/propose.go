//go:build go1.25

package raft

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// proposals is a queue between Start and the log. A command gets its index when it joins the queue, since nothing else is
// appended to a leader's log. The Start that joins an empty queue takes Raft.mu, and appends and saves all commands that
// have joined by then. The others return without waiting: a command that Start accepted may be lost, and once no Start is in
// progress, everything is saved. So thousands of concurrent Starts do not compete with the replicators for Raft.mu.
type proposals struct {
	leading   atomic.Bool   // term is not 0
	crowd     crowd         // of Starts
	committed atomic.Int64  // commitIndex
	buffers   sync.Pool     // of *[]byte, to encode a command into
	yielding  chan struct{} // one element for each Start that yields because maxUncommitted is reached

	mu    sync.Mutex
	term  int // the term in which we lead; 0 if we do not lead
	next  int // index of the next command
	queue *queue
}

// A queue holds encoded commands as the log will store them, and their values, or nil for a value that must be decoded.
type queue struct {
	segment
	commands []any
}

func (q *queue) add(term int, data []byte, command any) {
	q.memory = appendRecord(q.memory, term, data)
	q.ends = append(q.ends, uint32(len(q.memory)))
	q.commands = append(q.commands, command)
}

// reset empties the queue. It keeps the memory for reuse, unless that is large.
func (q *queue) reset() {
	if cap(q.memory) > maxReused || cap(q.commands) > maxReused/10 {
		*q = queue{}
		return
	}
	clear(q.commands)
	q.memory, q.ends, q.commands = q.memory[:0], q.ends[:0], q.commands[:0]
}

const (
	// maxUncommitted is how many commands may be uncommitted before each Start yields the processor. Otherwise thousands
	// of callers that do not wait for their commands keep it from the replicators, until the leader is deposed.
	maxUncommitted = 4096
	// maxYielding bounds how many such Starts yield at a time; the others wait. It keeps the scheduler's queue short for
	// the replicators.
	maxYielding = 16
	// When the queue holds more than maxQueue bytes, the next Start saves it before it adds its own command.
	maxQueue = 64 << 20
	// A queue or a buffer is reused if its memory is at most maxReused bytes, and a queue's at most maxReused/10 commands.
	maxReused = 1 << 20
)

// A ticket says what add did with a command.
type ticket struct {
	index, term int
	first       bool // the command is the first in the queue: its Start must call accept
	full        bool // the command was not added: call accept, then add again
	uncommitted int  // the number of uncommitted commands, this one included
}

// open begins a term of leadership. next is the index of its first command.
func (ps *proposals) open(term, next int) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.term, ps.next = term, next
	ps.leading.Store(true)
}

// close ends the term of leadership. Queued commands are lost, like uncommitted entries that a new leader overwrites.
func (ps *proposals) close() {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.term = 0
	ps.leading.Store(false)
	ps.queue.reset()
}

// add queues an encoded command and its value. The ticket's term is 0 if we do not lead.
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
		index:       ps.next - 1,
		term:        ps.term,
		uncommitted: ps.next - 1 - int(ps.committed.Load()),
		first:       ps.queue.length() == 1,
	}
}

// expectsOthers reports whether the first Start in the queue should let others join. After a long time without any it tries
// that only when no other command is uncommitted: otherwise a needless yield would let the replicators send a small message
// early.
func (ps *proposals) expectsOthers(uncommitted int) bool {
	return uncommitted < maxUncommitted && ps.crowd.isExpected(uncommitted == 1)
}

// yield lets the replicators run.
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

// take returns the queue and replaces it by an empty one.
func (ps *proposals) take(empty *queue) *queue {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	taken := ps.queue
	ps.queue = empty
	ps.crowd.count(taken.length())
	return taken
}

// propose encodes a command and has it appended to the leader's log. The term is 0 if we do not lead.
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
	if cap(data) <= maxReused {
		*buf = data
		rf.proposals.buffers.Put(buf)
	}
	switch {
	case t.full:
		return 0, 0, nil
	case t.first:
		if rf.proposals.expectsOthers(t.uncommitted) {
			gather(rf.proposals.length)
		}
		if !rf.accept(t.term) {
			return 0, 0, nil
		}
	}
	if t.uncommitted >= maxUncommitted {
		rf.proposals.yield()
	}
	return t.index, t.term, nil
}

// accept appends the queued commands to the leader's log: "if command received from client: append entry to local log"
// (Figure 2, §5.3). It reports whether we still lead in term. If not, commands queued in that term are lost.
func (rf *Raft) accept(term int) bool {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	if rf.role != Leader || rf.currentTerm != term {
		return false
	}
	q := rf.proposals.take(rf.spare)
	if q.length() == 0 { // another Start found the queue full and accepted it
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
