package raft

// The properties of a cluster: the watch's, checked on the states of a search. Therefore a state also records the
// leader of each term and the committed entries.

import "fmt"

// A past is the list of entries that leaders have committed.
type past struct {
	id      uint32
	entries []pastCommit // from index 1
}

type pastCommit struct {
	loggedEntry
	inTerm int // the earliest term whose leader committed it
}

// pastOf returns the past with these entries. Equal pasts are the same pointer.
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

// leaders has the leader of each term in 3 bits: 0 for none, otherwise the server plus 1.
type leaders uint32

func (l leaders) of(term int) int { return int(l>>(3*term)&7) - 1 }

func (l leaders) with(term, server int) leaders { return l | leaders(server+1)<<(3*term) }

// A clusterCheck checks one transition from before to now.
type clusterCheck struct {
	m           *memory
	before, now []*node
	leaders     leaders
	past        *past
	broken      *violation
	at          int
}

func (j *clusterCheck) violated(server int, property, format string, args ...any) {
	if j.broken == nil {
		j.broken, j.at = &violation{property, fmt.Sprintf(format, args...)}, server
	}
}

// checkMatchIndexes checks the matchIndex of every leader.
func (j *clusterCheck) checkMatchIndexes() {
	for i, nd := range j.now {
		if nd.leads && j.broken == nil {
			j.checkMatchIndex(i)
		}
	}
}

// checkServer checks how a server has changed, and updates leaders and past.
func (j *clusterCheck) checkServer(i int) {
	old, now := j.before[i].image, j.now[i].image
	j.checkVotes(i, old, now)
	if now.role == Leader && (old.role != Leader || old.term != now.term) {
		j.checkElection(i)
	}
	if j.now[i].logID != j.before[i].logID {
		j.checkLogMatching(i)
		j.checkCommittedKept(i)
	}
	if now.commit > old.commit {
		j.checkCommit(i)
	}
	if now.snapshot.index != old.snapshot.index {
		j.checkSnapshot(i)
	}
	if j.now[i].serverID != j.before[i].serverID {
		j.checkApplied(i)
	}
}

// checkVotes checks that a server that led by its own vote does not vote again in that term.
func (j *clusterCheck) checkVotes(i int, old, now *image) {
	if old.term == now.term && old.vote == i && now.vote != i && j.leaders.of(now.term) == i {
		j.violated(i, oneVote, "it led in term %d by its own vote, and now its vote is %d", now.term, now.vote)
	}
}

// checkElection checks election safety and leader completeness.
func (j *clusterCheck) checkElection(i int) {
	term := j.now[i].image.term
	if other := j.leaders.of(term); other != nobody && other != i {
		j.violated(i, electionSafety, "it leads in term %d, in which server %d has led", term, other)
		return
	}
	votes := 0
	for _, nd := range j.now {
		if voter := nd.image; voter.term > term || voter.term == term && voter.vote == i {
			votes++ // the vote of a server in a later term is unknown, so it counts
		}
	}
	if votes <= len(j.now)/2 {
		j.violated(i, electionSafety, "it leads in term %d with %d votes of %d servers", term, votes, len(j.now))
	}
	j.leaders = j.leaders.with(term, i)
	j.checkComplete(i, term)
}

// checkComplete checks that the leader of a term has the entries that leaders of earlier terms have committed.
func (j *clusterCheck) checkComplete(i, term int) {
	nd := j.now[i]
	for k, c := range j.past.entries {
		if index := k + 1; c.inTerm < term && index > nd.image.base && (index > nd.last() || nd.at(index) != c.loggedEntry) {
			j.violated(i, leaderCompleteness, "it leads in term %d without the entry of term %d at index %d, which was committed in term %d",
				term, c.term, index, c.inTerm)
			return
		}
	}
}

// checkLogMatching checks log matching.
func (j *clusterCheck) checkLogMatching(i int) {
	a := j.now[i]
	for k, b := range j.now {
		same := false
		for index := min(a.last(), b.last()); k != i && index > max(a.image.base, b.image.base); index-- {
			x, y := a.at(index), b.at(index)
			if same = same || x.term == y.term; same && x != y {
				j.violated(i, logMatching, "it has an entry of term %d at index %d, server %d has another one of term %d, but a later entry has the same term in both logs",
					x.term, index, k, y.term)
				return
			}
		}
	}
}

// checkCommittedKept checks that no server loses a committed entry. A committed entry may still be replaced by a leader
// of an earlier term than the one in which it was committed, on a server that was not counted for it.
func (j *clusterCheck) checkCommittedKept(i int) {
	old, now := j.before[i], j.now[i]
	for index := old.image.base + 1; index <= min(old.last(), len(j.past.entries)); index++ {
		c := j.past.entries[index-1]
		lost := index > now.image.base && (index > now.last() || now.at(index) != c.loggedEntry)
		if old.at(index) == c.loggedEntry && lost && c.inTerm <= now.image.term {
			j.violated(i, committedStay, "it lost the entry of term %d at index %d, which is committed", c.term, index)
			return
		}
	}
}

// has reports whether a server has saved the entry, or a snapshot of it.
func (nd *node) has(index int, e loggedEntry) bool {
	return index <= nd.image.base || index <= nd.last() && nd.at(index) == e
}

// checkCommit checks a commitIndex that has increased.
func (j *clusterCheck) checkCommit(i int) {
	nd := j.now[i]
	m := nd.image
	known := len(j.past.entries)
	for index := m.base + 1; index <= min(m.commit, known); index++ {
		if c := j.past.entries[index-1]; nd.at(index) != c.loggedEntry {
			j.violated(i, stateMachineSafety, "it commits an entry of term %d at index %d, but another one, of term %d, is committed there",
				nd.at(index).term, index, c.term)
			return
		}
	}
	switch {
	case m.role == Leader:
		j.checkDecision(i)
	case m.commit > known:
		j.violated(i, stateMachineSafety, "its commitIndex is %d, but leaders have committed only up to %d", m.commit, known)
	}
}

// checkDecision checks the entries that a leader commits, and adds them to the past.
func (j *clusterCheck) checkDecision(i int) {
	nd := j.now[i]
	m := nd.image
	entries := make([]pastCommit, 0, m.commit)
	entries = append(entries, j.past.entries...)
	changed := false
	for index := 1; index <= m.commit; index++ {
		switch {
		case index > len(entries) && index <= m.base:
			j.violated(i, stateMachineSafety, "its log begins after index %d, but leaders have committed only up to %d", m.base, len(entries))
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
		j.checkMajority(i)
	}
	if changed {
		j.past = j.m.pastOf(entries)
		for k, other := range j.now {
			if other.image.role == Leader && other.image.term > m.term {
				j.checkComplete(k, other.image.term)
			}
		}
	}
}

// checkMajority checks the commit rule (§5.4.2): either a majority has saved the entry and it is of the leader's term,
// or all servers have saved it.
func (j *clusterCheck) checkMajority(i int) {
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

// checkMatchIndex checks that followers have the entries that a leader's matchIndex says. A follower in a later term
// may have lost them again.
func (j *clusterCheck) checkMatchIndex(i int) {
	nd := j.now[i]
	for k, f := range nd.image.followers {
		other := j.now[k]
		if k == i || f.match <= nd.image.base || other.image.term > nd.image.term {
			continue
		}
		if f.match > nd.last() || !other.has(f.match, nd.at(f.match)) {
			j.violated(i, commitRule, "it counts index %[2]d as replicated on server %[1]d, which does not have it", k, f.match)
		}
	}
}

// checkSnapshot checks that a snapshot holds the committed commands.
func (j *clusterCheck) checkSnapshot(i int) {
	s := j.now[i].image.snapshot
	switch committed := j.past.entries; {
	case s.index > len(committed):
		j.violated(i, onlyCommitted, "its snapshot is at index %d, but leaders have committed only up to %d", s.index, len(committed))
	case s.index > 0 && committed[s.index-1].term != s.term:
		j.violated(i, stateMachineSafety, "its snapshot at index %d has term %d, the entry there term %d", s.index, s.term, committed[s.index-1].term)
	default:
		j.checkPrefix(i, s.data, s.index)
	}
}

// checkApplied checks that a service has applied the committed commands.
func (j *clusterCheck) checkApplied(i int) {
	service := j.now[i].image.service
	if len(service) > len(j.past.entries) {
		j.violated(i, onlyCommitted, "it has applied up to index %d, but leaders have committed only up to %d", len(service), len(j.past.entries))
		return
	}
	j.checkPrefix(i, service, len(service))
}

// checkPrefix checks that data holds the committed commands up to index.
func (j *clusterCheck) checkPrefix(i int, data string, index int) {
	if len(data) != index {
		j.violated(i, stateMachineSafety, "the state at index %d has %d commands", index, len(data))
		return
	}
	for k := range data {
		if j.past.entries[k].data != string(encoded(int(data[k]))) {
			j.violated(i, stateMachineSafety, "it has applied command %d at index %d, where another command is committed", data[k], k+1)
			return
		}
	}
}

func encoded(command int) []byte {
	data, _, _ := encodeCommand(nil, command)
	return data
}
