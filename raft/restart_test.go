package raft

import "testing"

// What a snapshot covers is committed and applied, also for a server that has just restarted with it: an older snapshot
// tells it nothing.
func TestRestartBehindSnapshot(t *testing.T) {
	before := committed(t)
	before.Snapshot(3, []byte("three"))
	rf := newQuiet(t, 3, before.store.persister.Copy())
	mustEqual(t, "commitIndex, lastApplied", [2]int{rf.commitIndex, rf.lastApplied}, [2]int{3, 3})
	verify(t, rf)
	deliver(t, rf, &InstallSnapshotArgs{Term: 3, LeaderID: 1, LastIncludedIndex: 2, LastIncludedTerm: 1, Data: []byte("two")})
	mustEqual(t, "snapshot", restored(t, rf).snapshot, "three")
	mustEqual(t, "log", logTerms(t, rf), "[2 3]")
}
