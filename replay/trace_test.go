package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// A trace shows calls with their arguments, what they change, and the output.
func TestTrace(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/trace"
	want(t, "-trace "+file+" -trace-func server|mixed ./traced", pass, "passed")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`g\d+ +toys/traced.\(\*server\).RequestVote\(s=&{me=2 currentTerm=3}, args=&{Term=4 Candidate=-1 Name="n" Log=\[4\]{{Term=1 Command="x" Label=604800000000000} {Term=2} {Term=3 Command=302 Label=…} {Term=4 Command=…}}}, reply=&{}\)`,
		`g\d+ +  toys/traced.\(\*server\).grow\(s=&{me=2 currentTerm=3}\)`,
		`g\d+ +  return s.dead={v=7}, s.seen=map\[2\]`,
		`g\d+ +return s.currentTerm=4, s.dead={v=7}, s.seen=map\[2\], reply.Term=4, reply.Granted=true`,
		`g\d+ +toys/traced.mixed\(a=1, b=true, c=0, d=0, e=""\)`,
		`g\d+ +toys/traced.mixed\(a=-1, b=false, c=2.5, d=65535, e="text"\)`,
		`g\d+ +return x=65536, err=nil`,
		`output printed`,
		`output     traced_test.go:\d+: logged`,
	} {
		if n := len(regexp.MustCompile(`(?m)^ +0\.\d{9} `+line+`$`).FindAll(text, -1)); n != 1 {
			t.Errorf("%d lines match %s", n, line)
		}
	}
	if t.Failed() || strings.Contains(string(text), "TestCalls(") {
		t.Errorf("trace:\n%s", text)
	}
	want(t, "-trace "+t.TempDir()+"/no/such/directory ./traced", unusable, "no such file")
}

// What the host shows or records does not change the run.
func TestSameRunWhateverIsShown(t *testing.T) {
	t.Parallel()
	digest := regexp.MustCompile(`digest \w+, schedule \w+`)
	var first string
	for _, flags := range []string{"", "-v", "-trace " + t.TempDir() + "/trace", "-check"} {
		_, log, err := do(t, "-seed 5 "+flags+" ./busy")
		if err != nil {
			t.Errorf("%s: %v", flags, err)
		}
		got := digest.FindString(log)
		if first == "" {
			first = got
		}
		if got == "" || got != first {
			t.Errorf("with %q: %s, want %s", flags, got, first)
		}
	}
	if out := want(t, "-v ./traced", pass, "passed"); !regexp.MustCompile(`(?s)^=== RUN   TestCalls\nprinted\n    traced_test.go:\d+: logged\n--- PASS: TestCalls .*\nPASS\n$`).MatchString(out) {
		t.Errorf("-v prints %q", out)
	}
	if out := want(t, "./traced", pass, "passed"); out != "printed\nPASS\n" {
		t.Errorf("without -v: %q", out)
	}
}
