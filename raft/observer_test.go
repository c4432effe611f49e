package raft

// The watch checks Raft's properties in every cluster, each time that a server reports what it does.

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
	oneVote             = "one usable vote per term"
	savedFirst          = "saved before it leaves"
	electionRestriction = "election restriction (§5.4.1)"
	commitRule          = "commit rule (§5.4.2)"
	committedStay       = "committed and acknowledged entries stay"
	onlyCommitted       = "only committed entries are applied"
	eachOnce            = "each index is applied once and in order"
	readsAreRecent      = "a read sees all that was committed before it (§8)"
)

var watchFlag = flag.Bool("watch", true, "check Raft's properties in every test, which the course's harness does not")

// A watch checks one cluster. It is the observer of all its servers, also after restarts. A test that crashes a server
// must take its disk with takeDisk. The watch keeps the first violation and checks nothing after it.
type watch struct {
	broken chan struct{}     // closed at the first violation
	show   func(text string) // prints the violation at once, because the server may panic next

	recording *recording // of the cluster; may be nil

	mu          sync.Mutex // may be taken while a Raft.mu is held; the only lock taken under it is a Persister's
	err         error
	panicShown  bool // a panic was printed
	begun       time.Time
	order       int // of the last event
	servers     []*watched
	known       map[entryID]origin
	committed   []commitment        // by index; index 0 is unused
	leaderships map[int]*leadership // by term
	applied     map[int]any         // by index: the command that was applied there first
	snapshots   map[snapshotID]bool // all saved snapshots
}

// A snapshotID identifies a snapshot.
type snapshotID struct {
	index int
	sum   uint32
}

// origin is the log in which an entry was first seen.
type origin struct {
	chain  uint64
	server int
}

// A commitment is an entry that a leader has committed.
type commitment struct {
	hashedEntry
	server, inTerm int // the first leader, by term, that committed it, and its term
}

// A leadership is one server's leadership of one term.
type leadership struct {
	server *watched
	life   *Raft
	own    bool // it voted for itself
	last   int  // the last index of its log when it was elected
}

// watched is what the watch knows about a server.
type watched struct {
	id      int
	life    *Raft // nil: not started, or crashed
	disk    disk
	history history

	// As last reported, since the last start.
	term            int
	role            Role
	commit, applied int

	// Promises, which stay across restarts.
	granted map[int]int // by term: the other server to which a reply granted the vote
	acked   entryID     // the highest index that it has acknowledged in its latest such term
}

func newWatch(servers int) *watch {
	w := &watch{
		broken:      make(chan struct{}),
		show:        func(text string) { fmt.Println(text) },
		begun:       time.Now(),
		known:       make(map[entryID]origin),
		committed:   make([]commitment, 1),
		leaderships: make(map[int]*leadership),
		applied:     make(map[int]any),
		snapshots:   make(map[snapshotID]bool),
	}
	for i := range servers {
		w.servers = append(w.servers, &watched{id: i, disk: emptyDisk(), granted: make(map[int]int)})
	}
	enlist(w)
	return w
}

// violation returns the first violation, or nil. The violation has already been printed.
func (w *watch) violation() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// violated records and prints a violation by server s. It ignores all but the first: later ones may follow from it.
func (w *watch) violated(s *watched, property string, term, index int, format string, args ...any) {
	if w.err != nil {
		return
	}
	text := fmt.Sprintf(format, args...)
	w.err = fmt.Errorf("%s: violated by server %d in term %d at index %d: %s", property, s.id, term, index, text)
	w.recording.violation(property, s.id, term, index, text)
	w.show(w.err.Error() + "\n" + w.picture())
	close(w.broken)
}

// serverOf returns the server that rf runs. It returns nil if rf has crashed, or after a violation.
func (w *watch) serverOf(rf *Raft) *watched {
	if s := w.servers[rf.me]; w.err == nil && s.life == rf {
		return s
	}
	return nil
}

// checkedServer checks the disk of the server that rf runs and returns the server, or nil if there is nothing more to
// check.
func (w *watch) checkedServer(rf *Raft) *watched {
	if s := w.serverOf(rf); s != nil && w.checkDisk(s) {
		return s
	}
	return nil
}

// takeDisk crashes server i: it returns a copy of its disk, for the restart. The server must be off the network. The
// watch ignores what it does from now on.
func (w *watch) takeDisk(i int, ps *Persister) *Persister {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.servers[i]; s.life != nil {
		w.note(s, "crashes")
		s.life = nil
	}
	return ps.Copy()
}

// option makes the watch a server's observer. With -watch=false, a server has no observer, which shows what the tests
// find by themselves.
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
	if !w.checkDisk(s) {
		return
	}
	h := &s.disk.head
	s.term, s.commit, s.applied = h.currentTerm, h.snapshotIndex, h.snapshotIndex
	if rf.options.snapshotFirst {
		s.applied = 0
	}
	w.note(s, "starts: term %d, vote %d, log %d..%d, snapshot %d", h.currentTerm, h.votedFor, h.base+1, s.disk.last(), h.snapshotIndex)
	w.checkLogSaved(s)
}

func (w *watch) changed(rf *Raft) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.checkedServer(rf); s != nil {
		w.checkLogSaved(s)
		w.checkMemory(s)
	}
}

func (w *watch) saved(rf *Raft) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.checkedServer(rf); s != nil {
		w.checkMemory(s)
	}
}

// checkLogSaved checks that a server's log equals the one on its disk. They may differ only during a save.
func (w *watch) checkLogSaved(s *watched) {
	l, d := &s.life.log, &s.disk
	if l.base != d.head.base || l.baseTerm != d.head.baseTerm || l.lastIndex() != d.last() || l.lastTerm() != d.at(d.last()).term {
		w.violated(s, savedFirst, s.life.currentTerm, l.lastIndex(), "its log is (%d, %d], but saved is (%d, %d]",
			l.base, l.lastIndex(), d.head.base, d.last())
	}
}

// checkMemory checks how the server's term, role and commitIndex have changed in memory.
func (w *watch) checkMemory(s *watched) {
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
		w.checkElection(s)
	}
	if rf.role == Leader && !elected && w.err == nil { // a new leader has not reset its matchIndex yet
		w.checkCounts(s)
	}
	if rf.commitIndex < s.commit {
		w.violated(s, commitsRise, s.term, rf.commitIndex, "it was %d", s.commit)
	}
	if rf.commitIndex > s.commit && w.err == nil {
		s.commit = rf.commitIndex
		w.note(s, "commits up to %d", s.commit)
		w.checkCommit(s)
	}
}

// checkElection checks a new leader.
func (w *watch) checkElection(s *watched) {
	if r := w.leaderships[s.term]; r != nil && r.server != s {
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
		w.violated(s, oneVote, s.term, 0, "it leads, but granted its vote to server %d", other)
	} else if votes <= len(w.servers)/2 {
		w.violated(s, electionSafety, s.term, 0, "it leads with %d votes of %d servers", votes, len(w.servers))
	}
	w.leaderships[s.term] = &leadership{s, s.life, own, s.disk.last()}
	last := len(w.committed) - 1
	for last > 0 && w.committed[last].inTerm >= s.term {
		last-- // the votes may come late, after a leader of a later term has committed
	}
	if c := w.committed[last]; !s.disk.has(last, c.hashedEntry) {
		w.violated(s, leaderCompleteness, s.term, last, "it leads without this entry of term %d, which server %d committed in term %d",
			c.term, c.server, c.inTerm)
	}
}

// checkCounts checks that followers have the entries that the leader's matchIndex says. A follower in a later term may
// have lost them again.
func (w *watch) checkCounts(s *watched) {
	d := &s.disk
	for _, f := range s.life.followers {
		if f == nil || f.matchIndex <= d.head.base {
			continue
		}
		other := &w.servers[f.id].disk
		if match := f.matchIndex; match > d.last() || other.head.currentTerm <= s.term && !other.has(match, d.at(match)) {
			w.violated(s, commitRule, s.term, match, "it counts this entry as replicated on server %d, which does not have it", f.id)
		}
	}
}

// checkCommit checks a commitIndex that has increased.
func (w *watch) checkCommit(s *watched) {
	index, d := s.commit, &s.disk
	switch {
	case index > d.last():
		w.violated(s, stateMachineSafety, s.term, index, "its commitIndex is beyond its log, which ends at %d", d.last())
		return
	case s.role == Leader:
		w.checkDecision(s)
	case index >= len(w.committed):
		w.violated(s, stateMachineSafety, s.term, index, "its commitIndex is beyond the last entry that a leader committed, %d",
			len(w.committed)-1)
	}
	if w.err != nil {
		return
	}
	if c := w.committed[index]; !d.has(index, c.hashedEntry) {
		w.violated(s, stateMachineSafety, s.term, index, "its log has term %d here and differs from the log that server %d committed in term %d, which has term %d",
			d.at(index).term, c.server, c.inTerm, c.term)
	}
}

// checkDecision checks an entry that a leader commits, unless a leader of an earlier term or this one has committed it
// before.
func (w *watch) checkDecision(s *watched) {
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
	for term, r := range w.leaderships {
		if term > s.term && (index > r.last || r.server.life == r.life && !r.server.disk.has(index, top)) {
			w.violated(r.server, leaderCompleteness, term, index, "it leads without this entry of term %d, which server %d commits in term %d",
				top.term, s.id, s.term)
		}
	}
	for i := min(index, len(w.committed)-1); i > d.head.base && w.committed[i].inTerm > s.term && w.committed[i].hashedEntry == d.at(i); i-- {
		w.committed[i].server, w.committed[i].inTerm = s.id, s.term
	}
	for i := len(w.committed); i <= index; i++ {
		w.committed = append(w.committed, commitment{d.at(i), s.id, s.term})
	}
}
