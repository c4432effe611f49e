package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"6.824/cmd/cli/clitest"
	"6.824/picture"
)

// A page is what the tests want to know of a page's data.
type page struct {
	Title, Command string
	Strings        []string
	Violation      int
	Lanes          []struct{ Name string }
	Events         struct{ Kind, Lane, Text []int }
}

var pageData = regexp.MustCompile(`<script id="data"[^>]*>\s*([A-Za-z0-9+/=]+)\s*</script>`)

func readPage(t *testing.T, file string) (p page) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m := pageData.FindSubmatch(text)
	if m == nil {
		t.Fatalf("there is no data in %s", file)
	}
	unpacked, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(m[1])))
	if err == nil {
		err = json.NewDecoder(unpacked).Decode(&p)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// count returns the number of events of a kind whose text contains part.
func (p *page) count(kind picture.Kind, part string) (n int) {
	for i, k := range p.Events.Kind {
		if k == int(kind) && strings.Contains(p.Strings[p.Events.Text[i]], part) {
			n++
		}
	}
	return n
}

// The page shows the servers, the faults, and each line as an operation of the client that has ended.
func TestPicture(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.html")
	code, _, stderr := clitest.Run(t, "-picture", file, "-seed", "7", "-servers", "3", "-time", "3s", "-snapshot", "3")
	if code != 0 || !strings.HasSuffix(stderr, "\npicture: "+file+"\n") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	p := readPage(t, file)
	lines := len(splitLines(story))
	if want := "go run ./cmd/raft-demo -seed=7 -servers=3 -snapshot=3 -time=3s"; p.Title != "raft-demo" || p.Command != want {
		t.Errorf("title %q, command %q, want %q", p.Title, p.Command, want)
	}
	if len(p.Lanes) != 4 || p.Lanes[3].Name != "client" || p.Violation >= 0 {
		t.Errorf("lanes %v, violation %d", p.Lanes, p.Violation)
	}
	faults := p.count(picture.Step, "crashed") + p.count(picture.Step, "cut off")
	if n := p.count(picture.Return, "applied"); n != lines || faults == 0 || p.count(picture.Step, "leads in term") == 0 {
		t.Errorf("%d lines are applied, want %d; %d faults", n, lines, faults)
	}
	if starts := p.count(picture.Start, ""); starts < 3 || p.count(picture.Crash, "") != starts || p.count(picture.Send, "AppendEntries term") == 0 {
		t.Errorf("%d starts, %d crashes, %d messages", starts, p.count(picture.Crash, ""), p.count(picture.Send, ""))
	}
}

// Ctrl-C writes the page of what has happened until then.
func TestPictureInterrupted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.html")
	clitest.Style(t, "raft-demo", []string{"-picture", ""}, []string{"-time", "1h", "-picture", file}, "leads in term")
	if p := readPage(t, file); p.count(picture.Step, "leads in term") == 0 || p.count(picture.Step, "interrupted") != 1 {
		t.Errorf("the page has %d events", len(p.Events.Kind))
	}
}

// A verdict that is not "correct" is where the page opens.
func TestPictureOfProblem(t *testing.T) {
	r := newRecording(filepath.Join(t.TempDir(), "run.html"), "", 1)
	r.problem("server 0: the last line is missing")
	r.problem("another one")
	if err := r.write(); err != nil {
		t.Fatal(err)
	}
	if p := readPage(t, r.file); p.Violation != 0 || p.count(picture.Violation, "the last line is missing") != 1 || len(p.Events.Kind) != 1 {
		t.Errorf("the violation is event %d of %d", p.Violation, len(p.Events.Kind))
	}
}

// A page that cannot be written is noticed before the run.
func TestPictureUnusable(t *testing.T) {
	dir := t.TempDir()
	for file, want := range map[string]string{
		dir:                                     "raft-demo: -picture: " + dir + " is not a regular file\n",
		filepath.Join(dir, "missing", "a.html"): "raft-demo: -picture: open " + filepath.Join(dir, "missing"),
		"":                                      "raft-demo: -picture is empty\n",
	} {
		code, stdout, stderr := clitest.Run(t, "-picture", file)
		if code != 2 || stdout != "" || !strings.HasPrefix(stderr, want) {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q", file, code, stdout, stderr)
		}
	}
	if files, err := os.ReadDir(dir); len(files) > 0 || err != nil {
		t.Errorf("files are left behind: %v, %v", files, err)
	}
}
