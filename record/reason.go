//go:build go1.25

package record

import (
	"fmt"

	"6.824/picture"
	"6.824/wire"
)

// reason returns in words why the receiver of a request has refused it, by what is known of the receiver. Otherwise it
// returns what the reply says of itself, which may be nothing.
func (c *Cluster) reason(m *Message, r wire.Reply, words string) string {
	s, q := c.servers[m.to], &m.request
	switch {
	case q.Kind == wire.Other || q.Term == wire.Unread:
	case q.Kind == wire.PreVote && s.tells && s.leader != picture.NoLane:
		return "hears from a leader"
	case max(r.Term, s.term) > q.Term || q.Kind == wire.PreVote && max(r.Term, s.term) == q.Term:
		return fmt.Sprintf("in term %d", max(r.Term, s.term))
	case q.Kind == wire.RequestVote || q.Kind == wire.PreVote:
		if why := s.voteReason(m); why != "" {
			return why
		}
	case s.term == q.Term && s.leader != picture.NoLane && s.leader != m.from:
		return fmt.Sprintf("follows %s", c.name(s.leader))
	default:
		if why := s.logReason(q, r); why != "" {
			return why
		}
	}
	return words
}

// voteReason returns why a server in the candidate's term, or before it, refuses its vote.
func (s *server) voteReason(m *Message) string {
	q := &m.request
	switch last, term := s.log.last(), s.log.lastTerm(); {
	case m.request.Kind == wire.RequestVote && s.term == q.Term && s.votedFor == m.to:
		return "has voted for itself"
	case m.request.Kind == wire.RequestVote && s.term == q.Term && s.votedFor >= 0 && s.votedFor != m.from:
		return fmt.Sprintf("has voted for %s", m.c.name(s.votedFor))
	case q.LastIndex == wire.Unread || q.LastTerm == wire.Unread:
	case term > q.LastTerm || term == q.LastTerm && last > q.LastIndex:
		return fmt.Sprintf("its log is newer: %d/%d", last, term)
	}
	return ""
}

// logReason returns why a server in the leader's term refuses its entries.
func (s *server) logReason(q *wire.Request, r wire.Reply) string {
	prev := q.PrevIndex
	term, has := s.log.term(prev)
	switch {
	case prev == wire.Unread:
	case s.tells && prev > s.log.last(), !s.tells && r.ConflictIndex > 0 && r.ConflictTerm <= 0:
		return fmt.Sprintf("no entry at %d", prev)
	case s.tells && has && term != q.PrevTerm:
		return fmt.Sprintf("has term %d at %d, not %s", term, prev, number(q.PrevTerm))
	case !s.tells && r.ConflictTerm > 0:
		return fmt.Sprintf("has term %d at %d, not %s", r.ConflictTerm, prev, number(q.PrevTerm))
	}
	return ""
}

// name returns the name of a lane.
func (c *Cluster) name(lane int) string { return c.servers[lane].name }
