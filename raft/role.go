//go:build go1.25

package raft

import (
	"fmt"
	"time"
)

// nobody is the index of no server.
const nobody = -1

// Role is what a server is in its current term (Figure 4).
type Role int

// The roles. Every server begins as a follower.
const (
	Follower Role = iota
	Candidate
	Leader
)

func (r Role) String() string {
	return [...]string{"follower", "candidate", "leader"}[r]
}

// becomeFollowerLocked enters a newer term as a follower that has not voted (§5.1).
func (rf *Raft) becomeFollowerLocked(term int) {
	if term <= rf.currentTerm {
		panic(fmt.Sprintf("raft: server %d: from term %d back to %d", rf.me, rf.currentTerm, term))
	}
	if rf.role == Leader {
		rf.awaitSuccessorLocked()
	}
	rf.currentTerm, rf.votedFor = term, nobody
	rf.setRoleLocked(Follower, nobody)
	rf.saveLocked()
}

// becomeCandidateLocked enters the next term and votes for itself (§5.2), unless that comes last.
func (rf *Raft) becomeCandidateLocked() {
	rf.currentTerm, rf.votedFor = rf.currentTerm+1, rf.me
	if rf.options.votePolicy == VoteSelfLast {
		rf.votedFor = nobody
	}
	rf.setRoleLocked(Candidate, nobody)
	rf.saveLocked()
}

// concedeLocked ends a candidacy that cannot succeed. Our vote for ourselves, if that is where it went, can be counted
// no more and so becomes free; see WithConcession.
func (rf *Raft) concedeLocked() {
	rf.setRoleLocked(Follower, nobody)
	if rf.votedFor == rf.me {
		rf.votedFor = nobody
		rf.saveLocked()
	}
}

// becomeLeaderLocked takes the lead in the current term. The first heartbeats go out at once (§5.2).
func (rf *Raft) becomeLeaderLocked() {
	if rf.role != Candidate {
		panic(fmt.Sprintf("raft: server %d: from %v to leader in term %d", rf.me, rf.role, rf.currentTerm))
	}
	rf.setRoleLocked(Leader, rf.me)
	rf.attempts = 0
	for _, f := range rf.followers {
		if f != nil {
			f.reset(rf.log.lastIndex())
		}
	}
	rf.commitNotice = time.Time{}
	rf.wakeReplicatorsLocked()
	rf.wakeTickerAtLocked(time.Now())
	rf.advanceCommitLocked() // a cluster of one has no replies to wait for
}

// stepDownLocked gives up the lead, without a new term: whoever could form a majority with followers that we still
// reach would otherwise never be promised their votes (see wouldVoteLocked). Our vote of this term stays spent.
func (rf *Raft) stepDownLocked() {
	rf.setRoleLocked(Follower, nobody)
	rf.postponeElectionLocked()
}

// awaitSuccessorLocked sets the election timeout of a leader that is deposed. If a majority has been with it until now,
// whoever deposed it was cut off or has the worse log, and may not win: so it stands again when its next heartbeat
// would be due. Who follows the new leader, or votes for it for its better log, postpones that.
func (rf *Raft) awaitSuccessorLocked() {
	rf.postponeElectionLocked()
	if now := time.Now(); rf.options.standSoon && rf.hasQuorumLocked(now, rf.options.timeoutMin) {
		rf.silence.begin(now.Add(rf.options.heartbeat), rf.options.timeoutMin)
		rf.wakeTickerAtLocked(rf.silence.next())
	}
}

// followLocked follows the leader of the current term, from which a message has come.
func (rf *Raft) followLocked(leader int) {
	if rf.role != Follower || rf.leader != leader {
		rf.setRoleLocked(Follower, leader)
	}
	rf.attempts = 0
	rf.lastHeard = time.Now()
	rf.postponeElectionLocked()
}

// becomeKilledLocked leaves the cluster; whoever waits for work wakes and ends.
func (rf *Raft) becomeKilledLocked() {
	rf.setRoleLocked(Follower, nobody)
	rf.applyCond.Broadcast()
	for _, f := range rf.followers {
		if f != nil {
			f.work.Signal()
		}
	}
}

// setRoleLocked is the only writer of role and leader. Votes that were collected end with the role.
func (rf *Raft) setRoleLocked(role Role, leader int) {
	rf.reportRoleLocked(role, leader)
	rf.role, rf.leader = role, leader
	if role == Leader {
		rf.proposals.open(rf.currentTerm, rf.log.lastIndex()+1)
	} else {
		rf.proposals.close()
	}
	rf.campaign = campaign{}
	rf.reordered = reorderBuffer{}
	rf.observeChangeLocked()
}
