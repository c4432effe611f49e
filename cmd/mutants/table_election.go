package main

// elections are mistakes about terms, votes and election timeouts (§5.2, §5.4.1).
var elections = []mutant{
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
			`if !rf.admitLocked(args) || !rf.log.upToDate(args.LastLogIndex, args.LastLogTerm) {`,
			`if !rf.admitLocked(args) {
				return false
			}
			rf.postponeElectionLocked()
			if !rf.log.upToDate(args.LastLogIndex, args.LastLogTerm) {`}},
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
		edits: []edit{{"election.go",
			`rf.votedFor = rf.me
			rf.saveLocked()
			rf.becomeLeaderLocked()`,
			`rf.becomeLeaderLocked()`}},
	},
	{
		name:  "vote-given-away-and-counted",
		wrong: "a candidate that gave its vote to another counts it for itself too",
		edits: []edit{{"election.go", `case rf.votedFor == nobody && rf.isMajority(n+1):`, `case rf.isMajority(n + 1):`}},
	},
	{
		name:  "late-votes-after-concession",
		wrong: "a candidate concedes and frees its vote, but still counts the votes that come late",
		edits: []edit{{"election.go",
			`rf.setRoleLocked(Follower, nobody)
			if rf.votedFor == rf.me {`,
			`if rf.votedFor == rf.me {`}},
	},
	{
		name:  "concession-not-saved",
		wrong: "a candidate frees its vote by a concession and does not save that",
		edits: []edit{{"election.go",
			`rf.votedFor = nobody
			rf.saveLocked()`,
			`rf.votedFor = nobody`}},
	},
	{
		name:  "candidate-never-tries-again",
		wrong: "a candidate that wins no majority waits for ever",
		edits: []edit{{"election.go",
			`rf.drawTimeoutLocked(rf.attempts)`,
			`rf.drawTimeoutLocked(rf.attempts)
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
		name:  "refusals-counted-as-votes",
		wrong: "every answer to RequestVote counts as a vote",
		edits: []edit{{"election.go", `case reply.VoteGranted:`, `case reply.Term == rf.currentTerm:`}},
	},
	{
		name:  "higher-term-in-vote-reply-ignored",
		wrong: "a candidate goes on after an answer with a higher term",
		edits: []edit{{"election.go",
			`case reply.Term > rf.currentTerm: rf.becomeFollowerLocked(reply.Term)`,
			`case reply.Term > rf.currentTerm:`}},
	},
	{
		name:  "candidate-ignores-leader-of-its-term",
		wrong: "a candidate stays one when AppendEntries of its own term comes",
		edits: []edit{{"election.go", `if rf.role != Follower || rf.leader != leader {`, `if rf.role == Follower {`}},
	},
	{
		name:  "second-leader-obeyed",
		wrong: "a server takes entries from two leaders of one term",
		edits: []edit{{"message.go", `rf.role == Leader || rf.leader >= 0 && rf.leader != id`, `false`}},
	},
	{
		name:  "term-taken-over-only-with-vote",
		wrong: "a refused vote request does not raise the voter's term",
		edits: []edit{{"election.go",
			`if !rf.admitLocked(args) || !rf.log.upToDate(args.LastLogIndex, args.LastLogTerm) {`,
			`if args.Term < rf.currentTerm || !rf.log.upToDate(args.LastLogIndex, args.LastLogTerm) || !rf.admitLocked(args) {`}},
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
}
