package main

import (
	"bytes"
	"errors"
	"fmt"

	"6.824/labgob"
)

// Line is a command: a line of the text with its place, from 1. The client submits a line again when it cannot know
// what became of it, so the number says which submissions are one.
type Line struct {
	Number int
	Text   string
}

func init() { labgob.Register(Line{}) }

// machine is a server's replicated state machine. Its state only depends on the commands it was given in order.
type machine struct {
	applied int      // index of the last command
	lines   []string // what was applied, in this order
	repeats int      // commands left out, in this life of the server; not part of the state
}

// apply takes a line if it is the next one. One that was applied already is a repeat; of one that comes too early the
// client will send a repeat, since it sends again from the first line that is missing. It reports whether it took it.
func (m *machine) apply(index int, l Line) bool {
	m.applied = index
	if l.Number != len(m.lines)+1 {
		m.repeats++
		return false
	}
	m.lines = append(m.lines, l.Text)
	return true
}

// snapshot returns the machine's state, for restore.
func (m *machine) snapshot() []byte {
	var b bytes.Buffer
	e := labgob.NewEncoder(&b)
	if err := errors.Join(e.Encode(m.applied), e.Encode(m.lines)); err != nil {
		panic(fmt.Sprintf("raft-demo: cannot encode a snapshot: %v", err))
	}
	return b.Bytes()
}

// restore replaces the state by that of a snapshot.
func (m *machine) restore(data []byte) error {
	var applied int
	var lines []string
	d := labgob.NewDecoder(bytes.NewReader(data))
	if err := errors.Join(d.Decode(&applied), d.Decode(&lines)); err != nil {
		return fmt.Errorf("cannot decode a snapshot of %d bytes: %w", len(data), err)
	}
	m.applied, m.lines = applied, lines
	return nil
}
