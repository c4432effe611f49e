package raft

// What must hold of a cluster from state to state: the watch's properties, on the states of a search. The states remember
// what outlasts a life: who has led in each term, and what was committed.

import "fmt"

// A past is what leaders have committed.
type past struct {
	id      uint32
	entries []pastCommit // from index 1
}

type pastCommit struct {
	slotText
	inTerm int // of the earliest leader that found it committed
}

// pastOf returns the one past with these entries.
func (m *memory) pastOf(entries []pastCommit) *past {
	key := fmt.Sprint(entries)
	m.mu.Lock()
	defer m.mu.Unlock()
	if p, ok := m.pasts[key]; ok {
		return p
	}
	p := &past{uint32(m.pastByID.length()), entries}
	m.pasts[key] = p
	m.pastByID.add(p)
	return p
}

// leaders is who has led, 3 bits a term: 0 for nobody, or the server and 1.
type leaders uint32

func (l leaders) of(term int) int { return int(l>>(3*term)&7) - 1 }

func (l leaders) with(term, server int) leaders { return l | leaders(server+1)<<(3*term) }

// A judge looks at one transition.
type judge struct {
	m           *memory
	before, now []*node
	leaders     leaders
	past        *past
	broken      *breach
	at          int
}

func (j *judge) violated(server int, property, format string, args ...any) {
	if j.broken == nil {
		j.broken, j.at = &breach{property, fmt.Sprintf(format, args...)}, server
	}
}

// counting checks what leaders count on.
func (j *judge) counting() {
	for i, nd := range j.now {
		if nd.leads && j.broken == nil {
			j.counts(i)
		}
	}
}

// server checks how a server has changed, and brings leaders and past up to date.
func (j *judge) server(i int) {
	old, now := j.before[i].image, j.now[i].image
	j.votes(i, old, now)
	if now.role == Leader && (old.role != Leader || old.term != now.term) {
		j.elected(i)
	}
	if j.now[i].logID != j.before[i].logID {
		j.matches(i)
		j.keeps(i)
	}
	if now.commit > old.commit {
		j.commits(i)
	}
	if now.snapshot.index != old.snapshot.index {
		j.snapshot(i)
	}
	if j.now[i].serverID != j.before[i].serverID {
		j.applied(i)
	}
}

// votes checks that a leader's vote for itself stays spent after its lead.
func (j *judge) votes(i int, old, now *image) {
	if old.term == now.term && old.vote == i && now.vote != i && j.leaders.of(now.term) == i {
		j.violated(i, oneVote, "it has led in term %d by its own vote, and now its vote is %d", now.term, now.vote)
	}
}

// elected is election safety and leader completeness.
func (j *judge) elected(i int) {
	term := j.now[i].image.term
	if other := j.leaders.of(term); other != nobody && other != i {
		j.violated(i, electionSafety, "it leads in term %d, in which server %d has led", term, other)
		return
	}
	votes := 0
	for _, nd := range j.now {
		if voter := nd.image; voter.term > term || voter.term == term && voter.vote == i {
			votes++ // of a voter in a later term one cannot know any more
		}
	}
	if votes <= len(j.now)/2 {
		j.violated(i, electionSafety, "it leads in term %d with %d votes of %d servers", term, votes, len(j.now))
	}
	j.leaders = j.leaders.with(term, i)
	j.complete(i, term)
}

// complete checks that the leader of a term has what leaders of earlier terms have committed.
func (j *judge) complete(i, term int) {
	nd := j.now[i]
	for k, c := range j.past.entries {
		if index := k + 1; c.inTerm < term && index > nd.image.base && (index > nd.last() || nd.at(index) != c.slotText) {
			j.violated(i, leaderCompleteness, "it leads in term %d without the entry of term %d at index %d, which was committed in term %d",
				term, c.term, index, c.inTerm)
			return
		}
	}
}

// matches is log matching.
func (j *judge) matches(i int) {
	a := j.now[i]
	for k, b := range j.now {
		same := false
		for index := min(a.last(), b.last()); k != i && index > max(a.image.base, b.image.base); index-- {
			x, y := a.at(index), b.at(index)
			if same = same || x.term == y.term; same && x != y {
				j.violated(i, logMatching, "it has an entry of term %d at index %d, server %d one of term %d, and behind that an entry of both agrees",
					x.term, index, k, y.term)
				return
			}
		}
	}
}

// keeps checks that no server loses what is committed. A leader of an earlier term than the one in which an entry was
// committed may still replace it on a server that was not counted.
func (j *judge) keeps(i int) {
	old, now := j.before[i], j.now[i]
	for index := old.image.base + 1; index <= min(old.last(), len(j.past.entries)); index++ {
		c := j.past.entries[index-1]
		lost := index > now.image.base && (index > now.last() || now.at(index) != c.slotText)
		if old.at(index) == c.slotText && lost && c.inTerm <= now.image.term {
			j.violated(i, committedStay, "it lost the entry of term %d at index %d, which is committed", c.term, index)
			return
		}
	}
}

// has reports whether a server has saved the entry, or a snapshot of it.
func (nd *node) has(index int, e slotText) bool {
	return index <= nd.image.base || index <= nd.last() && nd.at(index) == e
}

// commits checks a commitIndex that has risen.
func (j *judge) commits(i int) {
	nd := j.now[i]
	m := nd.image
	known := len(j.past.entries)
	for index := m.base + 1; index <= min(m.commit, known); index++ {
		if c := j.past.entries[index-1]; nd.at(index) != c.slotText {
			j.violated(i, stateMachineSafety, "it commits an entry of term %d at index %d, but the one of term %d is committed",
				nd.at(index).term, index, c.term)
			return
		}
	}
	switch {
	case m.role == Leader:
		j.decides(i)
	case m.commit > known:
		j.violated(i, stateMachineSafety, "it takes index %d for committed, but leaders have committed up to %d only", m.commit, known)
	}
}

// decides checks what a leader commits, and adds it to the past.
func (j *judge) decides(i int) {
	nd := j.now[i]
	m := nd.image
	entries := make([]pastCommit, 0, m.commit)
	entries = append(entries, j.past.entries...)
	changed := false
	for index := 1; index <= m.commit; index++ {
		switch {
		case index > len(entries) && index <= m.base:
			j.violated(i, stateMachineSafety, "its log begins after index %d, but leaders have committed up to %d only", m.base, len(entries))
			return
		case index > len(entries):
			entries = append(entries, pastCommit{nd.at(index), m.term})
			changed = true
		case entries[index-1].inTerm > m.term:
			entries[index-1].inTerm = m.term
			changed = true
		}
	}
	if m.commit > len(j.past.entries) {
		j.majority(i)
	}
	if changed {
		j.past = j.m.pastOf(entries)
		for k, other := range j.now {
			if other.image.role == Leader && other.image.term > m.term {
				j.complete(k, other.image.term)
			}
		}
	}
}

// majority is the commit rule (§5.4.2): a majority has saved the entry, and it is of the leader's term, or every server has.
func (j *judge) majority(i int) {
	nd := j.now[i]
	index := nd.image.commit
	if index <= nd.image.base {
		return
	}
	top, have := nd.at(index), 0
	for _, other := range j.now {
		if other.has(index, top) {
			have++
		}
	}
	if n := len(j.now); have <= n/2 || top.term != nd.image.term && have < n {
		j.violated(i, commitRule, "in term %d it commits an entry of term %d at index %d that %d of %d servers have saved",
			nd.image.term, top.term, index, have, n)
	}
}

// counts checks what a leader believes its followers to have. In a later term a follower may have lost it again.
func (j *judge) counts(i int) {
	nd := j.now[i]
	for k, f := range nd.image.followers {
		other := j.now[k]
		if k == i || f.match <= nd.image.base || other.image.term > nd.image.term {
			continue
		}
		if f.match > nd.last() || !other.has(f.match, nd.at(f.match)) {
			j.violated(i, commitRule, "it counts on server %d for index %d, which has not got it", k, f.match)
		}
	}
}

// snapshot checks that a snapshot holds what is committed.
func (j *judge) snapshot(i int) {
	s := j.now[i].image.snapshot
	switch committed := j.past.entries; {
	case s.index > len(committed):
		j.violated(i, onlyCommitted, "its snapshot is at index %d, but leaders have committed up to %d only", s.index, len(committed))
	case s.index > 0 && committed[s.index-1].term != s.term:
		j.violated(i, stateMachineSafety, "its snapshot at index %d has term %d, the entry there term %d", s.index, s.term, committed[s.index-1].term)
	default:
		j.prefix(i, s.data, s.index)
	}
}

// applied checks what a service has got.
func (j *judge) applied(i int) {
	service := j.now[i].image.service
	if len(service) > len(j.past.entries) {
		j.violated(i, onlyCommitted, "it has applied up to index %d, but leaders have committed up to %d only", len(service), len(j.past.entries))
		return
	}
	j.prefix(i, service, len(service))
}

// prefix checks that data is the commands that are committed up to index.
func (j *judge) prefix(i int, data string, index int) {
	if len(data) != index {
		j.violated(i, stateMachineSafety, "the state that belongs to index %d is of %d commands", index, len(data))
		return
	}
	for k := range data {
		if j.past.entries[k].data != string(encoded(int(data[k]))) {
			j.violated(i, stateMachineSafety, "it has applied command %d at index %d, where another one is committed", data[k], k+1)
			return
		}
	}
}

func encoded(command int) []byte {
	data, _, _ := encodeCommand(nil, command)
	return data
}
