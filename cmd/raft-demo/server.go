package main

import (
	"sync"

	"6.824/raft"
)

// server is one life of a server, from its start to its crash: a Raft and its state machine.
type server struct {
	id      int
	rf      *raft.Raft
	history *history
	every   int       // lines between two snapshots
	changed func()    // called after each message
	done    chan bool // closed when the last message is handled

	mu      sync.Mutex // guards machine, which only serve's goroutine changes
	machine machine
}

// serve handles the messages of applyCh until Raft closes it after Kill.
func (s *server) serve(applyCh <-chan raft.ApplyMsg) {
	defer close(s.done)
	for msg := range applyCh {
		if msg.SnapshotValid {
			s.install(msg)
		} else if msg.CommandValid {
			s.apply(msg)
		}
		s.changed()
	}
}

func (s *server) install(msg raft.ApplyMsg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.machine.applied
	if err := s.machine.restore(msg.Snapshot); err != nil {
		s.history.complain("server %d: %v", s.id, err)
	}
	if s.machine.applied != msg.SnapshotIndex || msg.SnapshotIndex < before {
		s.history.complain("server %d: got a snapshot of index %d for one of index %d, after index %d",
			s.id, s.machine.applied, msg.SnapshotIndex, before)
	}
}

// apply gives a command to the machine, and takes a snapshot if one is due. It takes the snapshot without the lock, so
// that look need not wait for it.
func (s *server) apply(msg raft.ApplyMsg) {
	line, ok := msg.Command.(Line)
	if !ok {
		s.history.complain("server %d: the command at index %d is a %T, not a line", s.id, msg.CommandIndex, msg.Command)
	}
	s.history.check(s.id, msg.CommandIndex, line)
	s.mu.Lock()
	if msg.CommandIndex != s.machine.applied+1 {
		s.history.complain("server %d: index %d came after %d", s.id, msg.CommandIndex, s.machine.applied)
	}
	due := s.machine.apply(msg.CommandIndex, line) && len(s.machine.lines)%s.every == 0
	s.mu.Unlock()
	if due {
		s.rf.Snapshot(msg.CommandIndex, s.machine.snapshot())
	}
}

// look returns a copy of the machine. The caller must not write to its lines.
func (s *server) look() machine {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.machine
	m.lines = m.lines[:len(m.lines):len(m.lines)]
	return m
}

// newServer returns a server with the state of the snapshot, if there is one. The caller must set rf before serve.
func newServer(id int, snapshot []byte, h *history, every int, changed func()) *server {
	s := &server{id: id, history: h, every: every, changed: changed, done: make(chan bool)}
	if len(snapshot) > 0 {
		if err := s.machine.restore(snapshot); err != nil {
			h.complain("server %d: %v", id, err)
		}
	}
	return s
}
