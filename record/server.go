//go:build go1.25

package record

import (
	"strconv"

	"6.824/picture"
	"6.824/wire"
)

// A Server records what one server tells of itself, from one start to the next crash. It has the methods of raft.Observer,
// whose comments say when to call them. A server that cannot tell everything may call only some of them.
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

// add records an event of the server, unless it has crashed. update is called before that with the Cluster locked.
func (s *Server) add(e picture.Event, update func(known *server)) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	known := s.c.servers[s.lane]
	if !known.up || known.life != s.life {
		return
	}
	e.Lane = s.lane
	update(known)
	s.c.rec.Add(e)
}

var roles = map[string]picture.Role{"follower": picture.Follower, "candidate": picture.Candidate, "leader": picture.Leader}

// State records the server's term, role, leader and vote. role is "follower", "candidate" or "leader"; leader and votedFor
// are -1 if there is none.
func (s *Server) State(term int, role string, leader, votedFor int) {
	e := picture.Event{Kind: picture.State, Term: term, Role: roles[role], Peer: leader}
	s.add(e, func(known *server) {
		if !known.tells { // it knows better what it has
			known.tells, known.log = true, log{}
		}
		known.term, known.role, known.leader, known.votedFor, known.votedIn = term, e.Role, leader, votedFor, term
	})
}

// Commit records that the entries up to index are known to be committed.
func (s *Server) Commit(index int) {
	s.add(picture.Event{Kind: picture.Commit, Index: index}, func(known *server) { known.commit = index })
}

// Log records that the log now has entries of these terms from index first on, and nothing after them. command returns the
// command of terms[k].
func (s *Server) Log(first int, terms []int, command func(k int) any) {
	entries := make([]picture.Entry, len(terms))
	for k, term := range terms {
		entries[k] = picture.Entry{Term: term, Text: value(command(k), maxValue)}
	}
	s.addLog(picture.Event{Kind: picture.Log, Index: first, Entries: entries})
}

// LogLater is Log for commands that take long to decode. words describes the command of terms[k]. It is called only when the page
// is written, or when the event is so old that the page sums it up, by any goroutine.
func (s *Server) LogLater(first int, terms []int, words func(k int) string) {
	entries := make([]picture.Entry, len(terms))
	for k, term := range terms {
		entries[k].Term = term
	}
	s.addLog(picture.Event{Kind: picture.Log, Index: first, Entries: entries, Words: words})
}

func (s *Server) addLog(e picture.Event) {
	s.add(e, func(known *server) { known.log.replace(e.Index, e.Entries) })
}

// Saved records that the server has saved its state, of size bytes.
func (s *Server) Saved(term, votedFor, lastIndex, snapshotIndex, size int) {
	b := appendNumber(make([]byte, 0, 100), "term ", term)
	if votedFor < 0 {
		b = append(b, ", no vote"...)
	} else {
		b = appendNumber(b, ", vote for server ", votedFor)
	}
	b = appendNumber(b, ", log up to ", lastIndex)
	if snapshotIndex > 0 {
		b = appendNumber(b, ", snapshot up to ", snapshotIndex)
	}
	b = append(appendNumber(b, "; ", size), " bytes"...)
	s.add(picture.Event{Kind: picture.Save, Term: term, Text: string(b)}, func(*server) {})
}

// appendNumber is much faster than package fmt, and servers save often.
func appendNumber(b []byte, before string, n int) []byte {
	return strconv.AppendInt(append(b, before...), int64(n), 10)
}

// Snapshot records that a snapshot now covers the entries up to index. received says that it is the leader's, not the
// server's own.
func (s *Server) Snapshot(index, term int, received bool) {
	e := picture.Event{Kind: picture.Snapshot, Index: index, Term: term, Text: "its own"}
	if received {
		e.Text = "the leader's"
	}
	s.add(e, func(known *server) { known.log.drop(index, term) })
}

// Applied records that the server hands the command at index to its service, or, if command is nil, a snapshot up to index.
func (s *Server) Applied(index int, command any) {
	e := picture.Event{Kind: picture.Apply, Index: index, Name: "snapshot", Text: "a snapshot"}
	if command != nil {
		e.Name, e.Text = "", value(command, maxValue)
	}
	s.add(e, func(known *server) {
		if !known.tells {
			s.c.commitLocked(s.lane, index)
		}
	})
}

// Accepted records that a call of Start has put the command at index into the log of the leader of term. A server that tells
// its Log need not tell this.
func (s *Server) Accepted(index, term int, command any) {
	c := s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.servers[s.lane]; known.up && known.life == s.life && !known.tells && term >= known.term {
		c.becomeLocked(s.lane, term, picture.Leader, s.lane)
		q := &wire.Request{PrevIndex: index - 1}
		c.extendLocked(s.lane, q, []picture.Entry{{Term: term, Text: value(command, maxValue)}})
	}
}
