//go:build go1.25

package raft

import "fmt"

// A Link is a way for a leader to send a peer entries, snapshots and heartbeats. All of them are as safe: a message
// carries the term and the place in the log that it belongs to, so that one that comes late, twice or out of order
// changes nothing or what it would have changed then (§5.1, §5.3). Votes are asked for on their own in any case.
//
// A message is given up, and leaves its place to the next, when it has taken half a heartbeat's time and also more than
// twice what messages have taken of late plus what its bytes need at 50 KB a second. So nothing is sent twice over a
// link that is only slow or thin. An answer counts whenever it comes.
type Link int

const (
	// LinkOrdered is like one long-lived connection: one message at a time, so that a slow one holds up those behind it;
	// a heartbeat for half a heartbeat's time at most. Order is kept: an answer that a later message's answer has
	// overtaken is dropped. If the transport, too, delivers in order, a message that takes longer than an election timeout
	// makes its receiver stand for election, since the heartbeats behind it come too late.
	LinkOrdered Link = -1
	// LinkPerMessage is a short connection for each message: nothing waits for anything, and nothing is ordered. Entries do
	// wait for a snapshot that goes before them, and while sixteen megabytes or 256 messages are on their way.
	LinkPerMessage Link = -2
)

// snapshotBits is where a Link holds how many snapshots a pool sends, less one.
const snapshotBits = 20

// LinkPool is a pool of connections: entries go out as long as fewer than n messages with entries wait for an answer, and
// a snapshot if none does; see LinkPools.
func LinkPool(n int) Link {
	if n < 1 {
		panic(fmt.Sprintf("raft: LinkPool(%d): want at least one", n))
	}
	return LinkPools(n, 1)
}

// LinkPools is a pool of connections to each peer. At most so many messages with entries wait for an answer at a time, and
// at most so many snapshots, each later than the one before. Entries do not go out beside a snapshot, since they follow it.
// Heartbeats wait for nothing. With one message at a time, what waits goes out in one batch (§10.2.1 of Ongaro's
// dissertation); more of them pay where the way is long: entries that overtake others are kept until those have come.
// However large the numbers, at most sixteen megabytes of entries and 256 messages with entries are on their way to a peer.
// LinkPools panics if one of the numbers is not positive, or there are more than a million entries or a thousand snapshots.
func LinkPools(entries, snapshots int) Link {
	if entries < 1 || entries >= 1<<snapshotBits || snapshots < 1 || snapshots > 1000 {
		panic(fmt.Sprintf("raft: LinkPools(%d, %d): want 1 to %d messages with entries, 1 to 1000 with a snapshot",
			entries, snapshots, 1<<snapshotBits-1))
	}
	return Link((snapshots-1)<<snapshotBits | entries)
}

// entries returns how many messages with entries may be on their way in a pool.
func (l Link) entries() int { return int(l) & (1<<snapshotBits - 1) }

// snapshots returns how many with a snapshot may.
func (l Link) snapshots() int { return int(l)>>snapshotBits + 1 }

// most returns how many messages with entries are ever on their way to a peer: no more than it keeps.
func (l Link) most() int {
	if l == LinkPerMessage {
		return maxReordered
	}
	return min(l.entries(), maxReordered)
}

func (l Link) valid() bool {
	return l == LinkOrdered || l == LinkPerMessage || l > 0 && l.entries() > 0
}

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

// WithLink chooses how a leader talks to each peer; LinkPool(1) is the default.
func WithLink(l Link) Option {
	return func(o *options) { o.link = l }
}

// A Backup is how far a leader goes back in a follower's log to where they agree, after the consistency check has found
// that they differ (§5.3). It matters for the number of messages only: whichever nextIndex a leader tries, the check
// decides. Past the end of a follower's log all of them go back at once.
type Backup int

const (
	// BackupByTerm goes to the first entry that the follower has of the conflicting term, or just past it if the
	// logs agree there: a message for each term that conflicts.
	BackupByTerm Backup = iota
	// BackupByHalf goes half of the way back to what is known to agree.
	BackupByHalf
	// BackupByOne is BackupBy(1): it goes back by one entry, as Figure 2 does.
	BackupByOne
)

// BackupBy goes back by n entries, but stops where the leader's log begins before it sends a snapshot. It panics if n is
// not positive.
func BackupBy(n int) Backup {
	if n < 1 {
		panic(fmt.Sprintf("raft: BackupBy(%d): want at least one", n))
	}
	if n == 1 {
		return BackupByOne
	}
	return Backup(-n)
}

// entries returns by how many entries it goes back, 0 if that depends on the logs.
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

// WithBackup chooses how a leader finds where a follower's log begins to differ; BackupByTerm is the default.
func WithBackup(b Backup) Option {
	return func(o *options) { o.backup = b }
}
