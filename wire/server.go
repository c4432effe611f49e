//go:build go1.25

package wire

import "math"

// A server is what is known of one server.
type server struct {
	history
	life int  // counts starts
	up   bool // between Started and Crashed

	saved  int // highest term that it is known to have saved
	born   int // saved when it started last
	floor  int // highest term that it is known to have had, since its start at most if it is above saved
	lowest int // lowest term that it has shown since its start; 0 before its first start

	heardTerm int // highest term that it was told or has shown

	ack       ack
	snapshots int                // counts InstallSnapshot handlers that have begun
	changes   int                // counts handlers that have begun and may change the log
	running   map[int64]*request // handlers

	// Indices below these may be refused or forgotten.
	commit   int // highest LeaderCommit that it was sent since its start
	applied  int // highest index that its service has received since its start
	snapshot int // highest index of a snapshot that it was given

	// Bounds of its log, for refusals. Its entries are those that it was sent, and its own of the terms in which it led.
	ledTerm            int  // highest term that it may have led; 0 if none
	ledNow             bool // it may have led since its start
	logTerm, logIndex  int  // highest that it was sent; math.MinInt if none
	logMayHoldAnything bool // it was sent entries that cannot be read, or a snapshot
}

// An ack is the last entry that a server is known to hold: it has acknowledged it in a term, and nothing that it has been
// sent since could make it drop the entry.
type ack struct {
	term       int
	index      int // -1: there is none
	entryTerm  number
	generation int // counts how often the ack was given up
	snapshots  int // server.snapshots when the handler began; -1 if a snapshot was being handled
}

// A state is what is known of a server when a handler begins.
type state struct {
	floor     int
	ack       ack
	held      ack // as ack, but before the handler could change the log
	changes   int
	snapshots int
	commit    int // as server.commit, with those of other handlers that begin before this one ends
}

func newServer() *server {
	return &server{ack: ack{index: -1}, running: map[int64]*request{}, logTerm: math.MinInt, logIndex: math.MinInt}
}

func (s *server) start() {
	s.life++
	s.up = true
	s.born, s.floor = s.saved, s.saved
	s.commit, s.applied, s.ledNow = 0, 0, false
	if s.life > 1 {
		s.lowest = math.MaxInt
	}
}

func (s *server) crash() { s.up = false }

// shows records a term that the server has shown and must have saved.
func (s *server) shows(term int) {
	s.saved, s.floor = max(s.saved, term), max(s.floor, term)
	s.lowest = min(s.lowest, term)
	s.heardTerm = max(s.heardTerm, term)
}

// mayLead records that the server may lead in a term, and append entries of it that nobody sees.
func (s *server) mayLead(term int) {
	s.ledTerm = max(s.ledTerm, term)
	s.ledNow = true
}

// begin records that the handler of r is about to run. That counts for a handler of an earlier start, too: it may still
// change what is saved.
func (s *server) begin(r *request) {
	s.heardTerm = max(s.heardTerm, r.term.n)
	held := s.ack
	if r.changesLog() {
		s.changes++
		if !r.term.ok || r.term.n > s.ack.term {
			s.ack = ack{term: max(s.ack.term, r.term.n), index: -1, generation: s.ack.generation + 1}
		}
		for _, other := range s.running {
			other.state.commit = max(other.state.commit, r.commit.n)
		}
		s.extend(r)
	}
	r.state = state{s.floor, s.ack, held, s.changes, s.snapshots, s.commit}
	s.commit = max(s.commit, r.commit.n)
	s.running[r.number] = r
	if r.kind == snapshot {
		s.snapshots++
		s.snapshot = max(s.snapshot, r.snapIndex.n)
	}
}

// extend widens the bounds of the log by what r may append.
func (s *server) extend(r *request) {
	if r.kind == snapshot || !r.last.ok && r.kind == appendEntries {
		s.logMayHoldAnything = true
	}
	for _, e := range r.entries {
		s.logMayHoldAnything = s.logMayHoldAnything || !e.term.ok
		s.logTerm = max(s.logTerm, e.term.n)
		s.logIndex = max(s.logIndex, r.last.n)
	}
}

// changesLog reports whether m can append, replace or drop entries.
func (m *message) changesLog() bool { return m.kind != vote }

// fromLeader reports whether only a leader sends such messages.
func (m *message) fromLeader() bool { return m.kind != vote }

// acknowledge records the last new entry of r, which the server has acknowledged. The server holds it from now on, unless a
// message that could make it drop the entry has begun (then ack.term is higher, or the generation another) or is being
// handled. A message of an older term cannot, since it is refused. Nor can one of the same term, since its leader has the
// entry; a snapshot that ends before the entry leaves the rest of the log (Figure 13, rule 6). The answer to an AppendEntries without entries is not counted: some leaders ignore it, and some followers give it
// without looking.
func (s *server) acknowledge(r *request) {
	if len(r.entries) == 0 || !r.last.ok || r.state.ack.generation != s.ack.generation || r.term.n < s.ack.term {
		return
	}
	snapshots := r.state.snapshots
	for _, other := range s.running {
		if other.changesLog() && !other.term.ok {
			return
		}
		if other.kind == snapshot {
			snapshots = -1
		}
	}
	if r.term.n > s.ack.term || r.last.n > s.ack.index {
		s.ack = ack{r.term.n, r.last.n, r.lastNewTerm, s.ack.generation, snapshots}
	}
}
