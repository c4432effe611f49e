package main

// readings are mistakes of reads without entries in the log (§8).
var readings = []mutant{
	{
		name:   "read-joins-sent-round",
		wrong:  "a read waits for answers to messages that were sent before it came",
		safety: true,
		edits:  []edit{{"read.go", `if !rf.reads.open {`, `if false {`}},
	},
	{
		name:   "read-counts-older-answers",
		wrong:  "an answer counts for reads that came after its message was sent",
		safety: true,
		edits:  []edit{{"replication.go", `rf.ackRoundLocked(f, c.round)`, `rf.ackRoundLocked(f, rf.reads.round)`}},
	},
	{
		name:   "read-before-entry-of-term",
		wrong:  "a leader answers reads before it has committed an entry of its term",
		safety: true,
		edits:  []edit{{"read.go", `case rf.log.term(rf.commitIndex) != rf.currentTerm: return nil, ErrNoEntry`, ``}},
	},
	{
		name:   "read-without-majority",
		wrong:  "a leader answers reads although nobody has answered it",
		safety: true,
		edits:  []edit{{"read.go", `acked[(len(acked)-1)/2]`, `acked[len(acked)-1]`}},
	},
	{
		name:  "read-needs-everybody",
		wrong: "a read waits for answers from all servers",
		edits: []edit{{"read.go", `acked[(len(acked)-1)/2]`, `acked[0]`}},
	},
	{
		name:  "read-counts-refusals",
		wrong: "an answer that refuses the message counts for a read; it may come from a server that was killed",
		edits: []edit{{"replication.go", `f.recordAnswer(c, now)`, `f.recordAnswer(c, now); rf.ackRoundLocked(f, c.round)`}},
	},
	{
		name:  "read-returns-last-index",
		wrong: "ReadIndex returns the end of the log, which may never be committed",
		edits: []edit{{"read.go", `r := &read{rf.reads.round, rf.commitIndex,`, `r := &read{rf.reads.round, rf.log.lastIndex(),`}},
	},
	{
		name:  "deposed-leader-keeps-reads",
		wrong: "reads of a leader that was deposed or killed wait for ever",
		edits: []edit{{"role.go", `rf.failReadsLocked()`, ``}},
	},
	{
		name:  "read-waits-for-heartbeat",
		wrong: "a read waits for the next heartbeat",
		edits: []edit{{"link.go", `case f.heartbeatDue || rf.readDueLocked(f):`, `case f.heartbeatDue:`}},
	},
	{
		name:  "read-sends-a-message-each",
		wrong: "each read sends messages of its own",
		edits: []edit{{"read.go", `return !slices.ContainsFunc(f.calls, func(c *call) bool { return c.isHeartbeat() && c.round > f.roundAcked })`, `return true`}},
	},
	{
		name:  "read-waits-for-entries",
		wrong: "a read waits until entries in flight have arrived",
		edits: []edit{{"read.go", `return c.isHeartbeat() && c.round > f.roundAcked`, `return c.round > f.roundAcked`}},
	},
	{
		name:  "read-pursues-silent-peer",
		wrong: "while a read waits, messages to a peer that does not answer are repeated at once",
		edits: []edit{{"read.go", `|| f.failures >= maxFailures {`, `{`}},
	},
	{
		name:  "forgotten-read-stays",
		wrong: "a read whose caller has given up keeps sending messages",
		edits: []edit{{"read.go", `rf.forgetRead(r)`, ``}},
	},
	{
		name:  "lone-server-read-waits",
		wrong: "in a cluster of one, reads wait for ever",
		edits: []edit{{"read.go", `rf.finishReadsLocked() // a cluster of one receives no replies`, ``}},
	},
}
