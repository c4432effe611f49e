//go:build !wasip1 && !unrecorded

package raft

// Tests of the pages that tests write.

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"6.824/picture"
)

func TestPictureFlag(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "pages")
	out, code := runTests(t, nil, "-test.v", "-test.run=^(TestInitialElection2A|TestBasicAgree2B)$", "-picture="+dir, "-options=vote=first")
	if code != 0 {
		t.Fatalf("exit code %d:\n%s", code, out)
	}
	for _, name := range []string{"TestInitialElection2A", "TestBasicAgree2B"} {
		path := filepath.Join(dir, name+".html")
		if want := "    picture: " + path + "\n--- PASS: " + name; !strings.Contains(out, want) {
			t.Errorf("the output has no %q:\n%s", want, out)
		}
		p := readPageFile(t, path)
		if want := "go test ./raft -run '^" + name + "$' -args -options='vote=first'"; p.Title != name || p.Command != want {
			t.Errorf("title %q and command %q, want %q and %q", p.Title, p.Command, name, want)
		}
		if len(p.Lanes) != 3 || p.Violation >= 0 || p.count(picture.Step, "Test (2") != 1 || p.count(picture.Start, "") != 3 {
			t.Errorf("%s: lanes %v, violation %d, steps %d, starts %d", name, p.Lanes, p.Violation, p.count(picture.Step, ""), p.count(picture.Start, ""))
		}
	}
	if p := readPageFile(t, filepath.Join(dir, "TestBasicAgree2B.html")); p.count(picture.Step, "one(200) = 2") != 1 || p.count(picture.Apply, "200") != 3 {
		t.Errorf("step %d, applied %d times", p.count(picture.Step, "one(200) = 2"), p.count(picture.Apply, "200"))
	}
}

// Under a debugger, where no panic is caught, tests write their pages, too.
func TestPictureUnderDebugger(t *testing.T) {
	dir := t.TempDir()
	out, code := runTests(t, nil, "-test.timeout=0", "-test.v", "-test.run=^TestInitialElection2A$", "-picture="+dir)
	if p := readPageFile(t, filepath.Join(dir, "TestInitialElection2A.html")); code != 0 || p.count(picture.Step, "checkOneLeader") == 0 {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}

// A page that cannot be written is a line of the output, and no reason to fail; a wrong flag is noticed at once.
func TestPictureCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	out, code := runTests(t, nil, "-test.run=^TestInitialElection2A$", "-picture="+file)
	if code != 2 || !strings.HasPrefix(out, "-picture="+file+": mkdir ") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	out, code = runTests(t, []string{"PICTURES=" + file}, "-test.v", "-test.run=^TestFault$", "-fault=body")
	if code != 1 || !strings.Contains(out, "\n    picture: cannot write it: open "+file) {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}

// wantPicture checks that the page is the last line of a failing test, and returns its data.
func wantPicture(t *testing.T, out, dir, test string) page {
	t.Helper()
	m := regexp.MustCompile(`\n    picture: (.*)\n--- FAIL: ` + test + ` `).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("no picture before the end of %s:\n%s", test, out)
	}
	if filepath.Dir(m[1]) != dir || !strings.HasPrefix(filepath.Base(m[1]), test+"-") || !strings.HasSuffix(m[1], ".html") {
		t.Errorf("the page is %s, want one of %s in %s", m[1], test, dir)
	}
	return readPageFile(t, m[1])
}

// checkFailurePage checks that the page is the last line of TestFault, and opens at a violation.
func checkFailurePage(t *testing.T, out, dir string) {
	t.Helper()
	if p := wantPicture(t, out, dir, "TestFault"); p.Violation < 0 {
		t.Error("the page has no violation")
	}
}

// failing runs a scenario that fails, and returns the page that its test would write.
func failing(t *testing.T, s setup, scenario func(cfg *config)) (p page) {
	t.Helper()
	onVirtualClock(t, func(t *testing.T) {
		var r *recording
		if errs := errorsOf(func(f *fakeT) {
			cfg := s.start(f)
			defer cfg.cleanup()
			cfg.watch.show = func(string) {}
			r = cfg.recording
			cfg.begin("Test: it fails")
			scenario(cfg)
		}); len(errs) != 1 {
			t.Errorf("errors %q, want one", errs)
		}
		p = pageOf(t, r)
	})
	return p
}

func TestPictureOfViolation(t *testing.T) {
	second := 0
	p := failing(t, setup{n: 3}, func(cfg *config) {
		second = (cfg.checkOneLeader() + 1) % 3
		rf := cfg.raft(second)
		rf.mu.Lock()
		rf.setRoleLocked(Leader, rf.me)
		rf.mu.Unlock()
		cfg.sleep(time.Hour)
	})
	p.wantViolation(t, electionSafety, second, "leads in this term")
	if term := p.Events.Term[p.Violation]; term < 1 {
		t.Errorf("the violation is in term %d", term)
	}
}

func TestPictureOfApplyError(t *testing.T) {
	p := failing(t, setup{n: 3}, func(cfg *config) {
		cfg.one(1, 3, true)
		cfg.record(2, "server 2 apply out of order 7")
		cfg.sleep(time.Hour)
	})
	p.wantViolation(t, "apply error", 2, "apply out of order 7")
}

// A test that finds no leader has a page with the last elections.
func TestPictureOfNoLeader(t *testing.T) {
	p := failing(t, setup{n: 3}, func(cfg *config) {
		cfg.checkOneLeader()
		for i := range 3 {
			for j := range 3 {
				cfg.net.Enable(cfg.endnames[i][j], false)
			}
		}
		cfg.sleep(5 * time.Second) // the leader steps down
		cfg.checkOneLeader()
	})
	p.wantViolation(t, "the test fails", picture.NoLane, "expected one leader, got none")
	if len(p.Elections) < 3 {
		t.Errorf("the page has %d elections", len(p.Elections))
	}
	for i, kind := range p.Events.Kind[p.Violation+1:] {
		if kind != int(picture.State) && kind != int(picture.Crash) && kind != int(picture.End) {
			t.Errorf("event %d after the violation is of kind %d", i+1, kind)
		}
	}
}

// A panic of a server is a violation of that server. In a handler, it names the message.
func TestPictureOfPanic(t *testing.T) {
	for _, fault := range []string{"applier", "handler"} {
		dir := t.TempDir()
		out, _ := runTests(t, []string{"PICTURES=" + dir}, "-test.v", "-test.run=^TestFault$", "-fault="+fault)
		p := wantPicture(t, out, dir, "TestFault")
		p.wantViolation(t, "panic", 2, "planted")
		e, call := &p.Events, p.Events.Call[p.Violation]
		running := 0 // handlers of server 2; of several at once, it may not be clear which one has panicked
		for i := range p.Violation {
			switch {
			case e.Lane[i] != 2:
			case e.Kind[i] == int(picture.Receive):
				running++
			case e.Kind[i] == int(picture.Answer):
				running--
			}
		}
		if fault == "applier" && call != 0 || fault == "handler" && (running == 0 || running == 1 && call == 0) {
			t.Errorf("%s: the violation names call %d, with %d handlers running", fault, call, running)
		}
		for i := range e.Kind {
			if call != 0 && e.Call[i] == call && e.Kind[i] == int(picture.Send) && e.Peer[i] != 2 {
				t.Errorf("the violation names a message to server %d", e.Peer[i])
			}
		}
	}
}

// A test may fail before anything is recorded, and its name may be long.
func TestPictureOfNothing(t *testing.T) {
	var r *recording
	onVirtualClock(t, func(t *testing.T) { r = newRecording(t, 1) })
	r.failure("it fails")
	if p := pageOf(t, r); len(p.Events.At) != 1 || p.Events.At[0] > int(time.Second) {
		t.Errorf("the events happen at %v", p.Events.At)
	}
	t.Setenv("PICTURES", t.TempDir())
	for _, name := range []string{strings.Repeat("x", 1000), strings.Repeat("é", 1000)} {
		path, err := r.write(name)
		if err != nil || filepath.Dir(path) != os.Getenv("PICTURES") {
			t.Errorf("path %s, error %v", path, err)
		}
	}
}

// Benchmarks are not recorded.
func TestPictureNotOfBenchmarks(t *testing.T) {
	if r := newRecording(new(testing.B), 3); r != nil {
		t.Error("a benchmark has a recording")
	}
	var r *recording // all methods work without one
	r.step("")
	r.violation("", 0, 0, 0, "")
	r.failure("")
	r.started(0, nil, nil)
	r.crashing(0)
	r.show(t)
	if r.testing(t) != testing.TB(t) {
		t.Error("without a recording, the test is replaced")
	}
}
