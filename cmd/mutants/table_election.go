package main

// elections are mistakes about roles, candidates and election timeouts (§5.2).
var elections = []mutant{
	{
		name:  "timer-reset-on-refused-vote",
		wrong: "a server that refuses its vote resets its election timer",
		edits: []edit{{"vote.go",
			`if !rf.admitLocked(args) || !rf.log.upToDate(args.LastLogIndex, args.LastLogTerm) {`,
			`if !rf.admitLocked(args) {
				return false
			}
			rf.resetElectionTimerLocked()
			if !rf.log.upToDate(args.LastLogIndex, args.LastLogTerm) {`}},
	},
	{
		name:  "timer-not-reset-on-granted-vote",
		wrong: "a server that grants its vote does not reset its election timer",
		edits: []edit{{"vote.go",
			`rf.resetElectionTimerLocked()
			return true`,
			`return true`}},
	},
	{
		name:  "timer-not-reset-on-heartbeat",
		wrong: "a follower that hears from its leader starts an election anyway",
		edits: []edit{{"role.go",
			`rf.lastHeard = time.Now()
			rf.resetElectionTimerLocked()`,
			`rf.lastHeard = time.Now()`}},
	},
	{
		name:  "candidate-never-tries-again",
		wrong: "a candidate that wins no majority waits forever",
		edits: []edit{{"election.go",
			`rf.drawTimeoutLocked(rf.electionsStarted)`,
			`rf.drawTimeoutLocked(rf.electionsStarted)
			if rf.role == Candidate {
				return
			}`}},
	},
	{
		name:  "same-random-seed-everywhere",
		wrong: "every server draws the same election timeouts",
		edits: []edit{{"ticker.go", `rand.Int63n(`, `rand.New(rand.NewSource(int64(rf.currentTerm<<8 + rf.electionsStarted))).Int63n(`}},
	},
	{
		name:  "timeout-not-randomized",
		wrong: "every election timeout is the shortest one",
		edits: []edit{{"ticker.go", `rand.Int63n(`, `0 * rand.Int63n(`}},
	},
	{
		name:  "timeout-of-ten-seconds",
		wrong: "the election timeout is so long that no leader is elected within five seconds",
		edits: []edit{
			{"options.go", `160 * time.Millisecond`, `10 * time.Second`},
			{"options.go", `320 * time.Millisecond`, `20 * time.Second`},
		},
	},
	{
		name:   "candidate-keeps-its-vote",
		wrong:  "a candidate counts its own vote but may still grant it to another candidate",
		safety: true,
		edits: []edit{{"election.go",
			`rf.votedFor = rf.me
			rf.tellStateLocked()
			rf.saveLocked()
			rf.becomeLeaderLocked()`,
			`rf.becomeLeaderLocked()`}},
	},
	{
		name:   "vote-given-away-and-counted",
		wrong:  "a candidate that granted its vote to another candidate counts it for itself too",
		safety: true,
		edits:  []edit{{"election.go", `case rf.votedFor == nobody && rf.isMajority(n+1):`, `case rf.isMajority(n + 1):`}},
	},
	{
		name:   "half-is-a-majority",
		wrong:  "half of an even number of servers counts as a majority",
		safety: true,
		edits:  []edit{{"election.go", `return n > len(rf.peers)/2`, `return n >= (len(rf.peers)+1)/2`}},
	},
	{
		name:   "late-votes-counted",
		wrong:  "a candidate counts votes of an earlier term",
		safety: true,
		edits:  []edit{{"election.go", `return args.Term != rf.currentTerm }`, `return false }`}},
	},
	{
		name:   "refusals-counted-as-votes",
		wrong:  "every answer to RequestVote counts as a vote",
		safety: true,
		edits:  []edit{{"election.go", `case reply.VoteGranted:`, `case reply.Term == rf.currentTerm:`}},
	},
	{
		name:   "promises-counted-as-votes",
		wrong:  "a candidate counts the answers to its PreVote as votes",
		safety: true,
		edits: []edit{{"election.go",
			`rf.becomeCandidateLocked()
			rf.campaign = rf.newCampaign(false)`,
			`asked := rf.campaign
			rf.becomeCandidateLocked()
			rf.campaign = rf.newCampaign(false)
			if asked.preVote {
				copy(rf.campaign.granted, asked.granted)
			}`}},
	},
	{
		name:   "late-promises-counted-as-votes",
		wrong:  "an answer to PreVote that arrives after the election began counts as a vote",
		safety: true,
		edits: []edit{
			{"election.go", `|| rf.campaign.preVote != args.PreVote {`, `|| rf.campaign.preVote && !args.PreVote {`},
			{"election.go", `return args.Term != rf.currentTerm+1`, `return args.Term != rf.currentTerm+1 && args.Term != rf.currentTerm`},
		},
	},
	{
		name:   "late-votes-after-concession",
		wrong:  "a candidate that concedes and frees its vote still counts late votes",
		safety: true,
		edits: []edit{{"role.go",
			`rf.setRoleLocked(Follower, nobody)
			if rf.votedFor == rf.me {`,
			`if rf.votedFor == rf.me {`}},
	},
	{
		name:  "higher-term-in-vote-reply-ignored",
		wrong: "a candidate continues after an answer with a higher term",
		edits: []edit{{"election.go",
			`case reply.Term > rf.currentTerm: rf.becomeFollowerLocked(reply.Term)`,
			`case reply.Term > rf.currentTerm:`}},
	},
	{
		name:  "candidate-ignores-leader-of-its-term",
		wrong: "a candidate does not step down on an AppendEntries of its own term",
		edits: []edit{{"role.go", `if rf.role != Follower || rf.leader != leader {`, `if rf.role == Follower {`}},
	},
	{
		name:  "second-leader-obeyed",
		wrong: "a server accepts entries from two leaders of one term",
		edits: []edit{{"message.go", `rf.role == Leader || rf.leader >= 0 && rf.leader != id`, `false`}},
	},
	{
		name:  "promise-in-spite-of-leader",
		wrong: "a server grants a PreVote although it hears from a leader",
		edits: []edit{{"vote.go", `!rf.killed && !hasLeader &&`, `!rf.killed && (hasLeader || !hasLeader) &&`}},
	},
	{
		name:  "question-raises-term",
		wrong: "a server that grants a PreVote enters the candidate's new term",
		edits: []edit{{"vote.go",
			`reply.VoteGranted = rf.wouldVoteLocked(args)`,
			`if reply.VoteGranted = rf.wouldVoteLocked(args); reply.VoteGranted {
				rf.becomeFollowerLocked(args.Term)
			}`}},
	},
	{
		name:  "heard-once-only",
		wrong: "a follower records only the first heartbeat of its leader",
		edits: []edit{{"role.go", `rf.electionsStarted = 0
			rf.lastHeard = time.Now()`, `rf.electionsStarted = 0
			if rf.lastHeard.IsZero() {
				rf.lastHeard = time.Now()
			}`}},
	},
	{
		name:  "no-timeout-at-start",
		wrong: "a server starts an election as soon as it starts",
		edits: []edit{{"raft.go", `rf.resetElectionTimerLocked()`, ``}},
	},
	{
		name:  "equal-bounds-impossible",
		wrong: "a server panics if the shortest and the longest election timeout are equal",
		edits: []edit{{"ticker.go", `int64(o.timeoutMax-o.timeoutMin)+1`, `int64(o.timeoutMax-o.timeoutMin)`}},
	},
	{
		name:  "promises-forgotten",
		wrong: "a candidate asks every peer again for a PreVote at each attempt",
		edits: []edit{{"election.go", `rf.campaign.granted == nil || rf.role == Candidate || expired`, `true || expired`}},
	},
	{
		name:  "old-promise-counted",
		wrong: "a PreVote for an earlier term counts for the next one",
		edits: []edit{{"election.go", `return args.Term != rf.currentTerm+1`, `return args.Term > rf.currentTerm+1`}},
	},
	{
		name:  "first-term-asked-for",
		wrong: "a server in term 0 asks for PreVotes before its election",
		edits: []edit{{"election.go", `!rf.options.preVote || rf.currentTerm == 0`, `!rf.options.preVote`}},
	},
	{
		name:  "answered-request-repeated",
		wrong: "a candidate asks a peer again that has answered its vote request",
		edits: []edit{{"election.go", `return rf.campaign.answered || time.Since(startedAt) < rf.minCallTimeout()
			}
			return false`, `return rf.campaign.answered || time.Since(startedAt) < rf.minCallTimeout()
			}
			return true`}},
	},
}
