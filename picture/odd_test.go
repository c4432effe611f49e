package picture

import (
	"math"
	"math/rand"
	"slices"
	"testing"
	"time"
)

// Events that make no sense become a page like others.
func TestOddEvents(t *testing.T) {
	numbers := []int{math.MinInt, -2, NoLane, 0, 1, 2, 3, math.MaxInt}
	for seed := range int64(60) {
		r := rand.New(rand.NewSource(seed))
		one := func() int { return numbers[r.Intn(len(numbers))] }
		s := newScript(r.Intn(4), chunkSize)
		for range r.Intn(3000) {
			s.Add(Event{
				At: time.Duration(one()), Kind: Kind(r.Intn(int(Violation + Kind(seed%3*2)))), Role: Role(r.Intn(6)), Fate: Fate(r.Intn(10)), OK: r.Intn(2) > 0, Up: r.Intn(2) > 0,
				Lane: one(), Peer: one(), Call: int64(one()), Term: one(), Index: one(), Last: one(),
				Name: []string{"", "vote", "PreVote", "x"}[r.Intn(4)], Entries: make([]Entry, r.Intn(4)),
			})
		}
		d := s.data(t)
		lanes := append(d.Events.Lane, d.Events.Peer...)
		for _, l := range d.Lanes {
			lanes = append(append(lanes, l.Before.Leader), l.Before.Cut...)
		}
		for _, lane := range lanes {
			if lane < NoLane || lane >= len(d.Lanes) {
				t.Fatalf("an event is on lane %d of %d", lane, len(d.Lanes))
			}
		}
	}
}

// On a real clock, a little time passes between a reply and what follows from it, and other messages come in between.
func TestFoldOnRealClock(t *testing.T) {
	s := newScript(2, 0)
	for k := range 3 {
		s.message(0, 1, with(append1, 1, 0, 0), "ok")
		if k == 1 {
			s.Add(Event{At: s.now + 20*time.Microsecond, Kind: Send, Lane: 0, Peer: 1, Call: 99, Name: "x"})
			s.Add(Event{At: s.now + 50*time.Microsecond, Kind: Commit, Lane: 0, Index: 1})
		}
	}
	if got, want := s.data(t).flagged(flagFolded), []int{10, 11, 12, 13}; !slices.Equal(got, want) {
		t.Errorf("folded are %v, want %v", got, want)
	}
}

// A message whose handler has not returned may have changed its receiver.
func TestFoldUnanswered(t *testing.T) {
	s := newScript(2, 0)
	for call := range int64(2) {
		s.do(Event{Kind: Send, Lane: 0, Peer: 1, Call: call + 1, Name: "x", Term: 1})
		s.do(Event{Kind: Receive, Lane: 1, Call: call + 1})
		s.do(Event{Kind: Commit, Lane: 1, Index: 1 + int(call)})
		s.do(Event{Kind: End, Lane: 0, Call: call + 1, Fate: CutOff})
	}
	if got := s.data(t).flagged(flagFolded); len(got) > 0 {
		t.Errorf("folded are %v, want none", got)
	}
}

// A run that goes on after its violation does not push it off the page, nor the elections before it.
func TestLongAfterViolation(t *testing.T) {
	for _, max := range []int{1, chunkSize, 3 * chunkSize} {
		s := newScript(3, max)
		s.noise(max)
		s.elect(1, 7, 2)
		s.do(Event{Kind: Violation, Lane: 1, Term: 7, Name: "first"})
		s.do(Event{Kind: Violation, Lane: 2, Term: 8, Name: "second"})
		for term := range max {
			s.elect(0, 10+term, 1)
		}
		d := s.data(t)
		if d.Violation < 0 || d.Strings[d.Events.Name[d.Violation]] != "first" {
			t.Fatalf("of at most %d events: violation %d", max, d.Violation)
		}
		if kept := len(d.Events.At); kept > max+chunkSize || max > 1 && (len(d.Notes) != 1 || kept-d.Violation < max/4) {
			t.Errorf("of at most %d events, %d are kept, %d of them after the violation; notes: %q", max, kept, kept-d.Violation, d.Notes)
		}
		if n := len(d.Elections); n != 1 || d.Elections[0].Term != 7 {
			t.Errorf("of at most %d events: %d elections, want that of term 7", max, n)
		}
	}
}

// The log before the first kept event may be long. Its memory is used again.
func TestLongLogIsCheap(t *testing.T) {
	var s state
	index := 0
	grow := func() {
		index++
		s.apply(&Event{Kind: Log, Index: index, Entries: []Entry{{1, "x"}}})
	}
	for range 2 * maxLog {
		grow()
	}
	if n := testing.AllocsPerRun(1000, grow); n > 1 { // that is the slice of Entries
		t.Errorf("an entry takes %v allocations", n)
	}
	if len(s.log) != maxLog || s.last() != index {
		t.Errorf("the log has %d entries up to %d, want %d up to %d", len(s.log), s.last(), maxLog, index)
	}
}

// A vote that arrives after the candidacy was heard, but does not count.
func TestLateVote(t *testing.T) {
	s := newScript(3, 0)
	s.do(Event{Kind: State, Lane: 0, Peer: NoLane, Role: Candidate, Term: 1})
	s.do(Event{Kind: Send, Lane: 0, Peer: 1, Call: 1, Name: askVote.Name, Term: 1})
	s.do(Event{Kind: Answer, Lane: 1, Call: 1, OK: true})
	s.do(Event{Kind: End, Lane: 0, Call: 1, Fate: Ignored})
	el := s.data(t).Elections
	if len(el) != 1 || el[0].Votes[0].Text != "granted, but too late" || el[0].Outcome != "no majority: 1 of 3 votes" {
		t.Errorf("elections: %+v", el)
	}
}
