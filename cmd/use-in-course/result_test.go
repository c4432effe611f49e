package main

import (
	"errors"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// The first failure in a test's output is its cause, with the place in the student's package.
func TestResults(t *testing.T) {
	const (
		passed = "Test (2A): a ...\n  ... Passed --   3.1  3   52    9382    0\n"
		failed = "    test_test.go:53: expected one leader, got none\n--- FAIL: TestX2A (0.05s)\n"
		broken = `panic: runtime error: index out of range [9] with length 1 [recovered]
	panic: again

goroutine 36 [running]:
panic({0x574fe0?, 0x92220a6a2b8?})
	/usr/local/go/src/runtime/panic.go:860 +0x13a
6.5840/raft.(*Raft).last(...)
	/home/me/my lab/src/raft/log.go:12
6.5840/raft.(*Raft).AppendEntries(0xc000, {0x1, 0x2}, 0xc001)
	/home/me/my lab/src/raft/raft.go:99 +0xab
created by 6.5840/labrpc.newWorker in goroutine 7
	/home/me/my lab/src/labrpc/call.go:107 +0x2e

goroutine 1 [chan receive]:
6.5840/raft.(*Raft).Kill(0xc000)
	/home/me/my lab/src/raft/raft.go:7 +0xab
`
		race = `==================
WARNING: DATA RACE
Read at 0x00c000136270 by goroutine 35:
  6.5840/raft.(*Raft).GetState()
      /home/me/raft/raft.go:99 +0xab
  6.5840/raft_test.(*watch).getState()
      /home/me/raft/harness_watch_test.go:150 +0x58

Previous write at 0x00c000136270 by goroutine 28:
  6.5840/raft.(*Raft).startElection.func1()
      /home/me/raft/election.go:59 +0x77

Goroutine 35 (running) created at:
==================
`
	)
	for _, tt := range []struct {
		name, text, why string
		fails           bool
	}{
		{"passed", passed, "", false},
		{"failed", passed + failed, "expected one leader, got none", true},
		{"panic", broken, "panic: runtime error: index out of range [9] with length 1, at log.go:12 in (*Raft).last", true},
		{"panic after a failure", failed + broken, "expected one leader, got none", true},
		{"fatal error", "fatal error: all goroutines are asleep - deadlock!\n", "fatal error: all goroutines are asleep - deadlock!", true},
		{"race", race + failed, "data race: read at raft.go:99 in (*Raft).GetState, write at election.go:59 in (*Raft).startElection.func1", true},
		{"killed", "Test (2A): a ...\n", "exit", true},
		{"os.Exit(0)", "=== RUN TestX2A\nTest (2A): a ...\n", "exit code 0, by os.Exit or log.Fatal, after: Test (2A): a ...", false},
		{"silent", "", "exit", true},
	} {
		var err error
		if tt.fails {
			err = errors.New("exit")
		}
		r := newResult("TestX2A", tt.text, err)
		if r.why != tt.why {
			t.Errorf("%s: %q, want %q", tt.name, r.why, tt.why)
		}
	}
	r := newResult("TestX2A", passed+"warning: a\nlock: b\nwarning: a\n"+passed, nil)
	if r.rpcs != 104 || r.seconds != 6.2 || !slices.Equal(r.warnings, []string{"a"}) || !slices.Equal(r.locks, []string{"b"}) {
		t.Errorf("%+v", r)
	}
}

// Only the harness's exit code and line together say that the clock stands still.
func TestExitCodes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no sh")
	}
	for _, tt := range []struct{ script, text, frozen, why string }{
		{"exit 3", "frozen: it stands\nfrozen: still\n", "it stands", "exit code 3"},
		{"exit 1", "frozen: it stands\n", "", "exit code 1, by os.Exit or log.Fatal, after: frozen: it stands"},
		{"exit 3", "log.Fatal's text\n", "", "exit code 3, by os.Exit or log.Fatal, after: log.Fatal's text"},
		{"kill -9 $$", "Test (2A): a ...\n", "", "signal: killed"},
	} {
		r := newResult("TestX2A", tt.text, exec.Command("sh", "-c", tt.script).Run())
		if r.frozen != tt.frozen || !strings.HasPrefix(r.why, tt.why) {
			t.Errorf("%s: frozen %q, why %q", tt.script, r.frozen, r.why)
		}
	}
}

// What is written up to the limit arrives; after it, nothing does.
func TestLimitedWriter(t *testing.T) {
	var to strings.Builder
	full := 0
	w := &limitedWriter{to: &to, left: 5, full: func() { full++ }}
	for i, text := range []string{"ab", "cde", "f", "g"} {
		if n, err := w.Write([]byte(text)); n != len(text) || err != nil || full != max(0, i-1) {
			t.Errorf("%q: %d, %v; full was called %d times", text, n, err, full)
		}
	}
	if to.String() != "abcde" {
		t.Errorf("%q", to.String())
	}
}
