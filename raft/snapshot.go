//go:build go1.25

package raft

import (
	"bytes"
	"fmt"
)

// A snapshot replaces the entries up to and including index (§7). Its data is not changed any more.
type snapshot struct {
	index int // lastIncludedIndex, 0 without a snapshot
	term  int // lastIncludedTerm
	data  []byte
	sum   uint32 // checksum of data
}

func newSnapshot(index, term int, data []byte) snapshot {
	return snapshot{index: index, term: term, data: data, sum: checksum(data)}
}

// Snapshot tells Raft that the service has put all that it applied up to and including index into data, so that
// the log before that is no longer needed (§7). It is saved with the rest of the state when Snapshot returns. An
// index that an earlier snapshot covers is ignored. Snapshot panics if the entry at index is not committed, since
// then the service cannot have applied it. It may be called between two receives from applyCh. data is copied.
func (rf *Raft) Snapshot(index int, data []byte) {
	s := newSnapshot(index, 0, bytes.Clone(data))
	rf.mu.Lock()
	defer rf.mu.Unlock()
	if rf.killed || index <= rf.snapshot.index {
		return
	}
	if index > rf.commitIndex {
		panic(fmt.Sprintf("raft: Snapshot on server %d: index %d is not committed, commitIndex is %d", rf.me, index, rf.commitIndex))
	}
	s.term = rf.log.term(index)
	rf.compactLocked(s)
}

// CondInstallSnapshot asks, in the labs of 2021 and 2022, whether a snapshot that arrived on applyCh should be
// installed. It should: it was sent only after Raft had installed it, in order with the commands around it.
func (rf *Raft) CondInstallSnapshot(lastIncludedTerm int, lastIncludedIndex int, snapshot []byte) bool {
	return true
}

// installSnapshotLocked makes c an InstallSnapshot, for a follower that lacks entries that we no longer have.
func (rf *Raft) installSnapshotLocked(c *call) {
	c.last, c.bytes = rf.snapshot.index, len(rf.snapshot.data)
	m := &InstallSnapshotArgs{
		Term:              rf.currentTerm,
		LeaderID:          rf.me,
		LastIncludedIndex: rf.snapshot.index,
		LastIncludedTerm:  rf.snapshot.term,
		Data:              rf.snapshot.data,
	}
	m.Checksum = uint64(m.sum(rf.snapshot.sum))
	c.message = m
}

// onInstallSnapshot answers a leader (§7).
func (rf *Raft) onInstallSnapshot(args *InstallSnapshotArgs) *InstallSnapshotReply {
	reply := new(InstallSnapshotReply)
	s := newSnapshot(args.LastIncludedIndex, args.LastIncludedTerm, args.Data)
	malformed := args.Checksum != uint64(args.sum(s.sum)) || !plausible(args.Term, args.LastIncludedIndex, args.LastIncludedTerm) ||
		args.LastIncludedIndex < 1 || args.LastIncludedTerm < 1 || args.LastIncludedTerm > args.Term
	rf.mu.Lock()
	defer rf.mu.Unlock()
	if !malformed && rf.admitLeaderLocked(args) {
		rf.takeSnapshotLocked(s)
		reply.Success = true
	}
	reply.Term = rf.currentTerm
	return reply
}

// takeSnapshotLocked carries out the receiver's rules of InstallSnapshot (Figure 13). A snapshot of what we know to be
// committed tells nothing new. Otherwise, if an entry has the same index and term as the snapshot's last one, what
// follows it stays; if not, the whole log goes. It is saved before the applier can hand it over.
func (rf *Raft) takeSnapshotLocked(s snapshot) {
	if s.index <= rf.commitIndex {
		return
	}
	if !rf.log.matches(s.index, s.term) {
		rf.log.reset(s.index, s.term)
	}
	rf.compactLocked(s)
	rf.commitLocked(s.index)
	rf.reportLocked(SnapshotInstalled, nobody, s.index)
}

// compactLocked makes s the snapshot and cuts off the log before it, but for the entries that WithTrailingLog keeps.
// Both are saved in one step.
func (rf *Raft) compactLocked(s snapshot) {
	rf.log.compact(max(rf.log.base, s.index-rf.options.trailing))
	rf.snapshot = s
	rf.saveSnapshotLocked()
}
