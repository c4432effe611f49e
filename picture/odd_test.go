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
				At: time.Duration(one()), Kind: Kind(r.Intn(22)), Role: Role(r.Intn(6)), Fate: Fate(r.Intn(10)), OK: r.Intn(2) > 0, Up: r.Intn(2) > 0,
				Lane: one(), Peer: one(), Call: int64(one()), Term: one(), Index: one(), Last: one(),
				Name: []string{"", "vote", "PreVote", "x"}[r.Intn(4)], Entries: make([]Entry, r.Intn(4)),
			})
		}
		s.data(t)
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
