package main

import (
	"bufio"
	"cmp"
	"io"
	"regexp"
	"strings"
)

// A failure is the first failure of a run of tests.
type failure struct {
	test   string // the test that failed or was running
	reason string // the first line of its message
	round  int    // how often the first test of the run had begun, for -test.count
}

func (f *failure) String() string {
	const limit = 80
	if f.reason == "" {
		return f.test
	}
	reason := []rune(f.reason)
	if len(reason) > limit {
		reason = append(reason[:limit-1], '…')
	}
	return f.test + ": " + string(reason)
}

var (
	testBegins = regexp.MustCompile(`^=== (?:RUN|NAME|CONT)\s+(\S+)$`)
	testFails  = regexp.MustCompile(`^\s*--- FAIL: (\S+)`)
	testSays   = regexp.MustCompile(`^\s+[\w.-]+\.go:\d+: (.+)$`)
	raises     = regexp.MustCompile(`^(?:panic|fatal error): (.+)$`)
)

// readFailure reads the output of a test binary with -test.v up to the first failure, and returns that, or nil.
func readFailure(output io.Reader) *failure {
	var first, current, says string
	round, failed := 0, false
	lines := bufio.NewReader(output)
	for {
		line, err := lines.ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		m := testBegins.FindStringSubmatch(line)
		switch reason := raised(line); {
		case reason != "":
			return &failure{current, reason, round}
		case testFails.MatchString(line) && says == "":
			failed = true // without a message: a panic may follow
		case testFails.MatchString(line), failed:
			return &failure{current, says, round}
		case m != nil:
			if current = m[1]; strings.HasPrefix(line, "=== RUN") && !strings.Contains(current, "/") {
				says, first = "", cmp.Or(first, current)
				if current == first {
					round++
				}
			}
		case says == "" && testSays.MatchString(line):
			says = testSays.FindStringSubmatch(line)[1]
		}
		if err != nil && !failed {
			return nil
		}
	}
}

// raised returns the reason if line reports a data race, a panic or a fatal error, and otherwise "".
func raised(line string) string {
	if strings.HasPrefix(line, "WARNING: DATA RACE") {
		return "data race"
	}
	m := raises.FindStringSubmatch(line)
	switch {
	case m == nil:
		return ""
	case strings.HasPrefix(m[1], "test timed out"):
		return "hangs"
	}
	reason, _, _ := strings.Cut(m[1], " [recovered")
	return reason
}
