package main

// table holds the mutants: mistakes that people make in this lab, in the order of the paper.
var table = []mutant{

	// Elections (§5.2, §5.4.1).
	{
		name:  "vote-without-comparing-logs",
		wrong: "a vote is given whatever the candidate's log lacks",
		edits: []edit{{"log.go",
			`if lastTerm != l.lastTerm() { return lastTerm > l.lastTerm() } return lastIndex >= l.lastIndex()`,
			`return true`}},
	},
	{
		name:  "up-to-date-by-length-only",
		wrong: "the longer log wins the vote, whatever its last term",
		edits: []edit{{"log.go",
			`if lastTerm != l.lastTerm() { return lastTerm > l.lastTerm() } return lastIndex >= l.lastIndex()`,
			`return lastIndex >= l.lastIndex()`}},
	},
	{
		name:  "up-to-date-by-term-only",
		wrong: "of two logs with the same last term the shorter one gets the vote too",
		edits: []edit{{"log.go", `return lastIndex >= l.lastIndex()`, `return true`}},
	},
	{
		name:  "two-votes-in-one-term",
		wrong: "who has voted votes again in the same term",
		edits: []edit{{"election.go", `rf.votedFor != nobody && rf.votedFor != args.CandidateID`, `false`}},
	},
	{
		name:  "vote-kept-into-next-term",
		wrong: "votedFor is not reset in a new term",
		edits: []edit{{"election.go", `rf.currentTerm, rf.votedFor = term, nobody`, `rf.currentTerm = term`}},
	},
	{
		name:  "vote-not-saved",
		wrong: "the vote is given but not saved",
		edits: []edit{{"election.go",
			`rf.votedFor = args.CandidateID
			rf.saveLocked()`,
			`rf.votedFor = args.CandidateID`}},
	},
	{
		name:  "term-not-saved",
		wrong: "the term of a message is taken over but not saved",
		edits: []edit{{"election.go",
			`rf.setRoleLocked(Follower, nobody)
			rf.saveLocked()`,
			`rf.setRoleLocked(Follower, nobody)`}},
	},
	{
		name:  "candidacy-not-saved",
		wrong: "a candidate saves neither its new term nor the vote for itself",
		edits: []edit{{"election.go",
			`rf.setRoleLocked(Candidate, nobody)
			rf.saveLocked()`,
			`rf.setRoleLocked(Candidate, nobody)`}},
	},
	{
		name:  "timer-reset-on-refused-vote",
		wrong: "a refused vote request postpones the voter's own election",
		edits: []edit{{"election.go",
			`if !rf.admitLocked(args) { return false }`,
			`if !rf.admitLocked(args) { return false }
			rf.postponeElectionLocked()`}},
	},
	{
		name:  "timer-not-reset-on-granted-vote",
		wrong: "a granted vote does not postpone the voter's own election",
		edits: []edit{{"election.go",
			`rf.postponeElectionLocked()
			return true`,
			`return true`}},
	},
	{
		name:  "timer-not-reset-on-heartbeat",
		wrong: "a follower that hears its leader stands for election all the same",
		edits: []edit{{"election.go",
			`rf.heard = time.Now()
			rf.postponeElectionLocked()`,
			`rf.heard = time.Now()`}},
	},
	{
		name:  "candidate-keeps-its-vote",
		wrong: "a candidate counts its own vote but does not use it up",
		edits: []edit{{"election.go", `rf.currentTerm, rf.votedFor = rf.currentTerm+1, rf.me`, `rf.currentTerm, rf.votedFor = rf.currentTerm+1, nobody`}},
	},
	{
		name:  "candidate-never-tries-again",
		wrong: "a candidate that wins no majority waits for ever",
		edits: []edit{{"election.go",
			`rf.attempts++
			rf.postponeElectionLocked()`,
			`rf.attempts++
			rf.postponeElectionLocked()
			if rf.role == Candidate {
				return
			}`}},
	},
	{
		name:  "same-random-seed-everywhere",
		wrong: "every server draws the same election timeouts",
		edits: []edit{
			{"raft.go", `import (`, `import (
			"math/rand"`},
			{"raft.go", `type Raft struct {`, `type Raft struct {
			timeouts *rand.Rand`},
			{"raft.go", `rf := &Raft{`, `rf := &Raft{
			timeouts: rand.New(rand.NewSource(1)),`},
			{"election.go", `"math/rand"`, ``},
			{"election.go", `rand.Int63n(`, `rf.timeouts.Int63n(`},
		},
	},
	{
		name:  "timeout-not-randomized",
		wrong: "every election timeout is the shortest one",
		edits: []edit{{"election.go", `rand.Int63n(`, `0 * rand.Int63n(`}},
	},
	{
		name:  "timeout-of-ten-seconds",
		wrong: "the election timeout is so long that no leader is found in five seconds",
		edits: []edit{
			{"options.go", `160 * time.Millisecond`, `10 * time.Second`},
			{"options.go", `320 * time.Millisecond`, `20 * time.Second`},
		},
	},
	{
		name:  "half-is-a-majority",
		wrong: "half of an even number of servers is taken for a majority",
		edits: []edit{{"election.go", `return n > len(rf.peers)/2`, `return n >= (len(rf.peers)+1)/2`}},
	},
	{
		name:  "late-votes-counted",
		wrong: "votes of an earlier term count in the present one",
		edits: []edit{{"election.go", `return args.Term != rf.currentTerm }`, `return false }`}},
	},
	{
		name:  "higher-term-in-vote-reply-ignored",
		wrong: "a candidate goes on after an answer with a higher term",
		edits: []edit{{"election.go",
			`if reply.Term > rf.currentTerm { rf.becomeFollowerLocked(reply.Term) return }`,
			``}},
	},
	{
		name:  "candidate-ignores-leader-of-its-term",
		wrong: "a candidate stays one when AppendEntries of its own term comes",
		edits: []edit{{"election.go", `if rf.role != Follower || rf.leader != leader {`, `if rf.role == Follower {`}},
	},
	{
		name:  "term-taken-over-only-with-vote",
		wrong: "a refused vote request does not raise the voter's term",
		edits: []edit{{"election.go",
			`if !rf.admitLocked(args) { return false }`,
			`if args.Term < rf.currentTerm || !rf.log.upToDate(args.LastLogIndex, args.LastLogTerm) || !rf.admitLocked(args) {
				return false
			}`}},
	},
	{
		name:  "older-term-admitted",
		wrong: "messages of an older term are treated as if they were of the present one",
		edits: []edit{{"message.go", `term < rf.currentTerm ||`, ``}},
	},
	{
		name:  "promise-in-spite-of-leader",
		wrong: "PreVote is granted to whoever asks, though the leader is heard",
		edits: []edit{{"election.go", `!rf.killed && !content &&`, `!rf.killed && (content || !content) &&`}},
	},
	{
		name:  "question-raises-term",
		wrong: "PreVote, which is only a question, makes the voter enter the new term",
		edits: []edit{{"election.go",
			`reply.VoteGranted = rf.wouldVoteLocked(args)`,
			`if reply.VoteGranted = rf.wouldVoteLocked(args); reply.VoteGranted {
				rf.becomeFollowerLocked(args.Term)
			}`}},
	},

	// Log replication (§5.3).
	{
		name:  "heartbeat-always-succeeds",
		wrong: "an AppendEntries without entries skips the consistency check",
		edits: []edit{{"replication.go",
			`} else if !rf.log.matches(prev, args.PrevLogTerm) {`,
			`} else if len(d.entries) > 0 && !rf.log.matches(prev, args.PrevLogTerm) {`}},
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
			`if len(d.entries) > 0 {
				known :=`,
			`if len(d.entries) > 0 {
				if last >= rf.log.base && last < rf.log.lastIndex() {
					rf.log.truncateFrom(last + 1)
					rf.saveAllLocked(false)
				}
				known :=`}},
	},
	{
		name:  "truncate-on-heartbeat",
		wrong: "what follows PrevLogIndex is cut off by a heartbeat",
		edits: []edit{{"replication.go",
			`if len(d.entries) > 0 {
				known :=`,
			`if len(d.entries) == 0 && prev >= rf.log.base && prev < rf.log.lastIndex() {
				rf.log.truncateFrom(prev + 1)
				rf.saveAllLocked(false)
			}
			if len(d.entries) > 0 {
				known :=`}},
	},
	{
		name:  "conflict-not-cut-off",
		wrong: "an entry that conflicts is replaced, but what follows it stays",
		edits: []edit{{"replication.go",
			`rf.log.truncateFrom(first)
			rf.log.append(d.entries...)`,
			`for k, e := range d.entries {
				if first+k <= rf.log.lastIndex() {
					*rf.log.at(first + k) = e
				} else {
					rf.log.append(e)
				}
			}`}},
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
		edits: []edit{{"replication.go",
			`f.nextIndex, f.matchIndex = lastLogIndex+1, 0`,
			`f.nextIndex = lastLogIndex + 1`}},
	},
	{
		name:  "stale-replies-not-dropped",
		wrong: "a reply to a message of an earlier term is taken for news",
		edits: []edit{{"replication.go", `rf.role == Leader && rf.currentTerm == c.term()`, `rf.role == Leader`}},
	},
	{
		name:  "next-index-moved-by-term-rejection",
		wrong: "a refusal because of the term moves nextIndex as a failed consistency check does",
		edits: []edit{{"replication.go",
			`reply := rf.callUnlocked(f, &c)`,
			`reply := rf.callUnlocked(f, &c)
			if r, ok := reply.(*AppendEntriesReply); ok && !r.Success && rf.role == Leader {
				f.nextIndex = max(1, min(f.nextIndex, r.ConflictIndex))
			}`}},
	},
	{
		name:  "back-up-one-by-one",
		wrong: "after a failed consistency check nextIndex goes back by one",
		edits: []edit{{"replication.go", `min(f.nextIndex, next))`, `min(f.nextIndex, max(next, args.PrevLogIndex)))`}},
	},
	{
		name:  "back-up-too-far",
		wrong: "after a failed consistency check everything is sent again",
		edits: []edit{{"replication.go", `min(f.nextIndex, next))`, `min(f.nextIndex, next, 1))`}},
	},
	{
		name:  "conflict-index-off-by-one",
		wrong: "a follower with a short log names the index after the one that it lacks",
		edits: []edit{{"log.go", `return 0, l.lastIndex() + 1`, `return 0, l.lastIndex() + 2`}},
	},
	{
		name:  "lost-entries-not-sent-again",
		wrong: "when a message is lost, nextIndex stays where success would have put it",
		edits: []edit{{"replication.go", `f.nextIndex = max(f.matchIndex+1, min(f.nextIndex, c.first))`, ``}},
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
			{"replication.go", `default: rf.saveEntriesLocked(d)`, `default:
				d.moveTo(append([]byte(nil), d.records...))
				rf.log.append(d.entries...)
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
		edits: []edit{{"propose.go", `rf.saveEntriesLocked(d)`, `d.moveTo(append([]byte(nil), d.records...))
			rf.log.append(d.entries...)`}},
	},
	{
		name:  "truncation-not-saved",
		wrong: "a follower that replaces conflicting entries does not save that",
		edits: []edit{{"replication.go",
			`rf.log.append(d.entries...)
			rf.saveAllLocked(false)`,
			`d.moveTo(append([]byte(nil), d.records...))
			rf.log.append(d.entries...)`}},
	},
	{
		name:  "start-without-recheck",
		wrong: "Start appends though the leader was deposed before it had the lock",
		edits: []edit{{"propose.go", `accepted := rf.role == Leader`, `accepted := true`}},
	},
	{
		name:  "replication-on-heartbeats-only",
		wrong: "new commands wait for the next heartbeat",
		edits: []edit{{"replication.go", `f.nextIndex <= rf.log.lastIndex() || f.failures > 0 ||`, `f.failures > 0 ||`}},
	},
	{
		name:  "whole-tail-at-every-start",
		wrong: "every Start sends again all that is not acknowledged yet",
		edits: []edit{{"propose.go",
			`rf.wakeReplicatorsLocked()`,
			`for _, f := range rf.followers {
				if f != nil {
					f.nextIndex, f.blocking, f.due = f.matchIndex+1, nil, true
					if f.waiting == 0 {
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
			{"replication.go", `next := now.Add(rf.options.heartbeat)`, `next := now.Add(rf.options.heartbeat / 5)`},
			{"replication.go", `if heartbeat := f.lastSent.Add(rf.options.heartbeat);`, `if heartbeat := f.lastSent.Add(rf.options.heartbeat / 5);`},
			{"replication.go", `next := f.lastSent.Add(rf.options.heartbeat)`, `next := f.lastSent.Add(rf.options.heartbeat / 5)`},
		},
	},

	// Committing (§5.4.2, Figure 8).
	{
		name:  "commit-without-term-check",
		wrong: "an entry of an older term commits as soon as a majority has it",
		edits: []edit{{"replication.go", `majority > rf.commitIndex && rf.log.term(majority) == rf.currentTerm`, `majority > rf.commitIndex`}},
	},
	{
		name:  "commit-older-term-by-majority",
		wrong: "with an entry of its own term in the log, a leader counts copies of older ones",
		edits: []edit{{"replication.go", `rf.log.term(majority) == rf.currentTerm`, `rf.log.lastTerm() == rf.currentTerm`}},
	},
	{
		name:  "commit-older-term-at-all-but-one",
		wrong: "an entry of an older term commits when all servers but one have it",
		edits: []edit{{"replication.go", `everywhere, majority := match[0],`, `everywhere, majority := match[min(1, len(match)-1)],`}},
	},
	{
		name:  "leader-does-not-count-itself",
		wrong: "the commit rule wants a majority without the leader",
		edits: []edit{{"replication.go", `match = append(match, rf.log.lastIndex())`, `match = append(match, 0)`}},
	},
	{
		name:  "half-commits",
		wrong: "half of an even number of servers is enough to commit",
		edits: []edit{{"replication.go", `match[(len(match)-1)/2]`, `match[len(match)/2]`}},
	},

	// Applying.
	{
		name:  "applied-before-committed",
		wrong: "what is in the log is applied before it is committed",
		edits: []edit{
			{"apply.go", `rf.commitIndex <= rf.lastApplied`, `rf.log.lastIndex() <= rf.lastApplied`},
			{"apply.go", `min(rf.commitIndex,`, `min(rf.log.lastIndex(),`},
		},
	},
	{
		name:  "applied-with-lock-held",
		wrong: "the applier holds the lock while it sends on applyCh",
		edits: []edit{{"apply.go",
			`if !rf.apply(&d, &todo) {`,
			`rf.mu.Lock()
			running := rf.apply(&d, &todo)
			rf.mu.Unlock()
			if !running {`}},
	},
	{
		name:  "applier-polls",
		wrong: "the applier looks for work every ten milliseconds instead of being woken",
		edits: []edit{
			{"apply.go", `"fmt"`, `"fmt"
			"time"`},
			{"apply.go", `rf.applyCond.Wait()`, `rf.mu.Unlock()
			time.Sleep(10 * time.Millisecond)
			rf.mu.Lock()`},
		},
	},
	{
		name:  "sent-after-kill",
		wrong: "Kill does not wait, and the applier sends the rest of what it holds",
		edits: []edit{
			{"apply.go", `select { case <-rf.done: return false default: }`, ``},
			{"apply.go", `select { case rf.applyCh <- m: return true case <-rf.done: return false }`, `rf.applyCh <- m
			return true`},
			{"raft.go", `<-rf.applierDone`, ``},
		},
	},
	{
		name:  "goroutine-left-behind",
		wrong: "Kill does not wake the replicators, which wait for ever",
		edits: []edit{{"election.go", `f.work.Broadcast()`, `continue`}},
	},
	{
		name:  "ticker-left-behind",
		wrong: "Kill does not end the ticker",
		edits: []edit{
			{"election.go", `case <-rf.done: return`, ``},
			{"election.go", `case rf.killed: return 0`, `case rf.killed: return time.Second`},
		},
	},
	{
		name:  "entries-shared-with-rpc",
		wrong: "a message's entries are the log's own memory, read without the lock",
		edits: []edit{
			{"replication.go",
				`c.entries = rf.log.appendTo(c.entries, f.nextIndex, maxBatch)`,
				`if k := f.nextIndex - rf.log.base - 1; k < rf.log.length {
					c.entries = rf.log.chunks[k/chunkSize][k%chunkSize:]
				}`},
			{"replication.go",
				`clear(c.entries)
				*c = call{entries: c.entries[:0], encoded: c.encoded}`,
				`*c = call{encoded: c.encoded}`},
		},
	},
	{
		name:  "state-read-without-lock",
		wrong: "GetState reads term and role without the lock",
		edits: []edit{{"raft.go",
			`rf.mu.Lock()
			defer rf.mu.Unlock()
			return rf.currentTerm, rf.role == Leader`,
			`return rf.currentTerm, rf.role == Leader`}},
		race: true,
	},

	// Snapshots (§7) and restarts.
	{
		name:  "last-included-one-too-low",
		wrong: "InstallSnapshot names the index before the last one that the snapshot covers",
		edits: []edit{{"snapshot.go", `LastIncludedIndex: rf.snapshot.index,`, `LastIncludedIndex: rf.snapshot.index - 1,`}},
	},
	{
		name:  "last-included-one-too-high",
		wrong: "InstallSnapshot names the index after the last one that the snapshot covers",
		edits: []edit{{"snapshot.go", `LastIncludedIndex: rf.snapshot.index,`, `LastIncludedIndex: rf.snapshot.index + 1,`}},
	},
	{
		name:  "snapshot-with-current-term",
		wrong: "InstallSnapshot names the leader's term instead of the last entry's",
		edits: []edit{{"snapshot.go", `LastIncludedTerm: rf.snapshot.term,`, `LastIncludedTerm: rf.currentTerm,`}},
	},
	{
		name:  "old-snapshot-installed",
		wrong: "a snapshot that is older than the follower's state replaces it",
		edits: []edit{{"snapshot.go", `if s.index <= rf.commitIndex { return }`, ``}},
	},
	{
		name:  "snapshot-delivered-late",
		wrong: "a goroutine of its own hands the snapshot over, maybe after newer entries",
		edits: []edit{{"snapshot.go",
			`rf.commitLocked(s.index)`,
			`rf.commitLocked(s.index)
			rf.lastApplied = s.index
			go rf.send(ApplyMsg{SnapshotValid: true, Snapshot: s.data, SnapshotTerm: s.term, SnapshotIndex: s.index})`}},
	},
	{
		name:  "snapshot-discards-suffix",
		wrong: "a snapshot throws away the entries after it, though they agree with it",
		edits: []edit{{"snapshot.go", `if rf.log.matches(s.index, s.term) {`, `if s.index < 0 {`}},
	},
	{
		name:  "snapshot-keeps-conflicting-suffix",
		wrong: "a snapshot keeps the entries after it, though its last entry has another term",
		edits: []edit{{"snapshot.go", `if rf.log.matches(s.index, s.term) {`, `if s.index >= rf.log.base && s.index <= rf.log.lastIndex() {`}},
	},
	{
		name:  "snapshot-does-not-commit",
		wrong: "a snapshot that comes from the leader does not move commitIndex",
		edits: []edit{{"snapshot.go", `rf.commitLocked(s.index)`, ``}},
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
		name:  "compaction-forgets-term",
		wrong: "the log that compaction leaves has the wrong term before its first entry",
		edits: []edit{{"log.go", `baseTerm: l.term(index)}`, `baseTerm: l.baseTerm}`}},
	},
	{
		name:  "snapshot-and-state-saved-apart",
		wrong: "state and snapshot are saved one after the other: a crash may come between",
		edits: []edit{{"persist.go",
			`any(s.persister).(interface{ SaveStateAndSnapshot(_, _ []byte) }).SaveStateAndSnapshot(state, snapshot)`,
			`p.SaveRaftState(state)
			any(s.persister).(interface{ SaveStateAndSnapshot(_, _ []byte) }).SaveStateAndSnapshot(state, snapshot)`}},
	},
	{
		name:  "snapshot-lost-at-restart",
		wrong: "the snapshot is not read at a restart, and the next save erases it",
		edits: []edit{
			{"persist.go", `term: h.snapshotTerm, data: data, sum:`, `term: h.snapshotTerm, sum:`},
			{"persist.go", `if !newSnapshot {`, `if newSnapshot && !newSnapshot {`},
		},
	},
	{
		name:  "applied-again-after-restart",
		wrong: "lastApplied begins at 0 after a restart, below the snapshot",
		edits: []edit{{"raft.go", `rf.commitIndex, rf.lastApplied = rf.snapshot.index, rf.snapshot.index`, `rf.commitIndex, rf.lastApplied = rf.snapshot.index, 0`}},
	},
	{
		name:  "body-checksum-not-verified",
		wrong: "a saved log that was altered is believed",
		edits: []edit{{"persist.go", `if checksum(body) != h.bodySum {`, `if len(body) < 0 {`}},
	},
}
