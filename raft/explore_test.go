package raft

// The explorer's tests: all schedules of the library's own code within small limits, walks beyond them, and with -explore
// the larger limits of "make explore". docs/explore.md says how it works and what it leaves out.

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"
	"time"
)

var (
	exploreFlag  = flag.Bool("explore", false, "explore within large limits, which takes minutes")
	exploreLimit = flag.Duration("explore.limit", 0, "with -explore: stop after this `duration`, and say how far it came")
	exploreTrace = flag.String("explore.trace", "", "play this trace step by step instead")
)

// optionWords are the options of variants.
var optionWords = map[string]Option{
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
		option, ok := optionWords[word]
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

// A mission is a search: a variant and limits. states is how many states there are, 0 where that takes too long to find out.
type mission struct {
	variant string
	limits  limits
	states  int
}

// small are the searches of every test run. The numbers of states are golden: one that changes says that servers can get
// into other states than before, or that the explorer sees others. Look into why before you write down the new one.
var small = []mission{
	{"default", limits{servers: 3, terms: 2, commands: 1}, 10866},
	{"self-first+no-prevote", limits{servers: 3, terms: 2, commands: 1, crashes: 1, saves: true, snaps: 1}, 29093},
	{"self-first+concede+per-message+by-half+trail-1", limits{servers: 3, terms: 1, commands: 2, snaps: 1}, 3629},
	{"concede+no-prevote+ordered+by-one+trail-1", limits{servers: 3, terms: 2, commands: 1}, 11445},
	{"self-first+pool-2+by-one", limits{servers: 3, terms: 1, commands: 1, flight: 1}, 3720},
	{"concede+no-prevote+pool-2+by-half", limits{servers: 3, terms: 2, commands: 1}, 11445},
	{"self-first+ordered+trail-1", limits{servers: 3, terms: 1, commands: 1, flight: 1}, 3720},
	{"no-prevote+per-message+by-one", limits{servers: 3, terms: 1, commands: 1, flight: 1, repeats: true}, 8921},
	{"concede+by-half+trail-1", limits{servers: 3, terms: 1, commands: 2, queue: true, lag: true}, 27524},
	{"default", limits{servers: 2, terms: 3, commands: 2, crashes: 1, saves: true}, 21267},
	{"no-prevote", limits{servers: 4, terms: 1, commands: 1}, 1194},
}

// wanted are the searches of "make explore", each to completion.
var wanted = []mission{
	{"default", limits{servers: 3, terms: 2, commands: 1, flight: 1}, 0},
	{"no-prevote", limits{servers: 3, terms: 3, commands: 2}, 0},
	{"self-first+no-prevote", limits{servers: 5, terms: 2, commands: 1}, 0},
	{"self-first+no-prevote", limits{servers: 3, terms: 2, commands: 2, crashes: 1, saves: true, snaps: 1, flight: 1}, 0},
}

// beyond are searches that nobody expects to end: they get the time that is left.
var beyond = []mission{
	{"default", limits{servers: 3, terms: 4, commands: 3, crashes: 2, saves: true, snaps: 2, flight: 2, repeats: true, queue: true}, 0},
}

// quick is what every variant goes through in "make explore" before the large searches.
func quick() (all []mission) {
	for _, l := range []limits{
		{servers: 3, terms: 2, commands: 1, crashes: 1, saves: true, snaps: 1},
		{servers: 3, terms: 1, commands: 1, flight: 1, repeats: true, queue: true},
	} {
		for _, variant := range pairwise {
			all = append(all, mission{variant, l, 0})
		}
	}
	return all
}

func (l limits) String() string {
	s := fmt.Sprintf("%d servers, %d terms, %d commands", l.servers, l.terms, l.commands)
	for _, part := range []struct {
		n    int
		text string
	}{{l.crashes, "crashes"}, {l.snaps, "snapshots"}, {l.flight, "in flight"}} {
		if part.n > 0 {
			s += fmt.Sprintf(", %d %s", part.n, part.text)
		}
	}
	for _, part := range []struct {
		on   bool
		text string
	}{{l.repeats, "repeats"}, {l.queue, "queued Starts"}, {l.lag, "slow services"}} {
		if part.on {
			s += ", " + part.text
		}
	}
	return s
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
	c.after = fmt.Sprintf("%d states", r.states)
	return r, &c
}

// TestExplore explores every schedule of the library's code within limits, and random ones beyond them.
func TestExplore(t *testing.T) {
	switch {
	case *exploreTrace != "":
		playAndShow(t, *exploreTrace)
	case *exploreFlag:
		exploreAll(t)
	default:
		missions, walks := small, 60
		if underRace {
			missions, walks = small[:3], 10
		}
		for _, m := range missions {
			r, c := m.explore(time.Time{}, nil)
			m.report(t, r, c)
		}
		takeWalks(t, 1, func(n int) bool { return n < walks })
	}
}

// report fails the test if a search found a violation or not the number of states that there are.
func (m mission) report(t *testing.T, r report, c *caught) {
	t.Helper()
	switch {
	case c != nil:
		t.Fatal(c)
	case r.complete && m.states > 0 && r.states != m.states:
		t.Errorf("%s, %v: %d states, want %d", m.variant, m.limits, r.states, m.states)
	}
}

// takeWalks goes on random walks, and fails the test if one of them finds something.
func takeWalks(t *testing.T, seed int64, more func(walks int) bool) (n, actions int) {
	t.Helper()
	n, actions, found := walks(seed, more)
	if found != nil {
		t.Fatal(found)
	}
	return n, actions
}

// exploreAll is "make explore".
func exploreAll(t *testing.T) {
	begun, limit := time.Now(), 10*time.Minute
	if *exploreLimit > 0 {
		limit = *exploreLimit
	}
	end := begun.Add(limit)
	table := newExploreTable()
	defer table.print()
	table.search(t, end, quick()...)
	for turn := range 2 { // walks find other mistakes, and soon
		stop := time.Now().Add(10 * time.Second)
		walks, actions := takeWalks(t, int64(1+turn*1000000), func(int) bool { return time.Now().Before(stop) && time.Now().Before(end) })
		table.walks(walks, actions, 10*time.Second)
		if turn == 0 {
			table.search(t, end, wanted...)
		}
	}
	table.search(t, end, beyond...)
}

// An exploreTable collects what searches have come to.
type exploreTable struct{ rows [][]string }

func newExploreTable() *exploreTable {
	return &exploreTable{[][]string{{"variant", "limits", "states", "transitions", "depth", "seconds", "states/s", "MB", "result"}}}
}

func (e *exploreTable) print() { fmt.Print(tableOf(e.rows)) }

func (e *exploreTable) walks(walks, actions int, took time.Duration) {
	e.rows = append(e.rows, []string{"all", fmt.Sprintf("%d random walks", walks), "", fmt.Sprint(actions), "150", fmt.Sprintf("%.1f", took.Seconds()), "", "", "nothing found"})
}

// search carries out searches one after the other, each until it is complete or the time is over.
func (e *exploreTable) search(t *testing.T, end time.Time, missions ...mission) {
	t.Helper()
	for _, m := range missions {
		if !time.Now().Before(end) {
			return
		}
		runtime.GC()
		r, c := m.explore(end, func(depth, states int) {
			if states > 500_000 {
				fmt.Fprintf(os.Stderr, "\rexplore: %s, %v: depth %d, %d states ", m.variant, m.limits, depth, states)
			}
		})
		if r.states > 500_000 {
			fmt.Fprintln(os.Stderr)
		}
		result := "nothing found, complete"
		switch {
		case c != nil:
			result = "VIOLATION"
		case !r.complete:
			result = "nothing found, time is over"
		}
		e.rows = append(e.rows, []string{
			m.variant, m.limits.String(), fmt.Sprint(r.states), fmt.Sprint(r.moves), fmt.Sprint(r.depth), fmt.Sprintf("%.1f", r.took.Seconds()),
			fmt.Sprintf("%.0f", float64(r.states)/r.took.Seconds()), fmt.Sprint(heapMB()), result,
		})
		m.report(t, r, c)
	}
}

// heapMB returns how much memory the process holds.
func heapMB() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}}
	metrics.Read(sample)
	return (sample[0].Value.Uint64() + sample[1].Value.Uint64()) >> 20
}

// playAndShow plays a trace and shows what it does, step by step.
func playAndShow(t *testing.T, code string) {
	w, err := parseCode(code)
	if err != nil {
		t.Fatalf("-explore.trace: %v", err)
	}
	c := newLive(w.limits, w.variant, true)
	fmt.Print(c.show(w.trace))
	switch b := c.verdict(); {
	case b != nil:
		t.Fatalf("%v\n%s", b, c.said)
	default:
		fmt.Println("no violation")
	}
}

// playTrace plays a trace under the watch: the tests that counterexamples became call it.
func playTrace(t *testing.T, code string) {
	t.Helper()
	w, err := parseCode(code)
	if err != nil {
		t.Fatal(err)
	}
	if done, broken := w.play(w.trace, true); broken != nil {
		t.Fatal(w.catch(broken))
	} else if len(done) < len(w.trace) {
		t.Errorf("only %d of %d actions can happen: %s", len(done), len(w.trace), textOf(done))
	}
}

// Any two values of two options meet in one of the variants, and all variants can be made.
func TestExplorePairs(t *testing.T) {
	kinds := [][]string{{"self-first"}, {"concede"}, {"no-prevote"}, {"pool-2", "ordered", "per-message"}, {"by-half", "by-one"}, {"trail-1"}}
	met := make(map[[2]string]bool)
	for _, name := range pairwise {
		mustVariant(name)
		var values []string
		for k, kind := range kinds {
			value := fmt.Sprint("default ", k)
			for _, word := range kind {
				if strings.Contains("+"+name+"+", "+"+word+"+") {
					value = word
				}
			}
			for _, other := range values {
				met[[2]string{other, value}] = true
			}
			values = append(values, value)
		}
	}
	want := 0
	for k := range kinds {
		for j := range k {
			want += (len(kinds[k]) + 1) * (len(kinds[j]) + 1)
		}
	}
	if len(met) != want {
		t.Errorf("%d pairs of options meet, want %d", len(met), want)
	}
	if _, err := variantOf("self-first+nonsense"); err == nil {
		t.Error("a variant with an unknown word is made")
	}
}
