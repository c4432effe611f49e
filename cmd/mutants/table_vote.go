package main

// votes are mistakes about who gets a vote (§5.2, §5.4.1), and about how terms and votes are saved (Figure 2).
var votes = []mutant{
	{
		name:   "vote-without-comparing-logs",
		wrong:  "a vote is granted whatever the candidate's log lacks",
		safety: true,
		edits: []edit{{"log.go",
			`if lastTerm != l.lastTerm() { return lastTerm > l.lastTerm() } return lastIndex >= l.lastIndex()`,
			`return true`}},
	},
	{
		name:   "up-to-date-by-length-only",
		wrong:  "the longer log wins the vote, whatever its last term",
		safety: true,
		edits: []edit{{"log.go",
			`if lastTerm != l.lastTerm() { return lastTerm > l.lastTerm() } return lastIndex >= l.lastIndex()`,
			`return lastIndex >= l.lastIndex()`}},
	},
	{
		name:   "up-to-date-by-term-only",
		wrong:  "of two logs with the same last term, the shorter one gets the vote too",
		safety: true,
		edits:  []edit{{"log.go", `return lastIndex >= l.lastIndex()`, `return true`}},
	},
	{
		name:   "two-votes-in-one-term",
		wrong:  "a server that has voted votes again in the same term",
		safety: true,
		edits:  []edit{{"election.go", `rf.votedFor != nobody && rf.votedFor != args.CandidateID`, `false`}},
	},
	{
		name:  "vote-kept-into-next-term",
		wrong: "votedFor is not reset in a new term",
		edits: []edit{{"election.go", `rf.currentTerm, rf.votedFor = term, nobody`, `rf.currentTerm = term`}},
	},
	{
		name:   "older-term-admitted",
		wrong:  "messages of an older term are treated as if they were of the current one",
		safety: true,
		edits:  []edit{{"message.go", `term < rf.currentTerm ||`, ``}},
	},
	{
		name:  "term-taken-over-only-with-vote",
		wrong: "a refused vote request does not raise the voter's term",
		edits: []edit{{"election.go",
			`if !rf.admitLocked(args) || !rf.log.upToDate(args.LastLogIndex, args.LastLogTerm) {`,
			`if args.Term < rf.currentTerm || !rf.log.upToDate(args.LastLogIndex, args.LastLogTerm) || !rf.admitLocked(args) {`}},
	},
	{
		name:   "vote-not-saved",
		wrong:  "the vote is given but not saved",
		safety: true,
		edits: []edit{{"election.go",
			`rf.votedFor = args.CandidateID
			rf.saveLocked()`,
			`rf.votedFor = args.CandidateID`}},
	},
	{
		name:   "term-not-saved",
		wrong:  "the term of a message is taken over but not saved",
		safety: true,
		edits: []edit{{"election.go",
			`rf.setRoleLocked(Follower, nobody)
			rf.saveLocked()`,
			`rf.setRoleLocked(Follower, nobody)`}},
	},
	{
		name:   "candidacy-not-saved",
		wrong:  "a candidate saves neither its new term nor the vote for itself",
		safety: true,
		edits: []edit{{"election.go",
			`rf.setRoleLocked(Candidate, nobody)
			rf.saveLocked()`,
			`rf.setRoleLocked(Candidate, nobody)`}},
	},
	{
		name:   "concession-not-saved",
		wrong:  "a candidate frees its vote by a concession and does not save that",
		safety: true,
		edits: []edit{{"election.go",
			`rf.votedFor = nobody
			rf.saveLocked()`,
			`rf.votedFor = nobody`}},
	},
}
