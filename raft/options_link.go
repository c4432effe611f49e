//go:build go1.25

package raft

import "fmt"

// A Link is how a leader sends a peer entries, snapshots and heartbeats; see WithLink. Requests for votes do not use it.
// All links are equally safe: a message carries its term and its place in the log, so that one that comes late, twice or
// out of order does no harm (§5.1, §5.3).
//
// Every link limits the messages in flight to a peer. A message is given up, and no longer counts as in flight, when it
// has taken more than half a heartbeat interval, and also more than twice the shortest of the last eight round trips plus
// the time that the bytes in flight need at 50 KB a second; a snapshot to a peer that answers has at least five heartbeat
// intervals. So a slow link does not make a leader send things twice. A late reply still counts. After two consecutive
// failures a peer gets only heartbeats until it answers.
type Link int

const (
	// LinkOrdered is like one long-lived connection. Entries and snapshots wait for the reply to the message before them,
	// a heartbeat for at most half a heartbeat interval. A reply is dropped if a later message has been answered already.
	// If the transport delivers in order, too, a message that takes longer than an election timeout makes its receiver
	// start an election, since the heartbeats after it come too late.
	LinkOrdered Link = -1
	// LinkPerMessage is like a short connection for each message. Messages do not wait for each other, and may arrive in
	// any order. But entries wait for the reply to a snapshot before them, and the limits of LinkPools on the number and
	// size of messages in flight apply.
	LinkPerMessage Link = -2
)

// snapshotShift is the number of low bits in a pool's Link, which hold its number of messages with entries. The bits above
// hold its number of snapshots, less one.
const snapshotShift = 20

// LinkPool returns LinkPools(n, 1): at most n messages with entries and one snapshot are in flight to a peer. It panics
// unless 1 <= n < 1<<20.
func LinkPool(n int) Link {
	if n < 1 {
		panic(fmt.Sprintf("raft: LinkPool(%d): want at least 1", n))
	}
	return LinkPools(n, 1)
}

// LinkPools returns a pool of connections to each peer. At most the given numbers of messages with entries and of
// snapshots are in flight to a peer; of several snapshots, each is newer than the one before. Entries wait for the reply
// to a snapshot before them. A snapshot waits for the entries in flight if the pool allows only one snapshot. Heartbeats
// never wait. However large the numbers, at most 256 messages with entries are in flight to a peer, and neither entries
// nor snapshots are sent while 16 MB are in flight.
//
// With one message at a time, the entries that wait go out in one batch (§10.2.1 of Ongaro's dissertation). More are
// faster where round trips are long. The receiver keeps entries that overtook earlier ones until those arrive.
//
// LinkPools panics unless 1 <= entries < 1<<20 and 1 <= snapshots <= 1000.
func LinkPools(entries, snapshots int) Link {
	if entries < 1 || entries >= 1<<snapshotShift || snapshots < 1 || snapshots > 1000 {
		panic(fmt.Sprintf("raft: LinkPools(%d, %d): want 1 to %d messages with entries and 1 to 1000 snapshots",
			entries, snapshots, 1<<snapshotShift-1))
	}
	return Link((snapshots-1)<<snapshotShift | entries)
}

// entries returns how many messages with entries a pool allows in flight.
func (l Link) entries() int { return int(l) & (1<<snapshotShift - 1) }

// snapshots returns how many snapshots a pool allows in flight.
func (l Link) snapshots() int { return int(l)>>snapshotShift + 1 }

// maxInFlight returns how many messages with entries may be in flight to a peer: no more than the peer's reorder buffer
// holds.
func (l Link) maxInFlight() int {
	if l == LinkPerMessage {
		return maxReordered
	}
	return min(l.entries(), maxReordered)
}

func (l Link) valid() bool {
	return l == LinkOrdered || l == LinkPerMessage || l > 0 && l.entries() > 0
}

// String returns the link as it is written in Go: "LinkOrdered", "LinkPool(4)".
func (l Link) String() string {
	switch {
	case l == LinkOrdered:
		return "LinkOrdered"
	case l == LinkPerMessage:
		return "LinkPerMessage"
	case !l.valid():
		return fmt.Sprintf("Link(%d)", int(l))
	case l.snapshots() == 1:
		return fmt.Sprintf("LinkPool(%d)", l.entries())
	}
	return fmt.Sprintf("LinkPools(%d, %d)", l.entries(), l.snapshots())
}

// WithLink sets how a leader sends to each peer. The default is LinkPool(1), which sends few messages; the lab counts
// them. Choose LinkPool(4) or more where round trips are long. The lab allows all links. Make panics if l is not one of
// those above.
func WithLink(l Link) Option {
	return func(o *options) { o.link = l }
}

// A Backup is how far a leader moves nextIndex back after a consistency check has failed (§5.3); see WithBackup. It
// affects only the number of messages: the check decides whether the logs agree, whichever nextIndex a leader tries. If a
// follower's log is too short, every Backup goes back to its end in one step.
type Backup int

const (
	// BackupByTerm goes back to the first entry that the follower has of the conflicting term, or past the leader's
	// entries of that term if the leader has that entry, too. It takes one message for each term that conflicts (§5.3).
	BackupByTerm Backup = iota
	// BackupByHalf goes half of the way back to the last entry that is known to agree.
	BackupByHalf
	// BackupByOne is BackupBy(1): it goes back by one entry, as in Figure 2.
	BackupByOne
)

// BackupBy returns a Backup that goes back by n entries. It tries the first entry of the leader's log before the leader
// sends a snapshot. It panics if n is less than 1.
func BackupBy(n int) Backup {
	if n < 1 {
		panic(fmt.Sprintf("raft: BackupBy(%d): want at least 1", n))
	}
	if n == 1 {
		return BackupByOne
	}
	return Backup(-n)
}

// entries returns the number of entries to go back, or 0 if that depends on the logs.
func (b Backup) entries() int {
	switch {
	case b == BackupByOne:
		return 1
	case b < 0:
		return -int(b)
	}
	return 0
}

func (b Backup) valid() bool { return b < -1 || b >= BackupByTerm && b <= BackupByOne }

// String returns the backup as it is written in Go: "BackupByTerm", "BackupBy(3)". BackupByOne is "BackupBy(1)".
func (b Backup) String() string {
	switch {
	case b == BackupByTerm:
		return "BackupByTerm"
	case b == BackupByHalf:
		return "BackupByHalf"
	case b.valid():
		return fmt.Sprintf("BackupBy(%d)", b.entries())
	}
	return fmt.Sprintf("Backup(%d)", int(b))
}

// WithBackup sets how a leader finds where a follower's log begins to differ. The default is BackupByTerm. BackupByHalf
// takes fewer messages where many terms conflict. BackupByOne and other small steps are too slow for the lab's
// TestFigure8Unreliable. Make panics if b is not one of those above.
func WithBackup(b Backup) Option {
	return func(o *options) { o.backup = b }
}

// WithTransport makes the server send its messages with send instead of labrpc; Make then uses only the length of peers.
// send passes m to OnMessage of the peer and returns the reply, or nil if there is none. The reply must be of the type that
// Reply names for m, or the server panics. Messages may be lost, delayed, repeated, reordered or damaged (OnMessage), as
// with labrpc (§5.1, §5.5).
//
// send is called without a lock and from many goroutines at once, also for one peer. It may block, which delays other
// messages to that peer as Link says, but it must return at some time, or its goroutine outlives Kill. Neither side
// changes m afterwards, so a transport within one process may pass it on as it is. Another one may encode it with labgob,
// since all fields are exported. The strings of AppendEntriesArgs hold arbitrary bytes, which JSON and other text formats
// do not keep.
//
// In the lab, servers may communicate only through labrpc. WithTransport panics if send is nil.
func WithTransport(send func(peer int, m Message) Reply) Option {
	if send == nil {
		panic("raft: WithTransport(nil): want a function")
	}
	return func(o *options) { o.transport = send }
}
