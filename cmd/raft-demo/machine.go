package main

import (
	"bytes"
	"errors"
	"fmt"

	"6.824/labgob"
)

// Line is a command: a line of the text with its number, from 1. The client submits a line again if it cannot know
// whether the first attempt will commit. The number lets the state machine skip the second copy.
type Line struct {
	Number int
	Text   string
}

func init() { labgob.Register(Line{}) }

// machine is a server's replicated state machine. Its state depends only on its commands and their order.
type machine struct {
	applied int      // index of the last command
	lines   []string // in the order in which they were applied
	skipped int      // commands skipped in this life of the server; not part of the state
}

// apply adds l to the lines if it is the next one, and reports whether it did. It skips a line that it already has. It
// also skips a line that comes too early: the client sends that again after the missing ones.
func (m *machine) apply(index int, l Line) bool {
	m.applied = index
	if l.Number != len(m.lines)+1 {
		m.skipped++
		return false
	}
	m.lines = append(m.lines, l.Text)
	return true
}

// snapshot returns the encoded state for restore.
func (m *machine) snapshot() []byte {
	var b bytes.Buffer
	e := labgob.NewEncoder(&b)
	if err := errors.Join(e.Encode(m.applied), e.Encode(m.lines)); err != nil {
		panic(fmt.Sprintf("raft-demo: cannot encode a snapshot: %v", err))
	}
	return b.Bytes()
}

// restore replaces the state with that of a snapshot. After an error the state is unchanged.
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
