package raft

import (
	"bytes"
	"sync"
)

// Persister is the server's disk, as in the course from 2023 on.
type Persister struct {
	mu        sync.Mutex
	raftstate []byte
	snapshot  []byte
}

// MakePersister returns an empty Persister.
func MakePersister() *Persister { return &Persister{} }

// Copy returns a Persister with the same contents.
func (ps *Persister) Copy() *Persister {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return &Persister{raftstate: ps.raftstate, snapshot: ps.snapshot}
}

// Save replaces the Raft state and the snapshot in one step.
func (ps *Persister) Save(raftstate []byte, snapshot []byte) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.raftstate, ps.snapshot = bytes.Clone(raftstate), bytes.Clone(snapshot)
}

// ReadRaftState returns a copy of the Raft state.
func (ps *Persister) ReadRaftState() []byte {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return bytes.Clone(ps.raftstate)
}

// RaftStateSize returns the length of the Raft state in bytes.
func (ps *Persister) RaftStateSize() int {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return len(ps.raftstate)
}

// ReadSnapshot returns a copy of the snapshot.
func (ps *Persister) ReadSnapshot() []byte {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return bytes.Clone(ps.snapshot)
}

// SnapshotSize returns the length of the snapshot in bytes.
func (ps *Persister) SnapshotSize() int {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return len(ps.snapshot)
}
