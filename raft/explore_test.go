package raft

// The explorer's tests: all schedules of the library's own code within small limits, walks beyond them, and with -explore
// the larger limits of "make explore". docs/explore.md says how it works and what it leaves out.

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

var (
	exploreFlag  = flag.Bool("explore", false, "explore within large limits, which takes minutes")
	exploreTrace = flag.String("explore.trace", "", "play this trace step by step instead")
)

// variants are the options that servers are explored with. Any two values of two options meet in one of them.
var variants = []variant{
	{"plain", []Option{WithPreVote(false), WithVotePolicy(VoteSelfFirst)}},
	{"default", nil},
}

// A mission is limits to explore.
type mission struct {
	variant string
	limits  limits
}

func variantOf(name string) variant {
	for _, v := range variants {
		if v.name == name {
			return v
		}
	}
	panic("no variant " + name)
}

// explore searches within limits, and returns a counterexample or nil.
func (m mission) explore(deadline time.Time, progress func(depth, states int)) (report, *caught) {
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	v := variantOf(m.variant)
	x := newSearch(m.limits, v.opts)
	x.deadline = deadline
	r := x.run(runtime.GOMAXPROCS(0), progress)
	if r.found == nil {
		return r, nil
	}
	w := walk{limits: wide(m.limits.servers), variant: v, trace: x.trace()}
	w.limits.lag = m.limits.lag
	c := w.catch(r.found.breach)
	return r, &c
}

func TestExploreSmall(t *testing.T) {
	for _, m := range []mission{
		{"plain", limits{servers: 3, terms: 2, commands: 1}},
		{"default", limits{servers: 3, terms: 2, commands: 1}},
		{"plain", limits{servers: 3, terms: 1, commands: 2, flight: 1}},
		{"plain", limits{servers: 3, terms: 2, commands: 1, crashes: 1, saves: true, snaps: 1}},
	} {
		r, c := m.explore(time.Time{}, func(d, s int) {})
		fmt.Fprintf(os.Stderr, "%+v: %v\n", m, r)
		if c != nil {
			t.Fatal(c)
		}
	}
}

func TestWalks(t *testing.T) {
	begin := time.Now()
	n := 0
	for seed := int64(1); time.Since(begin) < 5*time.Second; seed++ {
		w, broken := walkFrom(seed, 150, true)
		n++
		if broken != nil {
			before := len(w.trace)
			w.shrink(broken, true)
			t.Fatalf("seed %d, %d actions shrunk\n%v", seed, before, w.catch(broken))
		}
	}
	t.Log(n, "walks")
}

// playTrace plays a trace under the watch.
func playTrace(t *testing.T, code string) {
	t.Helper()
	w, err := parseCode(code)
	if err != nil {
		t.Fatal(err)
	}
	if _, broken := w.play(w.trace, true); broken != nil {
		t.Fatal(w.catch(broken))
	}
}
