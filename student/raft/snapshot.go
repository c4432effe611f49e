package raft

// Log compaction (§7).

// InstallSnapshotArgs is the request of Figure 13's InstallSnapshot RPC, with the whole snapshot.
type InstallSnapshotArgs struct {
	Term              int
	LeaderId          int
	LastIncludedIndex int
	LastIncludedTerm  int
	Data              []byte
}

// InstallSnapshotReply is its reply.
type InstallSnapshotReply struct {
	Term int
}

// Snapshot stores the service's snapshot of all commands up to index, and drops these from the log.
func (rf *Raft) Snapshot(index int, snapshot []byte) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	if index <= rf.lastIncludedIndex || index > rf.lastApplied {
		return
	}
	rf.compact(index, rf.termAt(index), snapshot)
}

// compact drops the log up to index, or all of it if it ends before.
func (rf *Raft) compact(index, term int, snapshot []byte) {
	rest := []Entry{}
	if index < rf.lastIndex() && rf.termAt(index) == term {
		rest = rf.log[index+1-rf.lastIncludedIndex:]
		if mistaken(snapshotOffByOne) {
			rest = rf.log[index-rf.lastIncludedIndex:]
		}
	}
	rf.log = append([]Entry{{Term: term}}, rest...)
	rf.lastIncludedIndex = index
	rf.snapshot = snapshot
	rf.persist()
}

func (rf *Raft) snapshotArgs() InstallSnapshotArgs {
	return InstallSnapshotArgs{rf.currentTerm, rf.me, rf.lastIncludedIndex, rf.termAt(rf.lastIncludedIndex), rf.snapshot}
}

// sendSnapshot sends the snapshot to one peer and handles the reply.
func (rf *Raft) sendSnapshot(peer int, args InstallSnapshotArgs) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	reply := InstallSnapshotReply{}
	if !rf.call(peer, "Raft.InstallSnapshot", &args, &reply) {
		return
	}
	rf.seeTerm(reply.Term)
	if rf.currentTerm == args.Term && rf.role == leader {
		rf.matchIndex[peer] = max(rf.matchIndex[peer], args.LastIncludedIndex)
		rf.nextIndex[peer] = max(rf.nextIndex[peer], args.LastIncludedIndex+1)
	}
}

// InstallSnapshot is the receiver of the RPC (Figure 13).
func (rf *Raft) InstallSnapshot(args *InstallSnapshotArgs, reply *InstallSnapshotReply) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	rf.seeTerm(args.Term)
	reply.Term = rf.currentTerm
	if args.Term < rf.currentTerm { // rule 1
		return
	}
	rf.role = follower
	rf.resetElectionTimer()
	if args.LastIncludedIndex <= rf.commitIndex {
		return // the log has these entries, and the service gets them
	}
	rf.compact(args.LastIncludedIndex, args.LastIncludedTerm, args.Data) // rules 5 to 7
	rf.commitIndex = args.LastIncludedIndex
	rf.installed = &ApplyMsg{SnapshotValid: true, Snapshot: args.Data, SnapshotTerm: args.LastIncludedTerm, SnapshotIndex: args.LastIncludedIndex}
	rf.applyCond.Signal() // rule 8
}
