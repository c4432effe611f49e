package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"6.824/cmd/cli"
)

// mostListed bounds the failed runs that the summary repeats.
const mostListed = 10

// fold returns names as a list in words, and only the first two of many.
func fold(names []string) string {
	switch n := len(names); {
	case n == 0:
		return "no test"
	case n > 3:
		return fmt.Sprintf("%s, %s, and %d others", names[0], names[1], n-2)
	}
	return strings.Join(names, ", ")
}

// String returns the failure's tests and kind.
func (f *failure) String() string {
	if f.kind == "" {
		return fold(f.tests)
	}
	return fold(f.tests) + " (" + f.kind + ")"
}

// String returns the line about a failed run.
func (res result) String() string {
	line := fmt.Sprintf("run %d failed after %s: %v -> %s", res.run, duration(res.took), res.failure, res.log)
	for _, picture := range res.failure.pictures {
		if beside := filepath.Join(filepath.Dir(res.log), filepath.Base(picture)); sameFile(beside, picture) {
			picture = beside
		}
		line += ", " + picture
	}
	if reason := res.failure.reason; reason != "" && reason != res.failure.kind {
		line += ": " + reason
	}
	return line
}

// sameFile reports whether two paths lead to the same file.
func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}

// progress returns the state of the runs.
func (r *runner) progress() string {
	elapsed, done := time.Since(r.begun), len(r.results)
	line := fmt.Sprintf("%d/%d done, %d running, %d failed, %s elapsed", done, r.runs, r.running.Load(), r.failed, duration(elapsed))
	if done > 0 {
		line += fmt.Sprintf(", about %s left", duration(elapsed*time.Duration(r.runs-done)/time.Duration(done)))
	}
	return line
}

// summarize prints the totals, the times and the failed runs.
func (r *runner) summarize(stdout, stderr io.Writer) {
	r.screen.clear()
	if r.stopped != "" {
		fmt.Fprintf(stderr, "%s; runs killed: %d\n", r.stopped, r.killed.Load())
	}
	n := len(r.results)
	fmt.Fprintf(stdout, "\n%d of %d runs finished in %s: %d passed, %d failed\n", n, r.runs, duration(r.took), n-r.failed, r.failed)
	if n == 0 {
		return
	}
	var times []time.Duration
	for _, res := range r.results {
		times = append(times, res.took)
	}
	slices.Sort(times)
	fmt.Fprintf(stdout, "time of a run: min %s, median %s, max %s\n", duration(times[0]), duration(times[n/2]), duration(times[n-1]))
	listed := 0
	for _, res := range r.results {
		if res.failure == nil || res.log == "" {
			continue
		}
		if listed++; listed > mostListed {
			fmt.Fprintf(stdout, "  and %s\n", cli.Count(r.failed-mostListed, "more failed run"))
			return
		}
		fmt.Fprintf(stdout, "  %v\n", res)
	}
}
