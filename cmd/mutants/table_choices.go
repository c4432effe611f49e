package main

// choices are mistakes about options.
var choices = []mutant{
	{
		name:  "backup-by-n-off-by-one",
		wrong: "BackupBy(n) goes back by one more",
		edits: []edit{{"backup.go", `max(prev+1-by.entries(), agreed+1)`, `max(prev-by.entries(), agreed+1)`}},
	},
	{
		name:  "backup-by-n-beyond-base",
		wrong: "BackupBy(n) goes back beyond where the log begins, and a snapshot is sent that nobody needs",
		edits: []edit{{"backup.go", `return max(prev+1-by.entries(), agreed+1)`, `return prev + 1 - by.entries()`}},
	},
	{
		name:  "pool-of-snapshots-ignored",
		wrong: "LinkPools sends one snapshot at a time, whatever it was told",
		edits: []edit{{"link.go", `return f.snapshots < link.snapshots()`, `return f.snapshots < 1`}},
	},
	{
		name:  "snapshots-widen-pool-of-entries",
		wrong: "LinkPools with several snapshots takes their number for one of entries",
		edits: []edit{{"options_link.go", `return int(l) & (1<<snapshotBits - 1)`, `return int(l)`}},
	},
	{
		name:  "snapshot-first-not-sent",
		wrong: "WithSnapshotFirst changes nothing",
		edits: []edit{{"raft.go", `rf.lastApplied = 0 //`, `rf.lastApplied = rf.snapshot.index //`}},
	},
	{
		name:  "snapshot-first-sent-twice",
		wrong: "WithSnapshotFirst sends the snapshot by hand, and the applier sends it too",
		edits: []edit{{"raft.go", `go rf.applier()`, `if go1 := rf.snapshot; rf.options.snapshotFirst && go1.index > 0 {
		go func() { rf.send(newSnapshotMsg(&go1)); rf.applier() }()
		return rf
	}
	go rf.applier()`}},
	},
}
