package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"6.824/picture"
)

// A page is what these tests need of a page's data.
type page struct {
	Title, Command string
	Notes          []string
	Lanes          []struct {
		Name   string
		Client bool
	}
	Strings   []string
	Violation int
	Events    struct{ Kind, Lane, Peer, Name, Text []int }
}

// readPage returns the page, with a line for each event.
func readPage(t *testing.T, file string) (p page, lines string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`<script id="data"[^>]*>\s*([A-Za-z0-9+/=]+)`).FindSubmatch(text)
	if m == nil {
		t.Fatalf("%s has no data", file)
	}
	z, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(m[1])))
	if err == nil {
		err = json.NewDecoder(z).Decode(&p)
	}
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	e := &p.Events
	for i, kind := range e.Kind {
		fmt.Fprintf(&b, "%d %d>%d %s: %s\n", kind, e.Lane[i], e.Peer[i], p.Strings[e.Name[i]], p.Strings[e.Text[i]])
	}
	return p, "\n" + b.String()
}

// An event is the beginning of a line of readPage.
func event(kind picture.Kind, rest string) string { return fmt.Sprintf("\n%d %s", kind, rest) }

// replayed runs a command line and returns the output and the digest.
func replayed(t *testing.T, line string) (out, log, digest string, err error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	err = replay(t.Context(), parse(t, strings.Fields(line)...), &stdout, &stderr)
	log = stderr.String()
	m := regexp.MustCompile(`; digest \w+, schedule \w+\n`).FindString(log)
	if m == "" {
		t.Fatalf("%s: %v\n%s%s", line, err, stdout.String(), log)
	}
	return stdout.String(), log, m, err
}

// recorded runs a command line with and without -picture, which must be the same run, and returns the page.
func recorded(t *testing.T, line string, fails bool) (p page, lines, log string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "run.html")
	plainOut, _, plain, err := replayed(t, line)
	out, log, digest, again := replayed(t, "-picture "+file+" "+line)
	if out != plainOut || digest != plain || (err != nil) != fails || (again != nil) != fails {
		t.Errorf("%s: %v%s, but with -picture %v%s:\n%s\n%s", line, err, plain, again, digest, plainOut, out)
	}
	if !strings.Contains(log, "replay: -picture: "+file+" shows ") {
		t.Errorf("%s: the log says\n%s", line, log)
	}
	p, lines = readPage(t, file)
	if command := regexp.MustCompile(` -seed \d+ `).FindString(p.Command); command == "" || !strings.Contains(" "+line+" ", command) {
		t.Errorf("%s: the command is %s", line, p.Command)
	}
	return p, lines, log
}

// The page of this repository's Raft has what the harness and the servers tell.
func TestPicture(t *testing.T) {
	t.Parallel()
	p, lines, log := recorded(t, "-seed 7 -run TestBasicAgree2B|TestInitialElection2A ../raft", false)
	if p.Title != "TestBasicAgree2B" || len(p.Lanes) != 3 || p.Violation >= 0 || !strings.Contains(log, "shows the last run, TestBasicAgree2B") {
		t.Errorf("title %q, lanes %v, violation %d\n%s", p.Title, p.Lanes, p.Violation, log)
	}
	for _, want := range []string{
		event(picture.Step, `-1>0 : one\(300\) = 3\n`), event(picture.Save, `0>0 : term 1, vote for server \d, log up to 3; `),
		`: AppendEntries term 1 after 2/1: entry 3, commit 2\n`,
	} {
		if !regexp.MustCompile(want).MatchString(lines) {
			t.Errorf("no %s in\n%s", want, lines)
		}
	}
}

// The page of a student's Raft opens at the broken rule.
func TestPictureOfHarness(t *testing.T) {
	t.Parallel()
	p, lines, _ := recorded(t, "-seed 1 -harness -C ../student -env MISTAKE=vote-kept -run TestReElection2A", true)
	want := event(picture.Violation, `\d>0 a vote refused without a reason \(Figure 2, RequestVote rule 2\): term \d+: server \d refuses`)
	if p.Violation < 0 || !regexp.MustCompile(want).MatchString(lines) {
		t.Errorf("violation %d, no %s in\n%s", p.Violation, want, lines)
	}
}

// A course tree as it is gets this repository's labrpc, and its test's output becomes steps.
func TestPictureOfCourseTree(t *testing.T) {
	t.Parallel()
	p, lines, log := recorded(t, "-seed 3 -run TestWrong -C testdata/course ./kv", true)
	var lanes []string
	for _, l := range p.Lanes {
		lanes = append(lanes, l.Name)
	}
	if got := strings.Join(lanes, ", "); got != "server 0, server 1, server 2, client 1, client 2" || !p.Lanes[3].Client {
		t.Errorf("lanes %s", got)
	}
	const notice = "this repository's labrpc and labgob"
	if p.Title != "TestWrong" || !strings.Contains(strings.Join(p.Notes, "\n"), notice) || !strings.Contains(log, notice) {
		t.Errorf("title %q, notes %q, log\n%s", p.Title, p.Notes, log)
	}
	at := 0
	for _, want := range []string{
		event(picture.Start, "2>"), event(picture.State, "0>-1"), event(picture.Send, "0>1 RequestVote: RequestVote term 1: last log entry 0/0"),
		event(picture.Step, "-1>0 : putting"), event(picture.Invoke, `3>0 : Put {Key:"x" Value:"1" ClientId:101}`),
		event(picture.Answer, `1>0 : ErrWrongLeader`), event(picture.Log, "2>0"), event(picture.Return, `3>0 : {Err:"OK"}`),
		event(picture.Link, "0>2"), event(picture.Commit, "0>"), event(picture.Link, "0>2"), event(picture.Crash, "2>"), event(picture.Start, "2>"),
		event(picture.Return, `4>0 : {Err:"OK" Value:"2"}`), event(picture.Violation, `-1>0 the test fails: kv_test.go:69: x is "2", want "3"`),
	} {
		k := strings.Index(lines[at:], want)
		if k < 0 {
			t.Fatalf("no %q after byte %d of\n%s", want, at, lines)
		}
		at += k + 1
	}
}

// Tests that use this repository's labrpc and no harness are recorded, too.
func TestPictureOfOurs(t *testing.T) {
	t.Parallel()
	p, lines, log := recorded(t, "-seed 1 -C testdata/ours -run TestSay", false)
	if len(p.Lanes) != 2 || !strings.Contains(lines, `Say: Say "hello"`) || strings.Contains(log, "in place of theirs") {
		t.Errorf("lanes %v\n%s\n%s", p.Lanes, lines, log)
	}
}

// A panic is a violation.
func TestPictureOfPanic(t *testing.T) {
	t.Parallel()
	p, lines, _ := recorded(t, "-seed 1 -C testdata/ours -run TestPanic", true)
	if want := event(picture.Violation, "-1>-1 the test fails: panic: planted\n"); p.Violation < 0 || !strings.Contains(lines, want) {
		t.Errorf("violation %d, no %q in\n%s", p.Violation, want, lines)
	}
}

// Without a page, -picture says why.
func TestPictureMissing(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "run.html")
	for line, why := range map[string]string{
		"-C testdata/course ./extra":               `the tests do not build with this repository's labrpc in place of theirs: .*labrpc\.Extra`,
		"-C testdata/toys -run TestSelect ./order": `the tests use no package labrpc`,
		"../labrpc -run TestBasic":                 `the network itself is under test`,
	} {
		_, log, _, err := replayed(t, "-picture "+file+" "+line)
		if err != nil || !regexp.MustCompile(`(?m)^replay: -picture: no page: `+why).MatchString(log) {
			t.Errorf("%s: %v\n%s", line, err, log)
		}
	}
	if _, err := os.Stat(file); err == nil {
		t.Errorf("%s exists", file)
	}
	itself := &target{ImportPath: "6.824/labrpc", labrpc: &listedPackage{ImportPath: "6.824/labrpc"}}
	if w, err := new(goCommand).watched(itself, nil); w != nil || err != nil || itself.NotWatched != "the network itself is under test" {
		t.Errorf("labrpc itself: %v, %v, %q", w, err, itself.NotWatched)
	}
	for file, why := range map[string]string{os.DevNull: "is not a regular file", "no/run.html": "there is no directory no"} {
		if err := checkPicture(file); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", file, err)
		}
	}
	if _, err := parseOptions([]string{"-seeds", "1-2", "-picture", "x"}); err == nil || !strings.Contains(err.Error(), "-picture needs one seed") {
		t.Errorf("with -seeds: %v", err)
	}
}
