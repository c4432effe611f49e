//go:build go1.25

package raft

import (
	"errors"
	"fmt"
	"time"
)

// An Option changes how one server works; Make takes any number of them. Without options a server obeys every rule and
// limit of the lab. Servers of a cluster may differ in all but the times. Unless its comment says more, an option
// matters to speed only, never to safety. What each choice costs and buys is in README, measured by "make choices".
//
//	elections
//	  WithHeartbeat        115 ms
//	  WithElectionTimeout  160 to 320 ms
//	  WithVotePolicy       VoteSelfLast or VoteSelfFirst
//	  WithConcession       false
//	  WithPreVote          true
//	  WithStandSoon        true
//	replication
//	  WithLink             LinkPool(1); LinkPool(n), LinkPools(n, m), LinkOrdered or LinkPerMessage
//	  WithBackup           BackupByTerm, BackupByHalf or BackupBy(n)
//	  WithTrailingLog      0
//	  WithMaxBacklog       256 MB
//	the outside
//	  WithEvents           no events
//	  WithSnapshotFirst    after a restart, applyCh begins behind the saved snapshot
//	  WithCloseOnKill      applyCh stays open
//	  WithTransport        labrpc
//
// The default comes first.
type Option func(*options)

type options struct {
	heartbeat  time.Duration // a leader's pause between messages to a peer
	timeoutMin time.Duration // bounds of the randomized election timeout (§5.2)
	timeoutMax time.Duration
	votePolicy VotePolicy
	concession bool
	preVote    bool
	standSoon  bool

	link     Link
	backup   Backup
	trailing int // entries to keep behind a snapshot
	entries  int // most of one AppendEntries
	backlog  int // bytes committed but not handed over, above which a follower takes no entries

	events          bool
	snapFirst       bool // the saved snapshot goes to applyCh after a restart
	closeOnKill     bool
	transport       func(peer int, m Message) Reply // instead of labrpc
	observer        observer                        // nil for none
	onTickerWake    func()                          // of tests that starve a server: the ticker has just woken
	sendVoteRequest func(int, *RequestVoteArgs)     // of the explorer's servers, which have no goroutines, instead of requestVoteFrom
}

// courseRules are the defaults. The lab allows ten heartbeats a second; a timeout leaves room for one to be late (§5.6).
func courseRules() options {
	return options{
		heartbeat:  115 * time.Millisecond,
		timeoutMin: 160 * time.Millisecond,
		timeoutMax: 320 * time.Millisecond,
		votePolicy: VoteSelfLast,
		preVote:    true,
		standSoon:  true,
		link:       LinkPool(1),
		backup:     BackupByTerm,
		entries:    maxEntries,
		backlog:    256 << 20,
	}
}

// WithHeartbeat sets how long a leader leaves a follower without a message, 115 ms by default: the lab allows ten
// heartbeats a second. It must be a millisecond or more, and below the election timeout, or Make panics. All servers of
// a cluster should agree on it.
func WithHeartbeat(d time.Duration) Option {
	return func(o *options) { o.heartbeat = d }
}

// WithElectionTimeout sets the bounds between which each election timeout is drawn (§5.2), 160 and 320 ms by
// default. min must be positive, above the heartbeat and not above max, and max at most a year, or Make panics. A wide
// range splits few votes, a short one finds a leader soon (§9.3); min should leave room for a heartbeat to be late.
func WithElectionTimeout(min, max time.Duration) Option {
	return func(o *options) { o.timeoutMin, o.timeoutMax = min, max }
}

// maxTimeout bounds election timeouts and so heartbeats, of which a server adds up 20 at most: no sum can overflow.
const maxTimeout = 365 * 24 * time.Hour

// VotePolicy is when a candidate votes for itself; see WithVotePolicy.
type VotePolicy int

// The vote policies.
const (
	VoteSelfFirst VotePolicy = iota // as it enters its term (§5.2)
	VoteSelfLast                    // when the others' votes make a majority with its own
)

func (p VotePolicy) valid() bool { return p == VoteSelfFirst || p == VoteSelfLast }

func (p VotePolicy) String() string {
	if !p.valid() {
		return fmt.Sprintf("VotePolicy(%d)", int(p))
	}
	return [...]string{"VoteSelfFirst", "VoteSelfLast"}[p]
}

// WithVotePolicy sets when a candidate casts its own vote. With VoteSelfFirst it does so as it enters its term (§5.2).
// With VoteSelfLast, the default, it asks the others with its vote still free, gives it to the first other candidate of
// its term that asks for it and whose log is good enough (§5.4.1), and else casts it for itself when that makes a
// majority. A candidate that gave its vote away goes on counting, since two may have traded votes; then it takes a
// majority of the others. So fewer votes split, and where many do a leader is found some 10% sooner (TestChoices).
//
// Election Safety (§5.2, Figure 3) asks only that a server votes at most once a term and that it takes a majority of
// votes to lead; nowhere that a candidate is among its own voters. Under either policy the vote goes from free to its
// candidate in one step under the lock, saved before it is counted or granted, so a restart can neither forget nor
// repeat it; and a restart ends the candidacy, so no vote is counted for it later. Servers of a cluster may differ.
func WithVotePolicy(policy VotePolicy) Option {
	return func(o *options) { o.votePolicy = policy }
}

// WithConcession sets whether a candidate concedes, at once, when so many have refused it that it cannot win: it
// counts no vote of that term any more, and its own vote becomes free for another candidate of that term. Off by
// default: a candidate waits for a leader, a new term or its timeout, as in §5.2. Beside VoteSelfFirst it saves some
// cold starts a split vote; beside VoteSelfLast it buys nothing (TestChoices).
//
// A vote counts but once a term (§5.2). A candidate's vote for itself has been sent to nobody; only its own count in
// memory could use it. That count is dropped, and none begins in that term again, since a candidacy raises the term
// (§5.2), also after a restart, which ends every candidacy. Only then, under the same lock, the vote is freed and
// saved, before anybody can be given it. All that is saved is votedFor: a crash before the save leaves the vote spent
// and helps nobody, one after it leaves a follower with a free vote. Grants that come later find no count. A vote
// that made its server leader, or that another has got, is never freed. Servers of a cluster may differ.
func WithConcession(on bool) Option {
	return func(o *options) { o.concession = on }
}

// WithPreVote sets whether a server asks, before it stands in a new term, if a majority would elect it (PreVote: §9.6
// of Ongaro's dissertation). On by default, so that a server that was cut off deposes nobody when it comes back; it
// costs an election a round trip. Without it a server that hears of no leader raises its term at once (§5.2).
//
// A promise binds nobody and changes no state, and votes are counted as without it, so it cannot harm safety
// (§5.2, §5.4). It could harm progress: that it does not, leaders that a majority does not answer resign, whatever this
// option says, and each server answers who asks. So servers of a cluster may differ.
func WithPreVote(on bool) Option {
	return func(o *options) { o.preVote = on }
}

// WithStandSoon sets whether a leader that is deposed while a majority is with it stands for election when its next
// heartbeat would have been due, before others time out. Who deposed it was cut off for a while or has the worse log,
// and may not win; if it does, or has the better log and gets our vote, we wait for an election timeout, as always
// without the option. On by default. When all servers use PreVote a leader is hardly ever deposed so.
//
// It changes a timeout, which matters to availability only, never to safety (§5.6).
func WithStandSoon(on bool) Option {
	return func(o *options) { o.standSoon = on }
}

// WithTrailingLog keeps up to n of the entries that a snapshot covers, 0 by default. A follower that is no further
// behind then gets those that it lacks instead of the whole snapshot (§7). They are committed, and stay part of the log
// and of the saved state, whose size grows accordingly. Make panics if n is negative.
func WithTrailingLog(n int) Option {
	return func(o *options) { o.trailing = n }
}

// WithMaxBacklog bounds how far a follower's service may lag: while more than so many bytes of entries are committed but not
// handed over to it, the follower takes no further ones, and does again when half of them are left. 256 MB by default. It
// follows its leader as before, and votes; but what it does not take, it does not acknowledge. When the services of a
// majority are so far behind, nothing commits, and the leader's log grows with each Start: see Status.Backlog for what a
// service may do then. Make panics if it is not positive.
func WithMaxBacklog(bytes int) Option {
	return func(o *options) { o.backlog = bytes }
}

// WithEvents has the server report on applyCh how its state changes: ApplyMsgs with EventValid set, in order with the
// commands and snapshots around them. Event says what there is and what the order means. A reader that is slow loses
// none, and delays nobody but itself: events wait for it in a queue that may grow without bound. After Kill nothing is
// sent. Without the option nothing is queued or sent. It changes nothing of what servers tell each other, so each server
// may have it or not.
func WithEvents() Option {
	return func(o *options) { o.events = true }
}

// WithSnapshotFirst makes a restarted server begin on applyCh with the snapshot that it has saved, as if it had just come from
// the leader, before anything else; if the leader sends a newer one first, that takes its place. A server without a snapshot
// begins with the first command, as always. Without the option the snapshot is not sent, and the service reads it from its
// Persister before it calls Make, as the lab's services do.
func WithSnapshotFirst() Option {
	return func(o *options) { o.snapFirst = true }
}

// WithCloseOnKill makes Kill close applyCh after the last message was sent on it. Without it applyCh stays
// open, since services of the classic labs take the zero message of a closed channel for a bad one; the 2025
// labs learn from the closed channel that their Raft has ended.
func WithCloseOnKill() Option {
	return func(o *options) { o.closeOnKill = true }
}

// WithTransport has the server send its messages through send instead of labrpc; of peers, Make then uses the length
// only. send takes a message to a peer, hands it to OnMessage there, and returns the reply, of the type that belongs to
// the message, or nil if there is none. As with labrpc, which it stands for, messages may be lost, delayed, repeated and
// overtake each other (§5.1, §5.5). One that is damaged is refused (OnMessage).
//
// It is called without a lock and from many goroutines at once, some of which may be calls to the same peer. It may
// block, which delays other messages to that peer as Link says; but each call must end some time, or its
// goroutine outlives Kill. Neither side changes m afterwards: a transport within one process may hand it over as it is.
// Another one encodes it, for example with labgob: all fields of messages and replies are exported. The strings of
// AppendEntriesArgs hold any bytes, which an encoding of text, such as JSON, would not leave alone.
//
// WithTransport panics if send is nil.
func WithTransport(send func(peer int, m Message) Reply) Option {
	if send == nil {
		panic("raft: WithTransport(nil): there is nothing to send with")
	}
	return func(o *options) { o.transport = send }
}

// check reports what options cannot work together.
func (o *options) check() error {
	switch {
	case o.heartbeat < time.Millisecond:
		return fmt.Errorf("WithHeartbeat(%v): want a millisecond or more", o.heartbeat)
	case o.timeoutMin <= 0 || o.timeoutMin > o.timeoutMax:
		return fmt.Errorf("WithElectionTimeout(%v, %v): want 0 < min <= max", o.timeoutMin, o.timeoutMax)
	case o.timeoutMax > maxTimeout:
		return fmt.Errorf("WithElectionTimeout(%v, %v): want at most %v", o.timeoutMin, o.timeoutMax, maxTimeout)
	case o.timeoutMin <= o.heartbeat:
		return fmt.Errorf("an election timeout of %v does not leave time for a heartbeat of %v", o.timeoutMin, o.heartbeat)
	case !o.link.valid():
		return fmt.Errorf("WithLink(%d): want LinkOrdered, LinkPerMessage, LinkPool(n) or LinkPools(n, m)", o.link)
	case !o.backup.valid():
		return fmt.Errorf("WithBackup(%d): want BackupByTerm, BackupByHalf or BackupBy(n)", o.backup)
	case o.trailing < 0:
		return fmt.Errorf("WithTrailingLog(%d): it must not be negative", o.trailing)
	case o.events && !hasEvents:
		return errors.New("WithEvents: this tree's ApplyMsg has no place for an Event")
	case o.backlog < 1:
		return fmt.Errorf("WithMaxBacklog(%d): it must be positive", o.backlog)
	case !o.votePolicy.valid():
		return fmt.Errorf("WithVotePolicy(%v): there is no such policy", o.votePolicy)
	}
	return nil
}
