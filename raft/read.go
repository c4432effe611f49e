//go:build go1.25

package raft

import (
	"context"
	"errors"
	"slices"
)

// Errors of ReadIndex.
var (
	ErrNotLeader = errors.New("raft: this server does not lead")
	ErrDeposed   = errors.New("raft: this server has lost its lead before a majority confirmed it")
	ErrNotReady  = errors.New("raft: this leader has not committed an entry of its term yet")
)

// reads holds the calls of ReadIndex that wait.
type reads struct {
	waiting []*read // by after
	calls   int     // how many calls this server has sent to peers; it is the number of the last one
}

// A read waits until a majority has answered calls that were sent after it began.
type read struct {
	after int // the number of the last call that had been sent when it began
	index int // commitIndex when it began
	done  chan error
}

// ReadIndex returns an index such that the state after that command is recent enough for a read: it contains everything that
// was committed anywhere in the cluster before the call. A service that has applied that index may answer the read from its
// own state, without an entry in the log (§8).
//
// The leader must have committed an entry of its term, since only then it knows all that earlier leaders have committed. It
// must still be the leader: it sends heartbeats after the call began, and waits until a majority has answered (§8). One round of heartbeats
// serves all calls that wait when it begins; a call that comes later waits for the next round, since a round that is under
// way proves nothing about the time of the call. Messages with entries count as well.
//
// It returns ErrNotLeader on a server that does not lead or was killed, ErrNotReady before the first commit of the leader's
// term, ErrDeposed if the server stops leading meanwhile, and otherwise ctx.Err() when ctx is done. In all these cases the
// service can start a command instead, or ask another server. The lab has no such method.
func (rf *Raft) ReadIndex(ctx context.Context) (index int, err error) {
	r, err := rf.beginRead()
	if err != nil {
		return 0, err
	}
	select {
	case err := <-r.done:
		return r.index, err
	case <-ctx.Done():
	}
	rf.mu.Lock()
	defer rf.mu.Unlock()
	rf.reads.waiting = slices.DeleteFunc(rf.reads.waiting, func(other *read) bool { return other == r })
	return 0, ctx.Err()
}

// beginRead makes a read wait, and wakes the replicators for its round of heartbeats.
func (rf *Raft) beginRead() (*read, error) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	switch {
	case rf.role != Leader:
		return nil, ErrNotLeader
	case rf.log.term(rf.commitIndex) != rf.currentTerm:
		return nil, ErrNotReady
	}
	r := &read{after: rf.reads.calls, index: rf.commitIndex, done: make(chan error, 1)}
	rf.reads.waiting = append(rf.reads.waiting, r)
	rf.finishReadsLocked() // a cluster of one
	rf.wakeReplicatorsLocked()
	return r, nil
}

// roundDueLocked reports whether a heartbeat must be sent to f because a read waits for it: f has answered no call that was
// sent after the read began, and none is in flight. While a heartbeat for earlier reads is in flight, later ones wait. A peer
// that does not answer gets only its usual heartbeats.
func (rf *Raft) roundDueLocked(f *follower) bool {
	n := len(rf.reads.waiting)
	if n == 0 || f.failures >= maxFailures || slices.ContainsFunc(f.calls, func(c *call) bool { return c.round }) {
		return false
	}
	newest := rf.reads.waiting[n-1].after
	if m := len(f.calls); m > 0 && f.calls[m-1].number > newest {
		return false
	}
	return f.confirmed <= newest
}

// numberLocked numbers a call to f that is being sent.
func (rf *Raft) numberLocked(f *follower, c *call) {
	c.round = rf.roundDueLocked(f)
	rf.reads.calls++
	c.number = rf.reads.calls
}

// confirmLocked handles that f has processed call c in the current term: f then knew of no later term. Reads that began before
// c was sent may count it.
func (rf *Raft) confirmLocked(f *follower, c *call) {
	f.confirmed = max(f.confirmed, c.number)
	rf.finishReadsLocked()
}

// finishReadsLocked ends the reads that a majority has confirmed, this server included.
func (rf *Raft) finishReadsLocked() {
	if len(rf.reads.waiting) == 0 {
		return
	}
	confirmed := make([]int, 0, 8)
	for _, f := range rf.followers {
		if f == nil {
			confirmed = append(confirmed, rf.reads.calls+1)
		} else {
			confirmed = append(confirmed, f.confirmed)
		}
	}
	slices.Sort(confirmed)
	majority, n := confirmed[(len(confirmed)-1)/2], 0
	for ; n < len(rf.reads.waiting) && rf.reads.waiting[n].after < majority; n++ {
		rf.reads.waiting[n].done <- nil
	}
	rf.reads.waiting = slices.Delete(rf.reads.waiting, 0, n)
}

// failReadsLocked ends all reads, since the server no longer leads.
func (rf *Raft) failReadsLocked() {
	for _, r := range rf.reads.waiting {
		r.done <- ErrDeposed
	}
	rf.reads.waiting = nil
}
