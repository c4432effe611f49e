package main

// leaders are mistakes about what a leader sends and what it makes of the replies (§5.3).
var leaders = []mutant{
	{
		name:   "match-index-at-reply-time",
		wrong:  "matchIndex is the leader's last entry when the reply comes, not what was sent",
		safety: true,
		edits:  []edit{{"replication.go", `match := c.last`, `match := rf.log.lastIndex()`}},
	},
	{
		name:   "heartbeat-counted-as-entries",
		wrong:  "the answer to a heartbeat counts for the whole log, as if it had carried the entries",
		safety: true,
		edits:  []edit{{"link.go", `c.last = prev + c.entries.length()`, `c.last = rf.log.lastIndex()`}},
	},
	{
		name:   "match-index-from-refusal",
		wrong:  "a leader takes the end of a short log for the end of what agrees",
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
		wrong: "a reply that was overtaken lowers matchIndex",
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
		wrong:  "a reply to a message of an earlier term is processed",
		safety: true,
		edits:  []edit{{"link.go", `rf.role == Leader && rf.currentTerm == c.term()`, `rf.role == Leader`}},
	},
	{
		name:   "stale-replies-judged-by-their-term",
		wrong:  "a reply is processed if its term is that of the message, although the leader is in a later term",
		safety: true,
		edits: []edit{{"link.go",
			`rf.role == Leader && rf.currentTerm == c.term()`,
			`rf.role == Leader && (reply == nil || reply.term() == c.term() || reply.term() > rf.currentTerm)`}},
	},
	{
		name:  "next-index-moved-by-term-rejection",
		wrong: "a refusal because of the term moves nextIndex as a failed consistency check does",
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
		wrong: "after a failed consistency check nextIndex goes back by one",
		edits: []edit{{"backup.go", `f.backUpTo(next)`, `f.backUpTo(max(next, prev))`}},
	},
	{
		name:  "back-up-too-far",
		wrong: "after a failed consistency check everything is sent again",
		edits: []edit{{"backup.go", `f.backUpTo(next)`, `f.backUpTo(min(next, 1))`}},
	},
	{
		name:  "lost-entries-not-sent-again",
		wrong: "when a message is lost, nextIndex stays where success would have put it",
		edits: []edit{{"replication.go", `f.backUpTo(c.first) f.nextIndex = f.firstUnsent(f.nextIndex)`, ``}},
	},
	{
		name:  "higher-term-in-reply-ignored",
		wrong: "a leader stays one after a reply with a higher term",
		edits: []edit{{"replication.go",
			`case reply.term() > rf.currentTerm:
				rf.becomeFollowerLocked(reply.term())`,
			``}},
	},
	{
		name:  "hanging-call-blocks-follower",
		wrong: "nothing new goes to a follower before the call to it returns, seven seconds later",
		edits: []edit{{"heartbeat.go", `{ return rf.options.heartbeat / 2 }`, `{ return time.Hour }`}},
	},
	{
		name:  "replication-on-heartbeats-only",
		wrong: "new commands wait for the next heartbeat",
		edits: []edit{{"link.go", `f.nextIndex <= last || f.commitDue`, `f.commitDue`}},
	},
	{
		name:  "whole-tail-at-every-start",
		wrong: "every Start sends again all that is not acknowledged yet",
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
			{"heartbeat.go", `now.Sub(f.heartbeatSent) >= rf.options.heartbeat`, `now.Sub(f.heartbeatSent) >= rf.options.heartbeat/5`},
			{"heartbeat.go", `f.heartbeatSent.Add(rf.options.heartbeat)`, `f.heartbeatSent.Add(rf.options.heartbeat / 5)`},
		},
	},
	{
		name:  "lost-commit-not-told-again",
		wrong: "when the message that tells a commit is lost, the follower waits for the next heartbeat",
		edits: []edit{{"replication.go", `f.commitSent, f.commitDue = f.commitAcked, true`, ``}},
	},
	{
		name:  "commit-told-that-is-known",
		wrong: "a lost heartbeat has a commit told again that the follower has answered to",
		edits: []edit{{"replication.go", `f.commitAcked = max(f.commitAcked, min(args.LeaderCommit, c.last))`, ``}},
	},
	{
		name:  "known-commit-overstated",
		wrong: "a follower that has taken entries is believed to know that they are committed",
		edits: []edit{{"replication.go", `min(args.LeaderCommit, c.last))`, `c.last)`}},
	},
	{
		name:  "failure-counted-twice",
		wrong: "a call that is given up and then fails counts as two failures",
		edits: []edit{{"replication.go", `if pending {`, `if pending || true {`}},
	},
	{
		name:  "hanging-call-no-failure",
		wrong: "a peer that never answers is sent entries for ever",
		edits: []edit{{"heartbeat.go", `f.remove(c) f.failures++`, `f.remove(c)`}},
	},
	{
		name:  "answer-not-awaited",
		wrong: "a call is given up whenever the ticker looks",
		edits: []edit{{"heartbeat.go", `rf.callTimeoutLocked(f, c)); now.Before(late) {`, `rf.callTimeoutLocked(f, c)); now.Before(c.sentAt) {`}},
	},
	{
		name:  "everything-sent-again-after-loss",
		wrong: "when one of several messages is lost, all that is not acknowledged goes again",
		edits: []edit{{"link.go", `c.first, c.match, c.sentAt = f.nextIndex,`, `c.first, c.match, c.sentAt = 0,`}},
	},
	{
		name:  "sent-again-after-each-answer",
		wrong: "an answer has the entries sent again that are still on their way",
		edits: []edit{{"replication.go", `f.nextIndex = max(f.nextIndex, f.matchIndex+1)`, `f.nextIndex = f.matchIndex + 1`}},
	},
	{
		name:  "probing-never-ends",
		wrong: "once the logs differed, only one message is under way at a time",
		edits: []edit{{"replication.go", `f.probing = false`, ``}},
	},
	{
		name:  "second-lead-inherits-probing",
		wrong: "a new lead waits for a first answer where an earlier one found another log",
		edits: []edit{{"follower.go", `progress{nextIndex: lastLogIndex + 1}`, `progress{nextIndex: lastLogIndex + 1, probing: f.probing}`}},
	},
	{
		name:  "second-lead-inherits-snapshot",
		wrong: "a snapshot of an earlier lead that is still on its way holds up the new lead's",
		edits: []edit{{"follower.go", `inFlight{lastAnswer: time.Now(),`, `inFlight{lastAnswer: time.Now(), snapshotCall: f.snapshotCall,`}},
	},
	{
		name:  "reply-after-resignation",
		wrong: "a leader that has resigned takes replies as long as its term lasts",
		edits: []edit{{"link.go", `rf.role == Leader && rf.currentTerm == c.term()`, `rf.currentTerm == c.term()`}},
	},
	{
		name:  "half-way-below-the-log",
		wrong: "BackupByHalf halves the way to an index before the log's beginning",
		edits: []edit{{"backup.go", `max(f.matchIndex, min(rf.log.base, prev-1))`, `f.matchIndex`}},
	},
	{
		name:  "definitions-once",
		wrong: "the definition of a type comes only as long as the follower has acknowledged nothing",
		edits: []edit{{"link.go", `c.records, rf.definitions.collect(c.entries)`, `c.records, rf.definitions.collect(c.entries[:len(c.entries)*max(0, 1-c.match)])`}},
	},
}
