package raft

// The explorer's tests: all schedules of the library's own code within small limits, walks beyond them, and with -explore
// the larger limits of "make explore". docs/explore.md says how it works and what it leaves out.

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

var (
	exploreFlag  = flag.Bool("explore", false, "explore within large limits, which takes minutes")
	exploreTrace = flag.String("explore.trace", "", "play this trace step by step instead")
)

// words are the options of variants.
var words = map[string]Option{
	"self-first": WithVotePolicy(VoteSelfFirst), "concede": WithConcession(true), "no-prevote": WithPreVote(false),
	"pool-2": WithLink(LinkPool(2)), "ordered": WithLink(LinkOrdered), "per-message": WithLink(LinkPerMessage),
	"by-half": WithBackup(BackupByHalf), "by-one": WithBackup(BackupByOne), "trail-1": WithTrailingLog(1),
}

// pairwise are variants in which any two values of two options meet: TestExplorePairs.
var pairwise = []string{
	"default",
	"self-first+no-prevote",
	"self-first+concede+per-message+by-half+trail-1",
	"concede+no-prevote+ordered+by-one+trail-1",
	"self-first+pool-2+by-one",
	"concede+no-prevote+pool-2+by-half",
	"self-first+ordered+trail-1",
	"no-prevote+per-message+by-one",
	"self-first+concede+by-one+trail-1",
	"concede+no-prevote+pool-2+trail-1",
	"self-first+ordered+by-half",
	"self-first+concede+per-message+trail-1",
	"concede+by-half+trail-1",
}

// variantOf returns the variant that its words name.
func variantOf(name string) (variant, error) {
	v := variant{name: name}
	for _, word := range strings.Split(name, "+") {
		option, ok := words[word]
		switch {
		case ok:
			v.opts = append(v.opts, option)
		case name != "default":
			return v, fmt.Errorf("there is no option %q of an exploration", word)
		}
	}
	return v, nil
}

func mustVariant(name string) variant {
	v, err := variantOf(name)
	if err != nil {
		panic(err)
	}
	return v
}

// A mission is limits to explore.
type mission struct {
	variant string
	limits  limits
}

// explore searches within limits, and returns a counterexample or nil.
func (m mission) explore(deadline time.Time, progress func(depth, states int)) (report, *caught) {
	defer debug.SetGCPercent(debug.SetGCPercent(200))
	v := mustVariant(m.variant)
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
		{"self-first+no-prevote", limits{servers: 3, terms: 2, commands: 1}},
		{"default", limits{servers: 3, terms: 2, commands: 1}},
		{"self-first+no-prevote", limits{servers: 3, terms: 1, commands: 2, flight: 1}},
		{"self-first+no-prevote", limits{servers: 3, terms: 2, commands: 1, crashes: 1, saves: true, snaps: 1}},
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

func TestExploreTrial(t *testing.T) {
	m := mission{"no-prevote", limits{servers: 3, terms: 2, commands: 1, flight: 1}}
	fmt.Sscanf(os.Getenv("L"), "%d %d %d %d %d %d", &m.limits.servers, &m.limits.terms, &m.limits.commands, &m.limits.crashes, &m.limits.snaps, &m.limits.flight)
	m.limits.saves = m.limits.crashes > 0
	if v := os.Getenv("V"); v != "" {
		m.variant = v
	}
	begin := time.Now()
	r, c := m.explore(time.Now().Add(60*time.Second), func(d, s int) { fmt.Println(d, s, time.Since(begin)) })
	var ms runtime.MemStats
	runtime.ReadMemStats(&ms)
	fmt.Printf("%+v: %v %d MB\n", m, r, ms.Sys>>20)
	if c != nil {
		t.Fatal(c)
	}
}
