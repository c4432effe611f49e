//go:build go1.25

package raft

import (
	"context"
	"errors"
	"runtime"
	"slices"
)

// "Read-only operations can be handled without writing anything into the log" (§8), by a leader that knows two things. It
// knows what is committed: "a leader must have the latest information on which entries are committed", which it has once an
// entry of its own term is committed. And it has not been deposed: "a leader must check whether it has been deposed before
// processing a read-only request", for which it "exchanges heartbeat messages with a majority of the cluster".
//
// Each such exchange is a round. Every message to a peer belongs to the round that was the last when the message was made,
// whatever it carries. A read waits for a round of which no message was made before it came; reads that come until
// the first such message is made share the round. A reply shows that the follower was in our term after the message
// was made. If a majority shows that of a round, no leader of a later term was elected before its reads came: that leader
// would have needed the vote of one of them. So commitIndex as it was then covers everything committed before.

// Errors of ReadIndex. After each of them, the client may ask another server or ask again.
var (
	// ErrNotLeader: this server does not lead.
	ErrNotLeader = errors.New("raft: this server does not lead")
	// ErrDeposed: this server has led, but lost its leadership while ReadIndex waited.
	ErrDeposed = errors.New("raft: this server has lost its leadership")
	// ErrNoEntry: the leader has not committed an entry of its term yet. Start a command, or wait for one.
	ErrNoEntry = errors.New("raft: no entry of this term is committed yet")
)

// reads holds the reads that wait for a round.
type reads struct {
	round   int     // number of the last round
	open    bool    // no message of that round was made yet
	waiting []*read // in the order in which they came, so that their rounds never fall
}

// A read is a call of ReadIndex.
type read struct {
	round   int // that a majority must answer
	index   int
	outcome chan error // of capacity 1
}

// ReadIndex returns an index with this property: when the service has applied the command at that index, its state has
// everything that was committed, by any leader, before ReadIndex was called. A service may answer a read from such a state
// without a command in the log (§8). ReadIndex waits until a majority has answered a message that was sent after the call.
// Calls that wait at the same time share messages.
//
// The error is ErrNotLeader, ErrNoEntry, ErrDeposed or that of ctx. A leader without a majority waits until it steps down.
func (rf *Raft) ReadIndex(ctx context.Context) (index int, err error) {
	rf.mu.Lock()
	r, err := rf.beginReadLocked()
	rf.mu.Unlock()
	if err != nil {
		return 0, err
	}
	select {
	case err = <-r.outcome:
	case <-ctx.Done():
		rf.forgetRead(r)
		err = ctx.Err()
	}
	if err != nil {
		return 0, err
	}
	return r.index, nil
}

// beginReadLocked adds a read that waits for a round.
func (rf *Raft) beginReadLocked() (*read, error) {
	switch {
	case rf.role != Leader:
		return nil, ErrNotLeader
	case rf.log.term(rf.commitIndex) != rf.currentTerm:
		return nil, ErrNoEntry
	}
	if !rf.reads.open {
		rf.reads.round++
		rf.reads.open = true
	}
	r := &read{rf.reads.round, rf.commitIndex, make(chan error, 1)}
	rf.reads.waiting = append(rf.reads.waiting, r)
	rf.finishReadsLocked() // a cluster of one receives no replies
	rf.wakeReplicatorsLocked()
	return r, nil
}

// forgetRead removes a read whose caller has given up.
func (rf *Raft) forgetRead(r *read) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	rf.reads.waiting = slices.DeleteFunc(rf.reads.waiting, func(other *read) bool { return other == r })
}

// readDueLocked reports whether a read waits for a message to f. While a heartbeat of a newer round than f has answered is in
// flight, it does not: the reads that come meanwhile share the next message. To a follower that does not answer, only the
// usual heartbeats are sent.
func (rf *Raft) readDueLocked(f *follower) bool {
	last := len(rf.reads.waiting) - 1
	if last < 0 || f.gathering || f.roundAcked >= rf.reads.waiting[last].round || f.failures >= maxFailures {
		return false
	}
	return !slices.ContainsFunc(f.calls, func(c *call) bool { return c.isHeartbeat() && c.round > f.roundAcked })
}

// gatherReadsUnlocked yields to goroutines that are about to call ReadIndex, so that more reads share the next message. If
// there are none, it returns at once.
func (rf *Raft) gatherReadsUnlocked(f *follower) {
	f.gathering = true
	rf.mu.Unlock()
	runtime.Gosched()
	rf.mu.Lock()
	f.gathering = false
}

// ackRoundLocked records that f has processed a message of a round, in our term.
func (rf *Raft) ackRoundLocked(f *follower, round int) {
	f.roundAcked = max(f.roundAcked, round)
	rf.finishReadsLocked()
}

// finishReadsLocked ends the reads whose round a majority has answered. This server counts as one that has.
func (rf *Raft) finishReadsLocked() {
	if len(rf.reads.waiting) == 0 {
		return
	}
	acked := make([]int, 0, 8)
	for _, f := range rf.followers {
		if f == nil {
			acked = append(acked, rf.reads.round)
		} else {
			acked = append(acked, f.roundAcked)
		}
	}
	slices.Sort(acked)
	majority := acked[(len(acked)-1)/2]
	n := 0
	for ; n < len(rf.reads.waiting) && rf.reads.waiting[n].round <= majority; n++ {
		rf.reads.waiting[n].outcome <- nil
	}
	rf.reads.waiting = slices.Delete(rf.reads.waiting, 0, n)
}

// failReadsLocked ends all reads of a leader that leads no longer.
func (rf *Raft) failReadsLocked() {
	for _, r := range rf.reads.waiting {
		r.outcome <- ErrDeposed
	}
	rf.reads.waiting = nil
}
