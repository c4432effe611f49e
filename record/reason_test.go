package record

import (
	"strings"
	"testing"
)

// conflict is the reply of §5.3, at its end.
type conflict struct {
	Term                        int
	Success                     bool
	ConflictIndex, ConflictTerm int
}

// A refusal says why, by what is known of the receiver.
func TestReasons(t *testing.T) {
	tells := func(state func(r *Server)) func(s *scene) {
		return func(s *scene) { state(s.Server(1)) }
	}
	log := func(r *Server, terms ...int) { r.Log(1, terms, func(k int) any { return k }) }
	vote := func(term, lastIndex, lastTerm int) func(s *scene) *call {
		return func(s *scene) *call {
			return s.send(0, 1, "RequestVote", &voteArgs{term, 0, lastIndex, lastTerm}).handling().handled(&voteReply{term, false})
		}
	}
	pre := func(term, answer int) func(s *scene) *call {
		return func(s *scene) *call {
			return s.send(0, 1, "PreVote", &voteArgs{term, 0, 0, 0}).handling().handled(&voteReply{answer, false})
		}
	}
	after := func(term, prevIndex, prevTerm int, reply any) func(s *scene) *call {
		return func(s *scene) *call {
			return s.send(0, 1, "AppendEntries", entries(0, term, prevIndex, prevTerm, 0)).handling().handled(reply)
		}
	}
	for _, c := range []struct {
		name string
		know func(s *scene)
		send func(s *scene) *call
		want string
	}{
		{"term", tells(func(r *Server) { r.State(4, "follower", -1, -1) }), vote(3, 9, 3), "in term 4"},
		{"term of the reply", func(*scene) {}, func(s *scene) *call {
			return s.send(0, 1, "RequestVote", &voteArgs{3, 0, 0, 0}).handling().handled(&voteReply{4, false})
		}, "in term 4"},
		{"vote", tells(func(r *Server) { r.State(3, "follower", -1, 2) }), vote(3, 9, 3), "has voted for server 2"},
		{"own vote", tells(func(r *Server) { r.State(3, "candidate", -1, 1) }), vote(3, 9, 3), "has voted for itself"},
		{"vote of the term before", tells(func(r *Server) { r.State(2, "follower", -1, 2); r.State(3, "follower", -1, -1) }), vote(3, 9, 3), ""},
		{"longer log", tells(func(r *Server) { r.State(3, "follower", -1, -1); log(r, 1, 2, 2) }), vote(3, 2, 2), "its log is newer: 3/2"},
		{"later log", tells(func(r *Server) { r.State(3, "follower", -1, -1); log(r, 1, 2, 2) }), vote(3, 7, 1), "its log is newer: 3/2"},
		{"snapshot", tells(func(r *Server) { r.State(3, "follower", -1, -1); r.Snapshot(8, 2, true) }), vote(3, 7, 2), "its log is newer: 8/2"},
		{"PreVote of an old log, whose receiver knows a leader", tells(func(r *Server) { r.State(3, "follower", 2, -1); log(r, 1) }), pre(4, 3), "its log is newer: 1/1"},
		{"leads", tells(func(r *Server) { r.State(3, "leader", 1, 1) }), pre(4, 3), "leads in term 3"},
		{"wrong vote", tells(func(r *Server) { r.State(3, "follower", -1, 77) }), vote(3, 9, 3), "has voted for server 77"},
		{"wrong leader", tells(func(r *Server) { r.State(3, "follower", 77, -1) }), after(3, 2, 3, &appendReply{3, false}), "follows server 77"},
		{"hears", tells(func(r *Server) { r.State(3, "follower", 2, -1) }), pre(4, 3), "hears from a leader"},
		{"leads", tells(func(r *Server) { r.State(3, "leader", 1, 1) }), pre(4, 3), "leads in term 3"},
		{"PreVote of an old term", tells(func(r *Server) { r.State(4, "candidate", -1, 1) }), pre(4, 4), "in term 4"},
		{"PreVote", tells(func(r *Server) { r.State(3, "candidate", -1, 1); log(r, 1) }), pre(4, 3), "its log is newer: 1/1"},
		{"short log", tells(func(r *Server) { r.State(3, "follower", 0, -1); log(r, 1, 2) }), after(3, 7, 3, &appendReply{3, false}), "no entry at 7"},
		{"other entry", tells(func(r *Server) { r.State(3, "follower", 0, -1); log(r, 1, 2) }), after(3, 2, 3, &appendReply{3, false}), "has term 2 at 2, not 3"},
		{"entries of an old term", tells(func(r *Server) { r.State(5, "follower", 2, -1) }), after(3, 2, 3, &appendReply{5, false}), "in term 5"},
		{"another leader", tells(func(r *Server) { r.State(3, "follower", 2, -1) }), after(3, 2, 3, &appendReply{3, false}), "follows server 2"},
		{"no reason", tells(func(r *Server) { r.State(3, "follower", 0, -1); log(r, 1, 2) }), after(3, 2, 2, &appendReply{3, false}), ""},
		{"derived vote", func(s *scene) { s.vote(2, 1, 3, 0, 0, true) }, vote(3, 0, 0), "has voted for server 2"},
		{"derived log", func(s *scene) { s.append(1, entries(2, 2, 0, 0, 0, 1, 2), true) }, vote(3, 5, 1), "its log is newer: 2/2"},
		{"derived from the reply", func(*scene) {}, after(3, 7, 3, &conflict{3, false, 5, -1}), "no entry at 7"},
		{"derived term from the reply", func(*scene) {}, after(3, 7, 3, &conflict{3, false, 5, 2}), "has term 2 at 7, not 3"},
		{"unknown", func(*scene) {}, vote(3, 0, 0), "the reason is not known"},
		{"unknown after a vote", func(s *scene) { s.vote(2, 1, 2, 0, 0, true) }, vote(3, 0, 0),
			"the reason is not known; its last known vote is for server 2, in term 2"},
	} {
		s := newScene(t, 3)
		s.startAll()
		c.know(s)
		c.send(s)
		lines := s.lines()
		last := lines[len(lines)-1]
		if _, why, _ := strings.Cut(last, " : "); !strings.HasPrefix(last, "1 answer") || strings.Contains(last, " ok") || why != c.want {
			t.Errorf("%s: %q, want the reason %q", c.name, last, c.want)
		}
	}
}
