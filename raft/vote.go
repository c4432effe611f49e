//go:build go1.25

package raft

import "time"

// onRequestVote is the receiver of RequestVote (Figure 2). Rule 1, "reply false if term < currentTerm", is part of
// admitLocked. Rule 2 is voteLocked. It grants nothing if args was damaged or no correct server can have sent it.
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

// wouldVoteLocked reports whether this server would vote for the sender of a PreVote in the term that it names (§9.6 of
// Ongaro's dissertation). It would not while it leads or has heard from a leader within the minimum election timeout, so
// that a server that was cut off cannot depose a working leader. The answer changes no state, and commits to nothing.
func (rf *Raft) wouldVoteLocked(args *RequestVoteArgs) bool {
	hasLeader := rf.role == Leader || rf.leader != nobody && time.Since(rf.lastHeard) < rf.options.timeoutMin
	return !rf.killed && !hasLeader && args.Term > rf.currentTerm && rf.isPeer(args.CandidateID) &&
		rf.log.upToDate(args.LastLogIndex, args.LastLogTerm)
}

// voteLocked grants the vote "if votedFor is null or candidateId, and candidate's log is at least as up-to-date as
// receiver's log" (Figure 2, §5.2, §5.4.1), and reports whether it did. The vote is saved before it returns. Granting a vote
// resets the election timer; refusing one does not. A candidate may grant its vote if it has not voted for itself
// (WithVotePolicy). "Each server will vote for at most one candidate in a given term, on a first-come-first-served basis"
// (§5.2); a candidate that concedes withdraws its vote for itself (WithConcession).
func (rf *Raft) voteLocked(args *RequestVoteArgs) bool {
	if !rf.admitLocked(args) || !rf.log.upToDate(args.LastLogIndex, args.LastLogTerm) {
		return false
	}
	if rf.votedFor != nobody && rf.votedFor != args.CandidateID {
		return false
	}
	if rf.votedFor == nobody {
		rf.votedFor = args.CandidateID
		rf.tellStateLocked()
		rf.saveLocked()
	}
	if rf.role == Candidate {
		rf.voteRefusedLocked(rf.me) // our own vote is used; the votes of the others may still be a majority
	} else {
		rf.campaign = campaign{} // a PreVote campaign ends, so as not to compete with this candidate
	}
	rf.resetElectionTimerLocked()
	return true
}
