package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"
)

const msec = time.Millisecond // durations are rounded to it

// unusable returns an error if the command line was wrong, so that no test ran.
func (v *verdict) unusable() error {
	out := v.output.kept
	switch {
	case v.began: // so these words are the tests' own
		return nil
	case bytes.Contains(out, []byte("testing: warning: no tests to run")):
		return fmt.Errorf("no test matches -run")
	case v.Code == 2 && bytes.Contains(out, []byte("flag provided but not defined")):
		return fmt.Errorf("the test binary does not know a flag after -args; its message is above")
	case v.Code != 0 && bytes.Contains(out, []byte("testing: invalid regexp")):
		return fmt.Errorf("-run is not a regular expression; the test binary's message is above")
	}
	return nil
}

// symptoms match output of failed tests whose cause is probably this host and not the tests.
var symptoms = []struct {
	pattern *regexp.Regexp
	hint    string
}{
	{regexp.MustCompile(`\bdial (tcp|udp|unix)|\blisten (tcp|udp|unix)|\blookup .*: |ErrNoNetwork`),
		"these tests seem to need the network, but there is none: sockets work only within the program"},
	{regexp.MustCompile(`\bexec: |\bfork/exec\b|\bpipe: `),
		"these tests seem to need processes, pipes or signals, and GOOS=wasip1 has none"},
	{regexp.MustCompile(`(?i)\b(open|mkdir|remove|rename|mkdirat|openat|unlinkat) .*: (not implemented|read-only|permission denied|operation not permitted)`),
		"the package's files are read-only here; tests may write to os.TempDir() or t.TempDir()"},
	{regexp.MustCompile(`panic: test timed out after`),
		"the tests did not end within that virtual time: they run or wait forever, or need a larger -limit"},
	{regexp.MustCompile(`out of memory|cannot allocate memory`),
		"a run may use 2 GiB of memory"},
}

// hints returns what the host knows about a failure beyond the tests' output.
func (v *verdict) hints(opts *options) []string {
	var hints []string
	if v.differs != "" {
		hints = append(hints, "-check: two runs of seed "+fmt.Sprint(v.seed)+" differ: "+v.differs)
	}
	if v.late {
		hints = append(hints, v.lateness(opts))
	}
	if v.Trap != "" {
		hints = append(hints, "the tests' program was ended: "+v.Trap)
	}
	if v.Code > 2 {
		hints = append(hints, fmt.Sprintf("the tests' program ended with exit code %d, which the testing package never uses", v.Code))
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

// lateness explains why a run did not end within -timeout.
func (v *verdict) lateness(opts *options) string {
	if v.quiet > 3*time.Second {
		where := ""
		if v.Status.Last != "" {
			where = " It was called in " + v.Status.Last + " or after it."
		}
		return fmt.Sprintf("seed %d did not end within %v: for %v its clock has stood still, at %v of virtual time. "+
			"Probably a function of the standard library or of the module cache does not return.%s "+
			"Only loops of other packages let other goroutines run",
			v.seed, opts.timeout, v.quiet.Round(time.Second), v.Status.Virtual.Round(msec), where)
	}
	return fmt.Sprintf("seed %d did not end within %v (-timeout), but its clock advances: it is at %v of virtual time after %d clock calls. "+
		"Raise -timeout, or run fewer tests with -run", v.seed, opts.timeout, v.Status.Virtual.Round(msec), v.Status.Readings)
}

var failedTest = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)

// reason describes a failure in a few words: the failed tests, or how the program ended.
func (v *verdict) reason() string {
	switch {
	case v.differs != "":
		return "two runs differ: " + v.differs
	case v.late:
		return "did not end"
	case v.Trap != "":
		return "did not exit by itself"
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

// maxBuildLines bounds the lines of a compiler's message in an error.
const maxBuildLines = 12

// explainBuild returns an error with the go tool's message that says whether the tests build for this machine.
func (g *goCommand) explainBuild(msg string) error {
	lines := strings.Split(strings.TrimSpace(msg), "\n")
	if n := len(lines) - maxBuildLines; n > 0 {
		lines = append(lines[:maxBuildLines], fmt.Sprintf("(%d more lines)", n))
	}
	text := "\t" + strings.Join(lines, "\n\t")
	if _, err := g.run(false, "test", "-c", "-vet=off", "-o", os.DevNull, g.pkg); err != nil {
		return fmt.Errorf("the tests do not build:\n%s", text)
	}
	return fmt.Errorf("the tests build for this machine but not for GOOS=wasip1 GOARCH=wasm, which has no signals, "+
		"processes, sockets or cgo:\n%s\nMove what needs them to a file with the line //go:build !wasip1", text)
}
