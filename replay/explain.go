package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"time"
)

const msec = time.Millisecond // durations are rounded to it

// unusable tells of runs that were none: the command line was wrong rather than the code under test.
func (v *verdict) unusable() error {
	out := v.output.kept
	switch {
	case bytes.Contains(out, []byte("testing: warning: no tests to run")):
		return fmt.Errorf("no test matches -run")
	case v.Code == 2 && bytes.Contains(out, []byte("flag provided but not defined")):
		return fmt.Errorf("the test binary does not know a flag that was given after -args; its own words are above")
	case v.Code != 0 && bytes.Contains(out, []byte("testing: invalid regexp")):
		return fmt.Errorf("-run is not a regular expression; the test binary's words are above")
	}
	return nil
}

// symptoms are outputs of failed tests that have to do with this host rather than with the tests.
var symptoms = []struct {
	pattern *regexp.Regexp
	hint    string
}{
	{regexp.MustCompile(`\bdial (tcp|udp|unix)|\blisten (tcp|udp|unix)|\blookup .*: |ErrNoNetwork`),
		"these tests seem to need the network, and there is none here: sockets reach no further than the program itself"},
	{regexp.MustCompile(`\bexec: |\bfork/exec\b|\bpipe: `),
		"these tests seem to need processes, pipes or signals, and GOOS=wasip1 has none"},
	{regexp.MustCompile(`(?i)\b(open|mkdir|remove|rename|mkdirat|openat|unlinkat) .*: (not implemented|read-only|permission denied|operation not permitted)`),
		"the package's files are read-only here; tests may write to os.TempDir() or t.TempDir()"},
	{regexp.MustCompile(`panic: test timed out after`),
		"the tests were still at it after that much virtual time: they never end, wait for something that never comes, or need a larger -limit"},
	{regexp.MustCompile(`out of memory|cannot allocate memory`),
		"a run may use 2 GiB of memory"},
}

// hints explains a failure as far as the host knows more than the tests' output tells.
func (v *verdict) hints(opts *options) []string {
	var hints []string
	if v.differs != "" {
		hints = append(hints, "-check: two runs of seed "+fmt.Sprint(v.seed)+" differ: "+v.differs)
	}
	if v.late {
		hints = append(hints, v.lateness(opts))
	}
	if v.Trap != "" {
		hints = append(hints, "the tests' program broke off: "+v.Trap)
	}
	if v.Code > 2 {
		hints = append(hints, fmt.Sprintf("the tests' program ended with exit code %d, which no test binary returns by itself", v.Code))
	}
	if v.result.passed() {
		return hints
	}
	for _, s := range symptoms {
		if s.pattern.Match(v.output.kept) {
			hints = append(hints, s.hint)
		}
	}
	return hints
}

// lateness explains why a run did not end within its wall time.
func (v *verdict) lateness(opts *options) string {
	if v.quiet > 3*time.Second {
		return fmt.Sprintf("seed %d did not end within %v: for %v it has neither slept nor read a clock, at %v of virtual time. "+
			"Probably a loop that waits without blocking, last in or after %s: here, one thread runs all goroutines, and such a loop lets no other one in",
			v.seed, opts.timeout, v.quiet.Round(time.Second), v.Status.Virtual.Round(msec), v.Status.Last)
	}
	return fmt.Sprintf("seed %d did not end within %v (-timeout), though time goes on: it is at %v of virtual time after %d clock calls. "+
		"Raise -timeout, or run fewer tests with -run", v.seed, opts.timeout, v.Status.Virtual.Round(msec), v.Status.Readings)
}

var failedTest = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)

// reason is a failure in few words: the failed tests, or how the program ended.
func (v *verdict) reason() string {
	switch {
	case v.differs != "":
		return "two runs differ: " + v.differs
	case v.late:
		return "did not end"
	case v.Trap != "":
		return "broke off"
	}
	var names []string
	for _, m := range failedTest.FindAllSubmatch(v.output.kept, -1) {
		names = append(names, string(m[1]))
	}
	if len(names) > 0 {
		return strings.Join(names, ", ")
	}
	last := ""
	for line := range strings.Lines(string(v.output.kept)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "fatal error:") {
			return line
		}
		if line != "" {
			last = line
		}
	}
	return last
}
