package engine

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"

	lab "6.824/raft"
)

// A recorder is a service whose state is the list of all commands. It checks what comes on applyCh: indices without
// gaps, terms that do not fall, snapshots that never go back.
type recorder struct {
	mu        sync.Mutex
	commands  []any
	term      int
	snapshots int                                // that were received
	every     int                                // takes a snapshot after that many commands; 0 for never
	watcher   func(index, term int, command any) // is told of each command, unless nil
}

func (r *recorder) run(t testing.TB, n *Node, applyCh <-chan lab.ApplyMsg) {
	for m := range applyCh {
		if err := r.apply(m); err != nil {
			t.Errorf("server %d: %v", n.config.ID, err)
		}
		r.mu.Lock()
		index, every := len(r.commands), r.every
		r.mu.Unlock()
		if m.CommandValid && every > 0 && index%every == 0 {
			n.Snapshot(index, r.encode())
		}
	}
}

func (r *recorder) apply(m lab.ApplyMsg) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case m.CommandValid == m.SnapshotValid:
		return fmt.Errorf("a message is neither a command nor a snapshot: %v", m)
	case m.SnapshotValid:
		return r.restore(m)
	case m.CommandIndex != len(r.commands)+1:
		return fmt.Errorf("command %d came after %d", m.CommandIndex, len(r.commands))
	case m.CommandTerm < r.term || m.CommandTerm < 1:
		return fmt.Errorf("command %d is of term %d, after one of term %d", m.CommandIndex, m.CommandTerm, r.term)
	}
	r.term = m.CommandTerm
	r.commands = append(r.commands, m.Command)
	if r.watcher != nil {
		r.watcher(m.CommandIndex, m.CommandTerm, m.Command)
	}
	return nil
}

// encode returns the state. Commands must be strings.
func (r *recorder) encode() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	b, err := json.Marshal(r.commands)
	if err != nil {
		panic(err)
	}
	return b
}

func (r *recorder) restore(m lab.ApplyMsg) error {
	var commands []any
	if err := json.Unmarshal(m.Snapshot, &commands); err != nil {
		return err
	}
	if m.SnapshotIndex != len(commands) || m.SnapshotIndex < len(r.commands) {
		return fmt.Errorf("a snapshot of %d commands came with index %d after command %d", len(commands), m.SnapshotIndex, len(r.commands))
	}
	r.commands = commands
	r.snapshots++
	return nil
}

func (r *recorder) last() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.commands)
}

// at returns the command at index, or nil.
func (r *recorder) at(index int) any {
	r.mu.Lock()
	defer r.mu.Unlock()
	if index < 1 || index > len(r.commands) {
		return nil
	}
	return r.commands[index-1]
}

func (r *recorder) all() []any {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.commands)
}

func (r *recorder) received() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.snapshots
}

func (r *recorder) snapshotEvery(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.every = n
}

func (r *recorder) watch(f func(index, term int, command any)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watcher = f
}
