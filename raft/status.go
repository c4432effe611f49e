//go:build go1.25

package raft

import "fmt"

// Status is the state of a server at one moment. Some of its figures have other names elsewhere: LastIndex is also
// RaftState.TotalIdx and LogInfo.LastIndex, SnapshotIndex is also SnapInfo.Index, and StateBytes is also
// Raft.PersistBytes, Persister.RaftStateSize and LogInfo.Bytes.
type Status struct {
	Term          int  // current term
	Role          Role // the server's role in Term
	Leader        int  // the server known to lead in Term, or -1
	LastIndex     int  // index of the last log entry, or of the last entry before the log if the log is empty
	CommitIndex   int  // index of the highest entry known to be committed
	LastApplied   int  // index of the last entry handed over on applyCh before the current batch
	SnapshotIndex int  // index of the last entry that the snapshot covers, 0 without a snapshot
	StateBytes    int  // length of the saved Raft state in bytes, without the snapshot

	// Backlog is the number of committed entries after LastApplied. BacklogBytes is their size, except entries that a
	// snapshot covers and the log no longer holds. If a service accepts commands faster than it applies them, Backlog
	// grows, or LastIndex - CommitIndex does. It should refuse clients while one of them is large.
	Backlog      int
	BacklogBytes int
}

// Status returns the server's state. The lab has no such method.
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

// String returns the status as one line. It leaves out Backlog, which is CommitIndex - LastApplied.
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
