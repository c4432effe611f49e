package raft

// The watch: what must hold in every cluster at every moment, checked as the servers report what they do.

import (
	"flag"
	"fmt"
	"sync"
	"time"
)

// The properties. The first five are Figure 3's.
const (
	electionSafety     = "election safety"
	leaderAppendOnly   = "leader append-only"
	logMatching        = "log matching"
	leaderCompleteness = "leader completeness"
	stateMachineSafety = "state machine safety"

	termsRise           = "terms never go back"
	commitsRise         = "commit indices never go back"
	oneVote             = "one usable vote a term"
	savedFirst          = "saved before it leaves"
	electionRestriction = "election restriction (§5.4.1)"
	commitRule          = "commit rule (§5.4.2)"
	committedStay       = "what is committed or acknowledged stays"
	onlyCommitted       = "only what is committed is applied"
	eachOnce            = "each index is applied once and in order"
)

var watchFlag = flag.Bool("watch", true, "check Raft's properties in every test, which the course's harness does not")

// A watch checks one cluster. It is the observer of all its servers, life after life. Who crashes a server takes its disk
// away by cut. The watch keeps the first violation; then it is blind.
type watch struct {
	broken chan struct{}     // closed at the first violation
	show   func(text string) // prints it, at once: the server may panic next

	mu        sync.Mutex // taken with a Raft.mu held or not; no other lock but a Persister's is taken under it
	err       error
	begun     time.Time
	order     int // of the last event
	servers   []*watched
	known     map[place]origin
	committed []commitment   // by index; the first stands for none
	reigns    map[int]*reign // by term
	applied   map[int]any    // by index: what was applied there first
	snapshots map[stamp]bool // all that were saved
}

// A stamp tells snapshots apart.
type stamp struct {
	index int
	sum   uint32
}

// origin is the log in which an entry was first seen.
type origin struct {
	chain  uint64
	server int
}

// A commitment is an entry that a leader found committed.
type commitment struct {
	slot
	server, inTerm int // the leader of the earliest term that did, and its term
}

// A reign is a leadership.
type reign struct {
	server *watched
	life   *Raft
	own    bool // it voted for itself
	last   int  // where its log ended at its election
}

// watched is what the watch knows of a server.
type watched struct {
	id      int
	life    *Raft // nil: not started, or cut off from its disk
	disk    disk
	history history

	// In this life, as far as reported.
	term            int
	role            Role
	commit, applied int

	// Promises, which outlast a life.
	granted map[int]int // by term: the other server that a reply gave the vote to
	acked   place       // in this term's last acknowledgement: how far the log reaches at least
}

func newWatch(servers int) *watch {
	w := &watch{
		broken:    make(chan struct{}),
		show:      func(text string) { fmt.Println(text) },
		begun:     time.Now(),
		known:     make(map[place]origin),
		committed: make([]commitment, 1),
		reigns:    make(map[int]*reign),
		applied:   make(map[int]any),
		snapshots: make(map[stamp]bool),
	}
	for i := range servers {
		w.servers = append(w.servers, &watched{id: i, disk: emptyDisk(), granted: make(map[int]int)})
	}
	return w
}

// violation returns what was violated first, or nil. The picture to it has been shown.
func (w *watch) violation() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// violated notes a violation of server s. Only the first counts: the others may follow from it.
func (w *watch) violated(s *watched, property string, term, index int, format string, args ...any) {
	if w.err != nil {
		return
	}
	w.err = fmt.Errorf("%s: violated by server %d in term %d at index %d: %s",
		property, s.id, term, index, fmt.Sprintf(format, args...))
	w.show(w.err.Error() + "\n" + w.picture())
	close(w.broken)
}

// of returns the server that rf is a life of, or nil if it is an old one, or if there is nothing to check any more.
func (w *watch) of(rf *Raft) *watched {
	if s := w.servers[rf.me]; w.err == nil && s.life == rf {
		return s
	}
	return nil
}

// lookAt returns the server that rf is a life of, its disk read up to now, or nil if there is nothing to check.
func (w *watch) lookAt(rf *Raft) *watched {
	if s := w.of(rf); s != nil && w.look(s) {
		return s
	}
	return nil
}

// cut takes the disk of server i away as it is at this moment, for its next life. The server must be off the network:
// what it still does has no consequences, and the watch does not look at it.
func (w *watch) cut(i int, ps *Persister) *Persister {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.servers[i]; s.life != nil {
		w.note(s, "crashes")
		s.life = nil
	}
	return ps.Copy()
}

// option makes the watch a server's observer, unless -watch=false wants to know what the tests see without it.
func (w *watch) option() Option {
	if !*watchFlag {
		return withObserver(nil)
	}
	return withObserver(w)
}

func (w *watch) started(rf *Raft) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return
	}
	s := w.servers[rf.me]
	s.life, s.role, s.term, s.commit, s.applied = rf, Follower, 0, 0, 0
	s.disk.exchange()
	if !w.look(s) {
		return
	}
	h := &s.disk.head
	s.term, s.commit, s.applied = h.currentTerm, h.snapshotIndex, h.snapshotIndex
	if rf.options.snapshotFirst {
		s.applied = 0
	}
	w.note(s, "starts: term %d, vote %d, log %d..%d, snapshot %d", h.currentTerm, h.votedFor, h.base+1, s.disk.last(), h.snapshotIndex)
	w.compare(s)
}

func (w *watch) changed(rf *Raft) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.lookAt(rf); s != nil {
		w.compare(s)
		w.follow(s)
	}
}

func (w *watch) saved(rf *Raft) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.lookAt(rf); s != nil {
		w.follow(s)
	}
}

// compare checks that a server's log is the one on its disk. It is not while it saves.
func (w *watch) compare(s *watched) {
	l, d := &s.life.log, &s.disk
	if l.base != d.head.base || l.baseTerm != d.head.baseTerm || l.lastIndex() != d.last() || l.lastTerm() != d.at(d.last()).term {
		w.violated(s, savedFirst, s.life.currentTerm, l.lastIndex(), "its log is (%d, %d], but saved is (%d, %d]",
			l.base, l.lastIndex(), d.head.base, d.last())
	}
}

// follow takes over what the server has in memory.
func (w *watch) follow(s *watched) {
	rf := s.life
	if rf.currentTerm < s.term {
		w.violated(s, termsRise, rf.currentTerm, 0, "its term was %d", s.term)
	}
	elected := rf.role == Leader && (s.role != Leader || rf.currentTerm != s.term)
	if s.term != rf.currentTerm || s.role != rf.role {
		s.term, s.role = rf.currentTerm, rf.role
		w.note(s, s.role.String()+" in term %d", s.term)
	}
	if elected {
		w.elected(s)
	}
	if rf.role == Leader && !elected && w.err == nil { // a new leader has yet to forget what it knew in another term
		w.counts(s)
	}
	if rf.commitIndex < s.commit {
		w.violated(s, commitsRise, s.term, rf.commitIndex, "it was %d", s.commit)
	}
	if rf.commitIndex > s.commit && w.err == nil {
		s.commit = rf.commitIndex
		w.note(s, "commits up to %d", s.commit)
		w.commits(s)
	}
}

// elected checks a new leader.
func (w *watch) elected(s *watched) {
	if r := w.reigns[s.term]; r != nil && r.server != s {
		w.violated(s, electionSafety, s.term, 0, "server %d leads in this term", r.server.id)
	}
	own := s.life.votedFor == s.id
	votes := 0
	for _, voter := range w.servers {
		if to, gave := voter.granted[s.term]; gave && to == s.id || own && voter == s {
			votes++
		}
	}
	if other, gave := s.granted[s.term]; gave && votes == len(w.servers)/2 {
		w.violated(s, oneVote, s.term, 0, "it leads, but has given its vote to server %d", other)
	} else if votes <= len(w.servers)/2 {
		w.violated(s, electionSafety, s.term, 0, "it leads with %d votes of %d servers", votes, len(w.servers))
	}
	w.reigns[s.term] = &reign{s, s.life, own, s.disk.last()}
	last := len(w.committed) - 1
	for last > 0 && w.committed[last].inTerm >= s.term {
		last-- // votes may come so late that a leader of a later term has committed meanwhile
	}
	if c := w.committed[last]; !s.disk.has(last, c.slot) {
		w.violated(s, leaderCompleteness, s.term, last, "it leads without this entry of term %d, which server %d committed in term %d",
			c.term, c.server, c.inTerm)
	}
}

// counts checks what a leader believes its followers to have. In a later term a follower may have lost it again.
func (w *watch) counts(s *watched) {
	d := &s.disk
	for _, f := range s.life.followers {
		if f == nil || f.matchIndex <= d.head.base {
			continue
		}
		other := &w.servers[f.id].disk
		if match := f.matchIndex; match > d.last() || other.head.currentTerm <= s.term && !other.has(match, d.at(match)) {
			w.violated(s, commitRule, s.term, match, "it counts on server %d for this, which has not got it", f.id)
		}
	}
}

// commits checks a commitIndex that has risen.
func (w *watch) commits(s *watched) {
	index, d := s.commit, &s.disk
	switch {
	case index > d.last():
		w.violated(s, stateMachineSafety, s.term, index, "it takes for committed what it has not: its log ends at %d", d.last())
		return
	case s.role == Leader:
		w.decides(s)
	case index >= len(w.committed):
		w.violated(s, stateMachineSafety, s.term, index, "it takes for committed what no leader has committed: that ends at %d",
			len(w.committed)-1)
	}
	if w.err != nil {
		return
	}
	if c := w.committed[index]; !d.has(index, c.slot) {
		w.violated(s, stateMachineSafety, s.term, index, "it commits another log, with term %d here, than server %d in term %d, with term %d",
			d.at(index).term, c.server, c.inTerm, c.term)
	}
}

// decides checks what a leader commits before any other leader, or any of a later term, has.
func (w *watch) decides(s *watched) {
	index, d := s.commit, &s.disk
	if index < len(w.committed) && w.committed[index].inTerm <= s.term {
		return
	}
	top, have := d.at(index), 0
	for _, other := range w.servers {
		if other.disk.has(index, top) {
			have++
		}
	}
	if index >= len(w.committed) && (have <= len(w.servers)/2 || top.term != s.term && have < len(w.servers)) {
		w.violated(s, commitRule, s.term, index, "it commits an entry of term %d that %d of %d servers have saved", top.term, have, len(w.servers))
	}
	for term, r := range w.reigns {
		if term > s.term && (index > r.last || r.server.life == r.life && !r.server.disk.has(index, top)) {
			w.violated(r.server, leaderCompleteness, term, index, "it leads without this entry of term %d, which server %d commits in term %d",
				top.term, s.id, s.term)
		}
	}
	for i := min(index, len(w.committed)-1); i > d.head.base && w.committed[i].inTerm > s.term && w.committed[i].slot == d.at(i); i-- {
		w.committed[i].server, w.committed[i].inTerm = s.id, s.term
	}
	for i := len(w.committed); i <= index; i++ {
		w.committed = append(w.committed, commitment{d.at(i), s.id, s.term})
	}
}
