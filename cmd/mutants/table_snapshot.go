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
		wrong:  "InstallSnapshot names the leader's term instead of the last entry's term",
		safety: true,
		edits:  []edit{{"snapshot.go", `LastIncludedTerm: rf.snapshot.term,`, `LastIncludedTerm: rf.currentTerm,`}},
	},
	{
		name:   "snapshot-with-last-term",
		wrong:  "Snapshot records the term of the log's last entry instead of the snapshot's last entry",
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
		wrong:  "an old snapshot that a follower refuses raises lastApplied",
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
		wrong:  "a separate goroutine sends the snapshot on applyCh, possibly after newer entries",
		safety: true,
		edits: []edit{{"snapshot.go",
			`rf.commitLocked(s.index)`,
			`rf.commitLocked(s.index)
			rf.lastApplied = s.index
			go rf.send(ApplyMsg{SnapshotValid: true, Snapshot: s.data, SnapshotTerm: s.term, SnapshotIndex: s.index})`}},
	},
	{
		name:   "installed-snapshot-not-applied",
		wrong:  "a follower installs a snapshot but does not send it on applyCh",
		safety: true,
		edits: []edit{{"snapshot.go",
			`rf.commitLocked(s.index)`,
			`rf.lastApplied = s.index
			rf.commitLocked(s.index)`}},
	},
	{
		name:   "snapshot-discards-suffix",
		wrong:  "a follower that installs a snapshot removes the entries after it, though they match",
		safety: true,
		edits:  []edit{{"snapshot.go", `if !rf.log.matches(s.index, s.term) {`, `if s.index > 0 {`}},
	},
	{
		name:   "snapshot-keeps-conflicting-suffix",
		wrong:  "a follower that installs a snapshot keeps the entries after it, though they conflict",
		safety: true,
		edits:  []edit{{"snapshot.go", `if !rf.log.matches(s.index, s.term) {`, `if s.index < rf.log.base || s.index > rf.log.lastIndex() {`}},
	},
	{
		name:   "snapshot-does-not-commit",
		wrong:  "a snapshot from the leader does not advance commitIndex",
		safety: true,
		edits:  []edit{{"snapshot.go", `rf.commitLocked(s.index)`, ``}},
	},
	{
		name:  "snapshot-shares-callers-memory",
		wrong: "Snapshot keeps the caller's slice, which the service may overwrite",
		edits: []edit{
			{"snapshot.go", `rf.KeepSnapshot(index, bytes.Clone(data))`, `rf.KeepSnapshot(index, data)`},
			{"snapshot.go", `"bytes"`, ``},
		},
	},
	{
		name:   "compaction-forgets-term",
		wrong:  "compaction records a wrong term for the entry before the log",
		safety: true,
		edits:  []edit{{"log.go", `term, last := l.term(index), l.lastIndex()`, `term, last := l.baseTerm, l.lastIndex()`}},
	},
	{
		name:   "snapshot-drops-log",
		wrong:  "Snapshot removes the entries after its index",
		safety: true,
		edits:  []edit{{"snapshot.go", `rf.log.compact(max(rf.log.base, s.index-rf.options.trailing))`, `rf.log.reset(s.index, s.term)`}},
	},
	{
		name:   "snapshot-and-state-saved-apart",
		wrong:  "a server saves state and snapshot in two steps, and a crash may come between",
		safety: true,
		edits: []edit{
			{"store.go", `Front: rf.rebuildFrontLocked(), Snapshot:`, `Front: rf.rebuildFrontLocked(),
			})
			rf.changeLocked(Change{ Snapshot:`},
		},
	},
	{
		name:  "course-disk-saved-twice",
		wrong: "a server gives the course's Persister the state and the snapshot in two steps, and a crash may come between",
		edits: []edit{{"store.go",
			`s.disk.(interface{ SaveStateAndSnapshot(_, _ []byte) }).SaveStateAndSnapshot(state, snapshot)`,
			`p.SaveRaftState(state)
			s.disk.(interface{ SaveStateAndSnapshot(_, _ []byte) }).SaveStateAndSnapshot(state, snapshot)`}},
	},
	{
		name:   "snapshot-not-saved",
		wrong:  "a server saves the shortened log but not the snapshot that replaces its beginning",
		safety: true,
		edits:  []edit{{"store.go", `Replace: true,`, ``}},
	},
	{
		name:   "snapshot-lost-at-restart",
		wrong:  "a restarted server does not read its snapshot, and its next save erases it",
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
		wrong:  "commitIndex begins at the end of the saved log after a restart",
		safety: true,
		edits: []edit{{"raft.go",
			`rf.commitIndex, rf.lastApplied = rf.snapshot.index, rf.snapshot.index`,
			`rf.commitIndex, rf.lastApplied = rf.log.lastIndex(), rf.snapshot.index`}},
	},
	{
		name:  "body-checksum-not-verified",
		wrong: "a restarted server does not check the checksum of its saved log",
		edits: []edit{{"persist.go", `extendChecksum(h.startSum, entries) != h.endSum`, `len(entries) < 0`}},
	},
	{
		name:  "covered-entry-snapshot",
		wrong: "Snapshot accepts an older index while the log still holds the entries that the snapshot covers",
		edits: []edit{{"snapshot.go", `if rf.killed || index <= rf.snapshot.index {`, `if rf.killed || index <= rf.log.base {`}},
	},
	{
		name:  "save-erases-snapshot",
		wrong: "the next save erases the snapshot on a Persister that has only Save",
		edits: []edit{{"store.go", `p.Save(state, snapshot)`, `if !newSnapshot {
			snapshot = nil
		}
		p.Save(state, snapshot)`}},
	},
	{
		name:  "first-entry-no-snapshot",
		wrong: "a server refuses a snapshot of only the first entry",
		edits: []edit{{"snapshot.go", `args.LastIncludedIndex < 1 ||`, `args.LastIncludedIndex < 2 ||`}},
	},
	{
		name:  "first-index-behind-snapshot",
		wrong: "RaftState reports the snapshot's last index as the first index of the log",
		edits: []edit{{"control.go", `FirstIndex: rf.log.base + 1,`, `FirstIndex: rf.snapshot.index + 1,`}},
	},
	{
		name:  "applied-from-log-base",
		wrong: "a restarted server with a trailing log applies its own snapshot again",
		edits: []edit{{"raft.go", `rf.commitIndex, rf.lastApplied = rf.snapshot.index, rf.snapshot.index`, `rf.commitIndex, rf.lastApplied = rf.snapshot.index, rf.log.base`}},
	},
}
