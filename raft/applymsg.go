//go:build go1.25

package raft

import "bytes"

// An ApplyMsg is what Raft sends on applyCh: a command that is committed, or a snapshot that replaces all commands up to
// and including SnapshotIndex. They come in the order of the log, without gaps, each index once; after a snapshot
// follows the command with index SnapshotIndex+1 or a newer snapshot. With WithEvents, events come in between.
type ApplyMsg struct {
	CommandValid bool // the message is a command
	Command      any
	CommandIndex int
	CommandTerm  int // the term in which Start accepted it

	SnapshotValid bool // the message is a snapshot
	Snapshot      []byte
	SnapshotTerm  int
	SnapshotIndex int

	EventValid bool // the message is an event: only with WithEvents
	Event      Event
}

// The fields of ApplyMsg are named nowhere else in the package. In a tree where ApplyMsg has other fields, this file is
// replaced by one with these three functions and hasEvents.

// hasEvents says that an ApplyMsg can carry an Event. Otherwise Make refuses WithEvents.
const hasEvents = true

func newCommandMsg(command any, index, term int) ApplyMsg {
	return ApplyMsg{CommandValid: true, Command: command, CommandIndex: index, CommandTerm: term}
}

// newSnapshotMsg returns a message with memory of its own.
func newSnapshotMsg(s *snapshot) ApplyMsg {
	return ApplyMsg{SnapshotValid: true, Snapshot: bytes.Clone(s.data), SnapshotTerm: s.term, SnapshotIndex: s.index}
}

func newEventMsg(e Event) ApplyMsg { return ApplyMsg{EventValid: true, Event: e} }
