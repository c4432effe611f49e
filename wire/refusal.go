//go:build go1.25

package wire

import (
	"fmt"
	"time"
)

// refusalTime is how long a candidate may take from its vote for itself until it asks another server.
const refusalTime = 500 * time.Millisecond

// A refusal is a vote that was refused for no reason that is known.
type refusal struct {
	server, life, candidate, term int
	due                           time.Duration // it is looked at then
	again                         bool          // for the second time
	call                          int64
}

// checkRefusal records that s has refused r, though its term was r's, if it did not lead or follow a leader of the term and
// its log is surely not more up-to-date. What remains is that it has voted for itself, which a later request will show, or
// for another. The server must have been in an earlier term since its start; otherwise it may have voted before, unseen.
func (c *Checker) checkRefusal(s *server, r *request, a answer) {
	n := r.term.n
	switch {
	case a.term.n > 0 && a.term.n < n: // it may hear from a leader, and ignore candidates for that reason
		c.turnOff(fmt.Sprintf("server %d refused a vote and did not reply with the candidate's term, which was higher", r.to), refused)
	case a.term.n == n && s.lowest < n && s.floor == n && !s.mayBeMoreUpToDate(r.message):
		c.refused = append(c.refused, refusal{r.to, s.life, r.from, n, c.now() + refusalTime/2, false, r.number})
	}
}

// mayBeMoreUpToDate reports whether the log of s may be more up-to-date than the candidate's (§5.4.1).
func (s *server) mayBeMoreUpToDate(m *message) bool {
	switch {
	case !m.lastTerm.ok || !m.lastIndex.ok || s.logMayHoldAnything:
		return true
	case m.lastTerm.n > max(s.logTerm, s.ledTerm):
		return false
	case s.ledTerm > 0 && m.lastTerm.n <= s.ledTerm:
		return true
	}
	return s.logTerm > m.lastTerm.n || s.logTerm == m.lastTerm.n && s.logIndex > m.lastIndex.n
}

// judgeRefusals looks at each refusal twice, each time after half of refusalTime. So a process that stops for a while gives
// its candidates time after it goes on. A candidate that has entered a later term before the first look may have dropped its
// requests.
func (c *Checker) judgeRefusals() {
	for len(c.refused) > 0 && c.now() >= c.refused[0].due {
		f := c.refused[0]
		c.refused = c.refused[1:]
		s := c.servers[f.server]
		switch {
		case !s.up || s.life != f.life || c.mayHaveVoted(f, c.term(f.term)):
		case f.again:
			current := c.call
			c.call = f.call
			c.violate(refused, f.server, f.term, 0, "term %d: server %d refuses its vote to server %d, but votes for no other server",
				f.term, f.server, f.candidate)
			c.call = current
		case s.heardTerm <= f.term:
			f.due, f.again = c.now()+refusalTime/2, true
			c.refused = append(c.refused, f)
		}
	}
}

// mayHaveVoted reports whether the server that refused has granted its vote in the term, may be doing so, has asked for
// votes, or knows of a leader.
func (c *Checker) mayHaveVoted(f refusal, t *term) bool {
	if _, stood := t.stood[f.server]; stood || t.heard[f.server] {
		return true
	}
	for _, voters := range t.granted {
		if voters[f.server] {
			return true
		}
	}
	for _, r := range c.servers[f.server].running {
		if r.kind == vote && r.term.n == f.term {
			return true
		}
	}
	return false
}
