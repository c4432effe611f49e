package raft

// What TestChaos checks in addition to the watch: the commands that servers apply, and which servers lead.

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand"
	"slices"
	"time"

	"6.824/labgob"
)

// failures returns the errors so far. The watch's error is the first.
func (c *chaos) failures() (errs []error) {
	if err := c.watch.violation(); err != nil {
		errs = append(errs, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return append(errs, c.errs...)
}

// failLocked records an error. Its text begins with its kind and ": ", as the watch's errors do.
func (c *chaos) failLocked(kind, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	c.errs = append(c.errs, errors.New(kind+": "+text))
	c.recording.violation(kind, noLane, 0, 0, text)
}

// read is server i's state machine: it reads applyCh until that closes.
func (c *chaos) read(i int, rf *Raft, applyCh chan ApplyMsg, ended chan struct{}, random *rand.Rand) {
	defer close(ended)
	defer rf.observePanic()
	for m := range applyCh {
		if m.EventValid {
			continue
		}
		if index, data := c.apply(i, m, random); data != nil {
			rf.Snapshot(index, data)
		}
		if random.Intn(50) == 0 && c.slowReaders {
			time.Sleep(time.Duration(random.Intn(100)) * time.Millisecond)
		}
	}
}

// apply applies a message. At random, it returns a snapshot of the state now or up to two commands ago; otherwise, data
// is nil.
func (c *chaos) apply(i int, m ApplyMsg, random *rand.Rand) (index int, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.SnapshotValid {
		if last := len(c.applied[i]) - 1; m.SnapshotIndex <= last {
			c.failLocked(eachOnce, "server %d: snapshot at %d after index %d", i, m.SnapshotIndex, last)
		}
		c.ingestLocked(i, m.Snapshot)
		return 0, nil
	}
	if m.CommandIndex != len(c.applied[i]) {
		c.failLocked(eachOnce, "server %d: index %d, want %d", i, m.CommandIndex, len(c.applied[i]))
		return 0, nil
	}
	c.applied[i] = append(c.applied[i], fmt.Sprintf("%#v", m.Command))
	c.compareLocked(i, m.CommandIndex)
	if !c.snapshots || random.Intn(7) > 0 {
		return 0, nil
	}
	index = m.CommandIndex - random.Intn(3)
	var buf bytes.Buffer
	if err := labgob.NewEncoder(&buf).Encode(c.applied[i][:max(index, 0)+1]); err != nil {
		c.failLocked("snapshot", "%v", err)
	}
	return index, buf.Bytes()
}

func (c *chaos) ingestLocked(i int, data []byte) {
	var state []string
	if err := labgob.NewDecoder(bytes.NewReader(data)).Decode(&state); err != nil {
		c.failLocked("snapshot", "server %d: %v", i, err)
		return
	}
	c.applied[i] = state
	for index := 1; index < len(state); index++ {
		c.compareLocked(i, index)
	}
}

// compareLocked checks state machine safety (Figure 3), and that no command is at two indices.
func (c *chaos) compareLocked(i, index int) {
	command := c.applied[i][index]
	if other, ok := c.agreed[index]; ok && other != command {
		c.failLocked(stateMachineSafety, "index %d: server %d applied %s, another server %s", index, i, command, other)
	}
	if other, ok := c.indices[command]; ok && other != index {
		c.failLocked(eachOnce, "server %d: %s is at index %d and also at %d", i, command, index, other)
	}
	c.agreed[index], c.indices[command] = command, index
}

// observe checks election safety (Figure 3).
func (c *chaos) observe() {
	for i, rf := range c.rafts {
		if rf == nil {
			continue
		}
		if term, leads := rf.GetState(); leads {
			if other, ok := c.leaders[term]; ok && other != i {
				c.mu.Lock()
				c.failLocked(electionSafety, "servers %d and %d both led in term %d", i, other, term)
				c.mu.Unlock()
			}
			c.leaders[term] = i
		}
	}
}

// lastLeader returns the leader of the highest term that observe has seen, or 0.
func (c *chaos) lastLeader() (leader int) {
	term := 0
	for t, i := range c.leaders {
		if t > term {
			term, leader = t, i
		}
	}
	return leader
}

// agree waits until every server has applied all commands that any server has applied, and at least one new command.
func (c *chaos) agree(limit time.Duration) {
	c.mu.Lock()
	before := len(c.agreed)
	c.mu.Unlock()
	for begin := time.Now(); time.Since(begin) < limit; time.Sleep(100 * time.Millisecond) {
		c.load("i")
		time.Sleep(200 * time.Millisecond)
		c.observe()
		c.mu.Lock()
		done := len(c.agreed) > before
		for i := range c.servers {
			done = done && len(c.applied[i])-1 == len(c.agreed)
		}
		c.mu.Unlock()
		if done || len(c.failures()) > 0 {
			return
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failLocked("no agreement", "not all servers have applied all commands within %v after all faults were healed", limit)
}

// awaitRead waits until a server answers a read. A leader needs an entry of its own term for that.
func (c *chaos) awaitRead(limit time.Duration) {
	for begin := time.Now(); len(c.failures()) == 0; {
		c.load("i")
		time.Sleep(100 * time.Millisecond)
		if slices.ContainsFunc(c.rafts, c.readIndex) {
			return
		}
		if time.Since(begin) > limit {
			c.mu.Lock()
			c.failLocked("no read", "no server has answered a read within %v after all servers agreed", limit)
			c.mu.Unlock()
		}
	}
}
