package main

// reorderings are mistakes about entries that overtook others and are kept.
var reorderings = []mutant{
	{
		name:   "reordered-entries-outlive-leader",
		wrong:  "a follower appends entries that it kept from an earlier leader under a new leader",
		safety: true,
		edits:  []edit{{"role.go", `rf.reordered = reorderBuffer{}`, ``}},
	},
	{
		name:  "reordered-entries-unchecked",
		wrong: "a follower appends the entries that it kept without the consistency check",
		edits: []edit{{"reorder.go", `if !rf.log.matches(b.prev, b.prevTerm) {
			continue
		}`, ``}},
	},
	{
		name:   "beyond-one-too-many",
		wrong:  "a follower claims one entry more than it has kept",
		safety: true,
		edits:  []edit{{"reorder.go", `b.prev+b.entries.length())`, `b.prev+b.entries.length()+1)`}},
	},
	{
		name:  "beyond-not-told",
		wrong: "a follower does not report that it has appended the entries it kept, so the leader resends them",
		edits: []edit{{"replication.go", `last, reply.Beyond = beyond, beyond`, `last = beyond`}},
	},
	{
		name:  "too-many-messages-kept",
		wrong: "a follower keeps any number of messages that arrive out of order",
		edits: []edit{{"reorder.go", `len(rb.kept) >= maxReordered ||`, ``}},
	},
	{
		name:  "too-many-bytes-kept",
		wrong: "a follower keeps any number of bytes that arrive out of order",
		edits: []edit{{"reorder.go", `|| rb.bytes+size > maxBytesInFlight`, ``}},
	},
	{
		name:  "reordered-bytes-never-freed",
		wrong: "a follower still counts the bytes of kept messages after it has appended them",
		edits: []edit{{"reorder.go", `rb.bytes -= b.entries.size()`, ``}},
	},
	{
		name:  "reordered-entries-kept-twice",
		wrong: "a follower keeps a repeated message a second time",
		edits: []edit{{"reorder.go", `if k.prev == prev && k.prevTerm == prevTerm && k.entries.length() >= b.length() {
			return
		}`, `_ = k`}},
	},
	{
		name:  "reordered-definitions-lost",
		wrong: "a follower appends kept entries without their type definitions",
		edits: []edit{{"reorder.go", `b.entries.drop(known), b.types)`, `b.entries.drop(known), nil)`}},
	},
	{
		name:  "dropped-entries-not-sent-at-once",
		wrong: "a leader does not resend what a follower could not keep while other messages to it are in flight",
		edits: []edit{{"replication.go", `f.missingIndex > 0 && !f.carries(awaited)`, `f.missingIndex > 0 && len(f.calls) == 0`}},
	},
	{
		name:  "overtaken-entries-sent-again",
		wrong: "a leader resends entries that merely arrived out of order",
		edits: []edit{{"replication.go", `case reply.ConflictTerm == 0 && reply.ConflictIndex > 0 && f.carries(max(reply.ConflictIndex, f.matchIndex+1)):`, `case false:`}},
	},
}
