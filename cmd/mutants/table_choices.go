package main

// choices are mistakes about options.
var choices = []mutant{
	{
		name:  "backup-by-n-off-by-one",
		wrong: "BackupBy(n) goes back by n+1 entries",
		edits: []edit{{"backup.go", `max(prev+1-by.entries(), agreed+1)`, `max(prev-by.entries(), agreed+1)`}},
	},
	{
		name:  "backup-by-n-beyond-base",
		wrong: "BackupBy(n) goes back beyond the first entry of the log, so the leader sends an unneeded snapshot",
		edits: []edit{{"backup.go", `return max(prev+1-by.entries(), agreed+1)`, `return prev + 1 - by.entries()`}},
	},
	{
		name:  "pool-of-snapshots-ignored",
		wrong: "LinkPools sends one snapshot at a time, whatever its argument is",
		edits: []edit{{"link.go", `return f.snapshots < link.snapshots()`, `return f.snapshots < 1`}},
	},
	{
		name:  "snapshots-widen-pool-of-entries",
		wrong: "LinkPools uses the number of snapshots as the number of messages with entries",
		edits: []edit{{"options_link.go", `return int(l) & (1<<snapshotShift - 1)`, `return int(l)`}},
	},
	{
		name:  "snapshot-first-not-sent",
		wrong: "WithSnapshotFirst has no effect",
		edits: []edit{{"raft.go", `rf.lastApplied = 0 //`, `rf.lastApplied = rf.snapshot.index //`}},
	},
	{
		name:  "snapshot-first-sent-twice",
		wrong: "WithSnapshotFirst sends the snapshot, and the applier sends it again",
		edits: []edit{{"raft.go", `go rf.applier()`, `if go1 := rf.snapshot; rf.options.snapshotFirst && go1.index > 0 {
		go func() { rf.send(newSnapshotMsg(&go1)); rf.applier() }()
		return rf
	}
	go rf.applier()`}},
	},
}
