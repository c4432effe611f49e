package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// The student's Raft passes our tests, and a mistake of it fails them, with a command that repeats the failure.
func TestHarness(t *testing.T) {
	student := func(line string) (stdout, stderr string, err error) {
		var out, log bytes.Buffer
		err = replay(t.Context(), parse(t, strings.Fields("-harness -C ../student "+line)...), &out, &log)
		return out.String(), log.String(), err
	}
	if out, log, err := student("-seed 1 -check -run TestBasicAgree2B"); err != nil {
		t.Errorf("%v\n%s%s", err, out, log)
	}
	out, log, err := student("-seeds 1-3 -env MISTAKE=vote-kept -run TestReElection2A")
	for _, want := range []string{"a vote refused without a reason (Figure 2, RequestVote rule 2)", " -run TestReElection2A -env MISTAKE=vote-kept -C ../student -harness"} {
		if err == nil || !strings.Contains(out+log, want) {
			t.Errorf("no %q (%v)\n%s%s", want, err, out, log)
		}
	}
}

// -harness takes the package from the tree.
func TestHarnessUsage(t *testing.T) {
	for _, line := range []string{"-harness", "-harness -C ../student ./raft", "-harness -C ../student -overlay o.json"} {
		if _, err := parseOptions(strings.Fields(line)); err == nil || !strings.Contains(fmt.Sprint(err), "-harness needs -C") {
			t.Errorf("%s: %v", line, err)
		}
	}
}
