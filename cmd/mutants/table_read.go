package main

// readings are mistakes of ReadIndex (§8). A read that misses an entry which was committed before it began breaks safety, and
// so does one whose index need not be committed.
var readings = []mutant{
	{
		name:   "read-joins-round-under-way",
		wrong:  "a read joins the round of a read that began earlier, whose heartbeats are already on their way",
		safety: true,
		edits:  []edit{{"read.go", `n > 0 && rs.waiting[n-1].after == rs.sent {`, `n > 0 {`}},
	},
	{
		name:   "read-counts-last-heartbeat",
		wrong:  "a read counts the answer to the last message that was sent before it began",
		safety: true,
		edits:  []edit{{"read.go", `rf.reads.waiting[0].after < majority`, `rf.reads.waiting[0].after <= majority`}},
	},
	{
		name:   "read-counts-older-heartbeats",
		wrong:  "a read counts every answer that comes after it began, no matter when its message was sent",
		safety: true,
		edits:  []edit{{"read.go", `max(f.confirmed, c.number)`, `max(f.confirmed, c.number, rf.reads.sent+1)`}},
	},
	{
		name:   "read-before-own-entry",
		wrong:  "a leader serves reads before an entry of its term is committed",
		safety: true,
		edits:  []edit{{"read.go", `case rf.log.term(rf.commitIndex) != rf.currentTerm:`, `case rf.commitIndex < 0:`}},
	},
	{
		name:   "read-once-log-has-own-entry",
		wrong:  "a leader serves reads as soon as its log has an entry of its term, committed or not",
		safety: true,
		edits:  []edit{{"read.go", `rf.log.term(rf.commitIndex) != rf.currentTerm`, `rf.log.lastTerm() != rf.currentTerm`}},
	},
	{
		name:   "read-asks-nobody",
		wrong:  "a leader trusts that it still leads",
		safety: true,
		edits:  []edit{{"read.go", `confirmed[(len(confirmed)-1)/2]`, `confirmed[len(confirmed)-1]`}},
	},
	{
		name:  "half-confirms-read",
		wrong: "half of an even number of servers is enough for a read",
		edits: []edit{{"read.go", `confirmed[(len(confirmed)-1)/2]`, `confirmed[len(confirmed)/2]`}},
	},
	{
		name:  "read-needs-everybody",
		wrong: "a read waits for the answer of every server",
		edits: []edit{{"read.go", `confirmed[(len(confirmed)-1)/2]`, `confirmed[0]`}},
	},
	{
		name:   "read-counts-lost-messages",
		wrong:  "a read counts messages that got no answer",
		safety: true,
		edits:  []edit{{"replication.go", `case reply == nil: if max`, `case reply == nil: rf.confirmLocked(f, c); if max`}},
	},
	{
		name:  "read-counts-refusals",
		wrong: "a read counts the answers of servers that have refused its message, such as killed ones",
		edits: []edit{{"replication.go", `default: f.countFailure(pending) }`, `default: rf.confirmLocked(f, c); f.countFailure(pending) }`}},
	},
	{
		name:  "read-counts-entries-only",
		wrong: "a read does not count heartbeats",
		edits: []edit{{"replication.go", `rf.confirmLocked(f, c)`, `if !c.isHeartbeat() { rf.confirmLocked(f, c) }`}},
	},
	{
		name:   "reads-outlast-lead",
		wrong:  "reads still wait when their server no longer leads, until it leads again",
		safety: true,
		edits:  []edit{{"role.go", `rf.failReadsLocked()`, ``}},
	},
	{
		name:   "read-served-by-follower",
		wrong:  "a server that does not lead takes reads",
		safety: true,
		edits:  []edit{{"read.go", `case rf.role != Leader: return 0, nil, ErrNotLeader`, `case false:`}},
	},
	{
		name:   "read-index-is-last-applied",
		wrong:  "a read returns lastApplied instead of commitIndex",
		safety: true,
		edits:  []edit{{"read.go", `index = rf.commitIndex`, `index = rf.lastApplied`}},
	},
	{
		name:   "read-index-is-last-entry",
		wrong:  "a read returns the index of the last entry, which may never be committed",
		safety: true,
		edits:  []edit{{"read.go", `index = rf.commitIndex`, `index = rf.log.lastIndex()`}},
	},
	{
		name:  "read-sends-nothing",
		wrong: "a read waits for the next heartbeat that is due",
		edits: []edit{{"read.go", `rf.wakeReplicatorsLocked()`, ``}},
	},
	{
		name:  "read-sends-no-second-round",
		wrong: "a read that began while a round was under way waits for the next heartbeat that is due",
		edits: []edit{{"read.go", `return last <= rf.reads.waiting[n-1].after`, `return last <= rf.reads.waiting[0].after`}},
	},
	{
		name:  "read-floods-peers",
		wrong: "each read sends heartbeats, also while others are in flight",
		edits: []edit{{"read.go", `|| slices.ContainsFunc(f.calls, (*call).isHeartbeat) {`, `{`}},
	},
	{
		name:  "read-repeats-entries",
		wrong: "a read sends a heartbeat although entries that were sent after it are in flight",
		edits: []edit{{"read.go", `last = max(last, f.calls[m-1].number)`, ``}},
	},
	{
		name:  "read-floods-silent-peer",
		wrong: "reads send heartbeats to a server that does not answer",
		edits: []edit{{"read.go", `n == 0 || f.failures >= maxFailures ||`, `n == 0 ||`}},
	},
	{
		name:  "read-never-lets-others-join",
		wrong: "many callers at once need a heartbeat each, if messages take no time",
		edits: []edit{{"link.go", `if rf.gatherReadsUnlocked(f); !rf.hasWorkLocked(f) {`, `if false {`}},
	},
	{
		name:  "read-deposed-while-others-join",
		wrong: "a leader that is deposed while reads let others join sends heartbeats in the new term, which it does not lead",
		edits: []edit{{"link.go", `if rf.gatherReadsUnlocked(f); !rf.hasWorkLocked(f) {`, `if rf.gatherReadsUnlocked(f); rf.killed {`}},
	},
	{
		name:  "read-starts-replicators",
		wrong: "a replicator that lets reads join is not known to be there, so that others are started",
		edits: []edit{{"read.go", `f.waiting = true // nobody starts another replicator
`, ``}},
	},
	{
		name:  "read-ignores-context",
		wrong: "a read does not end when its context is done",
		edits: []edit{{"read.go", `case <-ctx.Done(): rf.giveUpRead(r)`, `case <-rf.done: rf.giveUpRead(r)`}},
	},
	{
		name:  "read-given-up-leaves-round",
		wrong: "a round whose readers have all given up still sends heartbeats",
		edits: []edit{{"read.go", `if k := slices.Index(rf.reads.waiting, r); k >= 0 {`, `if k := slices.Index(rf.reads.waiting, r); k > len(rf.reads.waiting) {`}},
	},
	{
		name:  "read-given-up-ends-round",
		wrong: "one reader that gives up ends the round of all others, without telling them",
		edits: []edit{{"read.go", `r.readers--; r.readers > 0 {`, `r.readers--; r.readers < 0 {`}},
	},
}
