//go:build go1.25

package raft

// An ApplyMsg is what Raft sends on applyCh: a command that is committed, or a snapshot that replaces all commands up to
// and including SnapshotIndex. They come in the order of the log, without gaps, each index once; after a snapshot
// follows the command with index SnapshotIndex+1 or a newer snapshot. With WithEvents, events come in between.
type ApplyMsg struct {
	CommandValid bool // the message is a command
	Command      any
	CommandIndex int

	SnapshotValid bool // the message is a snapshot
	Snapshot      []byte
	SnapshotTerm  int
	SnapshotIndex int

	EventValid bool // the message is an event: only with WithEvents
	Event      Event
}
