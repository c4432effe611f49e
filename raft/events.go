//go:build go1.25

package raft

import "fmt"

// An Event is a change of a server's state. With WithEvents the server sends events on applyCh, in order with the
// commands.
//
// # Order
//
// While a server runs, its commitIndex rises, and events happen in between. The messages on applyCh follow this history:
// the command with index i stands for the moment when commitIndex reached i. For an event E this means:
//
//   - When E is received, all entries up to and including E.CommitIndex have been handed over, as commands or in a snapshot.
//   - No entry that became known as committed after E has been handed over before E, with one exception: a snapshot that
//     replaces commands on both sides of E is sent before E, since it cannot be divided.
//   - Events come in the order in which they happened, each once.
//
// An event describes the past: the reader may be behind the server. To learn whether the server still leads, call Start
// or GetState and compare the term.
//
// # BecameLeader and earlier terms
//
// In the following, the term of a command is the one in which Start accepted it. BecameLeader{Term: T, Index: n} does not
// mean that every command of an earlier term has been handed over. Some may be in the log and commit later, at the latest
// with the leader's first command of its own term (§5.4.2). But n is where the log ended at the election, and the log held
// everything that leaders of earlier terms ever commit (§5.4.3). So:
//
//   - Every command that a leader of a term before T commits has an index of at most n. A service that has received index
//     n, or a later one, has received them all.
//   - Every command that the service receives before this event is of a term before T. Until LostLeadership, the
//     commands that follow up to index n are of terms before T, too, and those above n are of term T.
//
// After LostLeadership, a later leader may replace entries that are not committed. A replacement may be of a term before
// T: an entry that was never committed before and that the leader of T did not have.
//
// A new leader that wants to serve clients from its own state starts a command and waits until it comes back. It has then
// applied everything that earlier leaders have committed, as it would after the no-op entry of §8.
type Event struct {
	Kind   EventKind
	Term   int // the server's term after the change; with LostLeadership the term in which it led
	Leader int // the server known to lead in Term after the change, or -1
	Peer   int // with PeerCaughtUp the peer, otherwise -1

	// Index depends on Kind. With BecameLeader it is the index of the last entry of the log, as in Status.LastIndex; with
	// SnapshotInstalled the index of the last entry that the snapshot covers, as in Status.SnapshotIndex; with
	// PeerCaughtUp the highest index up to which Peer is known to hold this server's log, as in RaftState.MatchIndex.
	// Otherwise it is 0.
	Index int

	CommitIndex int // the server's commitIndex when the event happened: its place among the commands
}

// EventKind says what has changed.
type EventKind int

// The kinds of events. If one step of the server causes several, they come in this order.
const (
	// LostLeadership: the server led in Term and has stepped down, because it met a higher term or because no majority
	// answered it. One follows each BecameLeader, unless the server is killed before.
	LostLeadership EventKind = iota + 1

	// NewTerm: the server has entered Term, which is higher than its term before. Terms may be skipped. The term that a
	// server has when Make returns is not reported.
	NewTerm

	// BecameLeader: the server was elected in Term. No other server reports this for the same term (§5.2).
	BecameLeader

	// LeaderKnown: the server has learned that Leader, another server, leads in Term. It is reported again if the server
	// hears from the same leader after it had started an election.
	LeaderKnown

	// SnapshotInstalled: a snapshot from the leader has replaced all entries up to and including Index. The event follows
	// the message with that snapshot, or with a newer one that replaced it before it was sent.
	SnapshotInstalled

	// PeerCaughtUp: a leader has found that Peer holds all entries that the leader knows to be committed. It is reported
	// for the first time in Term, and again after Peer was out of reach: two or more messages in a row had failed.
	PeerCaughtUp
)

// String returns the name of the constant.
func (k EventKind) String() string {
	names := [...]string{"LostLeadership", "NewTerm", "BecameLeader", "LeaderKnown", "SnapshotInstalled", "PeerCaughtUp"}
	if k < 1 || int(k) > len(names) {
		return fmt.Sprintf("EventKind(%d)", int(k))
	}
	return names[k-1]
}

// An eventQueue holds the events that have not been handed over, in their order. It has no bound, since no event may be
// lost and no server may wait for a reader. Elections, snapshots and peers that come back are rare, so it grows slowly.
// Without WithEvents it stays empty.
type eventQueue struct {
	waiting []Event
	term    int // the last term that was reported, or that the server began with
}

// due moves to dst the events that are due when all entries up to index applied have been handed over. It also returns
// the index up to which commands may follow them: commit, or less if the next event comes before that.
func (q *eventQueue) due(dst []Event, applied, commit int) (events []Event, limit int) {
	n := 0
	for n < len(q.waiting) && q.waiting[n].CommitIndex <= applied {
		n++
	}
	dst = append(dst, q.waiting[:n]...)
	if q.waiting = q.waiting[n:]; len(q.waiting) > 0 {
		return dst, min(commit, q.waiting[0].CommitIndex)
	}
	q.waiting = nil
	return dst, commit
}

// reportLocked queues an event of the current term.
func (rf *Raft) reportLocked(kind EventKind, peer, index int) {
	rf.reportEventLocked(Event{Kind: kind, Term: rf.currentTerm, Leader: rf.leader, Peer: peer, Index: index})
}

// reportEventLocked queues an event and wakes the applier. Without WithEvents, or after Kill, it does nothing.
func (rf *Raft) reportEventLocked(e Event) {
	if rf.options.events && !rf.killed {
		e.CommitIndex = rf.commitIndex
		rf.events.waiting = append(rf.events.waiting, e)
		rf.applyCond.Signal()
	}
}

// reportRoleLocked reports the changes that setRoleLocked is about to make to role and leader. currentTerm is already the
// new term.
func (rf *Raft) reportRoleLocked(role Role, leader int) {
	e := Event{Term: rf.events.term, Leader: nobody, Peer: nobody}
	if rf.role == Leader && role != Leader {
		e.Kind = LostLeadership
		rf.reportEventLocked(e)
	}
	if e.Term = rf.currentTerm; e.Term > rf.events.term {
		rf.events.term, e.Kind = e.Term, NewTerm
		rf.reportEventLocked(e)
	}
	e.Leader = leader
	switch {
	case role == Leader && rf.role != Leader:
		e.Kind, e.Index = BecameLeader, rf.log.lastIndex()
		rf.reportEventLocked(e)
	case role != Leader && leader != nobody && leader != rf.leader:
		e.Kind = LeaderKnown
		rf.reportEventLocked(e)
	}
}

// reportCaughtUpLocked reports PeerCaughtUp if a follower, which has just accepted a message, holds all committed
// entries.
func (rf *Raft) reportCaughtUpLocked(f *follower) {
	if !f.caughtUp && f.matchIndex >= rf.commitIndex {
		f.caughtUp = true
		rf.reportLocked(PeerCaughtUp, f.id, f.matchIndex)
	}
}
