package raft

// The watch: what must hold in every cluster at every moment, checked as the servers report what they do.

import (
	"fmt"
	"reflect"
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
}

// origin is the log in which an entry was first seen.
type origin struct {
	chain  uint64
	server int
}

// A commitment is an entry that a leader found committed.
type commitment struct {
	slot
	server, inTerm int // the leader and its term
}

// A reign is a leadership.
type reign struct {
	server *watched
	life   *Raft
	last   int // where its log ended at its election
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
	w.note(s, "starts: term %d, vote %d, log %d..%d, snapshot %d", h.currentTerm, h.votedFor, h.base+1, s.disk.last(), h.snapshotIndex)
	w.compare(s)
}

func (w *watch) changed(rf *Raft) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.of(rf); s != nil {
		if w.look(s) {
			w.compare(s)
			w.follow(s)
		}
	}
}

func (w *watch) saved(rf *Raft) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.of(rf); s != nil {
		if w.look(s) {
			w.follow(s)
		}
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
	if other, ok := s.granted[s.term]; ok {
		w.violated(s, oneVote, s.term, 0, "it leads, but has given its vote to server %d", other)
	}
	votes := 0
	for _, voter := range w.servers {
		if to, ok := voter.granted[s.term]; voter == s || ok && to == s.id {
			votes++
		}
	}
	if votes <= len(w.servers)/2 {
		w.violated(s, electionSafety, s.term, 0, "it leads with %d votes, its own included, of %d servers", votes, len(w.servers))
	}
	w.reigns[s.term] = &reign{s, s.life, s.disk.last()}
	last := len(w.committed) - 1
	if c := w.committed[last]; !s.disk.has(last, c.slot) {
		w.violated(s, leaderCompleteness, s.term, last, "it leads without this entry of term %d, which server %d committed in term %d",
			c.term, c.server, c.inTerm)
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

// decides checks what a leader is the first to commit.
func (w *watch) decides(s *watched) {
	index, d := s.commit, &s.disk
	if index < len(w.committed) {
		return
	}
	top, have := d.at(index), 0
	for _, other := range w.servers {
		if other.disk.has(index, top) {
			have++
		}
	}
	if have <= len(w.servers)/2 || top.term != s.term && have < len(w.servers) {
		w.violated(s, commitRule, s.term, index, "it commits an entry of term %d that %d of %d servers have saved", top.term, have, len(w.servers))
	}
	for term, r := range w.reigns {
		if term > s.term && (index > r.last || r.server.life == r.life && !r.server.disk.has(index, top)) {
			w.violated(r.server, leaderCompleteness, term, index, "it leads without this entry of term %d, which server %d commits in term %d",
				top.term, s.id, s.term)
		}
	}
	for i := len(w.committed); i <= index; i++ {
		w.committed = append(w.committed, commitment{d.at(i), s.id, s.term})
	}
}

// look reads what is new on the server's disk and checks how it changed. It reports whether all is well.
func (w *watch) look(s *watched) bool {
	d, old := &s.disk, s.disk
	pieces, whole := d.read(s.life.store.persister)
	if whole {
		d.log, d.baseChain = nil, w.chainAt(s, place{d.head.base, d.head.baseTerm})
	}
	err := d.add(pieces, func(index int, e slot) {
		at := place{index, e.term}
		if o, ok := w.known[at]; !ok {
			w.known[at] = origin{e.chain, s.id}
		} else if o.chain != e.chain {
			w.violated(s, logMatching, e.term, index, "up to this entry its log is not what it was on server %d", o.server)
		}
	})
	switch {
	case err != nil:
		w.violated(s, savedFirst, d.head.currentTerm, d.last(), "its saved state is damaged: %v", err)
	case !d.consistent():
		w.violated(s, savedFirst, d.head.currentTerm, d.head.snapshotIndex, "its saved head, body and snapshot do not belong together")
	}
	h := &d.head
	if d.last() != old.last() || h.base != old.head.base || h.snapshotIndex != old.head.snapshotIndex ||
		h.currentTerm != old.head.currentTerm || h.votedFor != old.head.votedFor {
		w.note(s, "saved: term %d, vote %d, log %d..%d, snapshot %d", h.currentTerm, h.votedFor, h.base+1, d.last(), h.snapshotIndex)
	}
	w.checkHead(s, &old)
	if whole {
		w.checkLog(s, &old)
	}
	return w.err == nil
}

func (w *watch) chainAt(s *watched, p place) uint64 {
	if p.index == 0 {
		return 0
	}
	o, ok := w.known[p]
	if !ok {
		w.violated(s, logMatching, p.term, p.index, "its log begins after an entry that no log ever had")
	}
	return o.chain
}

// checkHead checks how a disk's terms, votes and snapshots changed.
func (w *watch) checkHead(s *watched, old *disk) {
	before, h := &old.head, &s.disk.head
	term := h.currentTerm
	switch {
	case term < before.currentTerm:
		w.violated(s, termsRise, term, 0, "its saved term was %d", before.currentTerm)
	case term == before.currentTerm && h.votedFor != before.votedFor && before.votedFor != nobody &&
		(before.votedFor != s.id || w.reigns[term] != nil && w.reigns[term].server == s):
		w.violated(s, oneVote, term, 0, "its saved vote was %d and is %d", before.votedFor, h.votedFor)
	case h.snapshotIndex < before.snapshotIndex:
		w.violated(s, committedStay, term, h.snapshotIndex, "its snapshot was at %d", before.snapshotIndex)
	}
	if to, ok := s.granted[term]; ok && to != h.votedFor {
		w.violated(s, oneVote, term, 0, "it granted server %d its vote, but saved is %d", to, h.votedFor)
	}
	if h.snapshotIndex != before.snapshotIndex {
		w.checkPrefix(s, "its snapshot", h.snapshotIndex, h.snapshotTerm)
	}
	if term == s.acked.term && s.disk.last() < s.acked.index {
		w.violated(s, committedStay, term, s.acked.index, "it acknowledged this entry, but its log ends at %d", s.disk.last())
	}
}

// checkPrefix checks that what stands for the entries up to index stands for committed ones.
func (w *watch) checkPrefix(s *watched, what string, index, term int) {
	switch {
	case index >= len(w.committed):
		w.violated(s, onlyCommitted, s.term, index, "%s covers what is not committed: that ends at %d", what, len(w.committed)-1)
	case w.committed[index].term != term:
		w.violated(s, stateMachineSafety, s.term, index, "%s has term %d for this entry of term %d", what, term, w.committed[index].term)
	}
}

// checkLog checks a log that replaces another.
func (w *watch) checkLog(s *watched, old *disk) {
	d, term := &s.disk, s.disk.head.currentTerm
	if last := old.last(); s.role == Leader && s.term == term && old.head.currentTerm == term && !d.has(last, old.at(last)) {
		w.violated(s, leaderAppendOnly, term, last, "the log that it leads with lost this entry of term %d", old.at(last).term)
	}
	last := min(old.last(), len(w.committed)-1)
	for last > old.head.base && old.at(last) != w.committed[last].slot {
		last--
	}
	if last > old.head.base && !d.has(last, old.at(last)) {
		w.violated(s, committedStay, term, last, "its log lost this entry, which server %d committed in term %d",
			w.committed[last].server, w.committed[last].inTerm)
	}
}

func (w *watch) sending(rf *Raft, m Message, to int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.of(rf)
	if s == nil {
		return
	}
	if !w.look(s) {
		return
	}
	switch m := m.(type) {
	case *RequestVoteArgs:
		term := m.Term
		if m.PreVote {
			term-- // a question about the next one
			w.note(s, "-> %d: would you vote in term %d? log %d of term %d", to, m.Term, m.LastLogIndex, m.LastLogTerm)
		} else {
			w.note(s, "-> %d: vote in term %d! log %d of term %d", to, m.Term, m.LastLogIndex, m.LastLogTerm)
		}
		w.termSaved(s, term)
	case *AppendEntriesArgs:
		last := m.PrevLogIndex + countOf(m)
		w.note(s, "-> %d: term %d, after %d of term %d up to %d, commit %d", to, m.Term, m.PrevLogIndex, m.PrevLogTerm, last, m.LeaderCommit)
		w.leads(s, m, last)
		if m.LeaderCommit > s.commit {
			w.violated(s, onlyCommitted, m.Term, m.LeaderCommit, "it tells server %d of a commitIndex that it has not, but %d", to, s.commit)
		}
	case *InstallSnapshotArgs:
		w.note(s, "-> %d: term %d, snapshot at %d of term %d", to, m.Term, m.LastIncludedIndex, m.LastIncludedTerm)
		w.leads(s, m, m.LastIncludedIndex)
		w.checkPrefix(s, "the snapshot that it sends", m.LastIncludedIndex, m.LastIncludedTerm)
	}
}

// countOf returns how many entries a message carries.
func countOf(m *AppendEntriesArgs) int {
	n, _ := recordsOf(m)
	return n
}

// termSaved checks that a term that leaves s is saved. It reports whether it is still the current one.
func (w *watch) termSaved(s *watched, term int) bool {
	saved := s.disk.head.currentTerm
	if term > saved {
		w.violated(s, savedFirst, term, 0, "this term leaves, but saved is %d", saved)
	}
	return term == saved
}

// leads checks a message that only a leader sends, and that promises that its log reaches up to last.
func (w *watch) leads(s *watched, m Message, last int) {
	_, term := m.sender()
	current := w.termSaved(s, term)
	if r := w.reigns[term]; r == nil || r.server != s {
		w.violated(s, electionSafety, term, 0, "it sends %T, but does not lead", m)
	}
	if current && s.disk.head.votedFor != s.id {
		w.violated(s, savedFirst, term, 0, "it leads, but its saved vote is %d", s.disk.head.votedFor)
	}
	if current && last > s.disk.last() {
		w.violated(s, savedFirst, term, last, "this entry leaves, but saved are those up to %d", s.disk.last())
	}
}

func (w *watch) answering(rf *Raft, m Message, reply Reply) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.of(rf)
	if s == nil {
		return
	}
	if !w.look(s) {
		return
	}
	to, term := m.sender()
	current := w.termSaved(s, reply.term())
	promises := granted(reply)
	if q, ok := m.(*RequestVoteArgs); ok && q.PreVote {
		w.note(s, [...]string{"-> %d: would not vote, term %d", "-> %d: would vote, term %d"}[toInt(promises)], to, reply.term())
		return
	}
	w.note(s, [...]string{"-> %d: no, term %d", "-> %d: yes, term %d"}[toInt(promises)], to, reply.term())
	if !promises {
		return
	}
	if reply.term() != term {
		w.violated(s, oneVote, term, 0, "it says yes to server %d, but in term %d", to, reply.term())
	}
	switch m := m.(type) {
	case *RequestVoteArgs:
		w.votes(s, m, current)
	case *AppendEntriesArgs:
		w.acknowledges(s, m, current)
	case *InstallSnapshotArgs:
		w.acknowledged(s, place{m.LastIncludedIndex, term}, current)
	}
}

func toInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// votes checks a vote that is granted. current says whether the server is still in its term; then what it depends on is
// still on the disk.
func (w *watch) votes(s *watched, m *RequestVoteArgs, current bool) {
	h, last := &s.disk.head, s.disk.at(s.disk.last()).term
	other, voted := s.granted[m.Term]
	switch {
	case voted && other != m.CandidateID:
		w.violated(s, oneVote, m.Term, 0, "it votes for server %d, after server %d", m.CandidateID, other)
	case w.reigns[m.Term] != nil && w.reigns[m.Term].server == s:
		w.violated(s, oneVote, m.Term, 0, "it votes for server %d, but leads in this term", m.CandidateID)
	case current && h.votedFor != m.CandidateID:
		w.violated(s, savedFirst, m.Term, 0, "it votes for server %d, but its saved vote is %d", m.CandidateID, h.votedFor)
	case current && last < m.Term && (m.LastLogTerm < last || m.LastLogTerm == last && m.LastLogIndex < s.disk.last()):
		w.violated(s, electionRestriction, m.Term, s.disk.last(), "its log ends there with term %d, that of server %d at %d with term %d",
			last, m.CandidateID, m.LastLogIndex, m.LastLogTerm)
	}
	s.granted[m.Term] = m.CandidateID
}

// acknowledges checks that what the answer to a leader promises is on the disk.
func (w *watch) acknowledges(s *watched, m *AppendEntriesArgs, current bool) {
	n, records := recordsOf(m)
	w.acknowledged(s, place{m.PrevLogIndex + n, m.Term}, current)
	if !current || w.err != nil {
		return
	}
	d := &s.disk
	for index, term := m.PrevLogIndex, m.PrevLogTerm; ; index++ {
		if index >= d.head.base && d.at(index).term != term {
			w.violated(s, savedFirst, m.Term, index, "it acknowledges this entry with term %d, but has it with term %d", term, d.at(index).term)
			return
		}
		if index == m.PrevLogIndex+n {
			return
		}
		var err error
		if term, _, records, err = readRecord(records); err != nil {
			w.violated(s, savedFirst, m.Term, index, "it acknowledges what cannot be read: %v", err)
			return
		}
	}
}

func (w *watch) acknowledged(s *watched, up place, current bool) {
	if current && up.index > s.disk.last() {
		w.violated(s, savedFirst, up.term, up.index, "it acknowledges this entry, but saved are those up to %d", s.disk.last())
	}
	if up.term > s.acked.term || up.term == s.acked.term && up.index > s.acked.index {
		s.acked = up
	}
}

func (w *watch) applying(rf *Raft, m ApplyMsg) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.of(rf)
	if s == nil {
		return
	}
	if !w.look(s) {
		return
	}
	index := m.CommandIndex
	if m.SnapshotValid {
		index = m.SnapshotIndex
		w.note(s, "applies a snapshot at %d", index)
	} else {
		w.note(s, "applies %d", index)
	}
	switch {
	case index > s.commit:
		w.violated(s, onlyCommitted, s.term, index, "it applies this, but its commitIndex is %d", s.commit)
	case m.SnapshotValid && index <= s.applied || m.CommandValid && index != s.applied+1:
		w.violated(s, eachOnce, s.term, index, "it applies this after %d", s.applied)
	case m.SnapshotValid:
		w.checkPrefix(s, "the snapshot that it applies", index, m.SnapshotTerm)
		if at := s.disk.head.snapshotIndex; index > at {
			w.violated(s, savedFirst, s.term, index, "it applies a snapshot, but its saved one is at %d", at)
		}
	default:
		w.sameCommand(s, index, m.Command)
	}
	s.applied = index
}

// sameCommand checks that one command is applied at an index, whoever applies it and how often.
func (w *watch) sameCommand(s *watched, index int, command any) {
	first, ok := w.applied[index]
	if !ok {
		w.applied[index] = command
	} else if !reflect.DeepEqual(first, command) {
		w.violated(s, stateMachineSafety, s.term, index, "it applies %#v, but %#v was applied there before", command, first)
	}
}
