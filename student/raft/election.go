package raft

// Leader election (§5.2) and the election restriction (§5.4.1).

// RequestVoteArgs is the request of Figure 2's RequestVote RPC.
type RequestVoteArgs struct {
	Term         int
	CandidateId  int
	LastLogIndex int
	LastLogTerm  int
}

// RequestVoteReply is its reply.
type RequestVoteReply struct {
	Term        int
	VoteGranted bool
}

// startElection begins an election (Figure 2, Candidates).
func (rf *Raft) startElection() {
	rf.currentTerm++
	rf.role = candidate
	rf.votedFor = rf.me
	rf.votes = 1
	rf.persist()
	rf.resetElectionTimer()
	args := RequestVoteArgs{rf.currentTerm, rf.me, rf.lastIndex(), rf.termAt(rf.lastIndex())}
	for peer := range rf.peers {
		if peer != rf.me {
			go rf.requestVote(peer, args)
		}
	}
	rf.countVotes()
}

// requestVote asks one peer for its vote.
func (rf *Raft) requestVote(peer int, args RequestVoteArgs) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	reply := RequestVoteReply{}
	if !rf.call(peer, "Raft.RequestVote", &args, &reply) {
		return
	}
	rf.seeTerm(reply.Term)
	if rf.currentTerm != args.Term && !mistaken(staleVotes) {
		return // the reply belongs to an earlier election
	}
	if rf.role == candidate && reply.VoteGranted {
		rf.votes++
		rf.countVotes()
	}
}

// countVotes makes a candidate with the votes of a majority the leader.
func (rf *Raft) countVotes() {
	if rf.votes <= len(rf.peers)/2 {
		return
	}
	rf.role = leader
	rf.nextIndex = make([]int, len(rf.peers))
	rf.matchIndex = make([]int, len(rf.peers))
	for peer := range rf.peers {
		rf.nextIndex[peer] = rf.lastIndex() + 1
	}
	rf.broadcast()
}

// RequestVote is the receiver of the RPC (Figure 2).
func (rf *Raft) RequestVote(args *RequestVoteArgs, reply *RequestVoteReply) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	rf.seeTerm(args.Term)
	reply.Term = rf.currentTerm
	if args.Term < rf.currentTerm { // rule 1
		return
	}
	free := rf.votedFor == -1 || rf.votedFor == args.CandidateId
	if free && (rf.isUpToDate(args.LastLogIndex, args.LastLogTerm) || mistaken(logNotCompared)) { // rule 2
		rf.votedFor = args.CandidateId
		if !mistaken(voteNotSaved) {
			rf.persist()
		}
		rf.resetElectionTimer()
		reply.VoteGranted = true
	}
}

// isUpToDate reports whether a log that ends with this index and term is at least as up-to-date as this server's (§5.4.1).
func (rf *Raft) isUpToDate(index, term int) bool {
	last := rf.termAt(rf.lastIndex())
	return term > last || term == last && index >= rf.lastIndex()
}
