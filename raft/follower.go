//go:build go1.25

package raft

import (
	"slices"
	"sync"
	"time"
)

// A follower is a leader's state for one peer. Raft.mu guards it.
type follower struct {
	id int // index in Raft.peers
	progress
	inFlight
	duty

	work    sync.Cond // signalled when there is something to send
	waiting bool      // a replicator waits for work

	gathering bool // a replicator is about to send a message for reads
}

// A progress is what a leader knows of a follower's log ("volatile state on leaders", Figure 2).
type progress struct {
	nextIndex    int  // index of the next entry to send; earlier entries are in flight or replicated
	matchIndex   int  // index of the highest entry known to be replicated there; never falls during a term
	hasAnswered  bool // it has replied in this term
	probing      bool // the logs differ before nextIndex; nextIndex advances only after the consistency check succeeds
	missingIndex int  // index of an entry in flight that the follower has reported missing; 0 if none
	backlogFull  bool // it accepts no entries until its service has caught up (WithMaxBacklog)
	caughtUp     bool // it has held all committed entries, and has been reachable since
	roundAcked   int  // the last round of reads of which it has processed a message in this term
}

// An inFlight holds the calls in flight to a follower, and how long calls take.
type inFlight struct {
	calls          []*call   // calls in flight that have not timed out, oldest first
	entries        int       // how many of them carry entries
	snapshots      int       // how many of them carry a snapshot
	bytes          int       // bytes of these entries and snapshots
	sentBytes      int       // bytes of all calls in this term
	snapshotCall   *call     // the last InstallSnapshot until it returns; nil if calls were failing when it was sent
	failures       int       // consecutive calls that failed or timed out
	lastAnswer     time.Time // when the follower last processed a message; at first, when this server became leader
	answeredSentAt time.Time // latest sentAt of the calls that have a reply, heartbeats excluded

	heartbeatRTT, dataRTT roundTrips // of heartbeats, and of calls with data; kept from term to term
}

// A duty is what a leader must tell a follower soon, besides entries and snapshots.
type duty struct {
	heartbeatDue    bool      // a heartbeat must be sent, even while other calls are in flight
	commitDue       bool      // a new commitIndex must be sent, in a message without entries if need be
	heartbeatSentAt time.Time // when the last heartbeat was sent, or a later call that has a reply
	commitSent      int       // the last commitIndex sent, as far as the message let the follower commit
	commitAcked     int       // the highest such index that the follower has acknowledged
}

// newFollowers returns the followers by peer, nil for this server.
func (rf *Raft) newFollowers() []*follower {
	followers := make([]*follower, len(rf.peers))
	for id := range followers {
		if id != rf.me {
			followers[id] = &follower{id: id, work: sync.Cond{L: &rf.mu}}
		}
	}
	return followers
}

// reset begins a term of leadership: "for each server, index of the next log entry to send to that server (initialized to
// leader last log index + 1)", and matchIndex "initialized to 0" (Figure 2). No calls are in flight and a heartbeat is due.
// It keeps the round-trip times.
func (f *follower) reset(lastLogIndex int) {
	f.progress = progress{nextIndex: lastLogIndex + 1}
	f.inFlight = inFlight{lastAnswer: time.Now(), heartbeatRTT: f.heartbeatRTT, dataRTT: f.dataRTT}
	f.duty = duty{heartbeatDue: true}
}

// A call is one message to a follower, until its reply or failure. A replicator reuses its call.
type call struct {
	message       Message
	entries       batch    // the entries of the message
	records       []string // their records, as in AppendEntriesArgs.Entries
	bytes         int      // size of the entries or the snapshot; 0 for a heartbeat
	bytesInFlight int      // inFlight.bytes when it was sent, its own included
	sentBytes     int      // inFlight.sentBytes when it was sent, its own included
	first         int      // nextIndex when it was sent
	match         int      // matchIndex when it was sent
	last          int      // matchIndex if it succeeds
	round         int      // the last round of reads when it was made
	sentAt        time.Time
}

// clear empties c, and keeps its memory for the next call.
func (c *call) clear() {
	clear(c.entries)
	clear(c.records)
	*c = call{entries: c.entries[:0], records: c.records[:0]}
}

func (c *call) term() int {
	_, term := c.message.sender()
	return term
}

func (c *call) isSnapshot() bool {
	_, ok := c.message.(*InstallSnapshotArgs)
	return ok
}

// isHeartbeat reports whether c carries neither entries nor a snapshot.
func (c *call) isHeartbeat() bool { return c.bytes == 0 && !c.isSnapshot() }

// add adds c, which is being sent.
func (f *inFlight) add(c *call) {
	f.calls = append(f.calls, c)
	f.count(c, 1)
	f.sentBytes += c.bytes
	c.bytesInFlight, c.sentBytes = f.bytes, f.sentBytes
}

// removeAll removes all calls, after the follower became unreachable. A late reply is still handled.
func (f *inFlight) removeAll() {
	clear(f.calls)
	f.calls, f.entries, f.snapshots, f.bytes, f.snapshotCall = f.calls[:0], 0, 0, 0, nil
}

// remove removes c, and reports whether it was in flight. A call that has timed out no longer is.
func (f *inFlight) remove(c *call) bool {
	k := slices.Index(f.calls, c)
	if k < 0 {
		return false
	}
	f.calls = slices.Delete(f.calls, k, k+1)
	f.count(c, -1)
	return true
}

// count adds c to the totals n times; n is 1 or -1.
func (f *inFlight) count(c *call, n int) {
	f.bytes += n * c.bytes
	switch {
	case c.isSnapshot():
		f.snapshots += n
	case c.bytes > 0:
		f.entries += n
	}
}

// carries reports whether the entry at index is in flight.
func (f *inFlight) carries(index int) bool {
	return slices.ContainsFunc(f.calls, func(c *call) bool { return c.bytes > 0 && c.first <= index && index <= c.last })
}

// firstUnsent returns the index of the first entry from next on that is not in flight.
func (f *inFlight) firstUnsent(next int) int {
	for found := true; found; { // few passes, since calls are nearly in log order
		found = false
		for _, c := range f.calls {
			if c.bytes > 0 && c.first <= next && next <= c.last {
				next, found = c.last+1, true
			}
		}
	}
	return next
}

// countUnsent returns how many entries from next on come before the first one in flight, or maxNumber if none is.
func (f *inFlight) countUnsent(next int) int {
	gap := maxNumber
	for _, c := range f.calls {
		if c.bytes > 0 && c.first > next {
			gap = min(gap, c.first-next)
		}
	}
	return gap
}

// minRate is the lowest rate expected of a link, in bytes per second.
const minRate = 50_000

// callTimeout returns how long c may take before it times out: least, or twice the shortest recent round trip of such calls
// if that is longer. For a call with data it adds to the round trips the time that bytes take at minRate: those in flight
// when c was sent, its own included, and those sent since. So a lost message is sent again soon, and a message on a slow
// link is not sent twice.
func (f *inFlight) callTimeout(c *call, least time.Duration) time.Duration {
	if c.isHeartbeat() {
		return max(least, 2*f.heartbeatRTT.shortest())
	}
	trip := f.dataRTT.shortest()
	if trip == 0 {
		trip = f.heartbeatRTT.shortest()
	}
	bytes := c.bytesInFlight + f.sentBytes - c.sentBytes
	return max(least, 2*trip+time.Duration(bytes)*(time.Second/minRate))
}

// roundTrips holds the last few round-trip times. The shortest one estimates how long the link takes, since a network that
// delays many replies still delivers some of them soon.
type roundTrips struct {
	last [8]time.Duration // a ring buffer
	n    int              // round trips measured
}

func (t *roundTrips) add(d time.Duration) {
	t.last[t.n%len(t.last)] = max(d, 1)
	t.n++
}

// shortest returns the shortest of the last round trips, 0 if none was measured.
func (t *roundTrips) shortest() time.Duration {
	if t.n == 0 {
		return 0
	}
	return slices.Min(t.last[:min(t.n, len(t.last))])
}
