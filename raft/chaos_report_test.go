package raft

// What TestChaos does after a seed has failed: it looks for smaller scenarios that fail, and prints the smallest as a
// test.

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
	"how long TestChaos looks for a smaller scenario after a seed has failed; 0: not at all")

// chaosTries is how many times playChaos runs a scenario that is expected to fail. A scenario does not determine how
// goroutines interleave or which election timeouts servers choose, so it may fail in one run and pass in another.
const chaosTries = 50

// A criterion decides whether a scenario fails often enough for the search to continue from it: a scenario that rarely
// fails is of no use, however small. A score begins at 0; each failure adds failure to it, and each pass subtracts
// pass. The scenario is accepted when the score reaches accept, and rejected when it falls to -reject. This is a
// sequential probability ratio test: it takes few runs if a scenario fails almost always or almost never.
type criterion struct{ failure, pass, accept, reject int }

// chaosCriteria are the criteria of TestChaos, the strictest first. The first accepts 95% of the scenarios that fail in
// half of their runs, and 0.5% of those that fail in a quarter; the second does the same for 15% and 5%.
var chaosCriteria = []criterion{{5, 3, 38, 22}, {10, 1, 48, 27}}

// A shrinking is a search for a smaller scenario that fails with the same kind of error. A run of a scenario does not
// make the test fail. If the code under test panics or hangs, the process ends, and with it the search.
type shrinking struct {
	t        *testing.T
	prepare  func(*chaos) // called with each cluster before it plays; may be nil
	kind     string       // of the error
	criteria []criterion  // the strictest first
	end      time.Time    // when the search must end
	progress io.Writer

	first    scenario
	smallest scenario // that failed so far
	level    int      // the criterion in use
	runs     int
	shown    time.Time // when progress was last printed
}

// kindOf returns the kind of an error, for example the property that was violated.
func kindOf(err error) string {
	kind, _, _ := strings.Cut(err.Error(), ": ")
	return kind
}

// shrink returns the smallest failing scenario that it finds. The first one has failed once, after done faults; if it
// does not fail often enough again, shrink returns false.
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

// begin chooses the strictest criterion that accepts the scenario. It returns false if there is none.
func (z *shrinking) begin(s scenario) (ok bool) {
	for z.level = range z.criteria {
		if z.accepts(s, z.criteria[z.level]) {
			z.smallest = s
			return true
		}
	}
	return false
}

// fails reports whether the scenario fails often enough. If a stricter criterion accepts it too, fails uses that one
// from now on.
func (z *shrinking) fails(s scenario) bool {
	if !z.accepts(s, z.criteria[z.level]) {
		return false
	}
	z.smallest = s
	for z.level > 0 && z.accepts(s, z.criteria[z.level-1]) {
		z.level--
	}
	return true
}

// accepts reports whether b accepts the scenario. It returns false when the time is over.
func (z *shrinking) accepts(s scenario, b criterion) bool {
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

// count returns the number of failures in chaosTries runs.
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

// describe returns the size of the smallest scenario.
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

// report shrinks the scenario, which has failed after done faults, and returns the text to print.
func (z *shrinking) report(name string, done int) string {
	smallest, ok := z.shrink(done)
	if !ok {
		return fmt.Sprintf("chaos: in %d more runs, the same faults did not fail often enough to look for a smaller scenario\n", z.runs)
	}
	hint := ""
	if z.over() {
		hint = " (the time ran out; -chaos.shrink=DURATION gives more)"
	}
	source, err := smallest.goTest(name)
	if err != nil {
		source = fmt.Sprintf("%v\n%s", err, smallest.goLiteral())
	}
	return fmt.Sprintf("chaos: the smallest that still fails%s: %s, fails in %d of %d runs\n"+
		"chaos: as a test, to be pasted into chaos_test.go:\n\n%s", hint, z.describe(), z.count(smallest), chaosTries, source)
}

// picture writes the page of a run in which the smallest scenario fails, and returns the line that names it. The line is
// empty if there is no smaller scenario than the first one, or it does not fail again soon.
func (z *shrinking) picture(name string) string {
	for tries := 0; tries < chaosTries && len(z.smallest.faults) < len(z.first.faults); tries++ {
		var r *recording
		errs, _ := z.smallest.run(z.t, func(c *chaos) {
			c.watch.show = func(string) {}
			if z.prepare != nil {
				z.prepare(c)
			}
			r = newRecording(z.t, z.smallest.servers)
			c.recordIn(r)
		})
		if len(errs) > 0 {
			r.failure(errs[0].Error())
			return r.line(name, true)
		}
	}
	return ""
}

// shrinkSeed looks for a scenario smaller than the seed's, which has failed with err after done faults, and prints it.
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
		t: t, kind: kindOf(err), criteria: chaosCriteria, end: time.Now().Add(limit), progress: os.Stderr, first: scenarioOf(seed),
	}
	name := fmt.Sprint("TestChaosSeed", seed)
	fmt.Println(z.report(name, done))
	fmt.Print(z.picture(name))
}
