package record

import (
	"slices"
	"strings"
	"testing"

	"6.824/labrpc"
	"6.824/picture"
	"6.824/wire"
)

type voteArgs struct{ Term, CandidateId, LastLogIndex, LastLogTerm int }

type voteReply struct {
	Term        int
	VoteGranted bool
}

type snapshotArgs struct{ Term, LeaderId, LastIncludedIndex, LastIncludedTerm int }

type snapshotReply struct{ Term int }

// entries returns AppendEntries arguments with entries of the terms.
func entries(leader, term, prevIndex, prevTerm, commit int, terms ...int) *appendArgs {
	args := &appendArgs{term, leader, prevIndex, prevTerm, nil, commit}
	for k, t := range terms {
		args.Entries = append(args.Entries, logEntry{t, prevIndex + 1 + k})
	}
	return args
}

// A request, its handler, its reply and its end are events, with their fates.
func TestFates(t *testing.T) {
	s := newScene(t, 2)
	s.startAll()
	s.Server(0).State(1, "leader", 0, 0)
	s.Server(1).State(1, "follower", 0, 0)
	s.skip()
	heartbeat := entries(0, 1, 0, 0, 0)
	const sent = "0 send to 1 term 1 : AppendEntries term 1 after 0/0: heartbeat, commit 0"
	s.send(0, 1, "AppendEntries", heartbeat).done(&appendReply{1, true})
	s.expect(sent, "1 receive", "1 answer term 1 ok : has entries up to 0", "0 end delivered")
	for fate, want := range map[labrpc.Fate]string{
		labrpc.Late: "delivered late", labrpc.ReplyLost: "reply lost", labrpc.CutOff: "cut off",
	} {
		s.send(0, 1, "AppendEntries", heartbeat).handling().handled(&appendReply{1, true}).ended(fate)
		s.expect(sent, "1 receive", "1 answer term 1 ok : has entries up to 0", "0 end "+want)
	}
	for fate, want := range map[labrpc.Fate]string{labrpc.RequestLost: "request lost", labrpc.Unreachable: "unreachable"} {
		s.send(0, 1, "AppendEntries", heartbeat).ended(fate)
		s.expect(sent, "0 end "+want)
	}
	cut := s.send(0, 1, "AppendEntries", heartbeat)
	cut.ended(labrpc.CutOff)
	cut.handling().handled(&appendReply{1, true}) // the handler goes on
	s.expect(sent, "0 end cut off", "1 receive", "1 answer term 1 ok : has entries up to 0")
	if len(s.Cluster.calls) > 0 {
		t.Errorf("%d calls are remembered", len(s.Cluster.calls))
	}
}

// A reply to a server that has crashed, has another term or another role is thrown away.
func TestIgnored(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(s *scene)
		ignored bool
	}{
		"same term":         {func(s *scene) {}, false},
		"another term":      {func(s *scene) { s.Server(0).State(2, "follower", -1, -1) }, true},
		"follower":          {func(s *scene) { s.Server(0).State(1, "follower", 1, 0) }, true},
		"elected meanwhile": {func(s *scene) { s.Server(0).State(1, "leader", 0, 0) }, false},
		"crashed":           {func(s *scene) { s.Crashed(0) }, true},
		"restarted":         {func(s *scene) { s.Crashed(0); s.start(0); s.Server(0).State(1, "candidate", -1, 0) }, true},
	} {
		s := newScene(t, 2)
		s.startAll()
		s.Server(0).State(1, "candidate", -1, 0)
		vote := s.send(0, 1, "RequestVote", &voteArgs{1, 0, 0, 0}).handling().handled(&voteReply{1, true})
		c.change(s)
		vote.ended(labrpc.Delivered)
		lines := s.lines()
		if last := lines[len(lines)-1]; (last == "0 end thrown away") != c.ignored || !c.ignored && last != "0 end delivered" {
			t.Errorf("%s: the last event is %q", name, last)
		}
	}
}

// Of a server that tells nothing, nobody knows whether it uses a stale reply.
func TestStale(t *testing.T) {
	for want, change := range map[string]func(s *scene){
		"a reply of term 1, but server 0 is in term 2":          func(s *scene) { s.send(0, 1, "RequestVote", &voteArgs{2, 0, 0, 0}) },
		"a reply to a candidate, but server 0 is one no longer": func(s *scene) { s.append(0, &appendArgs{Term: 1, LeaderId: 1}, true) },
	} {
		s := newScene(t, 2)
		s.startAll()
		vote := s.send(0, 1, "RequestVote", &voteArgs{1, 0, 0, 0}).handling().handled(&voteReply{1, true})
		change(s)
		vote.ended(labrpc.Delivered)
		lines := s.lines()
		if last := lines[len(lines)-1]; last != "0 end delivered : "+want {
			t.Errorf("the last event is %q, want %q", last, want)
		}
	}
}

// What a server of an earlier start sends, handles and tells is not recorded.
func TestRestart(t *testing.T) {
	s := newScene(t, 2)
	old := s.startAll()[0]
	late := s.send(1, 0, "RequestVote", &voteArgs{1, 1, 0, 0})
	s.skip()
	old.State(1, "follower", -1, -1)
	s.Crashed(0)
	s.Crashed(0) // it is not running
	old.Commit(7)
	s.send(0, 1, "RequestVote", &voteArgs{1, 0, 0, 0})
	s.expect("0 state follower term 1", "0 crash")
	oldEnd := endName(0, 1, 1)
	s.start(0)
	old.Applied(7, "x")
	s.Sent(labrpc.CallInfo{Number: 99, End: oldEnd, Server: 1, Method: "Raft.RequestVote"}, &voteArgs{2, 0, 0, 0})
	late.done(&voteReply{1, true}) // by the handler of the earlier start
	s.expect("0 start", "1 end delivered")
	s.Server(0).Commit(7)
	s.expect("0 commit at 7")
}

// What a server tells becomes events as it is.
func TestTold(t *testing.T) {
	s := newScene(t, 2)
	r := s.startAll()[0]
	r.State(3, "leader", 0, 0)
	r.Log(1, []int{1, 3}, func(k int) any { return []string{"a", "b"}[k] })
	r.Saved(3, 0, 2, 0, 120)
	r.Saved(3, -1, 2, 1, 120)
	r.Commit(2)
	r.Applied(1, 77)
	r.Applied(2, nil)
	r.Snapshot(1, 1, false)
	r.Snapshot(2, 3, true)
	s.Violation(wire.Violation{Rule: "rule", Text: "text", Server: 1, Term: 3, Index: 2, Call: 5})
	s.expect("0 state leader of 0 term 3", `0 log at 1 "a"/1 "b"/3`, "0 save term 3 : term 3, vote for server 0, log up to 2; 120 bytes",
		"0 save term 3 : term 3, no vote, log up to 2, snapshot up to 1; 120 bytes", "0 commit at 2", "0 apply at 1 : 77", "0 apply at 2 : a snapshot",
		"0 snapshot term 1 at 1 : its own", "0 snapshot term 3 at 2 : the leader's", "1 violation term 3 at 2 : text")
}

// Another transport's messages are recorded by hand.
func TestByHand(t *testing.T) {
	s := newScene(t, 2)
	s.startAll()
	m := s.Message(1, 0, "Raft.RequestVote", &voteArgs{4, 1, 2, 1})
	m.Received()
	m.Answered(&voteReply{4, true})
	m.Ended(picture.Delivered)
	s.expect("1 state candidate term 4", "1 send to 0 term 4 2..2 : RequestVote term 4: last log entry 2/1", "0 receive", "0 state follower term 4",
		"0 answer term 4 ok : votes for server 1", "1 end delivered")
}

type said struct{ Term int }

func (said) String() string { return "in its own words\nand more" }

type panics struct{ Term int }

func (*panics) String() string { panic("String") }

// Arguments with a method String are shown in their own words, of which some say how many entries there are.
func TestWords(t *testing.T) {
	s := newScene(t, 2)
	s.startAll()
	s.send(0, 1, "Other", said{7})
	s.send(0, 1, "Other", &panics{7})
	for _, text := range []string{"2 entries 5..6", "entry 5", "heartbeat"} {
		s.send(0, 1, "AppendEntries", &ourAppend{3, 4, 2, "AppendEntries term 3 after 4/2: " + text + ", commit 4"})
	}
	lines := slices.DeleteFunc(s.lines(), func(line string) bool { return !strings.Contains(line, "send") })
	want := []string{"0 send to 1 : in its own words", "0 send to 1 : Other {Term:7}",
		"0 send to 1 term 3 5..6 : AppendEntries term 3 after 4/2: 2 entries 5..6, commit 4",
		"0 send to 1 term 3 5..5 : AppendEntries term 3 after 4/2: entry 5, commit 4",
		"0 send to 1 term 3 5..4 : AppendEntries term 3 after 4/2: heartbeat, commit 4"}
	if !slices.Equal(lines, want) {
		t.Errorf("events\n\t%s", strings.Join(lines, "\n\t"))
	}
}

type ourAppend struct {
	Term, PrevLogIndex, PrevLogTerm int
	Words                           string
}

func (a *ourAppend) String() string { return a.Words }

// All fields are kept, a line each; equal messages share the text.
func TestDetail(t *testing.T) {
	s := newScene(t, 2)
	s.startAll()
	for range 2 {
		s.send(0, 1, "AppendEntries", entries(0, 1, 4, 1, 3, 1))
	}
	d := dataOf(t, s.rec)
	last := len(d.Events.Kind) - 1
	want := "Term: 1\nLeaderId: 0\nPrevLogIndex: 4\nPrevLogTerm: 1\nEntries: [1]{{Term:1 Command:5}}\nLeaderCommit: 3"
	if got := d.Strings[d.Events.Detail[last]]; got != want || d.Events.Detail[last-1] != d.Events.Detail[last] {
		t.Errorf("detail\n%s", got)
	}
	if n := len(s.readings.known); n != 1 {
		t.Errorf("%d readings of equal messages", n)
	}
}
