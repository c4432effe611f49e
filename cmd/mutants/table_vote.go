package main

// votes are mistakes about granting votes (§5.2, §5.4.1), and about saving terms and votes (Figure 2).
var votes = []mutant{
	{
		name:   "vote-without-comparing-logs",
		wrong:  "a server grants its vote without comparing logs",
		safety: true,
		edits: []edit{{"log.go",
			`if lastTerm != l.lastTerm() { return lastTerm > l.lastTerm() } return lastIndex >= l.lastIndex()`,
			`return true`}},
	},
	{
		name:   "up-to-date-by-length-only",
		wrong:  "a server grants its vote to the longer log, whatever the last terms are",
		safety: true,
		edits: []edit{{"log.go",
			`if lastTerm != l.lastTerm() { return lastTerm > l.lastTerm() } return lastIndex >= l.lastIndex()`,
			`return lastIndex >= l.lastIndex()`}},
	},
	{
		name:   "up-to-date-by-term-only",
		wrong:  "a server grants its vote to a shorter log with the same last term",
		safety: true,
		edits:  []edit{{"log.go", `return lastIndex >= l.lastIndex()`, `return true`}},
	},
	{
		name:   "vote-forgets-snapshot",
		wrong:  "a voter whose log holds only a snapshot treats its log as empty",
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
		wrong:  "a server votes twice in one term",
		safety: true,
		edits:  []edit{{"vote.go", `rf.votedFor != nobody && rf.votedFor != args.CandidateID`, `false`}},
	},
	{
		name:  "vote-kept-into-next-term",
		wrong: "a server does not reset votedFor in a new term",
		edits: []edit{{"role.go", `rf.currentTerm, rf.votedFor = term, nobody`, `rf.currentTerm = term`}},
	},
	{
		name:   "concession-frees-given-vote",
		wrong:  "a candidate that concedes frees its vote even if another candidate has it",
		safety: true,
		edits:  []edit{{"role.go", `if rf.votedFor == rf.me {`, `if rf.votedFor != nobody {`}},
	},
	{
		name:   "step-down-frees-vote",
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
		wrong:  "a server handles messages of an older term like those of the current one",
		safety: true,
		edits:  []edit{{"message.go", `term < rf.currentTerm ||`, ``}},
	},
	{
		name:  "term-taken-over-only-with-vote",
		wrong: "a server that refuses its vote does not enter the candidate's newer term",
		edits: []edit{{"vote.go",
			`if !rf.admitLocked(args) || !rf.log.upToDate(args.LastLogIndex, args.LastLogTerm) {`,
			`if args.Term < rf.currentTerm || !rf.log.upToDate(args.LastLogIndex, args.LastLogTerm) || !rf.admitLocked(args) {`}},
	},
	{
		name:   "vote-without-entering-term",
		wrong:  "a server grants its vote to a candidate of a newer term but stays in its own term",
		safety: true,
		edits: []edit{{"vote.go",
			`if !rf.admitLocked(args) || !rf.log.upToDate(args.LastLogIndex, args.LastLogTerm) {`,
			`if rf.killed || args.Term < rf.currentTerm || !rf.isPeer(args.CandidateID) || !rf.log.upToDate(args.LastLogIndex, args.LastLogTerm) {`}},
	},
	{
		name:   "vote-not-saved",
		wrong:  "a server grants its vote but does not save it",
		safety: true,
		edits: []edit{{"vote.go",
			`rf.votedFor = args.CandidateID
			rf.tellStateLocked()
			rf.saveLocked()`,
			`rf.votedFor = args.CandidateID
			rf.tellStateLocked()`}},
	},
	{
		name:   "term-not-saved",
		wrong:  "a server enters the term of a message but does not save it",
		safety: true,
		edits: []edit{{"role.go",
			`rf.setRoleLocked(Follower, nobody)
			rf.saveLocked()`,
			`rf.setRoleLocked(Follower, nobody)`}},
	},
	{
		name:   "candidacy-not-saved",
		wrong:  "a candidate saves neither its new term nor its vote for itself",
		safety: true,
		edits: []edit{{"role.go",
			`rf.setRoleLocked(Candidate, nobody)
			rf.saveLocked()`,
			`rf.setRoleLocked(Candidate, nobody)`}},
	},
	{
		name:   "concession-not-saved",
		wrong:  "a candidate that concedes does not save that its vote is free",
		safety: true,
		edits: []edit{{"role.go",
			`rf.votedFor = nobody
			rf.tellStateLocked()
			rf.saveLocked()`,
			`rf.votedFor = nobody
			rf.tellStateLocked()`}},
	},
	{
		name:   "vote-cleared-before-term-saved",
		wrong:  "a follower saves its cleared vote before the new term, and a crash may come between",
		safety: true,
		edits: []edit{{"role.go",
			`rf.currentTerm, rf.votedFor = term, nobody`,
			`rf.votedFor = nobody
			rf.saveLocked()
			rf.currentTerm = term`}},
	},
	{
		name:   "vote-saved-under-old-term",
		wrong:  "a voter saves its vote before the candidate's term, and a crash may come between",
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
		wrong:  "a candidate saves its vote before its new term, and a crash may come between",
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
		wrong:  "a restarted server reads its term but not its vote",
		safety: true,
		edits:  []edit{{"persist.go", `rf.currentTerm, rf.votedFor = h.currentTerm, h.votedFor`, `rf.currentTerm, rf.votedFor = h.currentTerm, nobody`}},
	},
}
