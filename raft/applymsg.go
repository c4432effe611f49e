//go:build go1.25

package raft

import "bytes"

// An ApplyMsg is a message that Raft sends on applyCh: a committed command, or a snapshot that replaces all commands up to
// and including SnapshotIndex. Commands come in log order, each index once and without gaps. The next message after a
// snapshot is the command at SnapshotIndex+1, or a newer snapshot. With WithEvents, events may come between them.
type ApplyMsg struct {
	CommandValid bool // the message is a command
	Command      any
	CommandIndex int
	CommandTerm  int // term of the log entry, in which Start accepted the command

	SnapshotValid bool // the message is a snapshot
	Snapshot      []byte
	SnapshotTerm  int // term of the entry at SnapshotIndex
	SnapshotIndex int // index of the last command that the snapshot covers

	EventValid bool // the message is an event (WithEvents)
	Event      Event
}

// The rest of the package does not name the fields of ApplyMsg. In a tree whose ApplyMsg has other fields, another file with
// hasEvents and these three functions replaces this one.

// hasEvents says whether an ApplyMsg can carry an Event. If it cannot, Make panics when given WithEvents.
const hasEvents = true

func newCommandMsg(command any, index, term int) ApplyMsg {
	return ApplyMsg{CommandValid: true, Command: command, CommandIndex: index, CommandTerm: term}
}

// newSnapshotMsg returns a message with a copy of the snapshot's data.
func newSnapshotMsg(s *snapshot) ApplyMsg {
	return ApplyMsg{SnapshotValid: true, Snapshot: bytes.Clone(s.data), SnapshotTerm: s.term, SnapshotIndex: s.index}
}

func newEventMsg(e Event) ApplyMsg { return ApplyMsg{EventValid: true, Event: e} }
