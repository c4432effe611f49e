package rsm

import (
	"fmt"

	"6.824/raft"
)

// reader restores the snapshot that the server begins with, reads applyCh, and carries out the operations. It is the only
// goroutine that calls the state machine, except for the functions that Capture returns. It ends when applyCh is closed, or
// after Kill.
func (r *RSM) reader(snapshot []byte) {
	defer close(r.ended)
	defer r.waiters.close()
	if len(snapshot) > 0 {
		r.restore(snapshot)
	}
	for {
		m, ok := r.receive()
		switch {
		case !ok:
			return
		case m.CommandValid:
			r.carryOut(m.CommandIndex, m.Command)
		case m.SnapshotValid:
			r.restore(m.Snapshot)
		case m.EventValid:
			r.onEvent(m.Event)
		}
	}
}

// receive returns the next message. It reports false if there is none.
func (r *RSM) receive() (raft.ApplyMsg, bool) {
	select {
	case m, ok := <-r.applyCh: // much cheaper than a select with two channels
		return m, ok && !r.killed.Load()
	default:
	}
	select {
	case m, ok := <-r.applyCh:
		return m, ok && !r.killed.Load()
	case <-r.done:
		return raft.ApplyMsg{}, false
	}
}

// carryOut carries out the command at index, once. A Raft server may send commands again that its first snapshot covers. A
// command that does not come from an RSM changes nothing.
func (r *RSM) carryOut(index int, command any) {
	switch applied := r.Applied(); {
	case index <= applied:
		return
	case index > applied+1:
		panic(fmt.Sprintf("rsm: Raft has sent command %d after %d", index, applied))
	}
	var result any
	op, ok := command.(Op)
	if ok {
		result = r.sm.DoOp(r.codec.Decode(op.Request))
	}
	r.applied.Store(int64(index))
	if r.waiters.n.Load() > 0 || op.Boot == r.boot {
		if op.Boot != r.boot {
			op.Number = 0
		}
		r.waiters.carriedOut(index, op.Number, result)
	}
	r.saveIfLarge(index, len(op.Request)+entryOverhead)
}

// restore replaces the state by that of a snapshot. A snapshot never goes back: Raft promises that.
func (r *RSM) restore(snapshot []byte) {
	index, state, err := readSnapshot(snapshot)
	if err != nil {
		panic(err)
	}
	if index <= r.Applied() {
		return
	}
	r.sm.Restore(state)
	r.applied.Store(int64(index))
	r.waiters.covered(index)
}

// onEvent ends the waiting for operations of a term in which this server has lost its leadership.
func (r *RSM) onEvent(e raft.Event) {
	switch e.Kind {
	case raft.LostLeadership:
		r.waiters.termOver(e.Term)
	case raft.NewTerm:
		r.waiters.termOver(e.Term - 1)
	}
}
