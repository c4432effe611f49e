package main

import (
	"cmp"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A result is what a test's process has printed.
type result struct {
	test     string
	clock    string
	seconds  float64 // on the test's clock
	rpcs     int
	why      string   // what has failed; empty if the test has passed
	locks    []string // locks for which goroutines wait at the failure
	warnings []string
	frozen   string // why the virtual clock stands still
	log      string // file
	page     string // file with the picture of a failure; may be empty
}

func (r *result) failed() bool { return r.why != "" }

// exitFrozen is the exit code with which the harness ends a test whose virtual clock stands still.
const exitFrozen = 3

// newResult reads a test's output. err is that of its process.
func newResult(test, text string, err error) *result {
	r := &result{test: test}
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	}
	ended := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if m := passedLine.FindStringSubmatch(line); m != nil {
			seconds, _ := strconv.ParseFloat(m[1], 64)
			rpcs, _ := strconv.Atoi(m[2])
			r.seconds, r.rpcs = r.seconds+seconds, r.rpcs+rpcs
			ended = true
		}
		if warning, ok := strings.CutPrefix(line, "warning: "); ok && !slices.Contains(r.warnings, warning) {
			r.warnings = append(r.warnings, warning)
		}
		if lock, ok := strings.CutPrefix(line, "lock: "); ok {
			r.locks = append(r.locks, lock)
		}
		if page, ok := strings.CutPrefix(strings.TrimSpace(line), "picture: "); ok {
			r.page = page
		}
		if why, ok := strings.CutPrefix(line, "frozen: "); ok && code == exitFrozen {
			r.frozen = cmp.Or(r.frozen, why)
		}
	}
	switch {
	case err != nil && (exit == nil || code < 0): // such as a process that was killed
		r.why = cmp.Or(firstEvent(text), err.Error())
	case err != nil || !ended:
		r.why = cmp.Or(firstEvent(text), fmt.Sprintf("exit code %d, by os.Exit or log.Fatal, after: %s", code, lastLine(text)))
	}
	return r
}

var (
	passedLine = regexp.MustCompile(`^  \.\.\. Passed --\s+([\d.]+)\s+\d+\s+(\d+)`)
	panicLine  = regexp.MustCompile(`(?m)^(?:panic|fatal error): .*$`)
	errorLine  = regexp.MustCompile(`(?m)^\s+\w+\.go:\d+: (.*)$`)
	frameLines = regexp.MustCompile(`(?m)^\s*(\S*)\((?:[^()]*|\{?0x.*)\)\n\s+(.*):(\d+)(?: \+0x\w+)?$`)
	raceParts  = regexp.MustCompile(`(?ms)^WARNING: DATA RACE\n(Read|Write) at .*?\n(.*?)\nPrevious (read|write) at .*?\n(.*?)\n(?:Goroutine|==)`)
)

// firstEvent returns the first error, panic or data race in a test's output.
func firstEvent(text string) (why string) {
	first := len(text)
	for _, kind := range []struct {
		begin    *regexp.Regexp
		describe func(text string, match []int) string
	}{{errorLine, describeError}, {panicLine, describePanic}, {raceParts, describeRace}} {
		if m := kind.begin.FindStringSubmatchIndex(text); m != nil && m[0] < first {
			first, why = m[0], kind.describe(text, m)
		}
	}
	return why
}

func describeError(text string, m []int) string { return text[m[2]:m[3]] }

func describePanic(text string, m []int) string {
	why, _, _ := strings.Cut(text[m[0]:m[1]], " [recovered") // or "[recovered, repanicked]"
	rest := text[m[1]:]
	if at := strings.Index(rest, "\ngoroutine "); at >= 0 {
		rest = rest[at:]
	}
	rest, _, _ = strings.Cut(rest, "\n\ngoroutine ") // the other goroutines
	if place := firstPlace(rest); place != "" {
		why += ", at " + place
	}
	return why
}

func describeRace(text string, m []int) string {
	part := func(k int) string { return text[m[2*k]:m[2*k+1]] }
	return fmt.Sprintf("data race: %s at %s, %s at %s", strings.ToLower(part(1)), cmp.Or(firstPlace(part(2)), "an unknown place"),
		part(3), cmp.Or(firstPlace(part(4)), "an unknown place"))
}

// firstPlace returns the innermost place in a package raft on a stack.
func firstPlace(stack string) string {
	for _, m := range frameLines.FindAllStringSubmatch(stack, -1) {
		_, function, ok := strings.Cut(m[1][strings.LastIndex(m[1], "/")+1:], ".")
		dir := filepath.Base(filepath.Dir(filepath.FromSlash(m[2])))
		if ok && (dir == "raft" || dir == "raft1") && !strings.HasSuffix(m[2], "_test.go") {
			return fmt.Sprintf("%s:%s in %s", filepath.Base(m[2]), m[3], function)
		}
	}
	return ""
}

// lastLine returns the last line of a test's output, such as that of log.Fatal.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
