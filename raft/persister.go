//go:build go1.25

package raft

import (
	"fmt"
	"slices"
	"sync"
)

// A Persister is the disk of one server: it keeps the Raft state and the snapshot that were saved last, in
// memory. It offers what the Persister of every year of the course offers, and Append, by which
// saving costs as much as there is new. The zero value is an empty disk. Safe for concurrent use.
type Persister struct {
	mu       sync.Mutex
	head     []byte   // the beginning of the Raft state that Append replaces; never shared
	body     [][]byte // the rest, in pieces; a byte once written never changes
	size     int      // the length of head and body
	snapshot []byte   // never changed, only replaced
	saved    func()   // if set, called with mu held after each change: the tests crash servers there
}

// MakePersister returns an empty Persister.
func MakePersister() *Persister {
	return &Persister{}
}

// Copy returns a Persister with the same contents; from then on they change apart.
func (ps *Persister) Copy() *Persister {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return &Persister{head: slices.Clone(ps.head), body: slices.Clone(ps.body), size: ps.size, snapshot: ps.snapshot}
}

// Save replaces the Raft state and the snapshot in one step: a crash leaves both old or both new. A nil
// snapshot erases the one saved before. The arguments are copied.
func (ps *Persister) Save(raftstate []byte, snapshot []byte) {
	raftstate, snapshot = clone(raftstate), clone(snapshot)
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.snapshot = snapshot
	ps.setState(raftstate)
}

// SaveStateAndSnapshot is Save under the name that it had up to 2022.
func (ps *Persister) SaveStateAndSnapshot(state []byte, snapshot []byte) {
	ps.Save(state, snapshot)
}

// SaveRaftState replaces the Raft state and keeps the snapshot. The argument is copied.
func (ps *Persister) SaveRaftState(state []byte) {
	state = clone(state)
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.setState(state)
}

// setState takes over state, which nobody else may hold.
func (ps *Persister) setState(state []byte) {
	ps.head, ps.body, ps.size = nil, [][]byte{state}, len(state)
	if ps.saved != nil {
		ps.saved()
	}
}

// Append saves a change of the Raft state in one step: head replaces its first len(head) bytes, and the pieces of tail go
// to its end. Until another writer is used, every head must have the same length. The saved state must be at
// least that long, or empty. head is copied. The pieces of tail are kept, as if the disk were mapped into memory: the
// caller may keep them, too, but nobody may ever write to them again.
func (ps *Persister) Append(head []byte, tail ...[]byte) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.replaceHead(head)
	for _, piece := range tail {
		if len(piece) == 0 {
			continue
		}
		ps.size += len(piece)
		if last := len(ps.body) - 1; last >= 0 && continues(ps.body[last], piece) {
			ps.body[last] = ps.body[last][:len(ps.body[last])+len(piece)]
		} else {
			ps.body = append(ps.body, piece)
		}
	}
	if ps.saved != nil {
		ps.saved()
	}
}

// continues reports whether b lies behind a in one piece of memory.
func continues(a, b []byte) bool {
	return cap(a)-len(a) >= len(b) && &a[:len(a)+1][len(a)] == &b[0]
}

func (ps *Persister) replaceHead(head []byte) {
	if ps.head == nil {
		ps.splitHead(len(head))
	}
	if len(ps.head) != len(head) {
		panic(fmt.Sprintf("raft: Persister.Append: a head of %d bytes where one of %d is saved", len(head), len(ps.head)))
	}
	copy(ps.head, head)
}

// splitHead makes the first n bytes of the saved state the head, as long as nothing was appended.
func (ps *Persister) splitHead(n int) {
	if ps.size == 0 {
		ps.head, ps.body, ps.size = make([]byte, n), nil, n
		return
	}
	n = min(n, len(ps.body[0]))
	ps.head, ps.body[0] = clone(ps.body[0][:n]), ps.body[0][n:]
}

// ReadRaftState returns a copy of the Raft state, empty if none was saved.
func (ps *Persister) ReadRaftState() []byte {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	state := append(make([]byte, 0, ps.size), ps.head...)
	for _, piece := range ps.body {
		state = append(state, piece...)
	}
	return state
}

// RaftStateSize returns the length of the Raft state in bytes.
func (ps *Persister) RaftStateSize() int {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return ps.size
}

// ReadSnapshot returns a copy of the snapshot, empty if none was saved.
func (ps *Persister) ReadSnapshot() []byte {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return clone(ps.snapshot)
}

// SnapshotSize returns the length of the snapshot in bytes.
func (ps *Persister) SnapshotSize() int {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return len(ps.snapshot)
}

// clone is bytes.Clone, but empty where that is nil: the course's readers never return nil.
func clone(b []byte) []byte {
	return append([]byte{}, b...)
}
