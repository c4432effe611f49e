package main

// leaders are mistakes about what a leader sends and how it handles the replies (§5.3).
var leaders = []mutant{
	{
		name:   "match-index-at-reply-time",
		wrong:  "matchIndex becomes the leader's last entry at the time of the reply instead of the last entry sent",
		safety: true,
		edits:  []edit{{"replication.go", `match := c.last`, `match := rf.log.lastIndex()`}},
	},
	{
		name:   "heartbeat-counted-as-entries",
		wrong:  "the answer to a heartbeat acknowledges the whole log",
		safety: true,
		edits:  []edit{{"link.go", `c.last = prev + c.entries.length()`, `c.last = rf.log.lastIndex()`}},
	},
	{
		name:   "match-index-from-refusal",
		wrong:  "a leader takes the end of a follower's short log as its matchIndex",
		safety: true,
		edits: []edit{{"backup.go",
			`f.backUpTo(next)
			if prev <= f.matchIndex {`,
			`if reply.ConflictTerm == 0 {
				f.matchIndex = max(f.matchIndex, next-1)
			}
			f.backUpTo(next)
			if prev <= f.matchIndex {`}},
	},
	{
		name:  "match-index-moves-back",
		wrong: "a delayed reply lowers matchIndex",
		edits: []edit{{"replication.go", `f.matchIndex = max(f.matchIndex, match)`, `f.matchIndex = match`}},
	},
	{
		name:   "match-index-kept-from-earlier-lead",
		wrong:  "a server that leads again keeps the matchIndex values of an earlier term",
		safety: true,
		edits: []edit{{"follower.go",
			`progress{nextIndex: lastLogIndex + 1}`,
			`progress{nextIndex: lastLogIndex + 1, matchIndex: f.matchIndex}`}},
	},
	{
		name:   "stale-replies-not-dropped",
		wrong:  "a leader handles a reply to a message of an earlier term",
		safety: true,
		edits:  []edit{{"link.go", `rf.role == Leader && rf.currentTerm == c.term()`, `rf.role == Leader`}},
	},
	{
		name:   "stale-replies-judged-by-their-term",
		wrong:  "a leader in a later term handles a reply whose term equals that of its message",
		safety: true,
		edits: []edit{{"link.go",
			`rf.role == Leader && rf.currentTerm == c.term()`,
			`rf.role == Leader && (reply == nil || reply.term() == c.term() || reply.term() > rf.currentTerm)`}},
	},
	{
		name:  "next-index-moved-by-term-rejection",
		wrong: "a refusal because of the term moves nextIndex like a failed consistency check",
		edits: []edit{{"link.go",
			`rf.onCallReturnLocked(f, &c, rf.callUnlocked(f, &c))`,
			`reply := rf.callUnlocked(f, &c)
			if r, ok := reply.(*AppendEntriesReply); ok && !r.Success && rf.role == Leader {
				f.nextIndex = max(1, min(f.nextIndex, r.ConflictIndex))
			}
			rf.onCallReturnLocked(f, &c, reply)`}},
	},
	{
		name:  "back-up-one-by-one",
		wrong: "nextIndex goes back by one after a failed consistency check",
		edits: []edit{{"backup.go", `f.backUpTo(next)`, `f.backUpTo(max(next, prev))`}},
	},
	{
		name:  "back-up-too-far",
		wrong: "a leader resends its whole log after a failed consistency check",
		edits: []edit{{"backup.go", `f.backUpTo(next)`, `f.backUpTo(min(next, 1))`}},
	},
	{
		name:  "lost-entries-not-sent-again",
		wrong: "nextIndex does not go back when a message is lost",
		edits: []edit{{"replication.go", `f.backUpTo(c.first) f.nextIndex = f.firstUnsent(f.nextIndex)`, ``}},
	},
	{
		name:  "higher-term-in-reply-ignored",
		wrong: "a leader does not step down on a reply with a higher term",
		edits: []edit{{"replication.go",
			`case reply.term() > rf.currentTerm:
				rf.becomeFollowerLocked(reply.term())`,
			``}},
	},
	{
		name:  "hanging-call-blocks-follower",
		wrong: "a leader sends nothing to a follower until its call returns, up to seven seconds later",
		edits: []edit{{"heartbeat.go", `{ return rf.options.heartbeat / 2 }`, `{ return time.Hour }`}},
	},
	{
		name:  "replication-on-heartbeats-only",
		wrong: "new commands wait for the next heartbeat",
		edits: []edit{{"link.go", `f.nextIndex <= last || f.commitDue`, `f.commitDue`}},
	},
	{
		name:  "whole-tail-at-every-start",
		wrong: "every Start resends all entries that are not acknowledged",
		edits: []edit{{"propose.go",
			`rf.wakeReplicatorsLocked()`,
			`for _, f := range rf.followers {
				if f != nil {
					f.removeAll()
					f.nextIndex, f.heartbeatDue = f.matchIndex+1, true
					if !f.waiting {
						go rf.replicator(f)
					}
				}
			}
			rf.wakeReplicatorsLocked()`}},
	},
	{
		name:  "fifty-heartbeats-a-second",
		wrong: "a leader sends heartbeats five times as often as the lab allows",
		edits: []edit{
			{"heartbeat.go", `next := now.Add(rf.options.heartbeat)`, `next := now.Add(rf.options.heartbeat / 5)`},
			{"heartbeat.go", `now.Sub(f.heartbeatSentAt) >= rf.options.heartbeat`, `now.Sub(f.heartbeatSentAt) >= rf.options.heartbeat/5`},
			{"heartbeat.go", `f.heartbeatSentAt.Add(rf.options.heartbeat)`, `f.heartbeatSentAt.Add(rf.options.heartbeat / 5)`},
		},
	},
	{
		name:  "lost-commit-not-told-again",
		wrong: "a leader does not resend a lost message about a commit before the next heartbeat",
		edits: []edit{{"replication.go", `f.commitSent, f.commitDue = f.commitAcked, true`, ``}},
	},
	{
		name:  "commit-told-that-is-known",
		wrong: "a lost heartbeat makes a leader resend a commit that the follower has acknowledged",
		edits: []edit{{"replication.go", `f.commitAcked = max(f.commitAcked, min(args.LeaderCommit, c.last))`, ``}},
	},
	{
		name:  "known-commit-overstated",
		wrong: "a leader believes that a follower with an entry knows that the entry is committed",
		edits: []edit{{"replication.go", `min(args.LeaderCommit, c.last))`, `c.last)`}},
	},
	{
		name:  "failure-counted-twice",
		wrong: "a call that is given up and then fails counts as two failures",
		edits: []edit{{"replication.go", `if pending {`, `if pending || true {`}},
	},
	{
		name:  "hanging-call-no-failure",
		wrong: "a leader keeps sending entries to a peer that never answers",
		edits: []edit{{"heartbeat.go", `f.remove(c) f.failures++`, `f.remove(c)`}},
	},
	{
		name:  "answer-not-awaited",
		wrong: "a leader gives up a call at each tick",
		edits: []edit{{"heartbeat.go", `rf.callTimeoutLocked(f, c)); now.Before(deadline) {`, `rf.callTimeoutLocked(f, c)); now.Before(c.sentAt) {`}},
	},
	{
		name:  "everything-sent-again-after-loss",
		wrong: "a leader resends all unacknowledged entries when one of several messages is lost",
		edits: []edit{{"link.go", `c.first, c.match, c.number, c.sentAt = f.nextIndex,`, `c.first, c.match, c.number, c.sentAt = 0,`}},
	},
	{
		name:  "sent-again-after-each-answer",
		wrong: "an answer makes the leader resend entries that are still in flight",
		edits: []edit{{"replication.go", `f.nextIndex = max(f.nextIndex, f.matchIndex+1)`, `f.nextIndex = f.matchIndex + 1`}},
	},
	{
		name:  "probing-never-ends",
		wrong: "a leader keeps only one message in flight after the follower's log differed once",
		edits: []edit{{"replication.go", `f.probing = false`, ``}},
	},
	{
		name:  "second-lead-inherits-probing",
		wrong: "a new leader waits for a first answer because logs differed when it led before",
		edits: []edit{{"follower.go", `progress{nextIndex: lastLogIndex + 1}`, `progress{nextIndex: lastLogIndex + 1, probing: f.probing}`}},
	},
	{
		name:  "second-lead-inherits-snapshot",
		wrong: "a snapshot in flight from an earlier term delays that of the new term",
		edits: []edit{{"follower.go", `inFlight{lastAnswer: time.Now(),`, `inFlight{lastAnswer: time.Now(), snapshotCall: f.snapshotCall,`}},
	},
	{
		name:  "reply-after-step-down",
		wrong: "a leader that has stepped down handles replies until its term ends",
		edits: []edit{{"link.go", `rf.role == Leader && rf.currentTerm == c.term()`, `rf.currentTerm == c.term()`}},
	},
	{
		name:  "half-way-below-the-log",
		wrong: "BackupByHalf halves the way to an index before the first entry of the log",
		edits: []edit{{"backup.go", `max(f.matchIndex, min(rf.log.base, prev-1))`, `f.matchIndex`}},
	},
	{
		name:  "definitions-once",
		wrong: "a leader sends a type's definition only until the follower has acknowledged an entry",
		edits: []edit{{"link.go", `c.records, rf.definitions.collect(c.entries)`, `c.records, rf.definitions.collect(c.entries[:len(c.entries)*max(0, 1-c.match)])`}},
	},
}
