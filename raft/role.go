//go:build go1.25

package raft

import (
	"fmt"
	"time"
)

// nobody stands for no server in votedFor, leader and Event.
const nobody = -1

// A Role is the state of a server in its current term (§5.1, Figure 4).
type Role int

// The roles. A server starts as a follower (§5.2).
const (
	Follower Role = iota
	Candidate
	Leader
)

func (r Role) String() string {
	return [...]string{"follower", "candidate", "leader"}[r]
}

// becomeFollowerLocked enters a newer term as a follower that has not voted: "if RPC request or response contains term
// T > currentTerm: set currentTerm = T, convert to follower" (Figure 2, §5.1). It panics if term is not newer.
func (rf *Raft) becomeFollowerLocked(term int) {
	if term <= rf.currentTerm {
		panic(fmt.Sprintf("raft: server %d: cannot go from term %d to %d", rf.me, rf.currentTerm, term))
	}
	if rf.role == Leader {
		rf.awaitSuccessorLocked()
	}
	rf.currentTerm, rf.votedFor = term, nobody
	rf.setRoleLocked(Follower, nobody)
	rf.saveLocked()
}

// becomeCandidateLocked begins a candidacy: "increment currentTerm, vote for self" (Figure 2, §5.2). With VoteSelfLast
// the candidate has not voted yet: see countVotesLocked.
func (rf *Raft) becomeCandidateLocked() {
	rf.currentTerm, rf.votedFor = rf.currentTerm+1, rf.me
	if rf.options.votePolicy == VoteSelfLast {
		rf.votedFor = nobody
	}
	rf.setRoleLocked(Candidate, nobody)
	rf.saveLocked()
}

// concedeLocked ends a candidacy that cannot win. A vote for itself can no longer be counted, so the server may grant it
// to another candidate of the term; WithConcession says why that is safe.
func (rf *Raft) concedeLocked() {
	rf.setRoleLocked(Follower, nobody)
	if rf.votedFor == rf.me {
		rf.votedFor = nobody
		rf.tellStateLocked()
		rf.saveLocked()
	}
}

// becomeLeaderLocked makes a candidate the leader of the current term. "Upon election: send initial empty AppendEntries
// RPCs (heartbeat) to each server" (Figure 2, §5.2): follower.reset makes these due, and the replicators send them. It
// panics if the server is not a candidate.
func (rf *Raft) becomeLeaderLocked() {
	if rf.role != Candidate {
		panic(fmt.Sprintf("raft: server %d: cannot go from %v to leader in term %d", rf.me, rf.role, rf.currentTerm))
	}
	rf.setRoleLocked(Leader, rf.me)
	rf.electionsStarted = 0
	for _, f := range rf.followers {
		if f != nil {
			f.reset(rf.log.lastIndex())
		}
	}
	rf.commitNoticeAt = time.Time{}
	rf.wakeReplicatorsLocked()
	rf.wakeTickerAtLocked(time.Now())
	rf.advanceCommitLocked() // a cluster of one receives no replies
}

// stepDownLocked makes a leader a follower without starting a new term, after no majority has answered it for a while
// (§6.2 of Ongaro's dissertation). Followers that it still reaches would otherwise refuse every PreVote (wouldVoteLocked),
// so a server that needs their votes could not be elected. votedFor does not change.
func (rf *Raft) stepDownLocked() {
	rf.setRoleLocked(Follower, nobody)
	rf.resetElectionTimerLocked()
}

// awaitSuccessorLocked sets the election timer of a leader that a newer term deposes. If a majority has answered it within
// the minimum election timeout, the server with the newer term was cut off or has a less up-to-date log, and may not win.
// With WithStandSoon the old leader then starts an election when its next heartbeat would be due. It resets the timer if it
// hears from a new leader or grants a vote before that. Only the length of a timeout changes, so safety does not depend on
// it (§5.6).
func (rf *Raft) awaitSuccessorLocked() {
	rf.resetElectionTimerLocked()
	if now := time.Now(); rf.options.standSoon && rf.hasQuorumLocked(now, rf.options.timeoutMin) {
		rf.electionTimer.start(now.Add(rf.options.heartbeat), rf.options.timeoutMin)
		rf.wakeTickerAtLocked(rf.electionTimer.next())
	}
}

// followLocked handles a message from the leader of the current term. "If AppendEntries RPC received from new leader:
// convert to follower" (Figure 2, Candidates). It resets the election timer (§5.2).
func (rf *Raft) followLocked(leader int) {
	if rf.role != Follower || rf.leader != leader {
		rf.setRoleLocked(Follower, leader)
	}
	rf.electionsStarted = 0
	rf.lastHeard = time.Now()
	rf.resetElectionTimerLocked()
}

// becomeKilledLocked makes a killed server a follower, and wakes the applier and the replicators so that they end.
func (rf *Raft) becomeKilledLocked() {
	rf.setRoleLocked(Follower, nobody)
	rf.applyCond.Broadcast()
	for _, f := range rf.followers {
		if f != nil {
			f.work.Signal()
		}
	}
}

// setRoleLocked is the only writer of role and leader after newRaft. It discards the votes received and the reordered
// entries, which belong to the previous role, leader or term.
func (rf *Raft) setRoleLocked(role Role, leader int) {
	rf.reportRoleLocked(role, leader)
	rf.role, rf.leader = role, leader
	if role == Leader {
		rf.proposals.open(rf.currentTerm, rf.log.lastIndex()+1)
	} else {
		rf.proposals.close()
		rf.failReadsLocked()
	}
	rf.campaign = campaign{}
	rf.reordered = reorderBuffer{}
	rf.tellStateLocked()
	rf.observeChangeLocked()
}
