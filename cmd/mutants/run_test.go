package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"6.824/cmd/cli"
)

// toy returns a laboratory for the module in testdata.
func toy(t *testing.T, o options) *laboratory {
	t.Helper()
	module, err := filepath.Abs("testdata/toy")
	if err != nil {
		t.Fatal(err)
	}
	return &laboratory{options: o, module: module, scratch: t.TempDir()}
}

// planted returns a mutant of the toy's double.
func planted(code string) mutant {
	return mutant{name: "planted", edits: []edit{{"raft.go", "return 2 * n", code}}}
}

// wantEmpty fails the test if the laboratory has left a file.
func wantEmpty(t *testing.T, l *laboratory) {
	t.Helper()
	if left, _ := os.ReadDir(l.scratch); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Without a directory for temporary files, or outside the module, nothing runs.
func TestNewLaboratoryUnusable(t *testing.T) {
	test := func() {
		t.Helper()
		l, err := newLaboratory(t.Context(), options{})
		if code := cli.ExitCode(err); code != cli.ExitUsage {
			t.Errorf("laboratory %v, error %v: exit code %d", l, err, code)
		}
	}
	t.Setenv("TMPDIR", t.TempDir()+"/missing")
	test()
	t.Setenv("TMPDIR", "")
	t.Chdir(t.TempDir())
	test()
}

func TestVerdicts(t *testing.T) {
	l := toy(t, options{lab: 3, timeout: time.Minute})
	for _, c := range []struct {
		name        string
		mutant      mutant
		killed, lab string
	}{
		{"dead", planted("return n"), "TestDouble/of_three: three and three make six", "PASS"},
		{"dead for the lab too", planted("return 0"), "TestDouble/of_three: three and three make six", "run 1: TestBasic2A"},
		{"panics", planted("panic(n)"), "TestDouble/of_three: 3", "run 1: TestBasic2A"},
		{"healthy", mutant{name: "healthy"}, "", "PASS"},
		{"alive", mutant{name: "alive", edits: []edit{{"raft.go", "n / 2", "n"}}}, "", "PASS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := l.test(context.Background(), c.mutant)
			if r.err != nil {
				t.Fatal(r.err)
			}
			killed := ""
			if r.killed != nil {
				killed = r.killed.String()
			}
			if killed != c.killed || r.labVerdict() != c.lab {
				t.Errorf("killed by %q, the lab: %q; want %q and %q", killed, r.labVerdict(), c.killed, c.lab)
			}
			wantEmpty(t, l)
		})
	}
}

// A mutant that cannot be tested gives an error and is not killed.
func TestNoVerdict(t *testing.T) {
	l := toy(t, options{timeout: time.Minute})
	for _, c := range []struct {
		mutant mutant
		want   string
	}{
		{planted("return unknown"), "mutant planted does not compile: exit status 1"},
		{planted("os.Exit(3)"), "does not compile"},
		{mutant{name: "odd", edits: []edit{{"raft.go", "return 3 * n", ""}}}, "mutant odd does not fit raft.go: the snippet occurs 0 times, not once:\nreturn 3 * n"},
		{mutant{name: "odd", edits: []edit{{"gone.go", "x", ""}}}, "mutant odd does not fit"},
	} {
		r := l.test(context.Background(), c.mutant)
		if r.killed != nil || r.err == nil || !strings.Contains(r.err.Error(), c.want) {
			t.Errorf("killed by %v, error %v; want the error %q", r.killed, r.err, c.want)
		}
		wantEmpty(t, l)
	}
}

func TestHangIsAKill(t *testing.T) {
	l := toy(t, options{timeout: time.Second}) // the tests get a second, however long the compiler takes
	r := l.test(context.Background(), planted("for { }"))
	if r.err != nil || r.killed == nil || r.killed.String() != "TestDouble/of_three: hangs" {
		t.Errorf("killed by %v, error %v; want a hang", r.killed, r.err)
	}
}

// After the context has ended, the run of a test that never ends is over, and its files are removed.
func TestStop(t *testing.T) {
	l := toy(t, options{timeout: time.Hour, parallel: 2})
	ctx, cancel := context.WithCancel(context.Background())
	var said strings.Builder
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.testAll(ctx, []mutant{planted("for { }")}, &said)
	}()
	for binary := filepath.Join(l.scratch, "planted", "raft.test"); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(binary); err == nil {
			break // it is compiled, and runs or will run soon
		}
	}
	cancel()
	<-done
	if said.Len() > 0 {
		t.Errorf("an outcome of a run that was stopped: %s", said.String())
	}
	l.close()
	if _, err := os.Stat(l.scratch); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("left behind: %s (%v)", l.scratch, err)
	}
}

func TestHealthIsCheckedFirst(t *testing.T) {
	l := toy(t, options{timeout: time.Minute})
	if err := l.checkHealthy(context.Background(), nil); err != nil {
		t.Error(err)
	}
	if err := os.CopyFS(l.scratch+"/sick", os.DirFS(l.module)); err != nil {
		t.Fatal(err)
	}
	l.module = l.scratch + "/sick"
	if err := os.WriteFile(l.raft()+"/raft.go", []byte("package raft\nfunc double(n int) int { return n }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := l.checkHealthy(context.Background(), nil)
	if err == nil || !strings.Contains(err.Error(), "the tests fail without a mutant: TestDouble") {
		t.Errorf("a sick module: %v", err)
	}
}
