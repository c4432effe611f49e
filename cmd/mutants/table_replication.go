package main

// replication has mistakes about AppendEntries and its replies (§5.3).
var replication = []mutant{
	{
		name:  "heartbeat-always-succeeds",
		wrong: "an AppendEntries without entries skips the consistency check",
		edits: []edit{{"replication.go",
			`} else if !rf.log.matches(prev, args.PrevLogTerm) {`,
			`} else if len(b) > 0 && !rf.log.matches(prev, args.PrevLogTerm) {`}},
	},
	{
		name:  "match-by-index-only",
		wrong: "the consistency check does not compare terms",
		edits: []edit{{"log.go", `index <= l.lastIndex() && l.term(index) == term`, `index <= l.lastIndex() && term >= 0`}},
	},
	{
		name:  "truncate-on-every-append",
		wrong: "what follows the entries of an AppendEntries is cut off: a delayed short one eats the tail",
		edits: []edit{{"replication.go",
			`known := rf`,
			`if len(b) > 0 && last >= rf.log.base && last < rf.log.lastIndex() {
				rf.log.truncateFrom(last + 1)
				rf.saveAllLocked(false)
			}
			known := rf`}},
	},
	{
		name:  "truncate-on-heartbeat",
		wrong: "what follows PrevLogIndex is cut off by a heartbeat",
		edits: []edit{{"replication.go",
			`known := rf`,
			`if len(b) == 0 && prev >= rf.log.base && prev < rf.log.lastIndex() {
				rf.log.truncateFrom(prev + 1)
				rf.saveAllLocked(false)
			}
			known := rf`}},
	},
	{
		name:  "conflict-not-cut-off",
		wrong: "an entry that conflicts is replaced, but what follows it stays",
		edits: []edit{
			{"replication.go",
				`rf.log.truncateFrom(first)`,
				`tail := rf.log.appendTo(nil, first+b.length(), maxNumber, maxNumber)
				rf.log.truncateFrom(first)`},
			{"replication.go",
				`rf.saveAllLocked(false)`,
				`for _, s := range tail {
					rf.log.append(nil, s, false)
				}
				rf.saveAllLocked(false)`},
		},
	},
	{
		name:  "commit-beyond-last-new-entry",
		wrong: "commitIndex is bounded by the follower's own last entry, not by the last new one",
		edits: []edit{{"replication.go", `min(args.LeaderCommit, last)`, `min(args.LeaderCommit, max(last, rf.log.lastIndex()))`}},
	},
	{
		name:  "commit-index-lowered",
		wrong: "an AppendEntries that was overtaken lowers commitIndex",
		edits: []edit{{"replication.go",
			`if index > rf.commitIndex {
				rf.commitIndex = index`,
			`if index != rf.commitIndex {
				rf.commitIndex = index`}},
	},
	{
		name:  "match-index-at-reply-time",
		wrong: "matchIndex is the leader's last entry when the reply comes, not what was sent",
		edits: []edit{{"replication.go", `max(f.matchIndex, c.last)`, `max(f.matchIndex, rf.log.lastIndex())`}},
	},
	{
		name:  "match-index-moves-back",
		wrong: "a reply that was overtaken lowers matchIndex",
		edits: []edit{{"replication.go", `max(f.matchIndex, c.last)`, `c.last`}},
	},
	{
		name:  "match-index-kept-from-earlier-lead",
		wrong: "who leads again believes what it knew of the followers in an earlier term",
		edits: []edit{{"link.go",
			`f.nextIndex, f.matchIndex = lastLogIndex+1, 0`,
			`f.nextIndex = lastLogIndex + 1`}},
	},
	{
		name:  "stale-replies-not-dropped",
		wrong: "a reply to a message of an earlier term is taken for news",
		edits: []edit{{"link.go", `rf.role == Leader && rf.currentTerm == c.term()`, `rf.role == Leader`}},
	},
	{
		name:  "next-index-moved-by-term-rejection",
		wrong: "a refusal because of the term moves nextIndex as a failed consistency check does",
		edits: []edit{{"link.go",
			`reply := rf.callUnlocked(f, &c)`,
			`reply := rf.callUnlocked(f, &c)
			if r, ok := reply.(*AppendEntriesReply); ok && !r.Success && rf.role == Leader {
				f.nextIndex = max(1, min(f.nextIndex, r.ConflictIndex))
			}`}},
	},
	{
		name:  "back-up-one-by-one",
		wrong: "after a failed consistency check nextIndex goes back by one",
		edits: []edit{{"replication.go", `f.backTo(next)`, `f.backTo(max(next, prev))`}},
	},
	{
		name:  "back-up-too-far",
		wrong: "after a failed consistency check everything is sent again",
		edits: []edit{{"replication.go", `f.backTo(next)`, `f.backTo(min(next, 1))`}},
	},
	{
		name:  "conflict-index-off-by-one",
		wrong: "a follower with a short log names the index after the one that it lacks",
		edits: []edit{{"log.go", `return 0, l.lastIndex() + 1`, `return 0, l.lastIndex() + 2`}},
	},
	{
		name:  "lost-entries-not-sent-again",
		wrong: "when a message is lost, nextIndex stays where success would have put it",
		edits: []edit{{"replication.go", `f.backTo(c.first) f.commitSent`, `f.commitSent`}},
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
		name:  "entries-saved-after-answer",
		wrong: "a follower answers first and saves the entries a moment later",
		edits: []edit{
			{"replication.go", `default: rf.saveEntriesLocked(true, b...)`, `default:
				for _, s := range b {
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
		name:  "leader-does-not-save-entries",
		wrong: "a leader keeps new commands in memory only",
		edits: []edit{{"propose.go", `rf.saveEntriesLocked(false, q.segment)`, `rf.log.append(nil, q.segment, false)`}},
	},
	{
		name:  "truncation-not-saved",
		wrong: "a follower that replaces conflicting entries does not save that",
		edits: []edit{{"replication.go",
			`}
			rf.saveAllLocked(false)`,
			`}`}},
	},
	{
		name:  "hanging-call-blocks-follower",
		wrong: "nothing new goes to a follower before the call to it returns, seven seconds later",
		edits: []edit{{"link.go", `{ return rf.options.heartbeat / 2 }`, `{ return time.Hour }`}},
	},
	{
		name:  "start-without-recheck",
		wrong: "Start appends though the leader was deposed before it had the lock",
		edits: []edit{
			{"propose.go", `if rf.role != Leader || rf.currentTerm != term {`, `if false {`},
			{"propose.go", `	ps.queue.reset()
`, ``},
		},
	},
	{
		name:  "queue-outlives-term",
		wrong: "commands queued when a leader is deposed get into the log when it leads again",
		edits: []edit{{"propose.go", `	ps.queue.reset()
`, ``}},
	},
	{
		name:  "lost-indices-not-reused",
		wrong: "a new leader's first command has the index after what the old term's queue had",
		edits: []edit{{"propose.go", `ps.term, ps.next = term, next`, `ps.term, ps.next = term, max(ps.next, next)`}},
	},
	{
		name:  "start-runs-ahead",
		wrong: "callers of Start that wait for nothing keep the processor from the replicators",
		edits: []edit{{"propose.go", `if t.waiting >= maxAhead {`, `if false {`}},
	},
	{
		name:  "all-starts-yield-at-once",
		wrong: "the replicators stand behind thousands of callers of Start in the scheduler's queue",
		edits: []edit{{"propose.go", `	ps.yielding <- struct{}{}
	runtime.Gosched()
	<-ps.yielding
`, `	runtime.Gosched()
`}},
	},
	{
		name:  "start-gathers-nobody",
		wrong: "Starts that are ready to run at the same time are saved and sent one by one",
		edits: []edit{{"propose.go", `		rf.proposals.gather()
`, ``}},
	},
	{
		name:  "clients-take-turns",
		wrong: "once commands go out one by one, no Start finds out that others would join it",
		edits: []edit{{"propose.go", `		ps.alone.Store(0)
	}
	return waiting`, `	}
	return waiting`}},
	},
	{
		name:  "log-keeps-borrowed-memory",
		wrong: "the log and the disk hold the memory in which the leader encodes its next commands",
		edits: []edit{{"propose.go", `rf.saveEntriesLocked(false, q.segment)`, `rf.saveEntriesLocked(true, q.segment)`}},
	},
	{
		name:  "memory-used-again",
		wrong: "after a truncation new entries are written where messages and copies of the disk have the old ones",
		edits: []edit{{"log.go", `l.segments, l.gathers = l.segments[:i], false`, `l.segments, l.gathers = l.segments[:i], l.gathers && i > 0`}},
	},
	{
		name:  "command-outlives-entry",
		wrong: "where a deposed leader's entry was replaced, its service gets the old command",
		edits: []edit{{"log.go", `	l.accepted.truncateFrom(index)
`, ``}},
	},
	{
		name:  "command-outlives-log",
		wrong: "where a snapshot replaced a deposed leader's log, its service later gets old commands",
		edits: []edit{{"log.go", `*l = raftLog{base: index, baseTerm: term}`, `*l = raftLog{base: index, baseTerm: term, accepted: l.accepted}`}},
	},
	{
		name:  "segment-not-clipped",
		wrong: "small batches are written behind a large one, into memory that others hold",
		edits: []edit{
			{"log.go", `s.memory[:end:end], s.start, s.ends})
				l.gathers = false`,
				`s.memory[:end], s.start, s.ends})
				l.gathers = true`},
		},
	},
	{
		name:  "queue-without-bound",
		wrong: "the queue of proposals grows beyond what an entry's offset can name",
		edits: []edit{{"propose.go", `if len(ps.queue.memory) > maxQueue {`, `if false {`}},
	},
	{
		name:  "replication-on-heartbeats-only",
		wrong: "new commands wait for the next heartbeat",
		edits: []edit{{"link.go", `f.nextIndex <= last || f.tell`, `f.tell`}},
	},
	{
		name:  "whole-tail-at-every-start",
		wrong: "every Start sends again all that is not acknowledged yet",
		edits: []edit{{"propose.go",
			`rf.wakeReplicatorsLocked()`,
			`for _, f := range rf.followers {
				if f != nil {
					f.nextIndex, f.calls, f.due = f.matchIndex+1, nil, true
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
			{"link.go", `next := now.Add(rf.options.heartbeat)`, `next := now.Add(rf.options.heartbeat / 5)`},
			{"link.go", `now.Sub(f.lastSent) >= rf.options.heartbeat`, `now.Sub(f.lastSent) >= rf.options.heartbeat/5`},
			{"link.go", `next := f.lastSent.Add(rf.options.heartbeat)`, `next := f.lastSent.Add(rf.options.heartbeat / 5)`},
		},
	},
}
