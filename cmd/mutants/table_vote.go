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
		name:   "vote-forgets-snapshot",
		wrong:  "a voter whose log holds nothing but a snapshot takes its log for empty",
		safety: true,
		edits: []edit{{"log.go",
			`func (l *raftLog) upToDate(lastIndex, lastTerm int) bool {`,
			`func (l *raftLog) upToDate(lastIndex, lastTerm int) bool {
				if len(l.segments) == 0 {
					return true
				}`}},
	},
	{
		name:   "two-votes-in-one-term",
		wrong:  "a server that has voted votes again in the same term",
		safety: true,
		edits:  []edit{{"vote.go", `rf.votedFor != nobody && rf.votedFor != args.CandidateID`, `false`}},
	},
	{
		name:  "vote-kept-into-next-term",
		wrong: "votedFor is not reset in a new term",
		edits: []edit{{"role.go", `rf.currentTerm, rf.votedFor = term, nobody`, `rf.currentTerm = term`}},
	},
	{
		name:   "concession-frees-given-vote",
		wrong:  "a candidate that concedes frees its vote even if another candidate has it",
		safety: true,
		edits:  []edit{{"role.go", `if rf.votedFor == rf.me {`, `if rf.votedFor != nobody {`}},
	},
	{
		name:   "resignation-frees-vote",
		wrong:  "a leader that steps down within its term may grant its vote of that term again",
		safety: true,
		edits: []edit{{"role.go",
			`rf.setRoleLocked(Follower, nobody)
			rf.resetElectionTimerLocked()`,
			`rf.setRoleLocked(Follower, nobody)
			rf.votedFor = nobody
			rf.saveLocked()
			rf.resetElectionTimerLocked()`}},
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
		edits: []edit{{"vote.go",
			`if !rf.admitLocked(args) || !rf.log.upToDate(args.LastLogIndex, args.LastLogTerm) {`,
			`if args.Term < rf.currentTerm || !rf.log.upToDate(args.LastLogIndex, args.LastLogTerm) || !rf.admitLocked(args) {`}},
	},
	{
		name:   "vote-without-entering-term",
		wrong:  "a server grants its vote to a candidate of a newer term and stays in its own term",
		safety: true,
		edits: []edit{{"vote.go",
			`if !rf.admitLocked(args) || !rf.log.upToDate(args.LastLogIndex, args.LastLogTerm) {`,
			`if rf.killed || args.Term < rf.currentTerm || !rf.isPeer(args.CandidateID) || !rf.log.upToDate(args.LastLogIndex, args.LastLogTerm) {`}},
	},
	{
		name:   "vote-not-saved",
		wrong:  "the vote is given but not saved",
		safety: true,
		edits: []edit{{"vote.go",
			`rf.votedFor = args.CandidateID
			rf.saveLocked()`,
			`rf.votedFor = args.CandidateID`}},
	},
	{
		name:   "term-not-saved",
		wrong:  "the term of a message is taken over but not saved",
		safety: true,
		edits: []edit{{"role.go",
			`rf.setRoleLocked(Follower, nobody)
			rf.saveLocked()`,
			`rf.setRoleLocked(Follower, nobody)`}},
	},
	{
		name:   "candidacy-not-saved",
		wrong:  "a candidate saves neither its new term nor the vote for itself",
		safety: true,
		edits: []edit{{"role.go",
			`rf.setRoleLocked(Candidate, nobody)
			rf.saveLocked()`,
			`rf.setRoleLocked(Candidate, nobody)`}},
	},
	{
		name:   "concession-not-saved",
		wrong:  "a candidate frees its vote by a concession and does not save that",
		safety: true,
		edits: []edit{{"role.go",
			`rf.votedFor = nobody
			rf.saveLocked()`,
			`rf.votedFor = nobody`}},
	},
	{
		name:   "vote-cleared-before-term-saved",
		wrong:  "a follower saves that its vote is free before it saves the new term: a crash may come between",
		safety: true,
		edits: []edit{{"role.go",
			`rf.currentTerm, rf.votedFor = term, nobody`,
			`rf.votedFor = nobody
			rf.saveLocked()
			rf.currentTerm = term`}},
	},
	{
		name:   "vote-saved-under-old-term",
		wrong:  "a voter saves its vote before it saves the candidate's term: a crash may come between",
		safety: true,
		edits: []edit{{"vote.go",
			`if !rf.admitLocked(args) || !rf.log.upToDate(args.LastLogIndex, args.LastLogTerm) {`,
			`if before := rf.votedFor; !rf.killed && args.Term > rf.currentTerm && rf.isPeer(args.CandidateID) &&
				rf.log.upToDate(args.LastLogIndex, args.LastLogTerm) {
				rf.votedFor = args.CandidateID
				rf.saveLocked()
				rf.votedFor = before
			}
			if !rf.admitLocked(args) || !rf.log.upToDate(args.LastLogIndex, args.LastLogTerm) {`}},
	},
	{
		name:   "candidacy-saved-in-two-steps",
		wrong:  "a candidate saves its vote before it saves the new term: a crash may come between",
		safety: true,
		edits: []edit{{"role.go",
			`rf.currentTerm, rf.votedFor = rf.currentTerm+1, rf.me
			if rf.options.votePolicy == VoteSelfLast {
				rf.votedFor = nobody
			}`,
			`rf.votedFor = rf.me
			if rf.options.votePolicy == VoteSelfLast {
				rf.votedFor = nobody
			}
			rf.saveLocked()
			rf.currentTerm++`}},
	},
	{
		name:   "vote-forgotten-at-restart",
		wrong:  "a server that restarts reads its term but not its vote",
		safety: true,
		edits:  []edit{{"persist.go", `rf.currentTerm, rf.votedFor = h.currentTerm, h.votedFor`, `rf.currentTerm, rf.votedFor = h.currentTerm, nobody`}},
	},
}
