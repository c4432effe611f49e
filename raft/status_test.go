package raft

import (
	"fmt"
	"testing"
	"testing/synctest"
)

// A Status prints in one line.
func TestStatusString(t *testing.T) {
	rf := committed(t)
	rf.Snapshot(3, []byte("three"))
	const rest = "last index 5, committed 4, applied 0, snapshot 3"
	for _, c := range []struct {
		role   Role
		leader int
		want   string
	}{
		{Follower, nobody, "follower without a leader"},
		{Follower, 2, "follower of server 2"},
		{Candidate, nobody, "candidate"},
		{Leader, 0, "leader"},
	} {
		rf.role, rf.leader = c.role, c.leader
		mustEqual(t, "status", fmt.Sprint(rf.Status()), fmt.Sprintf("term 3, %s; %s; %d bytes of state, backlog 14 bytes", c.want, rest, rf.PersistBytes()))
	}
}

// Fields and methods that are the same figure under several names agree.
func TestFiguresAgree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf, applyCh := single(t, MakePersister())
		defer rf.Kill()
		for _, command := range []any{"a", "b", "c"} {
			rf.Start(command)
			<-applyCh
		}
		rf.Snapshot(2, []byte("two"))
		rf.Start(RaftState{})
		s := (<-applyCh).Command.(RaftState)
		status := rf.Status()
		mustEqual(t, "TotalIdx", s.TotalIdx, status.LastIndex)
		mustEqual(t, "LogInfo.LastIndex", s.LogInfo.LastIndex, status.LastIndex)
		mustEqual(t, "LogInfo.Bytes", s.LogInfo.Bytes, status.StateBytes)
		mustEqual(t, "PersistBytes", rf.PersistBytes(), status.StateBytes)
		mustEqual(t, "SnapInfo.Index", s.SnapInfo.Index, status.SnapshotIndex)
		mustEqual(t, "the rest", [4]int{s.Term, int(s.Role), s.Leader, s.CommitIndex}, [4]int{status.Term, int(status.Role), status.Leader, status.CommitIndex})
	})
}
