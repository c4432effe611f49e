package main

// appends are mistakes of a follower that receives AppendEntries (§5.3).
var appends = []mutant{
	{
		name:   "heartbeat-always-succeeds",
		wrong:  "a follower skips the consistency check for an AppendEntries without entries",
		safety: true,
		edits: []edit{{"replication.go",
			`} else if !rf.log.matches(prev, args.PrevLogTerm) {`,
			`} else if len(b) > 0 && !rf.log.matches(prev, args.PrevLogTerm) {`}},
	},
	{
		name:   "match-by-index-only",
		wrong:  "the consistency check does not compare terms",
		safety: true,
		edits:  []edit{{"log.go", `index <= l.lastIndex() && l.term(index) == term`, `index <= l.lastIndex() && term >= 0`}},
	},
	{
		name:   "truncate-on-every-append",
		wrong:  "a follower removes its entries after those of an AppendEntries, even if the message is old and short",
		safety: true,
		edits: []edit{{"replication.go",
			`known := rf`,
			`if len(b) > 0 && last >= rf.log.base && last < rf.log.lastIndex() {
				rf.log.truncateFrom(last + 1)
				rf.saveAllLocked(false)
			}
			known := rf`}},
	},
	{
		name:   "truncate-on-heartbeat",
		wrong:  "a follower removes its entries after PrevLogIndex on a heartbeat",
		safety: true,
		edits: []edit{{"replication.go",
			`known := rf`,
			`if len(b) == 0 && prev >= rf.log.base && prev < rf.log.lastIndex() {
				rf.log.truncateFrom(prev + 1)
				rf.saveAllLocked(false)
			}
			known := rf`}},
	},
	{
		name:   "stale-append-cuts-log",
		wrong:  "a follower refuses an AppendEntries of an older term, but first removes the entries that conflict with it",
		safety: true,
		edits: []edit{{"replication.go",
			`if err == nil && rf.admitLeaderLocked(args) {`,
			`if err == nil && !rf.killed && args.Term < rf.currentTerm && rf.log.matches(args.PrevLogIndex, args.PrevLogTerm) {
				known := rf.log.firstNew(args.PrevLogIndex+1, b)
				first := args.PrevLogIndex + 1 + known
				if known < b.length() && first > rf.commitIndex && first <= rf.log.lastIndex() {
					rf.log.truncateFrom(first)
					rf.saveAllLocked(false)
				}
			}
			if err == nil && rf.admitLeaderLocked(args) {`}},
	},
	{
		name:   "conflict-not-cut-off",
		wrong:  "a follower replaces a conflicting entry but keeps the entries after it",
		safety: true,
		edits: []edit{
			{"replication.go",
				`rf.log.truncateFrom(first)`,
				`tail := rf.log.appendTo(nil, first+b.length(), maxNumber, maxNumber)
				rf.log.truncateFrom(first)
				b = append(append(batch{}, b...), tail...)`},
		},
	},
	{
		name:   "entries-taken-without-term",
		wrong:  "a follower appends entries of a newer term but stays in its own term",
		safety: true,
		edits: []edit{{"message.go",
			`if term > rf.currentTerm {
				rf.becomeFollowerLocked(term)`,
			`if _, entries := m.(*AppendEntriesArgs); term > rf.currentTerm && !entries {
				rf.becomeFollowerLocked(term)`}},
	},
	{
		name:   "covered-entries-kept",
		wrong:  "a follower appends entries after its snapshot that the snapshot already covers",
		safety: true,
		edits:  []edit{{"replication.go", `b = b.drop(covered)`, ``}},
	},
	{
		name:   "commit-beyond-last-new-entry",
		wrong:  "a follower bounds commitIndex by its last entry instead of the last new entry",
		safety: true,
		edits:  []edit{{"replication.go", `min(args.LeaderCommit, last)`, `min(args.LeaderCommit, max(last, rf.log.lastIndex()))`}},
	},
	{
		name:   "heartbeat-commits-unchecked-entries",
		wrong:  "a heartbeat commits all entries of a follower, although it checks only the one at PrevLogIndex",
		safety: true,
		edits: []edit{{"replication.go",
			`rf.commitLocked(min(args.LeaderCommit, last))`,
			`if len(args.Entries) == 0 {
				last = max(last, rf.log.lastIndex())
			}
			rf.commitLocked(min(args.LeaderCommit, last))`}},
	},
	{
		name:   "commit-index-lowered",
		wrong:  "a delayed AppendEntries lowers commitIndex",
		safety: true,
		edits: []edit{{"commit.go",
			`if index > rf.commitIndex {
				rf.commitIndex = index`,
			`if index != rf.commitIndex {
				rf.commitIndex = index`}},
	},
	{
		name:  "conflict-index-off-by-one",
		wrong: "a follower with a short log reports the index after the first missing one",
		edits: []edit{{"log.go", `return 0, l.lastIndex() + 1`, `return 0, l.lastIndex() + 2`}},
	},
	{
		name:   "entries-saved-after-answer",
		wrong:  "a follower answers before it saves the entries",
		safety: true,
		edits: []edit{
			{"replication.go", `rf.saveEntriesLocked(true, b...)`, `rf.store.changer = nil
				for _, s := range b {
					rf.noteDefinitionsLocked(&s)
					rf.log.append(nil, s, true)
				}
				time.AfterFunc(5*time.Millisecond, func() {
					rf.mu.Lock()
					defer rf.mu.Unlock()
					if !rf.killed {
						rf.saveAllLocked(false)
					}
				})`},
		},
	},
	{
		name:  "checksum-without-leader-commit",
		wrong: "the checksum does not cover LeaderCommit",
		edits: []edit{{"checksum.go", `.add(m.LeaderCommit)`, ``}},
	},
	{
		name:  "checksum-zero-unchecked",
		wrong: "a receiver does not check a message whose checksum is 0",
		edits: []edit{{"replication.go", `args.Checksum != uint64(args.sum())`, `args.Checksum != 0 && args.Checksum != uint64(args.sum())`}},
	},
	{
		name:  "damaged-reply-believed",
		wrong: "a receiver does not check the checksum of a reply",
		edits: []edit{{"message.go", `if reply == nil || !reply.intact() {`, `if reply == nil {`}},
	},
	{
		name:  "definitions-of-refused-message-kept",
		wrong: "a follower keeps the type definitions of a message that it refuses",
		edits: []edit{{"replication.go", `types, err := rf.definitions.with(args.Definitions)`, `types, err := rf.definitions.with(args.Definitions)
	if err == nil {
		rf.definitions.adopt(types)
	}`}},
	},
	{
		name:   "truncation-not-saved",
		wrong:  "a follower that replaces conflicting entries does not save the change",
		safety: true,
		edits: []edit{{"replication.go",
			`rf.log.truncateFrom(first)`,
			`rf.log.truncateFrom(first)
			rf.store.changer = nil // the next save is of the whole state
			for _, s := range b {
				rf.noteDefinitionsLocked(&s)
				rf.log.append(nil, s, true)
			}
			return true`}},
	},
}
