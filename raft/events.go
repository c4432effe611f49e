//go:build go1.25

package raft

import "fmt"

// An Event is a change of a server's state, sent on applyCh among the commands to who asks for it with WithEvents.
//
// # What the order means
//
// A server goes through one history: its commitIndex rises, and events happen in between. applyCh tells this history
// in its order, where the command with index i stands for commitIndex reaching i. So, for an event E:
//
//   - When E is received, everything up to and including E.CommitIndex has been handed over, as commands or in a
//     snapshot.
//   - Nothing that came to be known as committed after E has been handed over before E, with one exception: a
//     snapshot that replaces commands on both sides of E is sent before E, since it cannot be divided.
//   - Events come in the order in which they happened, each once.
//
// An event tells what happened, not what is: the reader may be behind. Who must know whether the server still
// leads asks Start or GetState, and compares the term.
//
// # What BecameLeader says of earlier terms
//
// BecameLeader{Term: T, Index: n} does not mean that every command of an earlier term was handed over: some may be in
// the log and only commit later, behind the leader's first command of its own term (§5.4.2). But n is where the log
// ended when the server was elected, and it held everything that leaders of earlier terms ever commit (§5.4.3). Hence:
//
//   - Every command that a leader of a term before T commits has an index of at most n. Once the service has
//     received index n, or anything later, it has them all.
//   - Every command that the service receives before this event is of a term before T. Until LostLeadership, what
//     follows up to index n is so too, and all above n is of term T.
//
// After LostLeadership a later leader may put another command in the place of any that was not handed over, also one of
// a term before T that was never committed and that the leader of T did not have.
//
// "Term" is that of the entry, in which Start accepted the command. So a new leader that wants to serve from its own
// state starts a command, waits for it to come back, and then has applied all that was promised to anybody under
// earlier leaders.
type Event struct {
	Kind   EventKind
	Term   int // the server's term after the change; with LostLeadership the term in which it led
	Leader int // the server known to lead in Term after the change, or -1
	Peer   int // with PeerCaughtUp the peer, otherwise -1

	// Index is, with BecameLeader, Status.LastIndex: that of the last entry of the log; with SnapshotInstalled,
	// Status.SnapshotIndex: that of the last entry that the snapshot covers; with PeerCaughtUp, RaftState.MatchIndex of
	// the peer: up to where it is known to hold our log. Otherwise it is 0.
	Index int

	CommitIndex int // the server's commitIndex when it happened: the event's place among the commands
}

// EventKind says what has changed.
type EventKind int

// The kinds of events. One step of the server may cause several; then they come in this order.
const (
	// LostLeadership: the server led in Term and does so no more, because it met a higher term, or
	// because no majority answered it. Each BecameLeader is followed by one, unless the server is killed before.
	LostLeadership EventKind = iota + 1

	// NewTerm: the server has entered Term, a higher one than before. It may skip terms. The term that a server has
	// when Make returns is not reported.
	NewTerm

	// BecameLeader: the server was elected in Term. No other server reports that for the same term (§5.2).
	BecameLeader

	// LeaderKnown: the server has heard from Leader, another server, that it leads in Term, and did not know, or
	// had given that leader up meanwhile.
	LeaderKnown

	// SnapshotInstalled: a snapshot from the leader has replaced everything up to and including Index. The event
	// follows the message with the snapshot, or with a newer one that took its place before it was sent.
	SnapshotInstalled

	// PeerCaughtUp: a leader has found that Peer holds everything that the leader knows to be committed: for the
	// first time in Term, or after Peer did not answer for a while.
	PeerCaughtUp
)

func (k EventKind) String() string {
	names := [...]string{"LostLeadership", "NewTerm", "BecameLeader", "LeaderKnown", "SnapshotInstalled", "PeerCaughtUp"}
	if k < 1 || int(k) > len(names) {
		return fmt.Sprintf("EventKind(%d)", int(k))
	}
	return names[k-1]
}

// An eventQueue holds the events that are not handed over yet, in their order. It has no bound, since none may be lost
// and nobody may wait; but elections, snapshots and returning peers make a few a second on the worst network. Without
// WithEvents it stays empty.
type eventQueue struct {
	waiting []Event
	term    int // the last term that is no news
}

// due appends to dst the events that are due when everything up to index applied is handed over, and takes them from
// the queue. Commands may follow them up to index limit: up to commit, unless the next event comes before.
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

// reportLocked queues an event of the current term for the applier.
func (rf *Raft) reportLocked(kind EventKind, peer, index int) {
	rf.reportEventLocked(Event{Kind: kind, Term: rf.currentTerm, Leader: rf.leader, Peer: peer, Index: index})
}

func (rf *Raft) reportEventLocked(e Event) {
	if rf.options.events && !rf.killed {
		e.CommitIndex = rf.commitIndex
		rf.events.waiting = append(rf.events.waiting, e)
		rf.applyCond.Signal()
	}
}

// reportRoleLocked reports what will have changed when the server has the role and leader given. currentTerm is the new
// one already.
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

// reportProgressLocked takes note that a follower has accepted a message.
func (rf *Raft) reportProgressLocked(f *follower) {
	if !f.caughtUp && f.matchIndex >= rf.commitIndex {
		f.caughtUp = true
		rf.reportLocked(PeerCaughtUp, f.id, f.matchIndex)
	}
}
