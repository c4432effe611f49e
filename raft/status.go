//go:build go1.25

package raft

import "fmt"

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
