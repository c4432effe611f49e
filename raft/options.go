//go:build go1.25

package raft

import (
	"errors"
	"fmt"
	"time"
)

// An Option changes how one server works. Make takes any number of them; of two with the same name, the later one counts.
// The defaults obey every rule and limit of the lab. The lab allows other values too, except where an option says
// otherwise.
//
// Servers of one cluster may use different options, but should agree on WithHeartbeat and WithElectionTimeout. No option
// affects safety; WithVotePolicy, WithConcession and WithPreVote say why. "make choices" measures what each choice costs
// and gains.
//
// The first value is the default:
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
//	  WithBackup           BackupByTerm, BackupByHalf, BackupByOne or BackupBy(n)
//	  WithTrailingLog      0 entries
//	  WithMaxBacklog       256 MB
//	service and network
//	  WithEvents           no events on applyCh
//	  WithSnapshotFirst    after a restart, applyCh begins after the saved snapshot
//	  WithCloseOnKill      Kill leaves applyCh open
//	  WithTransport        labrpc
//	tools
//	  WithObserver         no observer
type Option func(*options)

type options struct {
	heartbeat  time.Duration // a leader's interval between heartbeats to a peer
	timeoutMin time.Duration // bounds of the randomized election timeout (§5.2)
	timeoutMax time.Duration
	votePolicy VotePolicy
	concession bool
	preVote    bool
	standSoon  bool

	link       Link
	backup     Backup
	trailing   int // entries that the log keeps although a snapshot covers them
	maxEntries int // maximum entries of one AppendEntries
	maxBacklog int // bytes committed but not handed over, above which a follower accepts no entries

	events          bool
	snapshotFirst   bool // after a restart, the saved snapshot goes to applyCh
	closeOnKill     bool
	transport       func(peer int, m Message) Reply // nil for labrpc
	told            Observer                        // nil for none; WithObserver
	observer        observer                        // nil for none; the tests' own
	onTickerWake    func()                          // test hook: called each time that the ticker wakes
	sendVoteRequest func(int, *RequestVoteArgs)     // test hook: replaces requestVoteFrom on servers without goroutines
}

// labDefaults returns the defaults. The heartbeat obeys the lab's ten heartbeats a second, and an election timeout leaves
// room for one heartbeat to be late: "broadcastTime ≪ electionTimeout ≪ MTBF" (§5.6).
func labDefaults() options {
	return options{
		heartbeat:  115 * time.Millisecond,
		timeoutMin: 160 * time.Millisecond,
		timeoutMax: 320 * time.Millisecond,
		votePolicy: VoteSelfLast,
		preVote:    true,
		standSoon:  true,
		link:       LinkPool(1),
		backup:     BackupByTerm,
		maxEntries: maxEntries,
		maxBacklog: 256 << 20,
	}
}

// WithHeartbeat sets the heartbeat interval: a leader sends a peer a heartbeat when this much time has passed since the
// last one, or since it sent the last message that the peer answered. The default is 115 ms. A shorter interval allows
// shorter election timeouts. The lab allows at most ten heartbeats a second, so at least 100 ms. All servers of a cluster
// should use the same interval. Make panics if d is less than a millisecond, or not less than the minimum election
// timeout.
func WithHeartbeat(d time.Duration) Option {
	return func(o *options) { o.heartbeat = d }
}

// WithElectionTimeout sets the bounds from which each election timeout is drawn (§5.2). The default is 160 to 320 ms. A
// wide range splits few votes, and short timeouts find a leader soon (§9.3); min should leave room for one heartbeat to
// be late. A server waits up to four times as long if its elections fail or no peer answers. The lab wants a new leader
// within five seconds. All servers of a cluster should use the same bounds. Make panics unless heartbeat < min <= max <=
// one year.
func WithElectionTimeout(min, max time.Duration) Option {
	return func(o *options) { o.timeoutMin, o.timeoutMax = min, max }
}

// maxTimeout bounds election timeouts, and so heartbeats. A server adds up at most 20 of these, so no sum can overflow.
const maxTimeout = 365 * 24 * time.Hour

// VotePolicy says when a candidate votes for itself; see WithVotePolicy.
type VotePolicy int

// The vote policies.
const (
	VoteSelfFirst VotePolicy = iota // when it enters its term (§5.2)
	VoteSelfLast                    // when the other votes make a majority with its own
)

func (p VotePolicy) valid() bool { return p == VoteSelfFirst || p == VoteSelfLast }

// String returns the name of the constant.
func (p VotePolicy) String() string {
	if !p.valid() {
		return fmt.Sprintf("VotePolicy(%d)", int(p))
	}
	return [...]string{"VoteSelfFirst", "VoteSelfLast"}[p]
}

// WithVotePolicy sets when a candidate votes for itself. VoteSelfFirst votes when the candidate enters its term, as in
// §5.2. VoteSelfLast, the default, asks the other servers first. The candidate votes for itself when their votes make a
// majority with its own. Until then it may grant its vote to another candidate of its term whose log is up-to-date
// (§5.4.1); it then needs a majority of the others, and still counts their votes, since two candidates may have voted for
// each other. VoteSelfLast splits fewer votes where messages are lost or delayed. Choose VoteSelfFirst to follow the
// paper.
//
// Both are safe. Election Safety (§5.2, Figure 3) requires that a server votes at most once in a term and that a leader
// has the votes of a majority. It does not require that a candidate is one of its own voters. Under both policies a
// server changes votedFor from nobody to a candidate in one step under the lock, and saves it before the vote is counted
// or granted. A restart cannot forget or repeat the vote. A restart also ends the candidacy, so it counts no votes
// afterwards.
func WithVotePolicy(policy VotePolicy) Option {
	return func(o *options) { o.votePolicy = policy }
}

// WithConcession sets whether a candidate steps down as soon as so many servers have refused it that it cannot win. It
// then counts no more votes of that term, and may grant its own vote to another candidate. The default is false: a
// candidate waits for a leader, a new term or its timeout, as in §5.2. With VoteSelfFirst, true saves split votes when a
// cluster starts on a lossy network; with VoteSelfLast it gains nothing.
//
// It is safe, since a vote still counts at most once in a term (§5.2). Only the candidate's own count, which is in
// memory, could use its vote for itself. The candidate first drops that count, then clears votedFor and saves it, all
// under one lock, and only then can grant the vote. It starts no other count in that term, since each candidacy starts a
// new term, also after a restart; grants that come later are ignored. A crash before the save leaves the vote used; a
// crash after it leaves a follower that has not voted. A vote that made its server leader, or that went to another
// server, is never cleared.
func WithConcession(on bool) Option {
	return func(o *options) { o.concession = on }
}

// WithPreVote sets whether a server asks the others whether they would vote for it before it enters a new term (PreVote,
// §9.6 of Ongaro's dissertation). The default is true: a server that was cut off does not depose a working leader when it
// comes back. With false, a server raises its term as soon as its election timeout elapses (§5.2), which saves each
// election a round trip. In term 0 there is no leader to depose, and servers do not ask.
//
// It is safe: a server that answers a PreVote changes no state and promises nothing, and votes are counted as without it.
// To preserve liveness, a leader steps down when no majority answers it, and every server answers PreVotes, whatever this
// option says.
func WithPreVote(on bool) Option {
	return func(o *options) { o.preVote = on }
}

// WithStandSoon sets whether a leader that is deposed while a majority answers it starts an election early: when its next
// heartbeat would have been due, before the others time out. The server that deposed it was cut off or has a less
// up-to-date log, and may not win. If the deposed leader hears from a new leader or grants its vote, it waits for an
// election timeout, as it always does with false. The default is true. If all servers use PreVote, a leader is seldom
// deposed in this way. The option changes a timeout, on which only availability depends (§5.6).
func WithStandSoon(on bool) Option {
	return func(o *options) { o.standSoon = on }
}

// WithTrailingLog sets how many of the entries that a snapshot covers stay in the log, at most. The default is 0. A
// follower that is only that far behind gets the entries that it lacks instead of the whole snapshot (§7). The entries
// also stay in the saved state, whose size the lab's tests limit (to 2,000 bytes in part D), so n must be small there.
// Make panics if n is negative.
func WithTrailingLog(n int) Option {
	return func(o *options) { o.trailing = n }
}

// WithMaxBacklog bounds the memory that a slow service costs a follower. A follower stops accepting entries when more
// than this many bytes of entries are committed but not handed over on applyCh, and accepts them again when at most half
// of that is left. The default is 256 MB. Meanwhile it follows its leader and votes, but does not acknowledge the entries
// that it refuses. If the services of a majority are that far behind, nothing commits, and the leader's log grows with
// each Start; see Status.Backlog for what a service can do then. Make panics if bytes is not positive.
func WithMaxBacklog(bytes int) Option {
	return func(o *options) { o.maxBacklog = bytes }
}

// WithEvents makes the server report changes of its state on applyCh, as ApplyMsgs with EventValid set, in order with
// commands and snapshots. Event describes the kinds and the order. By default there are none. A slow reader loses no
// event and delays no server: events wait in a queue without a bound. After Kill no event is sent. The option changes no
// message between servers, and the lab's tests ignore events. Make panics if ApplyMsg has no field for an Event, as in
// some course trees.
func WithEvents() Option {
	return func(o *options) { o.events = true }
}

// WithSnapshotFirst makes a restarted server send its saved snapshot on applyCh before anything else, or a newer one if
// the leader has sent that first. A server without a snapshot begins with the first command. By default the snapshot is
// not sent: the lab's services read it from their Persister before they call Make.
func WithSnapshotFirst() Option {
	return func(o *options) { o.snapshotFirst = true }
}

// WithCloseOnKill makes Kill close applyCh after the last message. By default applyCh stays open: a closed channel yields
// zero messages, which services of the labs before 2025 take for invalid ones. The labs of 2025 need it: their services end
// when applyCh is closed.
func WithCloseOnKill() Option {
	return func(o *options) { o.closeOnKill = true }
}

// check returns an error if an option is invalid or contradicts another one. Of the timing requirement
// (§5.6) it can check only that an election timeout is longer than a heartbeat interval.
func (o *options) check() error {
	switch {
	case o.heartbeat < time.Millisecond:
		return fmt.Errorf("WithHeartbeat(%v): want at least 1ms", o.heartbeat)
	case o.timeoutMin <= 0 || o.timeoutMin > o.timeoutMax:
		return fmt.Errorf("WithElectionTimeout(%v, %v): want 0 < min <= max", o.timeoutMin, o.timeoutMax)
	case o.timeoutMax > maxTimeout:
		return fmt.Errorf("WithElectionTimeout(%v, %v): want at most %v", o.timeoutMin, o.timeoutMax, maxTimeout)
	case o.timeoutMin <= o.heartbeat:
		return fmt.Errorf("a minimum election timeout of %v must exceed the heartbeat of %v", o.timeoutMin, o.heartbeat)
	case !o.link.valid():
		return fmt.Errorf("WithLink(%d): want LinkOrdered, LinkPerMessage, LinkPool(n) or LinkPools(n, m)", o.link)
	case !o.backup.valid():
		return fmt.Errorf("WithBackup(%d): want BackupByTerm, BackupByHalf or BackupBy(n)", o.backup)
	case o.trailing < 0:
		return fmt.Errorf("WithTrailingLog(%d): want at least 0", o.trailing)
	case o.events && !hasEvents:
		return errors.New("WithEvents: ApplyMsg has no field for an Event in this tree")
	case o.maxBacklog < 1:
		return fmt.Errorf("WithMaxBacklog(%d): want at least 1", o.maxBacklog)
	case !o.votePolicy.valid():
		return fmt.Errorf("WithVotePolicy(%v): want VoteSelfFirst or VoteSelfLast", o.votePolicy)
	}
	return nil
}
