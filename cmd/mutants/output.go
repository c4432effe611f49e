package main

import (
	"bufio"
	"io"
	"regexp"
	"strings"
)

// A failure is what ended a run of tests.
type failure struct {
	test   string // the test that failed or was running
	reason string // the first line of what it said
	round  int    // how often the first test had begun
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

// readFailure reads what a test binary prints with -test.v up to the first failure, nil if there is none.
func readFailure(output io.Reader) *failure {
	var first, current, says string
	round := 0
	lines := bufio.NewReader(output)
	for {
		line, err := lines.ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		if m := testBegins.FindStringSubmatch(line); m != nil {
			if current = m[1]; strings.HasPrefix(line, "=== RUN") && !strings.Contains(current, "/") {
				says = ""
				if first == "" {
					first = current
				}
				if current == first {
					round++
				}
			}
		} else if m := testSays.FindStringSubmatch(line); m != nil && says == "" {
			says = m[1]
		} else if reason := ends(line, says); reason != nil {
			return &failure{test: current, reason: *reason, round: round}
		}
		if err != nil {
			return nil
		}
	}
}

// ends returns the reason if line tells of a failure; says is what the running test has said.
func ends(line, says string) *string {
	switch m := raises.FindStringSubmatch(line); {
	case m != nil:
		reason, _, _ := strings.Cut(m[1], " [recovered")
		if strings.HasPrefix(reason, "test timed out") {
			reason = "hangs"
		}
		return &reason
	case strings.HasPrefix(line, "WARNING: DATA RACE"):
		reason := "data race"
		return &reason
	case testFails.MatchString(line):
		return &says
	}
	return nil
}
