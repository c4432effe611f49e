package rsm

import (
	"encoding/binary"
	"errors"
	"sync/atomic"
)

// A snapshot of an RSM is the state machine's own snapshot and, in eight bytes, the index of the last command that it covers.
// So a server knows after a restart which commands not to carry out again, whatever Raft sends. The index comes last, since
// a large state need then not be copied.

// saver decides when to take a snapshot. Only the reader uses it, except for busy.
type saver struct {
	max   int         // maxraftstate
	since int         // bytes of the commands carried out since the last snapshot, about
	busy  atomic.Bool // a snapshot is being encoded
}

// entryOverhead is about how many bytes a command takes in Raft's state besides its request.
const entryOverhead = 24

// saveIfLarge takes a snapshot after the command at index, if the Raft state is too large. n is the size of the command.
//
// A snapshot removes only commands that were carried out. Therefore it waits until they are half of maxraftstate: else a
// server with a long backlog would take one after each command, and none would make the Raft state small.
func (r *RSM) saveIfLarge(index, n int) {
	s := &r.saver
	s.since += n
	if s.max <= 0 || s.since < s.max/2 || s.busy.Load() || r.rf.PersistBytes() < s.max {
		return
	}
	s.since = 0
	c, ok := r.sm.(Capturer)
	if !ok {
		r.keep(index, r.sm.Snapshot())
		return
	}
	s.busy.Store(true)
	encode := c.Capture()
	go func() {
		defer s.busy.Store(false)
		r.keep(index, encode()) // ignored if Raft has a newer one by now
	}()
}

// keep hands Raft a snapshot of the state after the command at index.
func (r *RSM) keep(index int, state []byte) {
	snapshot := newSnapshot(index, state)
	if rf, ok := r.rf.(interface {
		KeepSnapshot(index int, snapshot []byte)
	}); ok {
		rf.KeepSnapshot(index, snapshot)
		return
	}
	r.rf.Snapshot(index, snapshot)
}

func newSnapshot(index int, state []byte) []byte {
	return binary.BigEndian.AppendUint64(state, uint64(index))
}

func readSnapshot(snapshot []byte) (index int, state []byte, err error) {
	at := len(snapshot) - 8
	if at < 0 {
		return 0, nil, errors.New("rsm: the snapshot does not come from an RSM")
	}
	return int(binary.BigEndian.Uint64(snapshot[at:])), snapshot[:at:at], nil
}
