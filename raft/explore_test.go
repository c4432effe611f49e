package raft

// The explorer's tests: all schedules of the library's own code within small limits, random walks beyond them, and,
// with -explore, the larger limits of "make explore". docs/explore.md describes the method and its limits.

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
	exploreFlag  = flag.Bool("explore", false, "explore large limits, which takes minutes")
	exploreLimit = flag.Duration("explore.limit", 0, "with -explore: stop after this `duration` and print what was completed")
	exploreTrace = flag.String("explore.trace", "", "only play this `trace` step by step")
)

// optionWords are the options of variants, by name.
var optionWords = map[string]Option{
	"self-first": WithVotePolicy(VoteSelfFirst), "concede": WithConcession(true), "no-prevote": WithPreVote(false),
	"pool-2": WithLink(LinkPool(2)), "ordered": WithLink(LinkOrdered), "per-message": WithLink(LinkPerMessage),
	"by-half": WithBackup(BackupByHalf), "by-one": WithBackup(BackupByOne), "trail-1": WithTrailingLog(1),
	"batch-1": func(o *options) { o.maxEntries = 1 },
}

// pairwise are variants that cover every pair of values of two options; TestExplorePairs checks that.
var pairwise = []string{
	"default",
	"self-first+no-prevote",
	"concede+no-prevote+pool-2+by-one+trail-1+batch-1",
	"self-first+concede+ordered+by-half+trail-1+batch-1",
	"self-first+per-message+by-one+trail-1",
	"concede+no-prevote+per-message+by-half+batch-1",
	"self-first+pool-2+by-half",
	"concede+no-prevote+ordered+trail-1",
	"self-first+no-prevote+ordered+by-one+batch-1",
	"self-first+concede+by-one+trail-1+batch-1",
	"concede+no-prevote+pool-2+trail-1+batch-1",
	"self-first+concede+no-prevote+by-half+batch-1",
	"per-message",
}

// variantOf returns the variant of a name, which joins words of optionWords by "+".
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

// A searchCase is a search of a variant within limits. states is the expected number of states, or 0 if that is not
// known.
type searchCase struct {
	variant string
	limits  limits
	states  int
}

// smallSearches are the searches of every test run. If a number of states changes, servers reach other states than
// before, or the explorer distinguishes other states. Find out why before you update the number.
var smallSearches = []searchCase{
	{"default", limits{servers: 3, terms: 2, commands: 1}, 7990},
	{"self-first+no-prevote", limits{servers: 3, terms: 2, commands: 1, crashes: 1, saves: true, snaps: 1}, 22015},
	{"self-first+concede+ordered+by-half+trail-1+batch-1", limits{servers: 3, terms: 1, commands: 2, snaps: 1}, 4994},
	{"concede+no-prevote+ordered+trail-1", limits{servers: 3, terms: 2, commands: 1}, 7968},
	{"self-first+pool-2+by-half", limits{servers: 3, terms: 1, commands: 1, flight: 1}, 2265},
	{"concede+no-prevote+per-message+by-half+batch-1", limits{servers: 3, terms: 1, commands: 2, crashes: 1, saves: true}, 5971},
	{"per-message", limits{servers: 3, terms: 1, commands: 1, flight: 1, repeats: true}, 5287},
	{"concede+no-prevote+pool-2+by-one+trail-1+batch-1", limits{servers: 3, terms: 1, commands: 2, queue: true, lag: true}, 33396},
	{"self-first+per-message+by-one+trail-1", limits{servers: 2, terms: 1, commands: 1, flight: 2, repeats: true}, 589},
	{"default", limits{servers: 2, terms: 3, commands: 2, crashes: 1, saves: true}, 17057},
	{"no-prevote", limits{servers: 4, terms: 1, commands: 1}, 846},
	{"no-prevote", limits{servers: 3, terms: 2, commands: 1, reads: 1}, 10387},
	{"default", limits{servers: 3, terms: 1, commands: 1, flight: 1, reads: 1}, 12072},
	{"pool-2", limits{servers: 2, terms: 1, commands: 1, flight: 2, repeats: true, reads: 2}, 2276},
}

// largeSearches are the searches of "make explore", each larger than the one before. The last ones do not end within its
// time; they find what is near the beginning.
var largeSearches = []searchCase{
	{"default", limits{servers: 3, terms: 2, commands: 1, flight: 1}, 0},
	{"no-prevote", limits{servers: 3, terms: 3, commands: 2}, 0},
	{"self-first+no-prevote", limits{servers: 5, terms: 2, commands: 1}, 0},
	{"no-prevote", limits{servers: 3, terms: 2, commands: 1, flight: 1, reads: 1}, 0},
	{"no-prevote", limits{servers: 3, terms: 2, commands: 2, flight: 1, reads: 1}, 0},
	{"self-first+no-prevote", limits{servers: 3, terms: 2, commands: 2, crashes: 1, saves: true, snaps: 1, flight: 1}, 0},
	{"default", limits{servers: 3, terms: 4, commands: 3, crashes: 2, saves: true, snaps: 2, flight: 2, repeats: true, queue: true}, 0},
}

// quickLimits are the limits of the searches that "make explore" does for every variant before the large searches.
var quickLimits = []limits{
	{servers: 3, terms: 2, commands: 1, crashes: 1, saves: true, snaps: 1},
	{servers: 3, terms: 2, commands: 2, reads: 1},
	{servers: 3, terms: 1, commands: 2, crashes: 1, saves: true, snaps: 2},
	{servers: 3, terms: 1, commands: 1, flight: 1, repeats: true, queue: true},
}

func (l limits) String() string {
	parts := []string{count(l.servers, "server"), count(l.terms, "term"), count(l.commands, "command")}
	for _, part := range []struct {
		n    int
		text string
	}{{l.crashes, count(l.crashes, "crash")}, {l.snaps, count(l.snaps, "snapshot")}, {l.flight, fmt.Sprint(l.flight, " in flight")},
		{l.reads, count(l.reads, "read")}} {
		if part.n > 0 {
			parts = append(parts, part.text)
		}
	}
	for _, part := range []struct {
		on   bool
		text string
	}{{l.repeats, "repeats"}, {l.queue, "queued Starts"}, {l.lag, "slow services"}} {
		if part.on {
			parts = append(parts, part.text)
		}
	}
	return strings.Join(parts, ", ")
}

// count formats a number of things: "1 term", "2 crashes".
func count(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "sh"):
		return fmt.Sprint(n, " ", what, "es")
	}
	return fmt.Sprint(n, " ", what, "s")
}

// explore runs the search, and returns its report and a counterexample or nil.
func (m searchCase) explore(deadline time.Time, progress func(depth, states int)) (report, *counterexample) {
	defer debug.SetGCPercent(debug.SetGCPercent(200))
	v := mustVariant(m.variant)
	x := newSearch(m.limits, v.opts)
	x.deadline = deadline
	r := x.run(runtime.GOMAXPROCS(0), progress)
	if r.found == nil {
		return r, nil
	}
	b := &violation{r.found.property, fmt.Sprintf("server %d: %s", r.found.server, r.found.text)}
	w := walk{limits: wide(m.limits.servers), variant: v}
	w.limits.lag = m.limits.lag
	trace, err := x.trace()
	if err != nil {
		return r, &counterexample{w, &violation{b.property, b.text + "; " + err.Error()}, false, ""}
	}
	w.trace = trace
	c := w.counterexample(b)
	c.after = fmt.Sprintf("%d states", r.states)
	return r, &c
}

// TestExplore explores every schedule of the library's code within limits, and random schedules beyond them.
func TestExplore(t *testing.T) {
	switch {
	case *exploreTrace != "":
		playAndShow(t, *exploreTrace)
	case *exploreFlag:
		exploreAll(t)
	default:
		searches, walks := smallSearches, 60
		if exploreBriefly {
			searches, walks = smallSearches[:1], 10
		}
		for _, m := range searches {
			r, c := m.explore(time.Time{}, nil)
			m.report(t, r, c)
		}
		takeWalks(t, 1, func(n int) bool { return n < walks })
	}
}

// report fails the test if a search found a violation or a wrong number of states.
func (m searchCase) report(t *testing.T, r report, c *counterexample) {
	t.Helper()
	switch {
	case c != nil:
		c.fail(t)
	case r.complete && m.states > 0 && r.states != m.states:
		t.Errorf("%s, %v: %d states, want %d", m.variant, m.limits, r.states, m.states)
	}
}

// takeWalks takes random walks while more returns true, and fails the test if one of them finds a violation.
func takeWalks(t *testing.T, seed int64, more func(walks int) bool) (n, actions int) {
	t.Helper()
	n, actions, found := walks(seed, more)
	if found != nil {
		found.fail(t)
	}
	return n, actions
}

// exploreAll does what "make explore" promises.
func exploreAll(t *testing.T) {
	limit := 10 * time.Minute
	if *exploreLimit > 0 {
		limit = *exploreLimit
	}
	e := &exploration{t: t, end: time.Now().Add(limit), rows: [][]string{
		{"variant", "limits", "states", "transitions", "depth", "seconds", "states/s", "MB", "result"},
	}}
	defer e.print()
	e.walk(1, 10*time.Second) // walks find mistakes that searches do not
	e.quick()
	e.walk(1_000_000, 15*time.Second)
	for _, m := range largeSearches[:3] {
		e.add(m.variant, m.limits, e.search(m))
	}
	e.walk(2_000_000, 15*time.Second)
	for _, m := range largeSearches[3:] {
		e.add(m.variant, m.limits, e.search(m))
	}
}

// An exploration is a run of "make explore".
type exploration struct {
	t     *testing.T
	end   time.Time
	spoke time.Time // when it last printed its progress
	rows  [][]string
}

func (e *exploration) over() bool { return !time.Now().Before(e.end) }

func (e *exploration) print() { fmt.Print(tableOf(e.rows)) }

// quick searches all variants within quickLimits.
func (e *exploration) quick() {
	e.t.Helper()
	for _, l := range quickLimits {
		sum := report{complete: true}
		for _, variant := range pairwise {
			r := e.search(searchCase{variant, l, 0})
			sum.states, sum.moves, sum.took = sum.states+r.states, sum.moves+r.moves, sum.took+r.took
			sum.depth, sum.complete = max(sum.depth, r.depth), sum.complete && r.complete
		}
		e.add(fmt.Sprintf("each of %d variants", len(pairwise)), l, sum)
	}
}

// walk takes random walks for this long.
func (e *exploration) walk(seed int64, long time.Duration) {
	e.t.Helper()
	if e.over() {
		return
	}
	begun := time.Now()
	stop := begun.Add(long)
	n, actions := takeWalks(e.t, seed, func(int) bool { return time.Now().Before(stop) && !e.over() })
	e.rows = append(e.rows, []string{"any", count(n, "random walk"), "", fmt.Sprint(actions), "150", fmt.Sprintf("%.1f", time.Since(begun).Seconds()), "", "", "nothing found"})
}

// search runs a search until it is complete or the time is over.
func (e *exploration) search(m searchCase) report {
	e.t.Helper()
	if e.over() {
		return report{}
	}
	runtime.GC()
	r, c := m.explore(e.end, func(depth, states int) {
		if time.Since(e.spoke) > 5*time.Second {
			e.spoke = time.Now()
			fmt.Fprintf(os.Stderr, "explore: %s, %v: %d states, depth %d\n", m.variant, m.limits, states, depth)
		}
	})
	m.report(e.t, r, c)
	return r
}

// add adds a line to the table, unless there was no time for the search.
func (e *exploration) add(variant string, l limits, r report) {
	result := "nothing found, complete"
	switch {
	case r.states == 0:
		return
	case !r.complete:
		result = "nothing found, time is over"
	}
	e.rows = append(e.rows, []string{
		variant, l.String(), fmt.Sprint(r.states), fmt.Sprint(r.moves), fmt.Sprint(r.depth), fmt.Sprintf("%.1f", r.took.Seconds()),
		fmt.Sprintf("%.0f", float64(r.states)/r.took.Seconds()), fmt.Sprint(heapMB()), result,
	})
}

// heapMB returns the size of the heap in MiB.
func heapMB() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64() >> 20
}

// playAndShow plays a trace and prints each step.
func playAndShow(t *testing.T, code string) {
	w, err := parseCode(code)
	if err != nil {
		t.Fatalf("-explore.trace: %v", err)
	}
	defer w.recorded(t).show(t)
	c := newLive(w.limits, w.variant, true)
	text, ok := c.show(w.trace)
	fmt.Print(text)
	switch b := c.verdict(); {
	case !ok:
		t.Fatal("-explore.trace: the last action in the table is not possible there")
	case b != nil:
		t.Fatalf("%v\n%s", b, c.said)
	default:
		fmt.Println("no violation")
	}
}

// playTrace plays a trace under the watch. Tests made from counterexamples call it.
func playTrace(t *testing.T, code string) {
	t.Helper()
	w, err := parseCode(code)
	if err != nil {
		t.Fatal(err)
	}
	if done, broken := w.play(w.trace, true); broken != nil {
		c := w.counterexample(broken)
		c.fail(t)
	} else if len(done) < len(w.trace) {
		t.Errorf("only %d of %d actions were possible: %s", len(done), len(w.trace), textOf(done))
	}
}

// TestExplorePairs checks that every pair of values of two options occurs in a variant, and that all variants exist.
func TestExplorePairs(t *testing.T) {
	kinds := [][]string{{"self-first"}, {"concede"}, {"no-prevote"}, {"pool-2", "ordered", "per-message"}, {"by-half", "by-one"}, {"trail-1"}, {"batch-1"}}
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
		t.Errorf("%d pairs of options occur, want %d", len(met), want)
	}
	if _, err := variantOf("self-first+nonsense"); err == nil {
		t.Error("a variant with an unknown word exists")
	}
}
