package main

import (
	"fmt"
	"sync"
)

// history holds the first line that any server applied at each index, and the problems found. It outlives crashes, so it
// also notices a server that applies another line in its next life (paper, Figure 3: State Machine Safety).
type history struct {
	mu       sync.Mutex
	at       map[int]first
	problems []string
}

type first struct {
	server int
	line   Line
}

func newHistory() *history { return &history{at: make(map[int]first)} }

// check compares the line that a server applies at an index with the first one that was applied there.
func (h *history) check(server, index int, l Line) {
	h.mu.Lock()
	f, known := h.at[index]
	if !known {
		h.at[index] = first{server, l}
	}
	h.mu.Unlock()
	if known && f.line != l {
		h.complain("index %d: server %d applied line %d %q, but server %d line %d %q",
			index, server, l.Number, l.Text, f.server, f.line.Number, f.line.Text)
	}
}

// complain adds a problem.
func (h *history) complain(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.problems = append(h.problems, fmt.Sprintf(format, args...))
}

// found returns the problems so far.
func (h *history) found() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.problems...)
}
