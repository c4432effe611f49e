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
	ErrDeposed   = errors.New("raft: this server lost its lead before a majority confirmed it")
	ErrNotReady  = errors.New("raft: this leader has not committed an entry of its term yet")
)

// reads holds the calls of ReadIndex that wait, and numbers the calls to peers.
type reads struct {
	waiting []*round // oldest first
	crowd   crowd    // of calls that wait
	sent    int      // calls sent to peers so far, which is the number of the last one; it never falls, in no term
}

// A round holds the calls of ReadIndex that began between the same two calls to peers. They end together, when a majority
// has answered calls that were sent after they began.
type round struct {
	after   int           // number of the last call that had been sent when they began
	readers int           // how many of them wait
	done    chan struct{} // closed when they end
	err     error         // set before done is closed
}

// ReadIndex lets a service answer a read from its own state, without an entry in the log (§8). It returns an index. A
// service that has applied that index has applied everything that was committed anywhere in the cluster before ReadIndex
// was called.
//
// That holds for two reasons. First, this leader knows all that earlier leaders have committed, since it has committed an
// entry of its own term. Second, no later leader has committed anything before the call: a majority answers messages that
// were sent after the call began, so no majority had elected another leader by then. Such messages are heartbeats, which
// ReadIndex has sent at once, and whatever else is sent. One heartbeat to each peer serves all calls that wait when it is
// sent. A call that begins while it is under way waits for the next one.
//
// ReadIndex returns ErrNotLeader if the server does not lead or was killed, ErrNotReady before the first entry of the
// leader's term is committed, and ErrDeposed if the server stops leading while the call waits. If ctx is done first, it
// returns ctx.Err(). After any error the service may start the read as a command, or the client may ask another server.
func (rf *Raft) ReadIndex(ctx context.Context) (index int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	index, r, err := rf.beginRead()
	if err != nil {
		return 0, err
	}
	select {
	case <-r.done:
		if r.err != nil {
			return 0, r.err
		}
		return index, nil
	case <-ctx.Done():
		rf.giveUpRead(r)
		return 0, ctx.Err()
	}
}

// beginRead returns the index of a read, and the round that it must wait for. The first read of a round wakes the
// replicators.
func (rf *Raft) beginRead() (index int, r *round, err error) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	switch {
	case rf.role != Leader:
		return 0, nil, ErrNotLeader
	case rf.log.term(rf.commitIndex) != rf.currentTerm:
		return 0, nil, ErrNotReady
	}
	index = rf.commitIndex
	if r = rf.joinRoundLocked(); r.readers > 1 {
		return index, r, nil
	}
	rf.wakeReplicatorsLocked()
	return index, r, nil
}

// joinRoundLocked adds a read to the last round, or to a new one if a call was sent since that began.
func (rf *Raft) joinRoundLocked() *round {
	rs := &rf.reads
	if n := len(rs.waiting); n > 0 && rs.waiting[n-1].after == rs.sent {
		rs.waiting[n-1].readers++
		return rs.waiting[n-1]
	}
	r := &round{after: rs.sent, readers: 1, done: make(chan struct{})}
	rs.waiting = append(rs.waiting, r)
	rf.finishReadsLocked() // a cluster of one needs no answers
	return r
}

// giveUpRead ends one read of a round early.
func (rf *Raft) giveUpRead(r *round) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	if r.readers--; r.readers > 0 {
		return
	}
	if k := slices.Index(rf.reads.waiting, r); k >= 0 {
		rf.reads.waiting = slices.Delete(rf.reads.waiting, k, k+1)
	}
}

// roundDueLocked reports whether a heartbeat must be sent to f because a read waits for it. There is at most one in flight:
// later reads wait until it returns. A message that is already on its way, and was sent after all reads began, serves as
// well. A peer that does not answer gets only its usual heartbeats.
func (rf *Raft) roundDueLocked(f *follower) bool {
	n := len(rf.reads.waiting)
	if n == 0 || f.failures >= maxFailures || slices.ContainsFunc(f.calls, (*call).isHeartbeat) {
		return false
	}
	last := f.confirmed
	if m := len(f.calls); m > 0 {
		last = max(last, f.calls[m-1].number)
	}
	return last <= rf.reads.waiting[n-1].after
}

// gatherReadsUnlocked lets further reads join, if f is to get a heartbeat because reads wait, and reads come in crowds. It
// releases mu meanwhile, so there may be other work afterwards, or none.
func (rf *Raft) gatherReadsUnlocked(f *follower) {
	if f.waiting || f.heartbeatDue || !rf.roundDueLocked(f) || !rf.reads.crowd.isExpected(true) {
		return
	}
	f.waiting = true // nobody starts another replicator
	rf.mu.Unlock()
	gather(rf.readers)
	rf.mu.Lock()
	f.waiting = false
}

// readers returns how many calls of ReadIndex wait.
func (rf *Raft) readers() (n int) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	for _, r := range rf.reads.waiting {
		n += r.readers
	}
	return n
}

// confirmLocked handles that f has processed c, and so was in the current term after c was sent.
func (rf *Raft) confirmLocked(f *follower, c *call) {
	f.confirmed = max(f.confirmed, c.number)
	rf.finishReadsLocked()
}

// finishReadsLocked ends the rounds that a majority has confirmed, this server included.
func (rf *Raft) finishReadsLocked() {
	if len(rf.reads.waiting) == 0 {
		return
	}
	confirmed := make([]int, 0, 8)
	for _, f := range rf.followers {
		if f == nil {
			confirmed = append(confirmed, rf.reads.sent+1)
		} else {
			confirmed = append(confirmed, f.confirmed)
		}
	}
	slices.Sort(confirmed)
	majority := confirmed[(len(confirmed)-1)/2]
	for len(rf.reads.waiting) > 0 && rf.reads.waiting[0].after < majority {
		rf.endRoundLocked(nil)
	}
}

// failReadsLocked ends all rounds, since the server no longer leads.
func (rf *Raft) failReadsLocked() {
	for len(rf.reads.waiting) > 0 {
		rf.endRoundLocked(ErrDeposed)
	}
}

// endRoundLocked ends the oldest round.
func (rf *Raft) endRoundLocked(err error) {
	r := rf.reads.waiting[0]
	rf.reads.waiting = slices.Delete(rf.reads.waiting, 0, 1)
	rf.reads.crowd.count(r.readers)
	r.err = err
	close(r.done)
}
