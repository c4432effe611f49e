package picture

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

var (
	askVote = Event{Name: "Raft.RequestVote"}
	append1 = Event{Name: "Raft.AppendEntries"}
)

func with(e Event, term, index, last int) Event {
	e.Term, e.Index, e.Last = term, index, last
	return e
}

// elect makes a lane the leader of a term with the votes of others, and returns the events that led to it.
func (s *script) elect(lane, term int, voters ...int) (events []int) {
	events = append(events, s.do(Event{Kind: State, Lane: lane, Peer: NoLane, Role: Candidate, Term: term}))
	for _, v := range voters {
		parts := s.message(lane, v, with(askVote, term, 0, 0), "ok", Event{Kind: Save, Text: "vote"})
		events = append(events, parts[0], parts[1], parts[1]+1, parts[2], parts[3])
	}
	return append(events, s.do(Event{Kind: State, Lane: lane, Peer: lane, Role: Leader, Term: term}))
}

func (s *script) noise(n int) {
	for k := range n {
		s.message(0, 1+k%2, with(append1, 1, 0, 0), "ok")
		s.do(Event{Kind: Apply, Lane: k % 3, Index: 100 + k})
		s.do(Event{Kind: Note, Lane: k % 3})
	}
}

func (s *script) wantPast(t *testing.T, want ...int) {
	t.Helper()
	got := s.data(t).flagged(flagPast)
	slices.Sort(want)
	if want = slices.Compact(want); !slices.Equal(got, want) {
		t.Errorf("the causal past is %v, want %v", got, want)
	}
}

// A wrong result of an operation, which was noticed later: its beginning, the reply that it was made of, and what the server had
// applied. Other messages of the client, and refusals, do not belong to it. The page opens at the end of the operation.
func TestPastOfAnOperation(t *testing.T) {
	s := newScript(2, 0)
	client := s.Lane("client 0", true)
	get := Event{Name: "Get"}
	s.message(client, 1, get, "ok")
	want := []int{s.do(Event{Kind: Invoke, Lane: client, Call: -7, Text: "get"})}
	s.do(Event{Kind: Apply, Lane: 1, Index: 1})
	want = append(want, s.do(Event{Kind: Apply, Lane: 1, Index: 2}))
	parts := s.message(client, 1, get, "ok")
	want = append(want, parts[:]...)
	s.message(client, 0, get, "not the leader")
	end := s.do(Event{Kind: Return, Lane: client, Call: -7, OK: true})
	s.noise(3)
	want = append(want, end, s.do(Event{Kind: Violation, Lane: client, Call: -7, Name: "not linearizable"}))
	s.wantPast(t, want...)
	if d := s.data(t); d.Open != end || d.Violation != s.events-1 {
		t.Errorf("opens at %d, want %d; violation %d", d.Open, end, d.Violation)
	}
}

// Two votes of one server in one term: both votes and their requests, and the crash between them.
func TestPastOfTwoVotes(t *testing.T) {
	s := newScript(4, 0)
	want := s.elect(0, 5, 3)
	s.noise(5)
	want = append(want, s.do(Event{Kind: Crash, Lane: 3}))
	want = append(want, s.do(Event{Kind: Start, Lane: 3}))
	s.noise(5)
	want = append(want, s.do(Event{Kind: State, Lane: 1, Peer: NoLane, Role: Candidate, Term: 5}))
	parts := s.message(1, 3, with(askVote, 5, 0, 0), "ok")
	want = append(want, parts[:]...)
	want = append(want, s.do(Event{Kind: Violation, Lane: 3, Term: 5, Call: s.calls, Name: "two votes"}))
	s.wantPast(t, want...)
}

// An entry that is applied: how it came to the followers, whose replies were counted, and the leader's election. Other entries
// do not count.
func TestPastOfAnEntry(t *testing.T) {
	s := newScript(3, 0)
	want := s.elect(0, 2, 1)
	s.do(Event{Kind: Log, Lane: 0, Index: 1, Entries: []Entry{{2, "a"}}})
	s.message(0, 1, with(append1, 2, 1, 1), "ok", Event{Kind: Log, Index: 1, Entries: []Entry{{2, "a"}}})
	want = append(want, s.do(Event{Kind: Log, Lane: 0, Index: 2, Entries: []Entry{{2, "b"}}}))
	parts := s.message(0, 1, with(append1, 2, 2, 2), "ok", Event{Kind: Log, Index: 2, Entries: []Entry{{2, "b"}}}, Event{Kind: Save})
	want = append(want, parts[0], parts[1], parts[1]+1, parts[1]+2, parts[2], parts[3])
	want = append(want, s.do(Event{Kind: Commit, Lane: 0, Index: 2}))
	s.noise(3)
	want = append(want, s.do(Event{Kind: Apply, Lane: 0, Index: 2}))
	s.do(Event{Kind: Apply, Lane: 0, Index: 3})
	want = append(want, s.do(Event{Kind: Violation, Lane: 0, Index: 2}))
	s.wantPast(t, want...)
}

// A follower applies what the leader, which has crashed, has committed: the replies that the leader had counted, although it has
// told its State again since, and although a request for its vote was being handled.
func TestPastOfAFollowersCommit(t *testing.T) {
	s := newScript(3, 0)
	want := s.elect(0, 2, 1)
	entry := Event{Kind: Log, Index: 1, Entries: []Entry{{2, "a"}}}
	want = append(want, s.do(entry))
	parts := s.message(0, 1, with(append1, 2, 1, 1), "ok", entry)
	want = append(want, parts[0], parts[1], parts[1]+1, parts[2], parts[3])
	want = append(want, s.do(Event{Kind: State, Lane: 0, Peer: 0, Role: Leader, Term: 2}))
	s.do(Event{Kind: Send, Lane: 2, Peer: 0, Call: 98, Name: askVote.Name, Term: 1})
	s.do(Event{Kind: Receive, Lane: 0, Call: 98})
	want = append(want, s.do(Event{Kind: Commit, Lane: 0, Index: 1}))
	s.do(Event{Kind: Answer, Lane: 0, Call: 98})
	told := s.message(0, 1, with(append1, 2, 2, 1), "ok", Event{Kind: Commit, Index: 1})
	want = append(want, told[0], told[1], told[1]+1)
	s.do(Event{Kind: Crash, Lane: 0})
	want = append(want, s.do(Event{Kind: Apply, Lane: 1, Index: 1}))
	want = append(want, s.do(Event{Kind: Violation, Lane: 1, Index: 1}))
	s.wantPast(t, want...)
}

// An acknowledgement that is taken back: the acknowledgement, the message that cut the log, and the refusal.
func TestPastOfALostEntry(t *testing.T) {
	s := newScript(3, 0)
	want := s.elect(0, 1, 2)
	want = append(want, s.do(Event{Kind: Log, Lane: 0, Index: 1, Entries: []Entry{{1, "a"}}}))
	want = append(want, s.do(Event{Kind: Log, Lane: 0, Index: 2, Entries: []Entry{{1, "b"}}}))
	long := s.message(0, 1, with(append1, 1, 1, 2), "ok", Event{Kind: Log, Index: 1, Entries: []Entry{{1, "a"}, {1, "b"}}})
	want = append(want, long[0], long[1], long[1]+1, long[2])
	s.noise(4)
	short := s.message(0, 1, with(append1, 1, 1, 1), "ok", Event{Kind: Log, Index: 1, Entries: []Entry{{1, "a"}}})
	want = append(want, short[0], short[1], short[1]+1, short[2])
	s.noise(4)
	refused := s.message(0, 1, with(append1, 1, 3, 3), "its log ends at 1")
	want = append(want, refused[:]...)
	want = append(want, s.do(Event{Kind: Violation, Lane: 1, Term: 1, Index: 2, Call: s.calls}))
	s.wantPast(t, want...)
}

// The past is bounded, and has no cycles to run in.
func TestPastIsBounded(t *testing.T) {
	s := newScript(3, 0)
	for i := 1; i < 2000; i++ {
		s.message(i%3, (i+1)%3, with(append1, i, 1, i), "ok", Event{Kind: Log, Index: i, Entries: []Entry{{i, "x"}}},
			Event{Kind: State, Role: Follower, Term: i, Peer: i % 3})
	}
	s.do(Event{Kind: Violation, Lane: 2, Term: 1999, Index: 1999, Call: s.calls})
	if n := len(s.data(t).flagged(flagPast)); n > maxPast || n < 10 {
		t.Errorf("the causal past has %d events", n)
	}
}

func TestFold(t *testing.T) {
	s := newScript(3, 0)
	heartbeat := with(append1, 1, 0, 0)
	for range 3 {
		s.message(0, 1, heartbeat, "ok")
		s.message(0, 2, heartbeat, "ok")
	}
	want := []int{}
	for i := 8; i < 24; i++ { // all but the first of each
		want = append(want, i)
	}
	for _, e := range []struct {
		text, answer string
		Event
		during []Event
	}{
		{"refused", "in term 2", heartbeat, nil},
		{"after a refusal", "ok", heartbeat, nil},
		{"another term", "ok", with(append1, 2, 0, 0), nil},
		{"entries", "ok", with(append1, 2, 3, 3), nil},
		{"a change", "ok", with(append1, 2, 3, 3), []Event{{Kind: Commit, Index: 3}}},
	} {
		s.message(0, 1, e.Event, e.answer, e.during...)
	}
	parts := s.message(0, 1, with(append1, 2, 3, 3), "ok")
	want = append(want, parts[:]...)
	s.message(0, 1, with(append1, 2, 3, 3), "ok")
	s.Add(Event{At: s.now, Kind: State, Lane: 0, Role: Follower, Term: 2, Peer: NoLane}) // the reply had this effect
	if got := s.data(t).flagged(flagFolded); !slices.Equal(got, want) {
		t.Errorf("folded are %v, want %v", got, want)
	}
	// What the violation depends on is seen.
	s.message(0, 1, with(append1, 2, 3, 3), "ok")
	s.do(Event{Kind: Violation, Lane: 1, Call: s.calls})
	if got := s.data(t).flagged(flagFolded); !slices.Equal(got, want) {
		t.Errorf("with a violation, folded are %v, want %v", got, want)
	}
}

// A message that is lost again and again is folded, too.
func TestFoldLost(t *testing.T) {
	s := newScript(2, 0)
	for k := range 4 {
		s.calls++
		s.do(Event{Kind: Send, Lane: 0, Peer: 1, Call: s.calls, Name: "x", Term: 1})
		fate := Unreachable
		if k == 3 {
			fate = RequestLost
		}
		s.do(Event{Kind: End, Lane: 0, Call: s.calls, Fate: fate})
	}
	s.do(Event{Kind: Send, Lane: 0, Peer: 1, Call: 9, Name: "x", Term: 1}) // under way
	if got, want := s.data(t).flagged(flagFolded), []int{2, 3, 4, 5}; !slices.Equal(got, want) {
		t.Errorf("folded are %v, want %v", got, want)
	}
}

func TestElections(t *testing.T) {
	s := newScript(4, 0)
	s.elect(0, 1, 1, 2)
	s.now += time.Second
	s.message(3, 0, with(askVote, 2, 0, 0), "its log is newer: 5/1")
	for peer, fate := range map[int]Fate{1: Unreachable, 2: ReplyLost} {
		s.calls++
		s.do(Event{Kind: Send, Lane: 3, Peer: peer, Call: s.calls, Name: askVote.Name, Term: 2})
		if fate == ReplyLost {
			s.do(Event{Kind: Receive, Lane: peer, Call: s.calls})
			s.do(Event{Kind: Answer, Lane: peer, Call: s.calls, OK: true})
		}
		s.do(Event{Kind: End, Lane: 3, Call: s.calls, Fate: fate})
	}
	for call := range int64(3) { // a round of PreVotes, and another one; no answer yet
		s.do(Event{Kind: Send, Lane: 3, Peer: 1 + int(call)%2, Call: 99 + call, Name: "PreVote", Term: 3})
		s.now += time.Duration(call) * time.Second
	}
	var got []string
	for _, el := range s.data(t).Elections {
		votes := make([]string, 4)
		for _, v := range el.Votes {
			votes[v.Lane] = v.Text
		}
		got = append(got, fmt.Sprintf("%d in %d: %s %q", el.Lane, el.Term, el.Outcome, votes))
	}
	want := []string{
		`0 in 1: won: 3 of 4 votes ["" "granted" "granted" ""]`,
		`3 in 2: no majority: 1 of 4 votes ["refused: its log is newer: 5/1" "not heard: unreachable" "granted, but not heard: reply lost" ""]`,
		`3 in 3: no majority: 1 of 4 votes ["" "not heard: no answer yet" "not heard: no answer yet" ""]`,
		`3 in 3: no majority: 1 of 4 votes ["" "not heard: no answer yet" "" ""]`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("elections are\n%q, want\n%q", got, want)
	}
}

// An apply error names no index. The first command that differs leads to it, long before the test notices.
func TestPastOfAContradiction(t *testing.T) {
	s := newScript(3, 0)
	s.do(Event{Kind: Snapshot, Lane: 1, Index: 1, Text: "the leader's"})
	want := []int{s.do(Event{Kind: Snapshot, Lane: 1, Index: 4, Text: "its own"})}
	for index := 4; index < 9; index++ {
		for lane := range 3 {
			text := fmt.Sprint("command ", index)
			if lane == 1 && index > 4 {
				text = fmt.Sprint("command ", index-1)
			}
			k := s.do(Event{Kind: Apply, Lane: lane, Index: index, Text: text})
			if index == 5 && lane < 2 || index == 8 {
				want = append(want, k)
			}
		}
	}
	want = append(want, s.do(Event{Kind: Violation, Lane: 1, Name: "apply error"}))
	s.wantPast(t, want...)
	if got := s.data(t).flagged(flagNamed); !slices.Equal(got, want) {
		t.Errorf("named are %v, want %v", got, want)
	}
}

// A rule that was noticed to be broken later opens at the message that has broken it.
func TestOpen(t *testing.T) {
	s := newScript(2, 0)
	parts := s.message(0, 1, with(askVote, 1, 0, 0), "it does not say why")
	s.do(Event{Kind: Note, Lane: 0})
	v := s.do(Event{Kind: Violation, Lane: 1, Call: s.calls})
	if d := s.data(t); d.Open != parts[2] || d.Violation != v {
		t.Errorf("opens at %d, want %d; the violation is %d, want %d", d.Open, parts[2], d.Violation, v)
	}
	s = newScript(2, 0)
	v = s.do(Event{Kind: Violation, Lane: NoLane, Name: "the test fails"})
	if d := s.data(t); d.Open != v {
		t.Errorf("opens at %d, want %d", d.Open, v)
	}
}

// A candidate that tells its state again, such as when it votes for itself, has begun to stand before.
func TestPastOfARepeatedState(t *testing.T) {
	s := newScript(3, 0)
	s.do(Event{Kind: State, Lane: 0, Peer: NoLane, Role: Follower, Term: 1})
	want := []int{s.do(Event{Kind: State, Lane: 0, Peer: NoLane, Role: Candidate, Term: 2})}
	parts := s.message(0, 1, with(askVote, 2, 0, 0), "ok")
	want = append(want, parts[:]...)
	want = append(want, s.do(Event{Kind: State, Lane: 0, Peer: NoLane, Role: Candidate, Term: 2}))
	want = append(want, s.do(Event{Kind: State, Lane: 0, Peer: 0, Role: Leader, Term: 2}))
	want = append(want, s.do(Event{Kind: Violation, Lane: 0, Term: 2}))
	s.wantPast(t, want...)
}
