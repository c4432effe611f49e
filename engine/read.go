package engine

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/raft/v3"
)

// A read is a call of ReadIndex.
type read struct {
	index uint64   // raft index that the leader has confirmed; 0 if it has not yet
	done  chan int // gets the command index
}

// reads holds the calls of ReadIndex. One question to the leader is under way at a time, and serves all calls that came
// before it was asked. It belongs to the loop.
type reads struct {
	waiting  []*read // for the next question
	asked    []*read // for the answer
	answered []*read // until this server knows that the confirmed index is committed
	question uint64  // number of the last question; the first one is random, so that no answer from before a restart fits
	askedFor int     // ticks since it was asked
}

// ReadIndex returns the index of a command such that a service that has applied it may answer a read: all commands that
// were committed before ReadIndex was called, on any server, have that index or a lower one. It needs no write to a disk,
// only a majority that still follows the leader, and works on every server. It waits until ctx ends if there is no leader.
func (n *Node) ReadIndex(ctx context.Context) (int, error) {
	begun := time.Now()
	r := &read{done: make(chan int, 1)}
	n.calls.put(func() { n.loop.reads.add(n.loop, r) })
	select {
	case index := <-r.done:
		n.metrics.reads.Observe(time.Since(begun).Seconds())
		return index, nil
	case <-ctx.Done():
		n.calls.put(func() { n.loop.reads.forget(r) })
		return 0, fmt.Errorf("engine: no leader has confirmed the read: %w", context.Cause(ctx))
	case <-n.stop:
		return 0, ErrStopped
	}
}

func (r *reads) add(l *loop, call *read) {
	r.waiting = append(r.waiting, call)
	if len(r.asked) == 0 {
		r.ask(l)
	}
}

// knowsCommit reports whether raft answers questions about reads rightly. A leader learns what is committed with the first
// entry of its term. Raft waits for that, except on the only voter of a cluster, which may know less than it has confirmed
// before a restart.
func (l *loop) knowsCommit() bool {
	return l.soft.RaftState != raft.StateLeader || l.commit >= l.leadsFrom || len(l.members.now().state.GetVoters()) > 1
}

// ask asks the leader, if it can answer. The question may get lost, on the way or because there is no leader.
func (r *reads) ask(l *loop) {
	if !l.knowsCommit() {
		return
	}
	r.asked, r.waiting = append(r.asked, r.waiting...), nil
	if len(r.asked) == 0 {
		return
	}
	r.question++
	r.askedFor = 0
	l.raft.ReadIndex(binary.BigEndian.AppendUint64(nil, r.question))
}

// tick asks again if there was no answer for an election timeout.
func (r *reads) tick(l *loop) {
	if r.askedFor++; len(r.asked) > 0 && r.askedFor > l.node.config.ElectionTicks {
		r.ask(l)
	}
}

// confirmed takes in an answer. Answers to earlier questions are ignored.
func (r *reads) confirmed(s raft.ReadState) {
	if len(s.RequestCtx) != 8 || binary.BigEndian.Uint64(s.RequestCtx) != r.question {
		return
	}
	for _, call := range r.asked {
		call.index = s.Index
	}
	r.answered = append(r.answered, r.asked...)
	r.asked = nil
}

// answer answers the calls whose index is committed here. Only then do the entries up to it stay as they are, and
// their number of commands is known.
func (r *reads) answer(l *loop) {
	r.answered = slices.DeleteFunc(r.answered, func(call *read) bool {
		if call.index > l.commit {
			return false
		}
		call.done <- l.positions.commands(max(call.index, l.positions.base))
		return true
	})
	if len(r.asked) == 0 && len(r.waiting) > 0 {
		r.ask(l)
	}
}

// forget drops a call that nobody waits for any more.
func (r *reads) forget(call *read) {
	is := func(other *read) bool { return other == call }
	r.waiting = slices.DeleteFunc(r.waiting, is)
	r.asked = slices.DeleteFunc(r.asked, is)
	r.answered = slices.DeleteFunc(r.answered, is)
}
