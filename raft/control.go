//go:build go1.25

package raft

import "6.824/labgob"

// RaftState is a control command: it asks Raft for its state at a point of the log. A service passes RaftState{}, or a
// pointer to one, to Start like any command. When the command is applied, each server fills in its own state and sends
// the RaftState on applyCh as the Command of an ApplyMsg. It is not part of the lab.
//
// The log holds only the request. The fields of the value passed to Start are ignored, and a server fills them in anew
// each time that it hands the entry over, also after a restart. So the servers' answers differ, and a service must not
// use one to change its replicated state. The receiver owns the memory of the answer.
//
// All fields are read at one moment, under the lock. That moment lies between two messages on applyCh: after the message
// before this one was sent (on an unbuffered channel: received), and before this one is sent. All entries before the
// command's own index i have been handed over by then, so CommitIndex and LogInfo.LastIndex are at least i. A Snapshot
// that the service takes between the two receives may or may not be in the answer. SnapInfo.Index exceeds i if a snapshot
// from the leader has arrived while the service was behind.
//
// RaftState is registered with labgob, so that an answer can itself be sent or saved.
type RaftState struct {
	Term        int   // the server's current term; that of the entry may be lower
	Role        Role  // the server's role in Term
	Leader      int   // the server known to lead in Term, or -1
	CommitIndex int   // the same as Status.CommitIndex
	TotalIdx    int   // the same as Status.LastIndex
	MatchIndex  []int // on a leader, by server, the highest index up to which it is known to hold the leader's log; else nil

	Backlog      int // the number of committed entries after this command, which wait to be handed over
	BacklogBytes int // their size in bytes, except entries that a snapshot covers and the log no longer holds

	LogInfo  LogInfo
	SnapInfo SnapInfo
}

// LogInfo is the part of a RaftState about the entries that the server still holds in its log.
type LogInfo struct {
	FirstIndex int // index of the first entry; LastIndex+1 if there is none
	LastIndex  int // the same as Status.LastIndex
	LastTerm   int // term of the entry at LastIndex; 0 if the log never had an entry
	Entries    int // the number of entries
	Bytes      int // the same as Status.StateBytes
}

// SnapInfo is the part of a RaftState about the server's snapshot. Without a snapshot all fields are 0.
type SnapInfo struct {
	Index int // the same as Status.SnapshotIndex
	Term  int // term of the entry at Index
	Size  int // length of the snapshot in bytes, the same as Persister.SnapshotSize
}

func init() { labgob.Register(RaftState{}) }

// fillRaftState returns a command that is about to be applied at index. It fills in a control command.
func (rf *Raft) fillRaftState(command any, index int) any {
	switch command.(type) {
	case RaftState, *RaftState:
		return rf.raftState(index)
	}
	return command
}

// raftState returns the answer to a control command at index.
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
