package main

import (
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
)

// A trace shows calls with their arguments, what they change, and the output.
func TestTrace(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/trace"
	want(t, "-run TestCalls -trace "+file+" -trace-func server|mixed ./traced", pass, "passed")
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
}

// A deep recursion does not make lines ever longer.
func TestTraceRecursion(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/trace"
	want(t, "-run TestDive -trace "+file+" -trace-func dive ./traced", pass, "passed")
	text, err := os.ReadFile(file)
	calls := regexp.MustCompile(`(?m)^.{23} {0,80}toys/traced.dive\(n=\d+, z=\(1-2i\), s={one=\(0\+3i\)}\)$`).FindAll(text, -1)
	returns := regexp.MustCompile(`(?m) return \(0\+3i\)$`).FindAll(text, -1)
	if err != nil || len(calls) != 1001 || len(returns) != 1001 {
		t.Errorf("%d calls, %d returns, error %v in %.2000s", len(calls), len(returns), err, text)
	}
}

// A trace holds the last line of output, whole or not, and an earlier trace stays until the tests run.
func TestTraceFile(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/trace"
	want(t, "-run TestUnfinished -trace "+file+" ./traced", failed, "exit code 3")
	text, err := os.ReadFile(file)
	if err != nil || !strings.HasSuffix(string(text), " output unfinished\n") {
		t.Errorf("error %v in\n%s", err, text)
	}
	want(t, "-trace "+file+" ./invalid", unusable, "do not build")
	if again, _ := os.ReadFile(file); string(again) != string(text) {
		t.Errorf("a failed build leaves %q", again)
	}
	want(t, "-trace "+t.TempDir()+"/no/such/directory ./traced", unusable, "no such file")
	want(t, "-trace "+os.DevNull+" ./traced", unusable, "not a regular file")
}

// An error of writing is not lost.
func TestTraceCannotBeWritten(t *testing.T) {
	file, err := os.Open(os.DevNull) // for reading
	if err != nil {
		t.Fatal(err)
	}
	trace := &tracer{host: newHost(1, io.Discard), file: file}
	trace.output([]byte("line\n"))
	if err := trace.close(); err == nil {
		t.Error("no error")
	}
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
	if out := want(t, "-v -run TestCalls ./traced", pass, "passed"); !regexp.MustCompile(`(?s)^=== RUN   TestCalls\nprinted\n    traced_test.go:\d+: logged\n--- PASS: TestCalls .*\nPASS\n$`).MatchString(out) {
		t.Errorf("-v prints %q", out)
	}
	if out := want(t, "-run TestCalls ./traced", pass, "passed"); out != "printed\nPASS\n" {
		t.Errorf("without -v: %q", out)
	}
}
