//go:build go1.25

package raft

import "time"

// onRequestVote answers a candidate (§5.2, §5.4.1).
func (rf *Raft) onRequestVote(args *RequestVoteArgs) *RequestVoteReply {
	reply := new(RequestVoteReply)
	malformed := args.Checksum != uint64(args.sum()) || !plausible(args.Term, args.LastLogIndex, args.LastLogTerm) ||
		args.LastLogTerm >= args.Term || (args.LastLogIndex == 0) != (args.LastLogTerm == 0)
	rf.mu.Lock()
	defer rf.mu.Unlock()
	switch {
	case malformed:
	case args.PreVote:
		reply.VoteGranted = rf.wouldVoteLocked(args)
	default:
		reply.VoteGranted = rf.voteLocked(args)
	}
	reply.Term = rf.currentTerm
	return reply
}

// wouldVoteLocked answers a PreVote: would we vote for the candidate in a new term? Not as long as we lead or hear
// from a leader, so that a server that was cut off cannot depose a leader that the others are content with.
func (rf *Raft) wouldVoteLocked(args *RequestVoteArgs) bool {
	content := rf.role == Leader || rf.leader != nobody && time.Since(rf.lastHeard) < rf.options.timeoutMin
	return !rf.killed && !content && args.Term > rf.currentTerm && rf.isPeer(args.CandidateID) &&
		rf.log.upToDate(args.LastLogIndex, args.LastLogTerm)
}

// voteLocked gives the candidate our vote of the term, if it is still free or the candidate's already (§5.2) and its
// log is at least as up-to-date as ours (§5.4.1). Only who grants a vote postpones its own election.
func (rf *Raft) voteLocked(args *RequestVoteArgs) bool {
	if !rf.admitLocked(args) || !rf.log.upToDate(args.LastLogIndex, args.LastLogTerm) {
		return false
	}
	if rf.votedFor != nobody && rf.votedFor != args.CandidateID {
		return false
	}
	if rf.votedFor == nobody {
		rf.votedFor = args.CandidateID
		rf.saveLocked()
	}
	if rf.role == Candidate {
		rf.voteRefusedLocked(rf.me) // we may win nevertheless, for two candidates may have traded votes
	} else {
		rf.campaign = campaign{} // rather help this candidate than compete with it
	}
	rf.postponeElectionLocked()
	return true
}
