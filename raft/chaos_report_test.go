package raft

// What TestChaos does with a seed that fails: it runs ever smaller scenarios, and prints the smallest as a Go test.

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

var chaosShrink = flag.Duration("chaos.shrink", 30*time.Second,
	"how long TestChaos looks for a smaller scenario once a seed has failed; 0: not at all")

// chaosTries is how often a scenario from which a failure is expected is run at most. A scenario does not fix how
// goroutines interleave and which election timeouts the servers choose, so it may fail in one run and pass in another.
const chaosTries = 50

// A bar tells which scenarios fail often enough for the search to go on from them: scenarios that hardly ever fail are of
// no use, however small. Each run moves a score, which begins at 0: a failure adds failure, a pass takes pass away. The
// scenario is accepted when the score reaches accept, and rejected when it falls to -reject. This is a sequential
// probability ratio test: it takes few runs if a scenario fails nearly always or nearly never.
type bar struct{ failure, pass, accept, reject int }

// chaosBars are the bars of TestChaos. The first one accepts 19 of 20 scenarios that fail in half of their runs, and
// one of 200 that fail in a quarter; the second one does the same for 15% and 5%.
var chaosBars = []bar{{5, 3, 38, 22}, {10, 1, 48, 27}}

// A shrinking is a search for a smaller scenario that fails with the same kind of error. It runs each scenario in
// bubbles of their own, which does not make its test fail. Code under test that panics or hangs ends the process, as in
// any test, and so the search: a panic itself cannot be shrunk.
type shrinking struct {
	t        *testing.T
	prepare  func(*chaos) // called with each cluster before it plays; may be nil
	kind     string       // of the error
	bars     []bar        // the highest first
	end      time.Time    // when the search must end
	progress io.Writer

	first    scenario
	smallest scenario // that failed so far
	level    int      // the bar in use
	runs     int
	shown    time.Time // when progress was shown last
}

// kindOf returns the kind of an error of a run: the property that was violated, or what else went wrong.
func kindOf(err error) string {
	kind, _, _ := strings.Cut(err.Error(), ": ")
	return kind
}

// shrink returns the smallest scenario that it finds. It returns false if the first one does not fail often enough. That
// one has failed before, after done faults.
func (z *shrinking) shrink(done int) (smallest scenario, ok bool) {
	defer func() {
		z.show()
		fmt.Fprintln(z.progress)
	}()
	z.smallest = z.first
	shorter := z.first.with(z.first.faults[:done])
	if !z.begin(shorter) && (done == len(z.first.faults) || !z.begin(z.first)) {
		return z.first, false
	}
	shrinkScenario(z.smallest, z.fails)
	return z.smallest, true
}

// begin chooses the highest bar that the scenario passes. It returns false if there is none.
func (z *shrinking) begin(s scenario) (ok bool) {
	for z.level = range z.bars {
		if z.passes(s, z.bars[z.level]) {
			z.smallest = s
			return true
		}
	}
	return false
}

// fails reports whether the scenario fails often enough. If it passes a higher bar, that one is used from now on.
func (z *shrinking) fails(s scenario) bool {
	if !z.passes(s, z.bars[z.level]) {
		return false
	}
	z.smallest = s
	for z.level > 0 && z.passes(s, z.bars[z.level-1]) {
		z.level--
	}
	return true
}

// passes reports whether b accepts the scenario. It returns false when the time is over.
func (z *shrinking) passes(s scenario, b bar) bool {
	for score := 0; score < b.accept; {
		if z.over() || score <= -b.reject {
			return false
		}
		if z.run(s) {
			score += b.failure
		} else {
			score -= b.pass
		}
		if time.Since(z.shown) > 200*time.Millisecond {
			z.show()
		}
	}
	return true
}

// count returns how many of chaosTries runs fail.
func (z *shrinking) count(s scenario) (failures int) {
	for range chaosTries {
		if z.run(s) {
			failures++
		}
	}
	return failures
}

// run reports whether the scenario fails in one run.
func (z *shrinking) run(s scenario) bool {
	z.runs++
	errs, _ := s.run(z.t, func(c *chaos) {
		c.watch.show = func(string) {}
		if z.prepare != nil {
			z.prepare(c)
		}
	})
	return slices.ContainsFunc(errs, func(err error) bool { return kindOf(err) == z.kind })
}

func (z *shrinking) over() bool { return !time.Now().Before(z.end) }

func (z *shrinking) show() {
	z.shown = time.Now()
	fmt.Fprintf(z.progress, "\rchaos: %s, after %d runs, %v left   ", z.describe(), z.runs, time.Until(z.end).Round(time.Second))
}

// describe tells how large the smallest scenario is.
func (z *shrinking) describe() string {
	faults, commands := z.smallest.size()
	return fmt.Sprintf("%s, %s (of %d), %s", plural(z.smallest.servers, "server"), plural(faults, "fault"), len(z.first.faults),
		plural(commands, "command"))
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// report shrinks the scenario, which has failed after done faults, and returns what to print.
func (z *shrinking) report(name string, done int) string {
	smallest, ok := z.shrink(done)
	if !ok {
		return fmt.Sprintf("chaos: %d more runs with the same faults did not fail often enough to look for a smaller scenario\n", z.runs)
	}
	hint := ""
	if z.over() {
		hint = " (the time is over; -chaos.shrink=DURATION gives more)"
	}
	source, err := smallest.goTest(name)
	if err != nil {
		source = fmt.Sprintf("%v\n%s", err, smallest.goLiteral())
	}
	return fmt.Sprintf("chaos: the smallest that still fails%s: %s, fails in %d of %d runs\n"+
		"chaos: as a test, to be pasted into chaos_test.go:\n\n%s", hint, z.describe(), z.count(smallest), chaosTries, source)
}

// shrinkSeed looks for a smaller scenario than the seed's, which has failed with err after done faults, and prints it.
func shrinkSeed(t *testing.T, seed int64, err error, done int) {
	limit := *chaosShrink
	if deadline, ok := t.Deadline(); ok {
		limit = min(limit, time.Until(deadline)/2)
	}
	if limit <= 0 || !virtualClock() {
		return
	}
	fmt.Fprintf(os.Stderr, "\nchaos: seed %d failed: %v\nchaos: looking for a smaller scenario that fails, for at most %v\n",
		seed, err, limit.Round(time.Second))
	z := &shrinking{
		t: t, kind: kindOf(err), bars: chaosBars, end: time.Now().Add(limit), progress: os.Stderr, first: scenarioOf(seed),
	}
	fmt.Println(z.report(fmt.Sprint("TestChaosSeed", seed), done))
}
