package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"6.824/cmd/cli"
	"6.824/cmd/cli/clitest"
	"6.824/cmd/coursetree"
)

// toyExtra is a file that the toy trees' students have beside the fixture's. Its names min and max are those of functions
// that Go had not then.
const toyExtra = `package raft

func min(a, b int) int { if a < b { return a }; return b }
func max(a, b int) int { if a > b { return a }; return b }

// run, setup and lab are also names of our tests.
func run() {}
type setup struct{}
var lab = setup{}
`

const toySplit = `package raft

import (
	"PREFIXraftapi"
	tester "PREFIXtester1"
)

type (
	Persister = tester.Persister
	ApplyMsg  = raftapi.ApplyMsg
)

func (rf *Raft) PersistBytes() int { return rf.persister.RaftStateSize() }
`

var applyMsgType = regexp.MustCompile(`(?s)\n// ApplyMsg is.*?\n}\n`)

// makeStudent writes the tree with the sources of the fixture, module student, as the student's Raft.
func (l layout) makeStudent(t *testing.T) string {
	t.Helper()
	src := l.make(t)
	root, err := coursetree.LibraryDir()
	if err != nil {
		t.Fatal(err)
	}
	files, err := coursetree.ReadPackage(root, "student/raft")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"extra.go": toyExtra, "my_test.go": "package raft\n\nvar _ = noSuchName\n"}
	for _, f := range files {
		if name := path.Base(f.Name); name != "persister.go" { // the tree has one
			texts[name] = string(f.Text)
		}
	}
	texts["mistakes.go"] = strings.NewReplacer("\t\"slices\"\n", "", `!slices.Contains(names, mistake)`, "len(names) == 0").
		Replace(texts["mistakes.go"])
	if l.split {
		texts["extra.go"] = toySplit + strings.TrimPrefix(toyExtra, "package raft\n")
		texts["raft.go"] = strings.Replace(applyMsgType.ReplaceAllString(texts["raft.go"], "\n"),
			"chan ApplyMsg) *Raft {", "chan ApplyMsg) raftapi.Raft {", 1)
		texts["raft.go"] = strings.Replace(texts["raft.go"], "import (", "import (\n\t\"PREFIXraftapi\"", 1)
	}
	for name, text := range texts {
		text = strings.NewReplacer(`"6.824/`, `"PREFIX`).Replace(text)
		if l.old {
			text = strings.ReplaceAll(text, "persister.Save(", "persister.SaveStateAndSnapshot(")
		}
		if l.name == "2018" || l.name == "2020" { // Raft has no snapshots by the course's design
			text = strings.NewReplacer("SnapshotValid", "ValidSnapshot", "SnapshotIndex", "IndexOfSnapshot",
				") Snapshot(", ") TakeSnapshot(").Replace(text)
		}
		write(t, filepath.Join(src, l.raftDir(), name), strings.ReplaceAll(text, "PREFIX", l.prefix), 0o644)
	}
	return src
}

// test runs -harness, which must change nothing in the tree, and returns its exit code and output.
func test(t *testing.T, src string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	before := snapshot(t, src)
	code, stdout, stderr = clitest.Run(t, append([]string{"-harness", src}, args...)...)
	compare(t, src, before)
	return code, stdout, stderr
}

// In a tree of each year, the fixture passes part A.
func TestHarnessYears(t *testing.T) {
	for _, l := range layouts {
		if !compiles(l) {
			continue
		}
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := test(t, l.makeStudent(t), "-run", "2A|2D")
			if code != 0 || strings.Count(stdout, "\npassed  Test") < 3 || strings.Contains(stdout, "warning") {
				t.Errorf("exit code %d, stdout:\n%s\nstderr:\n%s", code, stdout, stderr)
			}
			if old := l.name == "2018" || l.name == "2020"; strings.Contains(stdout, "2D is left out: Raft has no method Snapshot.") != old {
				t.Errorf("part D: stdout:\n%s", stdout)
			}
		})
	}
}

// fixture returns the directory of the module student.
func fixture(t *testing.T) string {
	t.Helper()
	root, err := coursetree.LibraryDir()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(root, "student")
}

// What stops a virtual clock is named, with its line, and does not stop the tests.
func TestHarnessHabits(t *testing.T) {
	for _, tt := range []struct {
		mistake, run string
		code         int
		wants        []string
	}{
		{"lock-held", "TestReElection2A", 1, []string{
			`\nFAIL    TestReElection2A +\w+ of server \d has not returned for 1m0s\n`,
			`\n +server \d: rf\.mu, locked at \w+\.go:\d+ in (requestVote|replicate), is held for [\dms.]+` +
				`\n +during the call of Raft\.\w+ to server \d at raft\.go:\d+ in call, called at \w+\.go:\d+ in \w+` +
				`\n +waiting for it: .*in (RequestVote|AppendEntries)`,
			`\nwarning in 1 test: rf\.mu, locked at append\.go:\d+ in replicate, is held during the call of Raft\.AppendEntries at raft\.go:\d+ in call`,
		}},
		{"lock-held", "TestInitialElection2A", 0, []string{
			`\npassed  TestInitialElection2A`,
			`\nwarning in 1 test: rf\.mu, locked at append\.go:\d+ in replicate, is held during the call of Raft\.AppendEntries at raft\.go:\d+ in call`,
		}},
		{"kill-ignored", "TestInitialElection2A", 0, []string{
			`\npassed  TestInitialElection2A`,
			`\nwarning in 1 test: a goroutine goes on after Kill: raft\.go:\d+ in \(\*Raft\)\.ticker\n`,
		}},
		{"busy-loop", "TestInitialElection2A", 0, []string{
			`\npassed  TestInitialElection2A`,
			`\nwarning in 1 test: the loop at raft\.go:\d+ in ticker polls without sleeping\n`,
		}},
	} {
		if !*full && tt.code == 0 {
			continue
		}
		t.Run(tt.mistake+" "+tt.run, func(t *testing.T) {
			t.Setenv("MISTAKE", tt.mistake)
			testUntil(t, tt.run, tt.code, tt.wants...)
		})
	}
}

// testUntil runs one test of the fixture, which makes a mistake, until the exit code is code and the output matches all
// wants, at most ten times. A mistake shows only in runs that meet it: two candidates at once that hold their locks, for
// example, wait for each other before there is a leader, so the first election decides what is reported.
func testUntil(t *testing.T, run string, code int, wants ...string) {
	t.Helper()
	for range 10 {
		got, stdout, stderr := test(t, fixture(t), "-run", run)
		missing := slices.DeleteFunc(slices.Clone(wants), func(want string) bool {
			return regexp.MustCompile(want).MatchString(stdout)
		})
		if got == code && len(missing) == 0 {
			return
		}
		t.Logf("exit code %d; no match for %q; stdout:\n%s\nstderr:\n%s", got, missing, stdout, stderr)
	}
	t.Errorf("none of ten runs has exit code %d and matches for all of %q", code, wants)
}

// A mistake that breaks a rule of the paper fails a test, which says which rule. The others need several runs.
func TestHarnessMistakes(t *testing.T) {
	for mistake, want := range map[string]string{
		"vote-kept":           "TestReElection2A +a vote refused without a reason",
		"log-not-compared":    "TestRejoin2B +a vote for a candidate whose log is behind",
		"truncate-always":     "TestUnreliableAgree2C +an acknowledgement that is taken back",
		"append-not-saved":    "TestPersistShutdown2C +an acknowledgement that is taken back",
		"vote-not-saved":      "TestVoteSurvivesCrash2C +two votes of one server in one term",
		"snapshot-off-by-one": "TestSnapshotBasic2D +(apply error: commit index|logs that do not match)",
	} {
		if !*full && mistake != "vote-kept" {
			continue
		}
		t.Run(mistake, func(t *testing.T) {
			t.Setenv("MISTAKE", mistake)
			name, _, _ := strings.Cut(want, " ")
			testUntil(t, name, 1, "\nFAIL    "+want)
		})
	}
}

// After a failure, the later parts do not run, and the output says how to go on.
func TestHarnessStopsAfterPart(t *testing.T) {
	t.Setenv("MISTAKE", "vote-kept")
	run := []string{"-run", "TestReElection2A|TestBasicAgree2B|TestPersist12C|TestSnapshotBasic2D"}
	logs := filepath.Join(t.TempDir(), "my logs")
	code, stdout, _ := test(t, fixture(t), append(run, "-logs", logs)...)
	for _, want := range []string{
		"\n2B, 2C and 2D were not run: first make 2A pass. -keep-going runs all.\n",
		"\nThe logs are in " + logs + ".\n",
		"\n  ./use-in-course.sh -harness -v -run TestReElection2A " + cli.Quote(fixture(t)) + "\n",
		" . -harness -C " + cli.Quote(fixture(t)) + " -seeds 1-1000 -run TestReElection2A\n",
	} {
		if code != 1 || !strings.Contains(stdout, want) {
			t.Errorf("exit code %d, no %q in:\n%s", code, want, stdout)
		}
	}
	m := regexp.MustCompile(`\n +picture: (.*\.html)\n`).FindStringSubmatch(stdout)
	if m == nil || filepath.Dir(m[1]) != logs || !strings.Contains(read(t, m[1]), "<title>TestReElection2A</title>") {
		t.Errorf("no page in %s:\n%s", logs, stdout)
	}
	if text := read(t, filepath.Join(logs, "TestReElection2A.log")); !strings.Contains(text, "a vote refused without a reason") {
		t.Errorf("the log is:\n%s", text)
	}
	if code, stdout, _ := test(t, fixture(t), append(run, "-keep-going")...); code != 1 || !strings.Contains(stdout, "TestSnapshotBasic2D") {
		t.Errorf("-keep-going: exit code %d:\n%s", code, stdout)
	}
}

// replaceIn replaces a text in a file, which must have it.
func replaceIn(t *testing.T, name, old, text string) {
	t.Helper()
	before := read(t, name)
	if !strings.Contains(before, old) {
		t.Fatalf("%s has no %q", name, old)
	}
	write(t, name, strings.Replace(before, old, text, 1), 0o644)
}

// A package that does not compile, a panic, a message after Kill, and all types of package sync.
func TestHarnessBrokenPackages(t *testing.T) {
	t.Parallel()
	src := layoutOf(t, "2024").makeStudent(t)
	raft := filepath.Join(src, "raft", "raft.go")
	good := read(t, raft)
	lineOf := func(text string) string {
		return fmt.Sprintf("raft.go:%d", 1+strings.Count(good[:strings.Index(good, text)], "\n"))
	}
	line := lineOf("\treturn rf.currentTerm, rf.role == leader")
	for _, tt := range []struct {
		name, old, text string
		code            int
		want            string
	}{
		{"Make with an option", "applyCh chan ApplyMsg) *Raft {", "applyCh chan ApplyMsg, debug bool) *Raft {", 2, "not enough arguments in call to student.Make"},
		{"does not compile", "return rf.currentTerm, rf.role == leader", "return rf.currentTerm, rf.rule == leader", 2,
			"use-in-course: package raft in " + filepath.Join(src, "raft") + " does not compile with our tests:\n"},
		{"panic", "return rf.currentTerm, rf.role == leader", "return rf.log[9].Term, true", 1,
			"panic: runtime error: index out of range [9] with length 1, at " + line + " in (*Raft).GetState"},
		{"panic in a goroutine", "func (rf *Raft) ticker() {", "func (rf *Raft) ticker() { rf.log = rf.log[:9:9];", 1,
			"panic: runtime error: slice bounds out of range [::9] with capacity 1, at " + lineOf("func (rf *Raft) ticker() {") + " in (*Raft).ticker"},
		{"panic in a handler", "func (rf *Raft) seeTerm(term int) {", "func (rf *Raft) seeTerm(term int) { _ = rf.log[9];", 1,
			"panic: runtime error: index out of range [9] with length 1, at " + lineOf("func (rf *Raft) seeTerm(term int) {") + " in (*Raft).seeTerm"},
		{"sends after Kill", "atomic.StoreInt32(&rf.dead, 1)", "atomic.StoreInt32(&rf.dead, 1); go func() { rf.applyCh <- ApplyMsg{} }()", 0,
			"RPCs\n1 of 1 test passed."}, // with no warning between them
		{"lock twice", "return rf.currentTerm, rf.role == leader", "rf.mu.Lock(); return rf.currentTerm, rf.role == leader", 1,
			"\n            its holder is at " + line + " in (*Raft).GetState [waits for a lock]\n"},
		{"no Unlock", "	defer rf.mu.Unlock()\n	return rf.currentTerm, rf.role == leader", "	return rf.currentTerm, rf.role == leader", 1,
			"\n            its holder has returned without Unlock\n"},
		{"sleep with the lock", "return rf.currentTerm, rf.role == leader", "time.Sleep(time.Hour); return rf.currentTerm, rf.role == leader", 1,
			"\n            its holder is at " + line + " in (*Raft).GetState [sleep]\n"},
		{"type of sync", "mu        sync.Mutex\n", "mu        sync.Mutex; ready sync.Once; f func(*sync.Cond, sync.Locker, *sync.WaitGroup, *sync.Map, *sync.Pool, *sync.RWMutex)\n", 0,
			"1 of 1 test passed."},
	} {
		if !*full && tt.code != 2 && tt.name != "panic in a goroutine" {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			write(t, raft, good, 0o644)
			replaceIn(t, raft, tt.old, tt.text)
			code, stdout, stderr := test(t, src, "-run", "TestInitialElection2A")
			if code != tt.code || !strings.Contains(stdout+stderr, tt.want) {
				t.Errorf("exit code %d, want %d; no %q in\n%s%s", code, tt.code, tt.want, stdout, stderr)
			}
			if strings.HasPrefix(tt.name, "panic") && !strings.Contains(stdout, "\n          picture: ") {
				t.Errorf("no page in\n%s", stdout)
			}
		})
	}
}

// A test whose virtual clock stands still runs again on the real clock. Its result there depends on the machine.
func TestHarnessFrozen(t *testing.T) {
	if !*full { // it takes half a minute
		return
	}
	t.Parallel()
	src := layoutOf(t, "2024").makeStudent(t)
	replaceIn(t, filepath.Join(src, "raft", "raft.go"), "\treturn rf.currentTerm, rf.role == leader",
		"again:\n\tif time.Since(rf.deadline) < -time.Millisecond {\n\t\tgoto again\n\t}\n\treturn rf.currentTerm, rf.role == leader")
	_, stdout, stderr := test(t, src, "-run", "TestInitialElection2A")
	want := `\n +This result is from the real clock, since the virtual clock stands still: this goroutine neither sleeps nor waits for another one of the test: raft.go:\d+ in \(\*Raft\)\.GetState \[run\w+\]\n`
	if !regexp.MustCompile(want).MatchString(stdout) {
		t.Errorf("no %q in\n%s%s", want, stdout, stderr)
	}
}

// If the student's locks must be those of package sync, the tests run without ours.
func TestHarnessPlain(t *testing.T) {
	if !*full {
		return
	}
	t.Parallel()
	src := layoutOf(t, "2024").makeStudent(t)
	write(t, filepath.Join(src, "locks", "locks.go"), "package locks\n\nimport \"sync\"\n\nfunc With(m *sync.Mutex) {}\n", 0o644)
	write(t, filepath.Join(src, "raft", "with.go"), "package raft\n\nimport (\n\t\"6.5840/locks\"\n\t\"sync\"\n)\n\n"+
		"func (rf *Raft) with(m *sync.Mutex) { locks.With(m) }\n", 0o644)
	code, stdout, stderr := test(t, src, "-run", "TestInitialElection2A")
	if code != 0 || !strings.Contains(stdout, "\nThe package compiles only without our locks and loop counters") {
		t.Errorf("exit code %d, stdout:\n%s\nstderr:\n%s", code, stdout, stderr)
	}
}

func TestHarnessStyle(t *testing.T) {
	if os.Getenv("MISTAKE") != "" {
		t.Fatal("MISTAKE is set")
	}
	clitest.Style(t, command.Name, []string{"-harness"}, []string{"-harness", fixture(t), "-clock", "real"}, "building our tests")
	refused(t, t.TempDir(), "is this library itself", "-harness", filepath.Dir(fixture(t)))
	refused(t, t.TempDir(), fixture(t)+" may be one", "-harness", filepath.Join(fixture(t), "raft"))
	for _, args := range [][]string{{"-harness", "-all", "."}, {"-run", "2A", "."}, {"-harness", "-clock", "fast", "."}} {
		if code, _, stderr := clitest.Run(t, args...); code != 2 || !strings.HasSuffix(stderr, "Try 'use-in-course -h'.\n") {
			t.Errorf("%q: exit code %d, %q", args, code, stderr)
		}
	}
}
