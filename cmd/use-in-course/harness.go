package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"6.824/cmd/cli"
	"6.824/cmd/coursetree"
	"6.824/cmd/overlay"
)

// A harness runs our tests of Lab 2 on a student's Raft.
type harness struct {
	options
	ctx            context.Context
	stdout, stderr io.Writer

	scratch string
	logs    string
	overlay *overlay.Overlay
	plain   bool // the student's files are not instrumented
	binary  string
	results []*result
}

// runHarness carries out -harness.
func runHarness(ctx context.Context, dir string, o options, stdout, stderr io.Writer) (err error) {
	h := &harness{options: o, ctx: ctx, stdout: stdout, stderr: stderr}
	if h.scratch, err = os.MkdirTemp("", "use-in-course-"); err != nil {
		return err
	}
	defer os.RemoveAll(h.scratch)
	fmt.Fprintf(stderr, "%s: building our tests with %s\n", command.Name, dir)
	if err := h.build(dir); err != nil {
		return cli.Unusable(err)
	}
	tests, err := h.list()
	if err != nil {
		return cli.Unusable(err)
	}
	if err := h.makeLogs(); err != nil {
		return cli.Unusable(err)
	}
	h.printTitle()
	rest := h.runParts(tests)
	if ctx.Err() != nil {
		h.removeLogs()
		return ctx.Err()
	}
	h.printSummary(rest)
	if slices.ContainsFunc(h.results, (*result).failed) {
		return cli.ErrFailed
	}
	h.removeLogs()
	return nil
}

// build compiles the tests. If the instrumented package does not compile, it tries the package as it is: the compiler's
// message then is about the student's own text.
func (h *harness) build(dir string) (err error) {
	h.binary = filepath.Join(h.scratch, "raft.test.exe")
	var message string
	for _, plain := range []bool{false, true} {
		h.plain = plain
		if h.overlay, err = overlay.Make(dir, h.scratch, overlay.Options{Plain: plain}); err != nil {
			return err
		}
		args := []string{"test", "-c", "-vet=off", "-overlay", h.overlay.File, "-o", h.binary}
		if h.race {
			args = append(args, "-race")
		}
		if message, err = h.goCommand(append(args, ".")...); err == nil || h.ctx.Err() != nil {
			return err
		}
	}
	return fmt.Errorf("package raft in %s does not compile with our tests:\n%s\nThe tests call Make, Start and GetState as the course's tests do", h.overlay.Dir, strings.TrimSpace(message))
}

// goCommand runs the go command in the student's package and returns what it has printed.
func (h *harness) goCommand(args ...string) (string, error) {
	cmd := cli.Exec(h.ctx, h.scratch, "go", args...)
	cmd.Dir = h.overlay.Dir
	cmd.Env = append(cmd.Env, h.overlay.Env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if err != nil && out.Len() == 0 {
		return err.Error(), err
	}
	return out.String(), err
}

// list returns the names of the tests that -run chooses, by part.
func (h *harness) list() ([]string, error) {
	pattern, _, _ := strings.Cut(h.run, "/")
	chosen, err := regexp.Compile(pattern)
	if err != nil {
		return nil, cli.Usagef("-run: %v", err)
	}
	cmd := cli.Exec(h.ctx, h.scratch, h.binary, "-test.list", ".")
	var printed strings.Builder
	cmd.Stderr = &printed
	out, err := cmd.Output()
	if err != nil { // package raft has run its init functions
		return nil, fmt.Errorf("package raft ends the process before the first test: %w\n%s%s", err, printed.String(), out)
	}
	var tests []string
	for name := range strings.FieldsSeq(string(out)) {
		if coursetree.LabTest.MatchString(name) && chosen.MatchString(name) {
			tests = append(tests, name)
		}
	}
	if len(tests) == 0 {
		return nil, fmt.Errorf("-run %s: no test matches; the parts are called 2A to 2D here", h.run)
	}
	slices.SortStableFunc(tests, func(a, b string) int { return strings.Compare(partOf(a), partOf(b)) })
	return tests, nil
}

// partOf returns a test's part, such as "2A".
func partOf(test string) string { return test[len(test)-2:] }

// makeLogs makes the directory of the tests' output.
func (h *harness) makeLogs() (err error) {
	if h.logDir == "" {
		h.logs, err = os.MkdirTemp("", "raft-tests-")
		return err
	}
	if h.logs, err = filepath.Abs(h.logDir); err != nil {
		return err
	}
	return os.MkdirAll(h.logs, 0o755)
}

// removeLogs removes the logs unless -logs asks for them.
func (h *harness) removeLogs() {
	if h.logDir == "" {
		os.RemoveAll(h.logs)
	}
}

// runParts runs the tests part by part and returns the parts that it does not run, because a test of an earlier part fails.
func (h *harness) runParts(tests []string) (rest []string) {
	for len(tests) > 0 && h.ctx.Err() == nil {
		part := partOf(tests[0])
		n := slices.IndexFunc(tests, func(test string) bool { return partOf(test) != part })
		if n < 0 {
			n = len(tests)
		}
		mine := tests[:n]
		tests = tests[n:]
		switch {
		case len(rest) > 0 || !h.keepGoing && slices.ContainsFunc(h.results, (*result).failed):
			rest = append(rest, part)
			continue
		case part == "2D" && !h.hasSnapshot():
			fmt.Fprintln(h.stdout, "2D is left out: Raft has no method Snapshot.")
			continue
		}
		for _, test := range mine {
			if r := h.runTest(test); h.ctx.Err() == nil {
				h.results = append(h.results, r)
				h.printResult(r)
			}
		}
	}
	return rest
}

// hasSnapshot reports whether the student's Raft has the method that part 2D calls.
func (h *harness) hasSnapshot() bool {
	files, err := coursetree.ReadPackage(h.overlay.Tree.Dir, h.overlay.Tree.Raft)
	return err != nil || coursetree.Declares(files, "Raft.Snapshot")
}

// runTest runs one test in a process of its own: if it ends the process or hangs, the others still run. If the virtual
// clock stands still, the test runs again on the real clock.
func (h *harness) runTest(test string) *result {
	r := h.runOn(test, h.clock)
	if r.frozen == "" || h.ctx.Err() != nil {
		return r
	}
	again := h.runOn(test, "real")
	again.frozen = r.frozen
	return again
}

func (h *harness) runOn(test, clock string) *result {
	ctx, cancel := context.WithTimeout(h.ctx, h.timeout)
	defer cancel()
	pattern := "^" + test + "$"
	if _, subtests, ok := strings.Cut(h.run, "/"); ok {
		pattern += "/" + subtests
	}
	// With -test.v, an error is printed at once, even if the process ends before the test. The binary's own limit would end
	// it with a panic; it only has to be there for the check against hanging.
	cmd := cli.Exec(ctx, h.scratch, h.binary, "-test.v", "-test.run="+pattern, "-test.timeout="+(2*h.timeout).String(), "-clock="+clock)
	cmd.Dir = h.logs // a student's program may write files
	cmd.Env = append(cmd.Env, "PICTURES="+h.logs)
	name := filepath.Join(h.logs, test+".log")
	log, err := os.Create(name)
	if err != nil {
		return &result{test: test, why: err.Error()}
	}
	limited := &limitedWriter{to: log, left: maxLog, full: cancel}
	cmd.Stdout, cmd.Stderr = limited, limited
	if h.verbose {
		limited.to = io.MultiWriter(log, h.stderr)
	}
	begun := time.Now()
	err = errors.Join(cmd.Run(), log.Close())
	text, readErr := os.ReadFile(name)
	r := newResult(test, string(text), errors.Join(err, readErr))
	r.log, r.clock = name, clock
	switch {
	case h.ctx.Err() != nil || ctx.Err() == nil:
	case limited.left < 0:
		r.why = fmt.Sprintf("stopped, because it printed more than %d MB", maxLog>>20)
	default:
		r.why = fmt.Sprintf("no end after %v", time.Since(begun).Round(time.Second))
	}
	return r
}
