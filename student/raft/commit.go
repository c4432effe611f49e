package raft

// Commitment (§5.3, §5.4.2) and applying.

// advanceCommit moves the leader's commitIndex (Figure 2, last rule for leaders).
func (rf *Raft) advanceCommit() {
	for index := rf.lastIndex(); index > rf.commitIndex; index-- {
		if rf.termAt(index) != rf.currentTerm && !mistaken(oldTermCommitted) {
			return // §5.4.2: only entries of the current term are committed by counting replicas
		}
		copies := 1
		for peer := range rf.peers {
			if peer != rf.me && rf.matchIndex[peer] >= index {
				copies++
			}
		}
		if copies > len(rf.peers)/2 {
			rf.commitIndex = index
			rf.applyCond.Signal()
			return
		}
	}
}

// applier sends what is committed on applyCh, in order, without holding the lock (Figure 2, All Servers).
func (rf *Raft) applier() {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	for {
		for !rf.killed() && rf.installed == nil && rf.lastApplied >= rf.commitIndex {
			rf.applyCond.Wait()
		}
		if rf.killed() {
			return
		}
		msg := rf.nextMsg()
		rf.mu.Unlock()
		rf.applyCh <- msg
		rf.mu.Lock()
	}
}

// nextMsg returns the next message for the service.
func (rf *Raft) nextMsg() ApplyMsg {
	if msg := rf.installed; msg != nil {
		rf.installed = nil
		rf.lastApplied = msg.SnapshotIndex
		return *msg
	}
	rf.lastApplied++
	return ApplyMsg{CommandValid: true, Command: rf.log[rf.lastApplied-rf.lastIncludedIndex].Command, CommandIndex: rf.lastApplied}
}
