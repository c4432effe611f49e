//go:build go1.25

package raft

import (
	"slices"
	"sync"
	"time"
)

// A follower is what a leader knows of one peer, and the link to it. Raft.mu guards it.
type follower struct {
	id int
	progress
	inFlight
	duty

	work    sync.Cond // a replicator waits for something to send
	waiting bool      // one does
}

// A progress is what is known of a follower's log.
type progress struct {
	nextIndex   int  // index of the next entry to send; entries before it are on their way or there
	matchIndex  int  // index of the highest entry known to be there; never falls during a term
	hasAnswered bool // it has answered in this term
	probing     bool // the logs differ before nextIndex; it moves on only when they are known to agree
	missing     int  // the entry that it lacked when later ones came, which it keeps or else must get again; 0 for none
	full        bool // it takes no entries until its service has caught up
	caughtUp    bool // it was seen to hold what is committed, and was not out of reach since
}

// A flight is what is on its way to a follower, and how long that takes.
type inFlight struct {
	calls      []*call   // messages on their way that were not given up, the oldest first
	entries    int       // how many of them carry entries,
	snapshots  int       // and how many a snapshot
	bytes      int       // how many bytes these have
	sentBytes  int       // bytes sent in this term
	installing *call     // the last InstallSnapshot until it returns; nil if calls were failing when it went out
	failures   int       // calls in a row that failed or took too long
	lastAnswer time.Time // when it last took a message, at first when we became leader
	answeredTo time.Time // when the last message that was answered had gone out

	heartbeatRTT, dataRTT roundTrips // of messages without and with entries or a snapshot; they outlast a term
}

// A duty is what a follower must hear, and when.
type duty struct {
	heartbeatDue  bool      // a heartbeat must go out, whatever else is on its way
	commitDue     bool      // a new commitIndex must go out, if need be with nothing else
	heartbeatSent time.Time // when the last heartbeat went out, or a later message that was answered
	commitSent    int       // the last commitIndex that it was sent
	commitAcked   int       // the highest one that it has answered to
}

func (rf *Raft) newFollowers() []*follower {
	followers := make([]*follower, len(rf.peers))
	for id := range followers {
		if id != rf.me {
			followers[id] = &follower{id: id, work: sync.Cond{L: &rf.mu}}
		}
	}
	return followers
}

// reset begins a term of leadership: nothing is known of the follower's log (Figure 2, "State on leaders"), nothing is on
// its way, and it must hear of us. How long messages take is known still.
func (f *follower) reset(lastLogIndex int) {
	f.progress = progress{nextIndex: lastLogIndex + 1}
	f.inFlight = inFlight{lastAnswer: time.Now(), heartbeatRTT: f.heartbeatRTT, dataRTT: f.dataRTT}
	f.duty = duty{heartbeatDue: true}
}

// A call is a message to a follower on its way. A replicator has one, which it uses again and again.
type call struct {
	message   Message
	entries   batch    // to be put into the message
	records   []string // their records, as the message carries them
	bytes     int      // of the entries or the snapshot
	load      int      // bytes on their way to the follower when it went out, itself included
	sentBytes int      // inFlight.sentBytes just after it went out
	first     int      // nextIndex before it
	match     int      // matchIndex before it
	last      int      // index of the last entry that the follower has if it succeeds
	sentAt    time.Time
}

// clear keeps nothing but the memory for the next call.
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

// isHeartbeat reports whether c carries nothing, so that it arrives soon.
func (c *call) isHeartbeat() bool { return c.bytes == 0 && !c.isSnapshot() }

// add takes c into the calls that others wait for.
func (f *inFlight) add(c *call) {
	f.calls = append(f.calls, c)
	f.count(c, 1)
	f.sentBytes += c.bytes
	c.load, c.sentBytes = f.bytes, f.sentBytes
}

// giveUp is for a follower that is out of reach: it forgets all calls. An answer still counts, if it comes.
func (f *inFlight) giveUp() {
	clear(f.calls)
	f.calls, f.entries, f.snapshots, f.bytes, f.installing = f.calls[:0], 0, 0, 0, nil
}

// forget takes c from them, and reports whether it was one.
func (f *inFlight) forget(c *call) bool {
	k := slices.Index(f.calls, c)
	if k < 0 {
		return false
	}
	f.calls = slices.Delete(f.calls, k, k+1)
	f.count(c, -1)
	return true
}

func (f *inFlight) count(c *call, n int) {
	f.bytes += n * c.bytes
	switch {
	case c.isSnapshot():
		f.snapshots += n
	case c.bytes > 0:
		f.entries += n
	}
}

// brings reports whether an entry is on its way.
func (f *inFlight) carries(index int) bool {
	return slices.ContainsFunc(f.calls, func(c *call) bool { return c.bytes > 0 && c.first <= index && index <= c.last })
}

// behind returns the index of the first entry from next on that is not on its way.
func (f *inFlight) firstUnsent(next int) int {
	for found := true; found; { // twice, since calls are nearly in the order of the log
		found = false
		for _, c := range f.calls {
			if c.bytes > 0 && c.first <= next && next <= c.last {
				next, found = c.last+1, true
			}
		}
	}
	return next
}

// gap returns how many entries from next on come before one that is on its way.
func (f *inFlight) gap(next int) int {
	gap := maxNumber
	for _, c := range f.calls {
		if c.bytes > 0 && c.first > next {
			gap = min(gap, c.first-next)
		}
	}
	return gap
}

// minRate is how many bytes a second we expect of a link at least, while its follower answers.
const minRate = 50_000

// callTimeout is how long a call may take before we give it up: least, or twice what messages like it have taken of late and what
// the bytes on their way need on a thin link. What is lost goes out again soon, while what is only slow is not sent twice.
func (f *inFlight) callTimeout(c *call, least time.Duration) time.Duration {
	if c.isHeartbeat() {
		return max(least, 2*f.heartbeatRTT.shortest())
	}
	trip := f.dataRTT.shortest()
	if trip == 0 {
		trip = f.heartbeatRTT.shortest()
	}
	bytes := c.load + f.sentBytes - c.sentBytes
	return max(least, 2*trip+time.Duration(bytes)*(time.Second/minRate))
}

// trips are the times that the last few messages took, there and back. The shortest of them tells what the link needs when
// nothing is lost: on a network that holds many answers back, some come soon.
type roundTrips struct {
	last [8]time.Duration
	n    int
}

func (t *roundTrips) add(d time.Duration) {
	t.last[t.n%len(t.last)] = max(d, 1)
	t.n++
}

// shortest returns 0 as long as nothing is known.
func (t *roundTrips) shortest() time.Duration {
	if t.n == 0 {
		return 0
	}
	return slices.Min(t.last[:min(t.n, len(t.last))])
}
