package raft

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// What a snapshot covers is committed and applied, also for a server that has just restarted with it: an older snapshot
// tells it nothing.
func TestRestartBehindSnapshot(t *testing.T) {
	before := committed(t)
	before.Snapshot(3, []byte("three"))
	rf := newQuiet(t, 3, before.store.persister.Copy())
	mustEqual(t, "commitIndex, lastApplied", [2]int{rf.commitIndex, rf.lastApplied}, [2]int{3, 3})
	verify(t, rf)
	deliver(t, rf, &InstallSnapshotArgs{3, 1, 2, 1, []byte("two")})
	mustEqual(t, "snapshot", restored(t, rf).snapshot, "three")
	mustEqual(t, "log", logTerms(t, rf), "[2 3]")
}

// So it is when the log still holds what the snapshot covers: neither that nor the snapshot is handed over again.
func TestRestartWithTrailingLog(t *testing.T) {
	for trailing := range 5 {
		synctest.Test(t, func(t *testing.T) {
			before := newFollower(t, 3, 3, from(1).terms(1, 1, 2, 2, 3), WithTrailingLog(trailing))
			before.commitIndex = 4
			before.Snapshot(3, []byte("three"))
			s := newScene(t, 3, before.store.persister.Copy(), WithTrailingLog(trailing))
			defer s.end()
			s.between(loseAll)
			status := s.rf.Status()
			mustEqual(t, "commitIndex, lastApplied, SnapshotIndex",
				fmt.Sprint(status.CommitIndex, status.LastApplied, status.SnapshotIndex), "3 3 3")
			s.deliver(appendMsg(3, 5, 3, 5))
			time.Sleep(time.Millisecond)
			mustEqual(t, "what is handed over", story(s.received()), "4 5")
		})
	}
}
