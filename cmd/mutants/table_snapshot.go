package main

// snapshots are mistakes about snapshots and restarts (§7).
var snapshots = []mutant{
	{
		name:   "last-included-one-too-low",
		wrong:  "InstallSnapshot names the index before the last one that the snapshot covers",
		safety: true,
		edits:  []edit{{"snapshot.go", `LastIncludedIndex: rf.snapshot.index,`, `LastIncludedIndex: rf.snapshot.index - 1,`}},
	},
	{
		name:   "last-included-one-too-high",
		wrong:  "InstallSnapshot names the index after the last one that the snapshot covers",
		safety: true,
		edits:  []edit{{"snapshot.go", `LastIncludedIndex: rf.snapshot.index,`, `LastIncludedIndex: rf.snapshot.index + 1,`}},
	},
	{
		name:   "snapshot-with-current-term",
		wrong:  "InstallSnapshot names the leader's term instead of the last entry's",
		safety: true,
		edits:  []edit{{"snapshot.go", `LastIncludedTerm: rf.snapshot.term,`, `LastIncludedTerm: rf.currentTerm,`}},
	},
	{
		name:   "snapshot-with-last-term",
		wrong:  "Snapshot notes the term of the log's last entry instead of the snapshot's last",
		safety: true,
		edits:  []edit{{"snapshot.go", `s.term = rf.log.term(index)`, `s.term = rf.log.lastTerm()`}},
	},
	{
		name:   "snapshot-goes-back",
		wrong:  "Snapshot accepts an index that an earlier snapshot covers",
		safety: true,
		edits:  []edit{{"snapshot.go", `if rf.killed || index <= rf.snapshot.index {`, `if rf.killed {`}},
	},
	{
		name:   "old-snapshot-installed",
		wrong:  "a snapshot that is older than the follower's state replaces it",
		safety: true,
		edits:  []edit{{"snapshot.go", `if s.index <= rf.commitIndex { return }`, ``}},
	},
	{
		name:   "refused-snapshot-skips-entries",
		wrong:  "a snapshot that is refused as old raises lastApplied all the same",
		safety: true,
		edits: []edit{{"snapshot.go",
			`if s.index <= rf.commitIndex { return }`,
			`if s.index <= rf.commitIndex {
				rf.lastApplied = max(rf.lastApplied, s.index)
				return
			}`}},
	},
	{
		name:   "snapshot-delivered-late",
		wrong:  "a goroutine of its own hands the snapshot over, maybe after newer entries",
		safety: true,
		edits: []edit{{"snapshot.go",
			`rf.commitLocked(s.index)`,
			`rf.commitLocked(s.index)
			rf.lastApplied = s.index
			go rf.send(ApplyMsg{SnapshotValid: true, Snapshot: s.data, SnapshotTerm: s.term, SnapshotIndex: s.index})`}},
	},
	{
		name:   "installed-snapshot-not-applied",
		wrong:  "a snapshot from the leader is installed, but not sent on applyCh",
		safety: true,
		edits: []edit{{"snapshot.go",
			`rf.commitLocked(s.index)`,
			`rf.lastApplied = s.index
			rf.commitLocked(s.index)`}},
	},
	{
		name:   "snapshot-discards-suffix",
		wrong:  "a snapshot throws away the entries after it, though they agree with it",
		safety: true,
		edits:  []edit{{"snapshot.go", `if !rf.log.matches(s.index, s.term) {`, `if s.index > 0 {`}},
	},
	{
		name:   "snapshot-keeps-conflicting-suffix",
		wrong:  "a snapshot keeps the entries after it, though its last entry has another term",
		safety: true,
		edits:  []edit{{"snapshot.go", `if !rf.log.matches(s.index, s.term) {`, `if s.index < rf.log.base || s.index > rf.log.lastIndex() {`}},
	},
	{
		name:   "snapshot-does-not-commit",
		wrong:  "a snapshot that comes from the leader does not move commitIndex",
		safety: true,
		edits:  []edit{{"snapshot.go", `rf.commitLocked(s.index)`, ``}},
	},
	{
		name:  "snapshot-shares-callers-memory",
		wrong: "Snapshot keeps the caller's slice, which the service may write to",
		edits: []edit{
			{"snapshot.go", `newSnapshot(index, 0, bytes.Clone(data))`, `newSnapshot(index, 0, data)`},
			{"snapshot.go", `"bytes"`, ``},
		},
	},
	{
		name:   "compaction-forgets-term",
		wrong:  "the log that compaction leaves has the wrong term before its first entry",
		safety: true,
		edits:  []edit{{"log.go", `term, last := l.term(index), l.lastIndex()`, `term, last := l.baseTerm, l.lastIndex()`}},
	},
	{
		name:   "snapshot-drops-log",
		wrong:  "Snapshot throws away the entries after its index",
		safety: true,
		edits:  []edit{{"snapshot.go", `rf.log.compact(max(rf.log.base, s.index-rf.options.trailing))`, `rf.log.reset(s.index, s.term)`}},
	},
	{
		name:   "snapshot-and-state-saved-apart",
		wrong:  "state and snapshot are saved one after the other: a crash may come between",
		safety: true,
		edits: []edit{
			{"store.go", `Front: rf.rebuildFrontLocked(), Snapshot:`, `Front: rf.rebuildFrontLocked(),
			})
			rf.changeLocked(Change{ Snapshot:`},
		},
	},
	{
		name:  "course-disk-saved-twice",
		wrong: "a Persister of the course is given the state, and then state and snapshot: a crash may come between",
		edits: []edit{{"store.go",
			`s.disk.(interface{ SaveStateAndSnapshot(_, _ []byte) }).SaveStateAndSnapshot(state, snapshot)`,
			`p.SaveRaftState(state)
			s.disk.(interface{ SaveStateAndSnapshot(_, _ []byte) }).SaveStateAndSnapshot(state, snapshot)`}},
	},
	{
		name:   "snapshot-not-saved",
		wrong:  "the log is saved without its beginning, but the snapshot that replaces it is not",
		safety: true,
		edits:  []edit{{"store.go", `Replace: true,`, ``}},
	},
	{
		name:   "snapshot-lost-at-restart",
		wrong:  "the snapshot is not read at a restart, and the next save erases it",
		safety: true,
		edits: []edit{
			{"persist.go", `term: h.snapshotTerm, data: data, sum:`, `term: h.snapshotTerm, sum:`},
			{"store.go", `c.Head = s.head`, `c.Head, c.Replace, c.Snapshot = s.head, true, rf.snapshot.data`},
		},
	},
	{
		name:   "applied-again-after-restart",
		wrong:  "lastApplied begins at 0 after a restart, below the snapshot",
		safety: true,
		edits:  []edit{{"raft.go", `rf.commitIndex, rf.lastApplied = rf.snapshot.index, rf.snapshot.index`, `rf.commitIndex, rf.lastApplied = rf.snapshot.index, 0`}},
	},
	{
		name:   "commit-index-lost-at-restart",
		wrong:  "commitIndex begins at 0 after a restart, below the snapshot",
		safety: true,
		edits:  []edit{{"raft.go", `rf.commitIndex, rf.lastApplied = rf.snapshot.index, rf.snapshot.index`, `rf.commitIndex, rf.lastApplied = 0, rf.snapshot.index`}},
	},
	{
		name:   "log-committed-at-restart",
		wrong:  "after a restart commitIndex begins at the end of the saved log",
		safety: true,
		edits: []edit{{"raft.go",
			`rf.commitIndex, rf.lastApplied = rf.snapshot.index, rf.snapshot.index`,
			`rf.commitIndex, rf.lastApplied = rf.log.lastIndex(), rf.snapshot.index`}},
	},
	{
		name:  "body-checksum-not-verified",
		wrong: "a saved log that was altered is believed",
		edits: []edit{{"persist.go", `extendChecksum(h.bodyBegin, entries) != h.bodySum`, `len(entries) < 0`}},
	},
	{
		name:  "covered-entry-snapshot",
		wrong: "while the log still holds what the snapshot covers, Snapshot accepts an older index",
		edits: []edit{{"snapshot.go", `if rf.killed || index <= rf.snapshot.index {`, `if rf.killed || index <= rf.log.base {`}},
	},
	{
		name:  "save-erases-snapshot",
		wrong: "a Persister that has only Save loses the snapshot with the next save",
		edits: []edit{{"store.go", `p.Save(state, snapshot)`, `if !newSnapshot {
			snapshot = nil
		}
		p.Save(state, snapshot)`}},
	},
	{
		name:  "first-entry-no-snapshot",
		wrong: "a snapshot of the first entry alone is refused",
		edits: []edit{{"snapshot.go", `args.LastIncludedIndex < 1 ||`, `args.LastIncludedIndex < 2 ||`}},
	},
	{
		name:  "first-index-behind-snapshot",
		wrong: "RaftState takes the snapshot's end for the log's beginning",
		edits: []edit{{"control.go", `FirstIndex: rf.log.base + 1,`, `FirstIndex: rf.snapshot.index + 1,`}},
	},
	{
		name:  "applied-from-log-base",
		wrong: "with a trailing log a restarted server hands its own snapshot over again",
		edits: []edit{{"raft.go", `rf.commitIndex, rf.lastApplied = rf.snapshot.index, rf.snapshot.index`, `rf.commitIndex, rf.lastApplied = rf.snapshot.index, rf.log.base`}},
	},
}
