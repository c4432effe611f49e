package raft

// Log replication (§5.3).

import "time"

// AppendEntriesArgs is the request of Figure 2's AppendEntries RPC.
type AppendEntriesArgs struct {
	Term         int
	LeaderId     int
	PrevLogIndex int
	PrevLogTerm  int
	Entries      []Entry
	LeaderCommit int
}

// AppendEntriesReply is its reply. If the logs do not match, the other fields let the leader skip a whole term (end of §5.3).
type AppendEntriesReply struct {
	Term          int
	Success       bool
	ConflictTerm  int // the term of the entry at PrevLogIndex; -1: there is no such entry
	ConflictIndex int // the first index of that term; or the index after the end of the log
}

// broadcast sends AppendEntries or InstallSnapshot to each peer.
func (rf *Raft) broadcast() {
	rf.heartbeat = time.Now().Add(heartbeatInterval)
	rf.advanceCommit() // in a cluster of one
	for peer := range rf.peers {
		if peer != rf.me {
			rf.send(peer)
		}
	}
}

// send sends a peer what it lacks: entries, or the snapshot if the log does not have them any more.
func (rf *Raft) send(peer int) {
	if rf.nextIndex[peer] <= rf.lastIncludedIndex {
		go rf.sendSnapshot(peer, rf.snapshotArgs())
	} else {
		go rf.replicate(peer, rf.appendArgs(peer))
	}
}

func (rf *Raft) appendArgs(peer int) AppendEntriesArgs {
	prev := rf.nextIndex[peer] - 1
	return AppendEntriesArgs{
		Term:         rf.currentTerm,
		LeaderId:     rf.me,
		PrevLogIndex: prev,
		PrevLogTerm:  rf.termAt(prev),
		Entries:      append([]Entry(nil), rf.log[prev+1-rf.lastIncludedIndex:]...),
		LeaderCommit: rf.commitIndex,
	}
}

// replicate sends AppendEntries to one peer and handles the reply.
func (rf *Raft) replicate(peer int, args AppendEntriesArgs) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	reply := AppendEntriesReply{}
	if !rf.call(peer, "Raft.AppendEntries", &args, &reply) {
		return
	}
	rf.seeTerm(reply.Term)
	if rf.currentTerm != args.Term || rf.role != leader {
		return // the reply belongs to an earlier term
	}
	switch {
	case reply.Success:
		rf.matchIndex[peer] = max(rf.matchIndex[peer], args.PrevLogIndex+len(args.Entries))
		rf.nextIndex[peer] = rf.matchIndex[peer] + 1
		rf.advanceCommit()
	case reply.Term == args.Term && args.PrevLogIndex == rf.nextIndex[peer]-1: // else the reply is late
		if next := max(rf.matchIndex[peer]+1, rf.backUp(&reply)); next < rf.nextIndex[peer] {
			rf.nextIndex[peer] = next
			rf.send(peer)
		}
	}
}

// backUp returns the next nextIndex after the logs did not match.
func (rf *Raft) backUp(reply *AppendEntriesReply) int {
	if reply.ConflictTerm == -1 {
		return reply.ConflictIndex
	}
	for index := rf.lastIndex(); index > rf.lastIncludedIndex; index-- {
		if rf.termAt(index) == reply.ConflictTerm {
			return index + 1
		}
	}
	return reply.ConflictIndex
}

// AppendEntries is the receiver of the RPC (Figure 2).
func (rf *Raft) AppendEntries(args *AppendEntriesArgs, reply *AppendEntriesReply) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	rf.seeTerm(args.Term)
	reply.Term = rf.currentTerm
	if args.Term < rf.currentTerm { // rule 1
		return
	}
	rf.role = follower
	rf.resetElectionTimer()
	prev, entries := args.PrevLogIndex, args.Entries
	if skip := rf.lastIncludedIndex - prev; skip > 0 { // the snapshot has these entries, which are committed
		skip = min(skip, len(entries))
		prev, entries = prev+skip, entries[skip:]
	}
	if prev < rf.lastIncludedIndex {
		reply.Success = true
		return
	}
	if !rf.matches(args.PrevLogIndex, args.PrevLogTerm, reply) { // rule 2
		return
	}
	rf.store(prev, entries) // rules 3 and 4
	reply.Success = true
	if last := min(args.LeaderCommit, prev+len(entries)); last > rf.commitIndex { // rule 5
		rf.commitIndex = last
		rf.applyCond.Signal()
	}
}

// matches reports whether the log has an entry with this index and term. If not, it says in the reply what it has.
func (rf *Raft) matches(index, term int, reply *AppendEntriesReply) bool {
	switch {
	case index <= rf.lastIncludedIndex:
		return true // committed
	case index > rf.lastIndex():
		reply.ConflictTerm, reply.ConflictIndex = -1, rf.lastIndex()+1
		return false
	case rf.termAt(index) == term:
		return true
	}
	reply.ConflictTerm = rf.termAt(index)
	first := index
	for first > rf.lastIncludedIndex+1 && rf.termAt(first-1) == reply.ConflictTerm {
		first--
	}
	reply.ConflictIndex = first
	return false
}

// store appends the entries that the log does not have. It deletes entries only if one of the new ones conflicts.
func (rf *Raft) store(prev int, entries []Entry) {
	if mistaken(truncateAlways) {
		rf.log = append(rf.log[:prev+1-rf.lastIncludedIndex:prev+1-rf.lastIncludedIndex], entries...)
		rf.persist()
		return
	}
	for i, e := range entries {
		index := prev + 1 + i
		if index <= rf.lastIndex() && rf.termAt(index) == e.Term {
			continue
		}
		rf.log = append(rf.log[:index-rf.lastIncludedIndex:index-rf.lastIncludedIndex], entries[i:]...)
		if !mistaken(appendNotSaved) {
			rf.persist()
		}
		return
	}
}
