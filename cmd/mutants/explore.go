package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"6.824/cmd/cli"
)

// healthyLimit is how long the explorer searches without a mutant at most.
const healthyLimit = 20 * time.Second

// A finding describes a counterexample that the explorer has found.
type finding struct {
	property string // the violated property
	after    string // how many states or walks the search took, such as "12 states"
	trace    int    // number of actions of the counterexample
}

func (f *finding) String() string {
	return fmt.Sprintf("found after %s, a trace of %s: %s", f.after, cli.Count(f.trace, "action"), f.property)
}

// findingLine is the line with which the explorer reports a counterexample.
var findingLine = regexp.MustCompile(
	`(?m)^\s*(?:\S+\.go:\d+: )?explore: found after (\d+ (?:states?|walks?)(?: of \d+ actions?)?), a trace of (\d+) actions?: ([^:\r\n]+)`)

// readFinding returns the first counterexample in the explorer's output, or nil if there is none.
func readFinding(output []byte) *finding {
	m := findingLine.FindSubmatch(output)
	if m == nil {
		return nil
	}
	trace, err := strconv.Atoi(string(m[2]))
	if err != nil {
		return nil // too large for a number
	}
	return &finding{string(bytes.TrimSpace(m[3])), string(m[1]), trace}
}

// search runs the explorer on a mutant for at most limit.
func (l *laboratory) search(ctx context.Context, m mutant, limit time.Duration) result {
	r := result{mutant: m, explored: true}
	dir := filepath.Join(l.scratch, m.name)
	defer os.RemoveAll(dir)
	binary, err := l.build(ctx, m, dir)
	if err != nil {
		r.err = err
		return r
	}
	start := time.Now()
	output, err := l.output(ctx, binary, limit+l.timeout, "-test.run=^TestExplore$", "-explore", fmt.Sprint("-explore.limit=", limit))
	r.after = time.Since(start)
	if r.found, r.killed, err = judge(output, err); err != nil {
		r.err = fmt.Errorf("mutant %s: %w", m.name, err)
	}
	return r
}

// judge returns the counterexample or other failure that the explorer's output and exit status tell of. failed is the
// error of the explorer's process. Both results are nil if the explorer found nothing.
func judge(output []byte, failed error) (*finding, *failure, error) {
	found := readFinding(output)
	switch {
	case bytes.Contains(output, []byte("no tests to run")):
		return nil, nil, errors.New("package raft has no TestExplore")
	case failed == nil && found != nil:
		return nil, nil, fmt.Errorf("TestExplore passed, but says %q", found)
	case failed == nil || found != nil:
		return found, nil, nil
	}
	if f := readFailure(bytes.NewReader(output)); f != nil {
		return nil, f, nil
	}
	return nil, nil, fmt.Errorf("the explorer ended without a failed test: %w\n%s", failed, output)
}

// output runs tests until they end, and returns their output. Tests that take longer than timeout fail.
func (l *laboratory) output(ctx context.Context, binary string, timeout time.Duration, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout+10*time.Second) // in case the binary does not end by itself
	defer cancel()
	cmd := l.command(ctx, l.raft(), binary, append(args, "-test.v", fmt.Sprint("-test.timeout=", timeout))...)
	return cmd.CombinedOutput()
}
