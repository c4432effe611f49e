//go:build go1.25

package raft

import "6.824/labgob"

// RaftState is a control command: a question to Raft that takes its turn in the log. A service passes RaftState{} (or a
// pointer to one) to Start like any command. When its turn comes, each server answers it for itself and hands it to its
// service filled in, as a RaftState in an ApplyMsg's Command. So a service reads Raft's inner state at a defined point
// of the log, without asking from outside.
//
// The log holds the question only: what the caller's value contained is dropped, and each time that the entry is
// handed over, after a restart too, it is answered anew. So the servers' answers differ, and one must not be used to
// change what the service replicates. The answer's memory belongs to whoever receives it.
//
// All fields are read at one moment. It lies after the message before this one was sent on applyCh (on an unbuffered
// channel: received) and before this one is sent. At that moment everything before the command's own index i has been
// handed over, so CommitIndex and LogInfo.LastIndex are at least i. A Snapshot that the service takes between the two
// receives may be in the answer or not. SnapInfo.Index exceeds i if the leader's snapshot has arrived while the service
// was behind.
//
// RaftState is registered with labgob, so that an answer can itself be sent or saved.
type RaftState struct {
	Term        int   // the current term; the entry itself may be of an earlier one
	Role        Role  // what this server is in Term
	Leader      int   // the server known to lead in Term, or -1
	CommitIndex int   // index of the highest entry known to be committed
	TotalIdx    int   // Status.LastIndex: how many entries the log has had, snapshots included, as none is Raft's own
	MatchIndex  []int // on a leader, by server: up to which index it is known to hold the leader's log; else nil

	Backlog      int // how many entries behind this command are committed already, and wait to be handed over
	BacklogBytes int // their size, but for those that a snapshot covers; see Status.Backlog

	LogInfo  LogInfo
	SnapInfo SnapInfo
}

// LogInfo is what a RaftState says of the log: the entries that the server still holds.
type LogInfo struct {
	FirstIndex int // index of the first entry, LastIndex+1 if there is none
	LastIndex  int // Status.LastIndex: index of the last entry, or of the last one that was cut off
	LastTerm   int // its term, 0 if the log never had an entry
	Entries    int // how many there are
	Bytes      int // Status.StateBytes: length of the saved Raft state, without the snapshot
}

// SnapInfo is what a RaftState says of the server's snapshot. Without one all fields are 0.
type SnapInfo struct {
	Index int // Status.SnapshotIndex: the snapshot covers everything up to and including this index
	Term  int // the term of the entry there
	Size  int // its length in bytes
}

func init() { labgob.Register(RaftState{}) }

// answered returns a command as its turn at index has come: a control command filled in, any other as it is.
func (rf *Raft) answered(command any, index int) any {
	switch command.(type) {
	case RaftState, *RaftState:
		return rf.raftState(index)
	}
	return command
}

// raftState answers a control command at index.
func (rf *Raft) raftState(index int) RaftState {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	var match []int
	if rf.role == Leader {
		match = rf.appendMatchLocked(nil)
	}
	return RaftState{
		Term:        rf.currentTerm,
		Role:        rf.role,
		Leader:      rf.leader,
		CommitIndex: rf.commitIndex,
		TotalIdx:    rf.log.lastIndex(),
		MatchIndex:  match,

		Backlog:      rf.commitIndex - index,
		BacklogBytes: rf.log.size(max(index, rf.log.base)+1, rf.commitIndex),

		LogInfo: LogInfo{
			FirstIndex: rf.log.base + 1,
			LastIndex:  rf.log.lastIndex(),
			LastTerm:   rf.log.lastTerm(),
			Entries:    rf.log.lastIndex() - rf.log.base,
			Bytes:      rf.store.persister.RaftStateSize(),
		},
		SnapInfo: SnapInfo{
			Index: rf.snapshot.index,
			Term:  rf.snapshot.term,
			Size:  len(rf.snapshot.data),
		},
	}
}
