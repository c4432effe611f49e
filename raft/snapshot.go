//go:build go1.25

package raft

import (
	"bytes"
	"fmt"
	"runtime"
)

// A snapshot replaces the log entries up to and including index (§7).
type snapshot struct {
	index int    // lastIncludedIndex; 0 if there is no snapshot; never less than raftLog.base
	term  int    // lastIncludedTerm
	data  []byte // never written to
	sum   uint32 // checksum of data
}

func newSnapshot(index, term int, data []byte) snapshot {
	return snapshot{index: index, term: term, data: data, sum: snapshotSum(data)}
}

// snapshotPiece is how many bytes of a snapshot are summed at a time.
const snapshotPiece = 64 << 10

// snapshotSum returns the checksum of data. It must be called without Raft.mu. Between two pieces it lets other goroutines
// run. The checksum of 100 MB at once takes 17 ms, and neither the scheduler nor the garbage collector can interrupt it.
func snapshotSum(data []byte) (sum uint32) {
	for len(data) > snapshotPiece {
		sum = extendChecksum(sum, data[:snapshotPiece])
		data = data[snapshotPiece:]
		runtime.Gosched()
	}
	return extendChecksum(sum, data)
}

// Snapshot gives Raft a snapshot of the service, which covers all commands up to and including index. Raft then discards
// the log entries up to index (§7), or keeps the last of them with WithTrailingLog. Snapshot copies data. It saves the
// snapshot and the Raft state in one step before it returns.
//
// Snapshot does nothing if an earlier snapshot covers index, or if the server was killed. It panics if the entry at index
// is not committed, since the service cannot have applied it then. The service may call Snapshot while the applier waits
// to send on applyCh.
func (rf *Raft) Snapshot(index int, data []byte) { rf.KeepSnapshot(index, bytes.Clone(data)) }

// KeepSnapshot is like Snapshot, but keeps data instead of a copy, so data must not be modified afterwards. A copy of a large
// snapshot takes memory and time, and the garbage collector cannot stop the goroutine that makes it. The lab has no such
// method.
func (rf *Raft) KeepSnapshot(index int, data []byte) {
	s := newSnapshot(index, 0, data)
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

// CondInstallSnapshot reports whether the service should install a snapshot that it received on applyCh, in the labs of
// 2021 and 2022. It always returns true: Raft sends a snapshot after it has installed it, in order with the commands.
func (rf *Raft) CondInstallSnapshot(lastIncludedTerm int, lastIncludedIndex int, snapshot []byte) bool {
	return true
}

// makeInstallSnapshotLocked makes c an InstallSnapshot, on the leader; takeSnapshotLocked is the follower's side. "The leader
// must occasionally send snapshots to followers that lag behind", when it "has already discarded the next log entry that
// it needs to send" (§7): nextCallLocked decides that. A snapshot is sent whole.
func (rf *Raft) makeInstallSnapshotLocked(c *call) {
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

// onInstallSnapshot is the receiver of InstallSnapshot (Figure 13, §7). Rule 1, "reply immediately if term < currentTerm",
// is part of admitLeaderLocked. Rules 2 to 4 are about chunks, and there are none. Rules 5 to 8 are takeSnapshotLocked.
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

// takeSnapshotLocked carries out rules 5 to 8 of the receiver of InstallSnapshot (Figure 13). Rule 5, "save snapshot file,
// discard any existing or partial snapshot with a smaller index", is compactLocked, which saves before the applier can send
// the snapshot. Rule 6: "if existing log entry has same index and term as snapshot's last included entry, retain log entries
// following it". Rule 7: otherwise "discard the entire log". Rule 8, "reset state machine using snapshot contents", is left
// to the service, which receives the snapshot on applyCh. In the case of rule 6, where the paper only replies, it receives
// the snapshot as well, in place of the commands that it covers. A snapshot up to commitIndex is ignored: the service
// receives those commands from the log.
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

// compactLocked replaces the snapshot by s. Then the server "may delete all log entries up through the last included index"
// (§7); it keeps those that WithTrailingLog asks for. It saves snapshot and log in one step.
func (rf *Raft) compactLocked(s snapshot) {
	rf.log.compact(max(rf.log.base, s.index-rf.options.trailing))
	received := s.index > rf.commitIndex // the service's own covers committed entries only
	rf.snapshot = s
	rf.tellSnapshotLocked(received)
	rf.saveSnapshotLocked()
}
