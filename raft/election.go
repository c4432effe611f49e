//go:build go1.25

package raft

import "time"

// A campaign collects the answers to requests for votes. It is a candidate's, or a follower's that asks with
// PreVote whether it would be elected; then it goes on from attempt to attempt until something changes.
type campaign struct {
	granted  []bool // by server, nil when there is no campaign
	refused  []bool // by server, ourselves if our vote went to another; kept for WithConcession only
	preVote  bool
	begun    time.Time
	answered bool // a peer did: we are not cut off
}

// promiseHeartbeats is for how long a PreVote collects promises: one that is older may have been overtaken by a leader.
const promiseHeartbeats = 20

func (rf *Raft) newCampaign(preVote bool) campaign {
	n := len(rf.peers)
	return campaign{granted: make([]bool, n), refused: make([]bool, n), preVote: preVote, begun: time.Now()}
}

func (c *campaign) count() int { return countTrue(c.granted) }

func countTrue(answers []bool) int {
	n := 0
	for _, yes := range answers {
		if yes {
			n++
		}
	}
	return n
}

func (rf *Raft) isMajority(n int) bool { return n > len(rf.peers)/2 }

// startElectionLocked begins an election after a timeout without a leader (§5.2).
func (rf *Raft) startElectionLocked() {
	rf.attempts++
	rf.drawTimeoutLocked(rf.attempts) // an answer shortens that; if there is none, we are cut off
	if !rf.options.preVote || rf.currentTerm == 0 {
		// In term 0 nobody can have been elected, and no leader steps down for a candidate of term 1:
		// there is nobody to disturb, and no use in asking first.
		rf.startCandidacyLocked()
		return
	}
	expired := time.Since(rf.campaign.begun) > promiseHeartbeats*rf.options.heartbeat
	if rf.campaign.granted == nil || rf.role == Candidate || expired {
		rf.setRoleLocked(Follower, nobody)
		rf.campaign = rf.newCampaign(true)
	}
	rf.voteGrantedLocked(rf.me)
	if rf.campaign.preVote {
		rf.requestVotesLocked()
	}
}

// startCandidacyLocked becomes a candidate and asks for votes.
func (rf *Raft) startCandidacyLocked() {
	rf.becomeCandidateLocked()
	rf.campaign = rf.newCampaign(false)
	rf.campaign.granted[rf.me] = rf.votedFor == rf.me
	rf.requestVotesLocked()
	rf.countVotesLocked() // a cluster of one has nobody to wait for
}

// requestVotesLocked sends RequestVote to all who have not granted it.
func (rf *Raft) requestVotesLocked() {
	args := &RequestVoteArgs{
		Term:         rf.currentTerm,
		CandidateID:  rf.me,
		LastLogIndex: rf.log.lastIndex(),
		LastLogTerm:  rf.log.lastTerm(),
		PreVote:      rf.campaign.preVote,
	}
	if args.PreVote {
		args.Term++
	}
	args.Checksum = uint64(args.sum())
	for peer := range rf.peers {
		switch {
		case peer == rf.me || rf.campaign.granted[peer]:
		case rf.options.requestVote != nil:
			rf.options.requestVote(peer, args)
		default:
			go rf.requestVoteFrom(peer, args)
		}
	}
}

// requestVoteFrom asks one peer for its vote, again if the message is lost.
func (rf *Raft) requestVoteFrom(peer int, args *RequestVoteArgs) {
	begun := time.Now()
	for n, again := 0, true; again && n < maxFailures; n++ {
		reply, _ := rf.call(peer, args).(*RequestVoteReply)
		again = rf.onVoteReturn(peer, args, reply, begun)
	}
}

// onVoteReturn takes a reply, nil if there is none, and reports whether to ask again: not if we seem to be cut off.
func (rf *Raft) onVoteReturn(peer int, args *RequestVoteArgs, reply *RequestVoteReply, begun time.Time) (again bool) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	switch {
	case rf.staleVoteLocked(args):
	case reply != nil:
		rf.onVoteReplyLocked(peer, reply)
	default:
		return rf.campaign.answered || time.Since(begun) < rf.minCallTimeout()
	}
	return false
}

// staleVoteLocked reports whether the answer to args has come too late to count.
func (rf *Raft) staleVoteLocked(args *RequestVoteArgs) bool {
	if rf.killed || rf.campaign.granted == nil || rf.campaign.preVote != args.PreVote {
		return true
	}
	if args.PreVote {
		return args.Term != rf.currentTerm+1
	}
	return args.Term != rf.currentTerm
}

// onVoteReplyLocked takes an answer that is not stale. Somebody hears us, so the next attempt is worthwhile.
func (rf *Raft) onVoteReplyLocked(peer int, reply *RequestVoteReply) {
	rf.campaign.answered = true
	rf.postponeElectionLocked()
	switch {
	case !plausible(reply.Term):
	case reply.Term > rf.currentTerm:
		rf.becomeFollowerLocked(reply.Term)
	case reply.VoteGranted:
		rf.voteGrantedLocked(peer)
	case reply.Term == rf.currentTerm:
		rf.voteRefusedLocked(peer)
	}
}

// voteGrantedLocked takes a vote or a promise.
func (rf *Raft) voteGrantedLocked(voter int) {
	rf.campaign.granted[voter] = true
	rf.countVotesLocked()
}

// countVotesLocked acts on a majority. "If votes received from majority of servers: become leader" (§5.2); our own may be
// the last of them. A majority of promises is enough to stand.
func (rf *Raft) countVotesLocked() {
	n := rf.campaign.count()
	switch {
	case rf.campaign.preVote:
		if rf.isMajority(n) {
			rf.postponeElectionLocked()
			rf.startCandidacyLocked()
		}
	case rf.isMajority(n):
		rf.becomeLeaderLocked()
	case rf.votedFor == nobody && rf.isMajority(n+1):
		rf.votedFor = rf.me
		rf.saveLocked()
		rf.becomeLeaderLocked()
	}
}

// voteRefusedLocked takes a refusal. Without a majority of servers that may still vote for us we cannot win.
func (rf *Raft) voteRefusedLocked(voter int) {
	if rf.campaign.preVote || !rf.options.concession {
		return
	}
	rf.campaign.refused[voter] = true
	if !rf.isMajority(len(rf.peers) - countTrue(rf.campaign.refused)) {
		rf.concedeLocked()
	}
}
