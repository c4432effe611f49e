//go:build go1.25

package wire

import (
	"math"
	"slices"
)

// A logTerm is what is known of the log of a term's leader.
type logTerm struct {
	acked   map[int]int // by follower, the highest index that it has acknowledged
	terms   map[int]int // by index, the term of the leader's entry
	ownFrom int         // lowest index with an entry of the term itself; math.MaxInt if unknown
}

func newLogTerm() logTerm {
	return logTerm{acked: map[int]int{}, terms: map[int]int{}, ownFrom: math.MaxInt}
}

// logs is what is known of all logs.
type logs struct {
	placed    map[position]placed
	lastFrom0 bool // LastLogIndex has been negative, so it counts from 0

	numbered bool // an entry has followed index 0, so that the log's first index is 1 as in the service
	held     int  // highest index that a majority has acknowledged in one term
	own      int  // likewise, with an entry of that term at or above it, or acknowledged by all servers
	claimed  int  // highest index that was known to be committed

	committed position // highest LeaderCommit, and the term of the leader that sent it
}

// A position is a place in the logs. By log matching, at most one entry is ever created for it (§5.3).
type position struct{ index, term int }

// A placed entry is what is known of the entry at a position.
type placed struct {
	hash         uint64 // of its command
	hashed       bool
	before       int // term of the entry before it, which log matching determines, too; 0 if unknown
	sender, term int // who sent it first
}

func newLogs() logs { return logs{placed: map[position]placed{}} }

// learnEntries checks and records the entries of a message that is about to be handled.
func (c *Checker) learnEntries(r *request) {
	if !r.fromLeader() || !r.term.ok || r.term.n <= 0 {
		return
	}
	t := c.term(r.term.n)
	t.heard[r.to] = true
	if !r.prevIndex.ok {
		return
	}
	if r.prevIndex.n < 0 {
		c.turnOff("a PrevLogIndex is negative, so the first index of the log is not 1", commitRules...)
	}
	if r.prevIndex.n == 0 && len(r.entries) > 0 && r.prevTerm.n <= 0 {
		c.logs.numbered = true
		if c.logs.lastFrom0 {
			c.turnOff("LastLogIndex counts from 0 and PrevLogIndex from 1", restriction, takenBack, incomplete)
		}
	}
	if r.prevTerm.ok && r.prevTerm.n > 0 {
		c.learnTerm(r, r.prevIndex.n, r.prevTerm.n)
	}
	before := max(r.prevTerm.n, 0)
	for k, e := range r.entries {
		index := r.prevIndex.n + 1 + k
		if !e.term.ok || e.term.n <= 0 {
			before = 0
			continue
		}
		c.learnTerm(r, index, e.term.n)
		c.learnEntry(r, position{index, e.term.n}, e, before)
		before = e.term.n
	}
}

// learnEntry checks and records an entry of r and the term of the entry before it. One leader creates the entry, and nobody
// changes it or what comes before it (Figure 3, log matching).
func (c *Checker) learnEntry(r *request, at position, e entry, before int) {
	old, known := c.logs.placed[at]
	switch {
	case !known:
		c.logs.placed[at] = placed{e.command, e.hashed, before, r.from, r.term.n}
	case old.hashed && e.hashed && old.hash != e.command:
		c.violate(matching, r.from, r.term.n, at.index, "index %d, term %d: server %d sends another command in term %d than server %d in term %d",
			at.index, at.term, r.from, r.term.n, old.sender, old.term)
	case old.before > 0 && before > 0 && old.before != before:
		c.violate(matching, r.from, r.term.n, at.index, "index %d, term %d: server %d sends it in term %d behind an entry of term %d, server %d in term %d behind one of term %d",
			at.index, at.term, r.from, r.term.n, before, old.sender, old.term, old.before)
	case old.before == 0:
		old.before = before
		c.logs.placed[at] = old
	}
}

// learnTerm checks and records the term of an entry in the log of the leader that sent r. A leader never changes its log
// (Figure 3), so the order of its messages does not matter.
func (c *Checker) learnTerm(r *request, index, entryTerm int) {
	t := c.term(r.term.n)
	if old, known := t.terms[index]; known && old != entryTerm {
		c.violate(appendOnly, r.from, r.term.n, index, "term %d: server %d sends the entry at index %d as one of term %d and as one of term %d",
			r.term.n, r.from, index, old, entryTerm)
	}
	t.terms[index] = entryTerm
	if entryTerm == r.term.n {
		t.ownFrom = min(t.ownFrom, index)
	}
}

// checkAppend checks the answer to AppendEntries.
func (c *Checker) checkAppend(s *server, r *request, a answer) {
	if a.success.yes && r.last.ok {
		c.countAck(r)
		c.checkPrevTerm(s, r)
		if r.sure && (!a.term.ok || a.term.n <= 0 || a.term.n == r.term.n) {
			s.acknowledge(r)
		}
		return
	}
	// §5.3: the server has held the leader's entries up to the acknowledged index since before the handler began, in the same
	// term. It may refuse what comes before entries that are committed, applied or in a snapshot, and anything while it installs
	// a snapshot.
	held := r.state.ack
	if !r.sure || !a.success.ok || a.success.yes || !a.term.ok || a.term.n != r.term.n || !r.prevIndex.ok || !r.commit.ok ||
		held.term != r.term.n || held.generation != s.ack.generation || held.snapshots != s.snapshots || r.prevIndex.n > held.index {
		return
	}
	done := max(r.state.commit, s.applied, s.snapshot)
	if s.ledNow {
		done = max(done, c.logs.held)
	}
	if r.prevIndex.n > done {
		c.violate(takenBack, r.to, r.term.n, r.prevIndex.n, "term %d: server %d rejects PrevLogIndex %d of server %d, after it acknowledged index %d",
			r.term.n, r.to, r.prevIndex.n, r.from, held.index)
	}
}

// checkPrevTerm checks that a server that accepts r has the entry at PrevLogIndex (AppendEntries rule 2). Up to what it had
// acknowledged before, its log was that of the leader whose entries it acknowledged, if no other handler has changed it since.
func (c *Checker) checkPrevTerm(s *server, r *request) {
	held := r.state.held
	if !r.sure || r.prevIndex.n > held.index || !r.prevTerm.ok || r.prevTerm.n <= 0 || r.state.changes != s.changes {
		return
	}
	if term, known := c.term(held.term).terms[r.prevIndex.n]; known && term != r.prevTerm.n {
		c.violate(matching, r.to, r.term.n, r.prevIndex.n, "server %d accepts what follows entry %d of term %d from server %d in term %d, but its own entry %d is of term %d",
			r.to, r.prevIndex.n, r.prevTerm.n, r.from, r.term.n, r.prevIndex.n, term)
	}
}

// countAck counts an acknowledgement for the commit rule. It counts as soon as its handler has returned, so before the
// leader can know of it, and also if the reply is lost.
func (c *Checker) countAck(r *request) {
	t := c.term(r.term.n)
	if old, known := t.acked[r.to]; known && old >= r.last.n {
		return
	}
	t.acked[r.to] = r.last.n
	others := make([]int, 0, len(c.servers))
	for _, index := range t.acked {
		others = append(others, index)
	}
	need := c.majority() - 1 // the leader has its entries
	if len(others) < need {
		return
	}
	slices.SortFunc(others, func(a, b int) int { return b - a })
	index := others[need-1]
	c.logs.held = max(c.logs.held, index)
	if index >= t.ownFrom {
		c.logs.own = max(c.logs.own, index)
	}
	if len(others) == len(c.servers)-1 {
		c.logs.own = max(c.logs.own, others[len(others)-1])
	}
}

// checkCommit checks that an index that a server takes for committed may be. A leader commits what a majority has
// acknowledged to it, in its term (§5.3), and only if the entry is of its term, or before such a one (§5.4.2). All other
// servers learn of it from the leader. So by induction no server's commitIndex is above that of the rule, at any time. An
// entry that is stored on every server is committed, too, as §5.4.2 says, though the paper's Raft does not use it.
//
// If the entry at the index that a majority has acknowledged were of the leader's term, it would be at or above ownFrom: the
// message that was acknowledged has named the term, as that of its last entry or as PrevLogTerm.
func (c *Checker) checkCommit(server, index int, how string) {
	if !c.logs.numbered || index <= c.logs.claimed {
		return
	}
	if index > c.logs.own { // a reply may tell of what another handler has done that has not returned
		for _, r := range c.calls {
			if r.running && r.fromLeader() && r.term.ok && r.last.ok {
				c.countAck(r)
			}
		}
	}
	switch {
	case index > c.logs.held:
		c.violate(unheld, server, c.servers[server].floor, index, "server %d %s %d, but a majority has acknowledged no more than index %d in any term",
			server, how, index, c.logs.held)
	case index > c.logs.own:
		c.violate(figure8, server, c.servers[server].floor, index, "server %d %s %d, but a majority has acknowledged no entry of the leader's own term beyond index %d",
			server, how, index, c.logs.own)
	}
	c.logs.claimed = index
}
