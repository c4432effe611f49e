//go:build go1.25

package raft

import "time"

// A campaign collects the replies to the RequestVote messages of one server. A candidate campaigns for votes (§5.2). A
// follower campaigns with PreVote (§9.6 of Ongaro's dissertation): it asks whether its peers would vote for it in the next
// term. A PreVote campaign may last over several election timeouts. It ends when the role, leader or term changes, when the
// server grants a vote, or when it has become too old (preVoteHeartbeats).
type campaign struct {
	granted   []bool // by server; nil when there is no campaign
	refused   []bool // by server; our own means that we voted for another; used for WithConcession only
	preVote   bool
	startedAt time.Time
	answered  bool // a peer has replied, so this server is not cut off
}

// preVoteHeartbeats is how long, in heartbeat intervals, a PreVote campaign may last. Afterwards a new one begins, since
// peers that granted a PreVote may have heard from a leader since.
const preVoteHeartbeats = 20

func (rf *Raft) newCampaign(preVote bool) campaign {
	n := len(rf.peers)
	return campaign{granted: make([]bool, n), refused: make([]bool, n), preVote: preVote, startedAt: time.Now()}
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

// startElectionLocked starts an election (§5.2) when the election timeout has elapsed: a PreVote campaign, or at once a
// candidacy if PreVote is not used. A server "restarts its randomized election timeout at the start of an election" (§5.2).
func (rf *Raft) startElectionLocked() {
	rf.electionsStarted++
	rf.drawTimeoutLocked(rf.electionsStarted) // longer, in case this server is cut off; a reply resets the timer
	if !rf.options.preVote || rf.currentTerm == 0 {
		// No server can have been elected in term 0, and a candidate of term 1 deposes no leader. So PreVote
		// would protect none.
		rf.startCandidacyLocked()
		return
	}
	expired := time.Since(rf.campaign.startedAt) > preVoteHeartbeats*rf.options.heartbeat
	if rf.campaign.granted == nil || rf.role == Candidate || expired {
		rf.setRoleLocked(Follower, nobody)
		rf.campaign = rf.newCampaign(true)
	}
	rf.voteGrantedLocked(rf.me)
	if rf.campaign.preVote {
		rf.requestVotesLocked()
	}
}

// startCandidacyLocked carries out Figure 2's "on conversion to candidate, start election: increment currentTerm, vote
// for self, reset election timer, send RequestVote RPCs to all other servers" (§5.2). The callers reset the timer.
func (rf *Raft) startCandidacyLocked() {
	rf.becomeCandidateLocked()
	rf.campaign = rf.newCampaign(false)
	rf.campaign.granted[rf.me] = rf.votedFor == rf.me
	rf.requestVotesLocked()
	rf.countVotesLocked() // a cluster of one receives no replies
}

// requestVotesLocked sends RequestVote to each peer that has not granted it yet (§5.2). With PreVote its term is the next
// one, and currentTerm does not change.
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
		case rf.options.sendVoteRequest != nil:
			rf.options.sendVoteRequest(peer, args)
		default:
			go rf.requestVoteFrom(peer, args)
		}
	}
}

// requestVoteFrom sends RequestVote to one peer. It sends it again if there is no reply, at most maxFailures times in all:
// "servers retry RPCs if they do not receive a response in a timely manner" (§5.1, §5.5). The next election asks again.
func (rf *Raft) requestVoteFrom(peer int, args *RequestVoteArgs) {
	defer rf.observePanic()
	startedAt := time.Now()
	for n, again := 0, true; again && n < maxFailures; n++ {
		reply, _ := rf.call(peer, args).(*RequestVoteReply)
		again = rf.onVoteReturn(peer, args, reply, startedAt)
	}
}

// onVoteReturn handles the return of a call that sent args; reply is nil if no reply came. It reports whether to send args
// again. Later than minCallTimeout after startedAt, it does so only if some peer has replied: otherwise this server seems
// cut off.
func (rf *Raft) onVoteReturn(peer int, args *RequestVoteArgs, reply *RequestVoteReply, startedAt time.Time) (again bool) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	switch {
	case rf.staleVoteLocked(args):
	case reply != nil:
		rf.onVoteReplyLocked(peer, reply)
	default:
		return rf.campaign.answered || time.Since(startedAt) < rf.minCallTimeout()
	}
	return false
}

// staleVoteLocked reports whether a reply to args no longer counts: no campaign of the same kind and term is in progress.
func (rf *Raft) staleVoteLocked(args *RequestVoteArgs) bool {
	if rf.killed || rf.campaign.granted == nil || rf.campaign.preVote != args.PreVote {
		return true
	}
	if args.PreVote {
		return args.Term != rf.currentTerm+1
	}
	return args.Term != rf.currentTerm
}

// onVoteReplyLocked handles a reply that is not stale. Since a peer hears this server, it resets the election timer, which
// startElectionLocked had set for a server that may be cut off. "If RPC … response contains term T > currentTerm: set
// currentTerm = T, convert to follower" (Figure 2, §5.1).
func (rf *Raft) onVoteReplyLocked(peer int, reply *RequestVoteReply) {
	rf.campaign.answered = true
	rf.resetElectionTimerLocked()
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

// voteGrantedLocked counts a vote, or a PreVote that a peer granted.
func (rf *Raft) voteGrantedLocked(voter int) {
	rf.campaign.granted[voter] = true
	rf.countVotesLocked()
}

// countVotesLocked acts on a majority. "If votes received from majority of servers: become leader" (Figure 2, §5.2). With
// VoteSelfLast the candidate casts its own vote last, once it makes a majority; the vote is saved before it counts, and a
// server that has voted for another candidate cannot cast it. A PreVote majority starts the candidacy.
func (rf *Raft) countVotesLocked() {
	n := rf.campaign.count()
	switch {
	case rf.campaign.preVote:
		if rf.isMajority(n) {
			rf.resetElectionTimerLocked()
			rf.startCandidacyLocked()
		}
	case rf.isMajority(n):
		rf.becomeLeaderLocked()
	case rf.votedFor == nobody && rf.isMajority(n+1):
		rf.votedFor = rf.me
		rf.tellStateLocked()
		rf.saveLocked()
		rf.becomeLeaderLocked()
	}
}

// voteRefusedLocked counts a refusal, for WithConcession. A candidate concedes when the servers that have not refused are
// no longer a majority, since it cannot win then.
func (rf *Raft) voteRefusedLocked(voter int) {
	if rf.campaign.preVote || !rf.options.concession {
		return
	}
	rf.campaign.refused[voter] = true
	if !rf.isMajority(len(rf.peers) - countTrue(rf.campaign.refused)) {
		rf.concedeLocked()
	}
}
