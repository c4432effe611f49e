//go:build go1.25

package raft

import "fmt"

// Status is a picture of a server at one moment. RaftState, LogInfo, SnapInfo and Event have some of these figures under other
// names, which are given there.
type Status struct {
	Term          int
	Role          Role
	Leader        int // the server known to lead in Term, or -1
	LastIndex     int // index of the last log entry
	CommitIndex   int // index of the highest entry known to be committed
	LastApplied   int // what was handed over before the portion that is under way now
	SnapshotIndex int // index of the last entry that the snapshot covers, 0 without one
	StateBytes    int // length of the saved Raft state, without the snapshot

	// Backlog is how many entries are committed but not handed over, the portion that is under way included, and
	// BacklogBytes their size, but for those that a snapshot covers. A service that accepts commands faster than it applies
	// them sees it grow, or LastIndex - CommitIndex: it should refuse clients while one of them is large.
	Backlog      int
	BacklogBytes int
}

// Status returns a picture of the server's state, for programs that show it.
func (rf *Raft) Status() Status {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	backlog, bytes := rf.backlogLocked()
	return Status{
		Term:          rf.currentTerm,
		Role:          rf.role,
		Leader:        rf.leader,
		LastIndex:     rf.log.lastIndex(),
		CommitIndex:   rf.commitIndex,
		LastApplied:   rf.lastApplied,
		SnapshotIndex: rf.snapshot.index,
		StateBytes:    rf.store.persister.RaftStateSize(),
		Backlog:       backlog,
		BacklogBytes:  bytes,
	}
}

// String returns the status as one line.
func (s Status) String() string {
	role := s.Role.String()
	switch {
	case s.Role == Follower && s.Leader == nobody:
		role = "follower without a leader"
	case s.Role == Follower:
		role = fmt.Sprintf("follower of server %d", s.Leader)
	}
	return fmt.Sprintf("term %d, %s; last index %d, committed %d, applied %d, snapshot %d; %d bytes of state, backlog %d bytes",
		s.Term, role, s.LastIndex, s.CommitIndex, s.LastApplied, s.SnapshotIndex, s.StateBytes, s.BacklogBytes)
}
