//go:build go1.25

package raft

import (
	"fmt"
	"slices"
	"sync"
)

// A Persister is the disk of one server: it keeps the Raft state and the snapshot that were saved last, in
// memory. It has the methods of every year's Persister of the course, and Change, by which a save costs as much as there is
// new. The zero value is an empty disk. Safe for concurrent use.
type Persister struct {
	mu       sync.Mutex
	head     []byte   // the beginning of the Raft state that Change replaces; never shared
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
	snapshot = clone(snapshot)
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
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.setState(state)
}

// setState makes the state a copy of state.
func (ps *Persister) setState(state []byte) {
	ps.head, ps.body, ps.size = nil, nil, len(state)
	for k := 0; k < len(state); k += maxSegment { // so that a part that is dropped becomes garbage
		ps.body = append(ps.body, clone(state[k:min(k+maxSegment, len(state))]))
	}
	if ps.saved != nil {
		ps.saved()
	}
}

// Append is a Change of the head that adds to the end of the body.
func (ps *Persister) Append(head []byte, tail ...[]byte) { ps.Change(Change{Head: head, Tail: tail}) }

// Change saves a change in one step: a crash leaves all of it or nothing. Until another writer is used, every head must
// have the same length. The saved state must be at least that long, or empty, and its body as long as what goes. All but
// the head is kept, as if the disk were mapped into memory: the caller may keep it, too, but nobody may ever write to it
// again.
func (ps *Persister) Change(c Change) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if ps.head == nil {
		ps.splitHead(len(c.Head))
	}
	switch body := ps.size - len(ps.head); {
	case len(ps.head) != len(c.Head):
		panic(fmt.Sprintf("raft: Persister.Append or Change: a head of %d bytes where one of %d is saved", len(c.Head), len(ps.head)))
	case c.Drop < 0 || c.Cut < 0 || c.Drop+c.Cut > body:
		panic(fmt.Sprintf("raft: Persister.Change: drop %d bytes and cut %d where %d are saved", c.Drop, c.Cut, body))
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

// extend adds a piece to the end of the body.
func (ps *Persister) extend(piece []byte) {
	ps.size += len(piece)
	last := len(ps.body) - 1
	switch {
	case len(piece) == 0:
	case last >= 0 && continues(ps.body[last], piece):
		ps.body[last] = ps.body[last][:len(ps.body[last])+len(piece)]
	default:
		ps.body = append(ps.body, piece)
	}
}

// cut takes n bytes from the end of the body.
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

// drop takes n bytes from the beginning of the body. What is kept of a piece moves, so that all that goes becomes garbage.
func (ps *Persister) drop(n int) {
	ps.size -= n
	gone := 0
	for ; n > 0 && n >= len(ps.body[gone]); gone++ {
		n -= len(ps.body[gone])
	}
	clear(ps.body[:gone])
	ps.body = ps.body[gone:]
	if n > 0 {
		ps.body[0] = clone(ps.body[0][n:])
	}
}

// continues reports whether b lies behind a in one piece of memory.
func continues(a, b []byte) bool {
	return cap(a)-len(a) >= len(b) && &a[:len(a)+1][len(a)] == &b[0]
}

// splitHead makes the first n bytes of the saved state the head, as long as nothing was changed.
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

// ReadRaftState returns a copy of the Raft state, empty if none was saved.
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

// RaftStateSize returns the length of the Raft state in bytes.
func (ps *Persister) RaftStateSize() int {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return ps.size
}

// ReadSnapshot returns a copy of the snapshot, empty if none was saved.
func (ps *Persister) ReadSnapshot() []byte {
	ps.mu.Lock()
	snapshot := ps.snapshot
	ps.mu.Unlock()
	return clone(snapshot)
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
