//go:build go1.25

package raft

import (
	"fmt"
	"slices"
	"sync"
)

// A Persister simulates the disk of one server. It keeps the Raft state and the snapshot that were saved last, in memory.
// It has the methods of the lab's Persisters of all years, and Change and Append, which save only what is new. The zero
// value is an empty disk. It is safe for concurrent use.
type Persister struct {
	mu       sync.Mutex
	head     []byte   // the beginning of the Raft state, which Change overwrites; never shared
	body     [][]byte // the rest, in pieces; their bytes are never written again
	size     int      // length of head and body in bytes
	snapshot []byte   // never modified, only replaced
	saved    func()   // test hook: called with mu held after each save; tests crash servers there
}

// MakePersister returns an empty Persister.
func MakePersister() *Persister {
	return &Persister{}
}

// Copy returns a Persister with the same contents. Later saves to one do not affect the other.
func (ps *Persister) Copy() *Persister {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return &Persister{head: slices.Clone(ps.head), body: slices.Clone(ps.body), size: ps.size, snapshot: ps.snapshot}
}

// Save replaces the Raft state and the snapshot in one step: after a crash, both are old or both are new. A nil snapshot
// erases the saved one. Save copies its arguments. It is the lab's method from 2023 on.
func (ps *Persister) Save(raftstate []byte, snapshot []byte) {
	snapshot = clone(snapshot)
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.snapshot = snapshot
	ps.setState(raftstate)
}

// SaveStateAndSnapshot is the same as Save. It is the lab's method until 2022.
func (ps *Persister) SaveStateAndSnapshot(state []byte, snapshot []byte) {
	ps.Save(state, snapshot)
}

// SaveRaftState replaces the Raft state, keeps the snapshot, and copies its argument. It is the lab's method until 2022.
func (ps *Persister) SaveRaftState(state []byte) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.setState(state)
}

// setState replaces the Raft state by a copy of state.
func (ps *Persister) setState(state []byte) {
	ps.head, ps.body, ps.size = nil, nil, len(state)
	for k := 0; k < len(state); k += maxSegment { // in pieces, so that memory is freed when part of it is dropped
		ps.body = append(ps.body, clone(state[k:min(k+maxSegment, len(state))]))
	}
	if ps.saved != nil {
		ps.saved()
	}
}

// Append saves a new head and adds the pieces of tail to the end of the body. It is the same as Change with only Head and
// Tail.
func (ps *Persister) Append(head []byte, tail ...[]byte) { ps.Change(Change{Head: head, Tail: tail}) }

// Change saves a change in one step: after a crash, all of it is saved or nothing. The first Change, and the first one
// after Save, SaveStateAndSnapshot or SaveRaftState, makes the first len(c.Head) bytes of the Raft state the head, or
// begins a new state if it is empty. Change copies c.Head. It keeps c.Front, c.Tail and c.Snapshot, as if the disk were
// mapped into memory: the caller may keep them, too, but must never modify them.
//
// Change panics if the Raft state is shorter than c.Head but not empty, if the head already has another length, or if the
// body is shorter than c.Drop+c.Cut.
func (ps *Persister) Change(c Change) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if ps.head == nil {
		ps.splitHead(len(c.Head))
	}
	switch body := ps.size - len(ps.head); {
	case len(ps.head) != len(c.Head):
		panic(fmt.Sprintf("raft: Persister.Change or Append: a head of %d bytes, want %d", len(c.Head), len(ps.head)))
	case c.Drop < 0 || c.Cut < 0 || c.Drop+c.Cut > body:
		panic(fmt.Sprintf("raft: Persister.Change: cannot drop %d bytes and cut %d from a body of %d", c.Drop, c.Cut, body))
	}
	copy(ps.head, c.Head)
	ps.cut(c.Cut)
	ps.drop(c.Drop)
	if len(c.Front) > 0 {
		ps.body = slices.Insert(ps.body, 0, c.Front[:len(c.Front):len(c.Front)])
		ps.size += len(c.Front)
	}
	for _, piece := range c.Tail {
		ps.extend(piece)
	}
	if c.Replace {
		ps.snapshot = c.Snapshot
	}
	if ps.saved != nil {
		ps.saved()
	}
}

// extend adds a piece to the end of the body. It joins the piece to the last one if they adjoin in memory.
func (ps *Persister) extend(piece []byte) {
	ps.size += len(piece)
	last := len(ps.body) - 1
	switch {
	case len(piece) == 0:
	case last >= 0 && adjoins(ps.body[last], piece):
		ps.body[last] = ps.body[last][:len(ps.body[last])+len(piece)]
	default:
		ps.body = append(ps.body, piece)
	}
}

// cut removes n bytes from the end of the body.
func (ps *Persister) cut(n int) {
	ps.size -= n
	for n > 0 {
		last := len(ps.body) - 1
		piece := ps.body[last]
		if keep := len(piece) - n; keep > 0 {
			ps.body[last] = piece[:keep:keep]
			return
		}
		ps.body[last], ps.body = nil, ps.body[:last]
		n -= len(piece)
	}
}

// drop removes n bytes from the beginning of the body. It copies the rest of a piece, so that the memory of all n is
// freed.
func (ps *Persister) drop(n int) {
	ps.size -= n
	gone := 0
	for ; n > 0 && n >= len(ps.body[gone]); gone++ {
		n -= len(ps.body[gone])
	}
	var moved [][]byte
	if n > 0 {
		for piece := range slices.Chunk(ps.body[gone][n:], cutSize) {
			moved = append(moved, clone(piece))
		}
		gone++
	}
	ps.body = replaceFirst(ps.body, gone, moved)
}

// adjoins reports whether b follows a immediately in the same piece of memory.
func adjoins(a, b []byte) bool {
	return cap(a)-len(a) >= len(b) && &a[:len(a)+1][len(a)] == &b[0]
}

// splitHead makes the first n bytes of the Raft state the head. An empty state becomes a head of n zeros.
func (ps *Persister) splitHead(n int) {
	if ps.size == 0 {
		ps.head, ps.size = make([]byte, n), n
		return
	}
	for k := 0; k < len(ps.body) && len(ps.head) < n; k++ {
		ps.head = append(ps.head, ps.body[k][:min(n-len(ps.head), len(ps.body[k]))]...)
	}
	ps.drop(len(ps.head))
	ps.size += len(ps.head)
}

// ReadRaftState returns a copy of the Raft state. It is empty but not nil if none was saved.
func (ps *Persister) ReadRaftState() []byte {
	ps.mu.Lock()
	head, body, size := slices.Clone(ps.head), slices.Clone(ps.body), ps.size
	ps.mu.Unlock()
	state := append(make([]byte, 0, size), head...)
	for _, piece := range body {
		state = append(state, piece...)
	}
	return state
}

// RaftStateSize returns the length of the Raft state in bytes, without the snapshot. It is the same as Status.StateBytes.
func (ps *Persister) RaftStateSize() int {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return ps.size
}

// ReadSnapshot returns a copy of the snapshot. It is empty but not nil if none was saved.
func (ps *Persister) ReadSnapshot() []byte {
	ps.mu.Lock()
	snapshot := ps.snapshot
	ps.mu.Unlock()
	return clone(snapshot)
}

// SnapshotSize returns the length of the snapshot in bytes. It is the same as SnapInfo.Size.
func (ps *Persister) SnapshotSize() int {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return len(ps.snapshot)
}

// clone is bytes.Clone, except that it returns an empty slice for nil: the readers of the lab's Persister never return
// nil.
func clone(b []byte) []byte {
	return append([]byte{}, b...)
}
