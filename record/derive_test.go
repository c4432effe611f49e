package record

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"6.824/labrpc"
)

// story drives servers that tell nothing and returns the events of one lane that are no messages.
func story(t *testing.T, lane int, tell func(s *scene)) (lines []string) {
	s := newScene(t, 3)
	s.startAll()
	tell(s)
	for _, line := range s.lines() {
		if rest, mine := strings.CutPrefix(line, fmt.Sprint(lane, " ")); mine && !strings.HasPrefix(rest, "send") &&
			!strings.HasPrefix(rest, "receive") && !strings.HasPrefix(rest, "answer") && !strings.HasPrefix(rest, "end") {
			lines = append(lines, rest)
		}
	}
	return lines
}

func (s *scene) vote(from, to, term, lastIndex, lastTerm int, granted bool) {
	s.send(from, to, "RequestVote", &voteArgs{term, from, lastIndex, lastTerm}).done(&voteReply{term, granted})
}

func (s *scene) append(to int, args *appendArgs, success bool) {
	s.send(args.LeaderId, to, "AppendEntries", args).done(&appendReply{args.Term, success})
}

// What servers do not tell is derived from what they say.
func TestDerive(t *testing.T) {
	for _, c := range []struct {
		name string
		lane int
		tell func(s *scene)
		want []string
	}{
		{"candidate and leader", 0, func(s *scene) {
			s.vote(0, 1, 2, 0, 0, true)
			s.append(1, entries(0, 2, 0, 0, 0), true)
			s.send(0, 2, "RequestVote", &voteArgs{2, 0, 0, 0}) // a late goroutine
			s.vote(0, 1, 3, 0, 0, true)
		}, []string{"state candidate term 2", "state leader of 0 term 2", "state candidate term 3"}},
		{"follower", 1, func(s *scene) {
			s.vote(0, 1, 2, 0, 0, false)
			s.append(1, entries(0, 2, 0, 0, 0), true)
			s.append(1, entries(0, 2, 0, 0, 0), true)
			s.append(1, entries(2, 1, 0, 0, 0), true) // of an older term
		}, []string{"state follower term 2", "state follower of 0 term 2"}},
		{"a higher term in a reply", 1, func(s *scene) {
			s.send(0, 1, "RequestVote", &voteArgs{2, 0, 0, 0}).done(&voteReply{5, false})
		}, []string{"state term 5"}},
		{"a candidate that hears from the leader", 1, func(s *scene) {
			s.send(1, 2, "RequestVote", &voteArgs{2, 1, 0, 0})
			s.append(1, entries(0, 2, 0, 0, 0), true)
		}, []string{"state candidate term 2", "state follower of 0 term 2"}},
		{"a reply alone changes nothing", 0, func(s *scene) {
			s.send(0, 1, "RequestVote", &voteArgs{2, 0, 0, 0}).done(&voteReply{5, false})
		}, []string{"state candidate term 2"}},
		{"the log of a leader", 0, func(s *scene) {
			s.send(0, 1, "AppendEntries", entries(0, 2, 0, 0, 0, 1, 2))
			s.send(0, 2, "AppendEntries", entries(0, 2, 1, 1, 0, 2, 2))
			s.send(0, 2, "AppendEntries", entries(0, 2, 3, 2, 1))
		}, []string{"state leader of 0 term 2", "log at 1 1/1 2/2", "log at 3 3/2", "commit at 1"}},
		{"the log of a follower", 1, func(s *scene) {
			s.append(1, entries(0, 1, 0, 0, 0, 1, 1, 1), true)
			s.append(1, entries(0, 1, 0, 0, 2, 1), true)  // late, and nothing new
			s.append(1, entries(2, 2, 1, 1, 9, 2), true)  // in conflict
			s.append(1, entries(2, 2, 9, 2, 9, 2), false) // what it lacks
			s.append(1, entries(2, 2, 5, 2, 9, 2), true)  // after a gap
			s.send(2, 1, "AppendEntries", entries(2, 2, 6, 2, 9, 2)).handling().ended(labrpc.CutOff)
		}, []string{"state follower of 0 term 1", "log at 1 1/1 2/1 3/1", "commit at 1", "state follower of 2 term 2", "log at 2 2/2", "commit at 2",
			"log at 6 6/2", "commit at 6"}},
		{"a log that lost its end", 1, func(s *scene) {
			s.append(1, entries(0, 1, 0, 0, 0, 1, 1, 1), true)
			s.append(1, entries(0, 1, 3, 1, 0), false)
			s.send(1, 2, "RequestVote", &voteArgs{2, 1, 1, 1})
		}, []string{"state follower of 0 term 1", "log at 1 1/1 2/1 3/1", "log at 3", "state candidate term 2", "log at 2"}},
		{"indices from 0", 1, func(s *scene) {
			s.send(1, 2, "RequestVote", &voteArgs{1, 1, -1, 0})
			s.append(1, entries(0, 2, 0, 0, 0, 1, 1), true)
			s.send(1, 2, "RequestVote", &voteArgs{3, 1, 1, 1})
		}, []string{"state candidate term 1", "state follower of 0 term 2", "log at 1 1/1 2/1", "state candidate term 3"}},
		{"a snapshot", 1, func(s *scene) {
			s.append(1, entries(0, 1, 0, 0, 0, 1, 1, 1), true)
			s.send(0, 1, "InstallSnapshot", &snapshotArgs{1, 0, 2, 1}).done(&snapshotReply{1})
			s.send(0, 1, "InstallSnapshot", &snapshotArgs{1, 0, 2, 1}).done(&snapshotReply{1}) // again
			s.append(1, entries(0, 1, 3, 1, 3, 1), true)
		}, []string{"state follower of 0 term 1", "log at 1 1/1 2/1 3/1", "snapshot term 1 at 2 : the leader's", "commit at 2", "log at 4 4/1", "commit at 3"}},
		{"applied and accepted", 0, func(s *scene) {
			r := s.Server(0)
			r.Accepted(1, 3, "x")
			r.Accepted(2, 3, "y")
			r.Accepted(2, 3, "y") // which a message has told
			r.Applied(1, "x")
		}, []string{"state leader of 0 term 3", `log at 1 "x"/3`, `log at 2 "y"/3`, "commit at 1", `apply at 1 : "x"`}},
		{"a restart", 1, func(s *scene) {
			s.append(1, entries(0, 1, 0, 0, 0, 1, 1), true)
			s.send(0, 1, "InstallSnapshot", &snapshotArgs{1, 0, 1, 1}).done(&snapshotReply{1})
			s.Crashed(1)
			s.start(1)
		}, []string{"state follower of 0 term 1", "log at 1 1/1 2/1", "snapshot term 1 at 1 : the leader's", "commit at 1", "crash", "start", "state term 1",
			"snapshot term 1 at 1 : known from before the crash", "log at 2 2/1"}},
		{"a PreVote", 0, func(s *scene) {
			s.send(0, 1, "PreVote", &voteArgs{2, 0, 0, 0}).done(&voteReply{1, true})
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := story(t, c.lane, c.tell); !slices.Equal(got, c.want) {
				t.Errorf("events of server %d\n\t%s\nwant\n\t%s", c.lane, strings.Join(got, "\n\t"), strings.Join(c.want, "\n\t"))
			}
		})
	}
}

// What cannot be read is noted.
func TestUnread(t *testing.T) {
	s := newScene(t, 2)
	s.startAll()
	s.send(0, 1, "RequestVote", &struct{ Epoch int }{3}).done(&struct{ Yes bool }{true})
	s.send(0, 1, "AppendEntries", &struct{ Term, Previous int }{3, 4}).done(&struct{ Yes bool }{true})
	s.send(0, 1, "Foo", nil).done(nil)
	s.expect("0 send to 1 : RequestVote term ?: last log entry ?/?", "1 receive", "1 answer : the reply has no field that looks like VoteGranted", "0 end delivered",
		"0 state leader of 0 term 3", "0 send to 1 term 3 : AppendEntries term 3 after ?/?: entries, commit ?", "1 receive",
		"1 state follower of 0 term 3", "1 answer ok : accepts", "0 end delivered", "0 send to 1 : Foo nil", "1 receive", "1 answer ok : nil", "0 end delivered")
	notes := dataOf(t, s.rec).Notes
	for _, want := range []string{
		"The arguments of Raft.RequestVote have no field that looks like a term.",
		"The arguments of Raft.AppendEntries have no field that looks like the index of the entry before the new ones.",
	} {
		if !slices.Contains(notes, want) {
			t.Errorf("no note %q in %q", want, notes)
		}
	}
}
