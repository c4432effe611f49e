package main

// reorderings are mistakes about entries that overtook others and are kept.
var reorderings = []mutant{
	{
		name:   "reordered-entries-outlive-leader",
		wrong:  "entries of an earlier leader that overtook others are appended under a new one",
		safety: true,
		edits:  []edit{{"role.go", `rf.reordered = reorderBuffer{}`, ``}},
	},
	{
		name:  "reordered-entries-unchecked",
		wrong: "entries that were kept are appended without the consistency check",
		edits: []edit{{"reorder.go", `if !rf.log.matches(b.prev, b.prevTerm) {
			continue
		}`, ``}},
	},
	{
		name:   "beyond-one-too-many",
		wrong:  "a follower claims one entry more than it had kept",
		safety: true,
		edits:  []edit{{"reorder.go", `b.prev+b.entries.length())`, `b.prev+b.entries.length()+1)`}},
	},
	{
		name:  "beyond-not-told",
		wrong: "a follower does not say that entries it kept are in its log: they are sent again",
		edits: []edit{{"replication.go", `last, reply.Beyond = beyond, beyond`, `last = beyond`}},
	},
	{
		name:  "too-many-messages-kept",
		wrong: "a follower keeps any number of messages that overtook others",
		edits: []edit{{"reorder.go", `len(rb.kept) >= maxReordered ||`, ``}},
	},
	{
		name:  "too-many-bytes-kept",
		wrong: "a follower keeps any number of bytes that overtook others",
		edits: []edit{{"reorder.go", `|| rb.bytes+size > maxBytesInFlight`, ``}},
	},
	{
		name:  "reordered-bytes-never-freed",
		wrong: "the bytes of what was kept still count when it is in the log, until nothing is kept any more",
		edits: []edit{{"reorder.go", `rb.bytes -= b.entries.size()`, ``}},
	},
	{
		name:  "reordered-entries-kept-twice",
		wrong: "a message that is repeated while it is kept takes room again",
		edits: []edit{{"reorder.go", `if k.prev == prev && k.prevTerm == prevTerm && k.entries.length() >= b.length() {
			return
		}`, `_ = k`}},
	},
	{
		name:  "reordered-definitions-lost",
		wrong: "entries that were kept are appended without the type definitions that came along",
		edits: []edit{{"reorder.go", `b.entries.drop(known), b.types)`, `b.entries.drop(known), nil)`}},
	},
	{
		name:  "dropped-entries-not-sent-at-once",
		wrong: "what a follower could not keep is not sent again as long as anything is on its way to it",
		edits: []edit{{"replication.go", `f.missingIndex > 0 && !f.carries(awaited)`, `f.missingIndex > 0 && len(f.calls) == 0`}},
	},
	{
		name:  "overtaken-entries-sent-again",
		wrong: "a leader sends again what only was overtaken",
		edits: []edit{{"replication.go", `case reply.ConflictTerm == 0 && reply.ConflictIndex > 0 && f.carries(max(reply.ConflictIndex, f.matchIndex+1)):`, `case false:`}},
	},
}
