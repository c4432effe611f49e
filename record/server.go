//go:build go1.25

package record

import (
	"fmt"

	"6.824/picture"
)

// A Server records what one server tells of itself, from one start to the next crash. It has the methods of raft.Observer.
type Server struct {
	c    *Cluster
	lane int
	life int
}

// Server returns the observer of a server that was Started, until it crashes.
func (c *Cluster) Server(server int) *Server {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &Server{c, server, c.servers[server].life}
}

// add records an event of the server, unless it has crashed. update is called with the Cluster locked; it may be nil.
func (s *Server) add(e picture.Event, update func(*server)) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	known := s.c.servers[s.lane]
	if !known.up || known.life != s.life {
		return
	}
	if update != nil {
		update(known)
	}
	e.Lane = s.lane
	s.c.rec.Add(e)
}

// roles are the names that Raft's roles have.
var roles = map[string]picture.Role{"Follower": picture.Follower, "Candidate": picture.Candidate, "Leader": picture.Leader}

// State records the server's term, role, leader and vote. role is the name of the role in English; leader and votedFor are
// -1 if there is none.
func (s *Server) State(term int, role string, leader, votedFor int) {
	e := picture.Event{Kind: picture.State, Term: term, Role: roles[role], Peer: leader}
	s.add(e, func(known *server) { known.term, known.role = term, e.Role })
}

// Commit records that the entries up to index are known to be committed.
func (s *Server) Commit(index int) { s.add(picture.Event{Kind: picture.Commit, Index: index}, nil) }

// Log records that the log now has entries of these terms from index first on, and nothing after them. command returns the
// command of terms[k].
func (s *Server) Log(first int, terms []int, command func(k int) any) {
	entries := make([]picture.Entry, len(terms))
	for k, term := range terms {
		entries[k] = picture.Entry{Term: term, Text: fmt.Sprint(command(k))}
	}
	s.add(picture.Event{Kind: picture.Log, Index: first, Entries: entries}, nil)
}

// Saved records that the server has saved its state, of size bytes.
func (s *Server) Saved(term, votedFor, lastIndex, snapshotIndex, size int) {
	text := fmt.Sprintf("saves term %d, vote %d, log up to %d, snapshot %d, %d bytes", term, votedFor, lastIndex, snapshotIndex, size)
	s.add(picture.Event{Kind: picture.Save, Text: text}, nil)
}

// Snapshot records that a snapshot now covers the entries up to index. received says that it is the leader's, not the
// server's own.
func (s *Server) Snapshot(index, term int, received bool) {
	text := "its own"
	if received {
		text = "the leader's"
	}
	s.add(picture.Event{Kind: picture.Snapshot, Index: index, Term: term, Text: text}, nil)
}

// Applied records that the server hands the command at index to its service.
func (s *Server) Applied(index int, command any) {
	s.add(picture.Event{Kind: picture.Apply, Index: index, Text: fmt.Sprint(command)}, nil)
}
