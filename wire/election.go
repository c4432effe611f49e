//go:build go1.25

package wire

import "fmt"

// A term is what is known of one term.
type term struct {
	leader  int                  // the first server that led; -1 if none
	stood   map[int]number       // by server that has asked for votes, its LastLogIndex
	granted map[int]map[int]bool // by candidate, the servers that have granted it a vote
	votes   map[int]int          // by server, the first candidate that it surely granted a vote
	heard   map[int]bool         // servers that were sent a message from a leader
	logTerm
}

func (c *Checker) term(n int) *term {
	t := c.terms[n]
	if t == nil {
		t = &term{leader: -1, stood: map[int]number{}, granted: map[int]map[int]bool{}, votes: map[int]int{}, heard: map[int]bool{}}
		t.logTerm = newLogTerm()
		c.terms[n] = t
	}
	return t
}

// checkSent checks a request of a server that is up.
func (c *Checker) checkSent(r *request) {
	if !r.term.ok || r.term.n <= 0 {
		return
	}
	s, n := c.servers[r.from], r.term.n
	// §5.1: terms increase. What was sent or replied before a crash was saved, so a term sent after the restart is not lower.
	// Requests of one start have no order.
	if n < s.born {
		c.violate(termBack, r.from, n, 0, "server %d sends %s of term %d after a restart, but had term %d before",
			r.from, r.describe(), n, s.born)
	}
	s.shows(n)
	if r.fromLeader() {
		c.checkLeader(r.from, n, "sends "+r.describe())
		if r.commit.ok {
			c.checkCommit(r.from, r.commit.n, fmt.Sprintf("sends in term %d the LeaderCommit", n))
			if c.logs.numbered && r.commit.n > c.logs.committed.index {
				c.logs.committed = position{r.commit.n, n}
			}
		}
		return
	}
	t := c.term(n)
	t.stood[r.from] = r.lastIndex
	c.logs.lastFrom0 = c.logs.lastFrom0 || r.lastIndex.n < 0
	c.checkSelfVote(r.from, n)
	// The candidate's log was as it is sent in a term after ack.term, so after the acknowledgement.
	if a := s.ack; n > a.term && r.lastIndex.ok && r.lastIndex.n < a.index {
		c.violate(takenBack, r.from, n, a.index, "server %d acknowledged index %d in term %d, but asks for votes in term %d with LastLogIndex %d",
			r.from, a.index, a.term, n, r.lastIndex.n)
	}
}

// checkLeader checks a server that acts as the leader of term n.
func (c *Checker) checkLeader(server, n int, how string) {
	if n <= 0 {
		return
	}
	t := c.term(n)
	c.servers[server].mayLead(n)
	if t.leader >= 0 && t.leader != server {
		c.violate(twoLeaders, server, n, 0, "term %d: server %d and server %d lead; server %d %s", n, t.leader, server, server, how)
	}
	if t.leader == server {
		return
	}
	t.leader = server
	// A vote counts as soon as its handler has returned, so before the candidate can know of it.
	if voters := t.granted[server]; len(voters)+1 < c.majority() && c.votesSeen {
		c.violate(unelected, server, n, 0, "term %d: server %d %s, but only %d of the other %d servers have granted it a vote",
			n, server, how, len(voters), len(c.servers)-1)
	}
	c.checkComplete(server, n)
}

// checkComplete checks that the leader of term n had what leaders of earlier terms had committed when it asked for votes.
func (c *Checker) checkComplete(server, n int) {
	last, known := c.term(n).stood[server]
	if done := c.logs.committed; known && last.ok && done.index > 0 && n > done.term && last.n < done.index {
		c.violate(incomplete, server, n, done.index, "term %d: server %d leads, and asked for votes with LastLogIndex %d, but in term %d its leader committed index %d",
			n, server, last.n, done.term, done.index)
	}
}

func (c *Checker) majority() int { return len(c.servers)/2 + 1 }

// checkHandled checks the reply of a handler.
func (c *Checker) checkHandled(s *server, r *request, a answer) {
	if !r.term.ok || r.term.n <= 0 {
		return
	}
	// §5.1: the handler began when the server already had the term.
	if r.sure && a.term.ok && a.term.n > 0 {
		if a.term.n < r.state.floor {
			c.violate(termBack, r.to, a.term.n, 0, "server %d replies term %d to %s of server %d, after term %d",
				r.to, a.term.n, r.describe(), r.from, r.state.floor)
		}
		s.shows(a.term.n)
	}
	// §5.1, §5.2, §5.3: a server that votes in a term, or accepts its leader's entries, has entered it and saved it before.
	if r.sure && (a.granted.yes || a.success.yes) {
		s.shows(r.term.n)
	}
	switch {
	case r.kind == vote:
		c.checkVote(s, r, a)
	case r.kind == snapshot:
	default:
		c.checkAppend(s, r, a)
	}
}

// checkVote checks the answer to a candidate.
func (c *Checker) checkVote(s *server, r *request, a answer) {
	n := r.term.n
	t := c.term(n)
	c.votesSeen = c.votesSeen || a.granted.ok
	if !a.granted.yes {
		if r.sure && a.granted.ok && a.term.ok {
			c.checkRefusal(s, r, a)
		}
		return
	}
	if t.granted[r.from] == nil {
		t.granted[r.from] = map[int]bool{}
	}
	t.granted[r.from][r.to] = true
	if len(t.granted[r.from])+1 >= c.majority() {
		c.servers[r.from].mayLead(n)
	}
	if !r.sure {
		return
	}
	// §5.2: votedFor is saved before the reply, so this holds across crashes.
	if other, voted := t.votes[r.to]; voted && other != r.from {
		c.violate(twoVotes, r.to, n, 0, "term %d: server %d votes for server %d and for server %d", n, r.to, other, r.from)
	} else if !voted {
		t.votes[r.to] = r.from
	}
	c.checkSelfVote(r.to, n)
	c.checkRestriction(r, s)
}

// checkSelfVote checks that a server that asks for votes in term n has not voted for another. A candidate votes for itself
// (§5.2), and a server that has voted for another does not become one, so the order does not matter. But a candidate that asks
// itself by RPC may vote for another before that RPC arrives.
func (c *Checker) checkSelfVote(server, n int) {
	if c.asksItself {
		return
	}
	t := c.term(n)
	_, stood := t.stood[server]
	if other, voted := t.votes[server]; voted && stood && other != server {
		c.violate(twoVotes, server, n, 0, "term %d: server %d votes for server %d, and is a candidate, so votes for itself", n, server, other)
	}
}

// checkRestriction checks the election restriction (§5.4.1). The voter has held the entry it acknowledged since before its
// handler began, and still did when that ended: terms in a log never fall, so its last entry is not older.
func (c *Checker) checkRestriction(r *request, s *server) {
	a := r.state.ack
	if a.index < 0 || a.generation != s.ack.generation || r.term.n <= a.term || !a.entryTerm.ok || !r.lastTerm.ok || !r.lastIndex.ok {
		return
	}
	if r.lastTerm.n < a.entryTerm.n || r.lastTerm.n == a.entryTerm.n && r.lastIndex.n < a.index {
		c.violate(restriction, r.to, r.term.n, a.index, "term %d: server %d votes for server %d, whose last entry is %d of term %d, after it acknowledged entry %d of term %d",
			r.term.n, r.to, r.from, r.lastIndex.n, r.lastTerm.n, a.index, a.entryTerm.n)
	}
}
