//go:build go1.25

package raft

import (
	"fmt"
	"math/rand"
	"time"
)

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
	rf.commitTold = time.Time{}
	rf.wakeReplicatorsLocked()
	rf.tickLocked(time.Now())
	rf.advanceCommitLocked() // a cluster of one has no replies to wait for
}

// resignLocked gives up the lead, without a new term: whoever could form a majority with followers that we still
// reach would otherwise never be promised their votes (see wouldVoteLocked). Our vote of this term stays spent.
func (rf *Raft) resignLocked() {
	rf.setRoleLocked(Follower, nobody)
	rf.postponeElectionLocked()
}

// followLocked follows the leader of the current term, from which a message has come.
func (rf *Raft) followLocked(leader int) {
	if rf.role != Follower || rf.leader != leader {
		rf.setRoleLocked(Follower, leader)
	}
	rf.attempts = 0
	rf.heard = time.Now()
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
	rf.canvass = canvass{}
	rf.early = early{}
	rf.observeChangeLocked()
}

// postponeElectionLocked sets a new election timeout, that of a server which hears others. After two failed elections
// in a row it doubles, and once more after the next: on a network that loses or delays most messages there must be
// time for the answers, and in a minority partition elections are in vain.
func (rf *Raft) postponeElectionLocked() { rf.drawTimeoutLocked(rf.attempts - 2) }

// drawTimeoutLocked draws an election timeout (§5.2) that is doubled so many times, twice at most.
func (rf *Raft) drawTimeoutLocked(doublings int) {
	o := &rf.options
	timeout := o.timeoutMin + time.Duration(rand.Int63n(int64(o.timeoutMax-o.timeoutMin)+1))
	rf.silence.begin(time.Now().Add(timeout<<max(0, min(doublings, 2))), timeout)
	rf.tickLocked(rf.silence.next())
}

// ticker starts elections and keeps a leader's messages going. It sleeps until the next of these duties; wake
// wakes it earlier, and Kill ends it.
func (rf *Raft) ticker() {
	timer := time.NewTimer(rf.tick())
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-rf.wake:
		case <-rf.done:
			return
		}
		if rf.options.woken != nil {
			rf.options.woken()
		}
		timer.Reset(rf.tick())
	}
}

// tick does what is due and returns how long the ticker may sleep.
func (rf *Raft) tick() time.Duration {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	now := time.Now()
	switch {
	case rf.killed:
		return time.Hour // the ticker ends
	case rf.role != Leader && rf.silence.certain(now):
		rf.standForElectionLocked()
	}
	if rf.role == Leader {
		rf.nextTick = rf.tendFollowersLocked(now)
	} else {
		rf.nextTick = rf.silence.next()
	}
	return time.Until(rf.nextTick)
}

// tickLocked makes sure that the ticker looks at its duties at t at the latest.
func (rf *Raft) tickLocked(t time.Time) {
	if t.Before(rf.nextTick) {
		rf.nextTick = t
		select {
		case rf.wake <- struct{}{}:
		default:
		}
	}
}

// A canvass collects the answers to requests for votes. It is a candidate's, or a follower's that asks with
// PreVote whether it would be elected; then it goes on from attempt to attempt until something changes.
type canvass struct {
	granted  []bool // by server, nil when there is no canvass
	refused  []bool // by server, ourselves if our vote went to another; kept for WithConcession only
	preVote  bool
	begun    time.Time
	answered bool // a peer did: we are not cut off
}

// promiseHeartbeats is for how long a PreVote collects promises: one that is older may have been overtaken by a leader.
const promiseHeartbeats = 20

func (rf *Raft) newCanvass(preVote bool) canvass {
	n := len(rf.peers)
	return canvass{granted: make([]bool, n), refused: make([]bool, n), preVote: preVote, begun: time.Now()}
}

func (c *canvass) count() int { return countTrue(c.granted) }

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

// standForElectionLocked begins an election after a timeout without a leader (§5.2).
func (rf *Raft) standForElectionLocked() {
	rf.attempts++
	rf.drawTimeoutLocked(rf.attempts) // an answer shortens that; if there is none, we are cut off
	if !rf.options.preVote || rf.currentTerm == 0 {
		// In term 0 nobody can have been elected, and no leader steps down for a candidate of term 1:
		// there is nobody to disturb, and no use in asking first.
		rf.standLocked()
		return
	}
	expired := time.Since(rf.canvass.begun) > promiseHeartbeats*rf.options.heartbeat
	if rf.canvass.granted == nil || rf.role == Candidate || expired {
		rf.setRoleLocked(Follower, nobody)
		rf.canvass = rf.newCanvass(true)
	}
	rf.grantedLocked(rf.me)
	if rf.canvass.preVote {
		rf.askForVotesLocked()
	}
}

// standLocked becomes a candidate and asks for votes.
func (rf *Raft) standLocked() {
	rf.becomeCandidateLocked()
	rf.canvass = rf.newCanvass(false)
	rf.canvass.granted[rf.me] = rf.votedFor == rf.me
	rf.askForVotesLocked()
	rf.countLocked() // a cluster of one has nobody to wait for
}

// askForVotesLocked sends RequestVote to all who have not granted it.
func (rf *Raft) askForVotesLocked() {
	args := &RequestVoteArgs{
		Term:         rf.currentTerm,
		CandidateID:  rf.me,
		LastLogIndex: rf.log.lastIndex(),
		LastLogTerm:  rf.log.lastTerm(),
		PreVote:      rf.canvass.preVote,
	}
	if args.PreVote {
		args.Term++
	}
	args.Checksum = uint64(args.sum())
	for peer := range rf.peers {
		switch {
		case peer == rf.me || rf.canvass.granted[peer]:
		case rf.options.asking != nil:
			rf.options.asking(peer, args)
		default:
			go rf.askForVote(peer, args)
		}
	}
}

// askForVote asks one peer for its vote, again if the message is lost.
func (rf *Raft) askForVote(peer int, args *RequestVoteArgs) {
	begun := time.Now()
	for n, again := 0, true; again && n < maxFailures; n++ {
		reply, _ := rf.call(peer, args).(*RequestVoteReply)
		again = rf.answerToVote(peer, args, reply, begun)
	}
}

// answerToVote takes a reply, nil if there is none, and reports whether to ask again: not if we seem to be cut off.
func (rf *Raft) answerToVote(peer int, args *RequestVoteArgs, reply *RequestVoteReply, begun time.Time) (again bool) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	switch {
	case rf.staleVoteLocked(args):
	case reply != nil:
		rf.onVoteLocked(peer, reply)
	default:
		return rf.canvass.answered || time.Since(begun) < rf.patience()
	}
	return false
}

// staleVoteLocked reports whether the answer to args has come too late to count.
func (rf *Raft) staleVoteLocked(args *RequestVoteArgs) bool {
	if rf.killed || rf.canvass.granted == nil || rf.canvass.preVote != args.PreVote {
		return true
	}
	if args.PreVote {
		return args.Term != rf.currentTerm+1
	}
	return args.Term != rf.currentTerm
}

// onVoteLocked takes an answer that is not stale. Somebody hears us, so the next attempt is worthwhile.
func (rf *Raft) onVoteLocked(peer int, reply *RequestVoteReply) {
	rf.canvass.answered = true
	rf.postponeElectionLocked()
	switch {
	case !plausible(reply.Term):
	case reply.Term > rf.currentTerm:
		rf.becomeFollowerLocked(reply.Term)
	case reply.VoteGranted:
		rf.grantedLocked(peer)
	case reply.Term == rf.currentTerm:
		rf.refusedLocked(peer)
	}
}

// grantedLocked takes a vote or a promise.
func (rf *Raft) grantedLocked(voter int) {
	rf.canvass.granted[voter] = true
	rf.countLocked()
}

// countLocked acts on a majority. "If votes received from majority of servers: become leader" (§5.2); our own may be
// the last of them. A majority of promises is enough to stand.
func (rf *Raft) countLocked() {
	n := rf.canvass.count()
	switch {
	case rf.canvass.preVote:
		if rf.isMajority(n) {
			rf.postponeElectionLocked()
			rf.standLocked()
		}
	case rf.isMajority(n):
		rf.becomeLeaderLocked()
	case rf.votedFor == nobody && rf.isMajority(n+1):
		rf.votedFor = rf.me
		rf.saveLocked()
		rf.becomeLeaderLocked()
	}
}

// refusedLocked takes a refusal. Without a majority of servers that may still vote for us we cannot win.
func (rf *Raft) refusedLocked(voter int) {
	if rf.canvass.preVote || !rf.options.concession {
		return
	}
	rf.canvass.refused[voter] = true
	if !rf.isMajority(len(rf.peers) - countTrue(rf.canvass.refused)) {
		rf.concedeLocked()
	}
}

// awaitSuccessorLocked sets the election timeout of a leader that is deposed. If a majority has been with it until now,
// whoever deposed it was cut off or has the worse log, and may not win: so it stands again when its next heartbeat
// would be due. Who follows the new leader, or votes for it for its better log, postpones that.
func (rf *Raft) awaitSuccessorLocked() {
	rf.postponeElectionLocked()
	if now := time.Now(); rf.options.standSoon && rf.hasQuorumLocked(now, rf.options.timeoutMin) {
		rf.silence.begin(now.Add(rf.options.heartbeat), rf.options.timeoutMin)
		rf.tickLocked(rf.silence.next())
	}
}
