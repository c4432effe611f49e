//go:build go1.25

package record

import (
	"fmt"

	"6.824/picture"
	"6.824/wire"
)

// reason returns in words why the receiver has refused the request, by what is known of the receiver. Otherwise it returns
// what the reply says of itself, which may be nothing.
func (m *Message) reason() (why string) {
	s, q, r := m.c.servers[m.to], &m.request.Request, &m.reply.Reply
	term := max(r.Term, s.term)
	switch votes := q.Kind == wire.RequestVote || q.Kind == wire.PreVote; {
	case q.Kind == wire.Other:
	case votes && !r.Answered:
		why = "the reply has no field that looks like VoteGranted"
	case q.Term == wire.Unread:
	case term > q.Term || q.Kind == wire.PreVote && term == q.Term:
		why = fmt.Sprintf("in term %d", term)
	case votes:
		if why = m.voteReason(s); why == "" && q.Kind == wire.PreVote {
			why = s.leaderReason()
		}
	case s.term == q.Term && s.leader != picture.NoLane && s.leader != m.from:
		why = "follows " + m.c.nameLocked(s.leader)
	default:
		why = s.logReason(q, r)
	}
	if why == "" {
		return m.reply.text
	}
	return why
}

// voteReason returns why a server in the candidate's term, or before it, refuses its vote.
func (m *Message) voteReason(s *server) string {
	q := &m.request.Request
	whom := "itself"
	if s.votedFor >= 0 && s.votedFor != m.to {
		whom = m.c.nameLocked(s.votedFor)
	}
	switch last, term := s.log.last(), s.log.lastTerm(); {
	case q.Kind == wire.RequestVote && s.votedIn == q.Term && s.votedFor >= 0 && s.votedFor != m.from:
		return "has voted for " + whom
	case q.LastIndex != wire.Unread && q.LastTerm != wire.Unread && (term > q.LastTerm || term == q.LastTerm && last > q.LastIndex):
		return fmt.Sprintf("its log is newer: %d/%d", last, term)
	case s.tells || q.Kind == wire.PreVote:
	case s.votedFor >= 0:
		return fmt.Sprintf("its last known vote is for %s, in term %d", whom, s.votedIn)
	default:
		return "the reason is not known"
	}
	return ""
}

// leaderReason returns why a server refuses a PreVote that it would grant without a leader.
func (s *server) leaderReason() string {
	switch {
	case s.role == picture.Leader:
		return fmt.Sprintf("leads in term %d", s.term)
	case s.leader != picture.NoLane:
		return "hears from a leader"
	}
	return ""
}

// logReason returns why a server in the leader's term refuses its entries.
func (s *server) logReason(q *wire.Request, r *wire.Reply) string {
	term, has := s.log.term(q.PrevIndex)
	if !s.tells {
		term, has = r.ConflictTerm, r.ConflictTerm > 0
	}
	switch {
	case q.PrevIndex == wire.Unread:
	case has && term != q.PrevTerm:
		return fmt.Sprintf("has term %d at %d, not %s", term, q.PrevIndex, number(q.PrevTerm))
	case s.tells && q.PrevIndex > s.log.last(), !s.tells && r.ConflictIndex > 0:
		return fmt.Sprintf("no entry at %d", q.PrevIndex)
	}
	return ""
}
