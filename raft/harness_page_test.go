//go:build !unrecorded

package raft

// How tests read a page.

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"6.824/picture"
)

// A page is what a test wants to know of a page's data.
type page struct {
	Title, Command string
	Strings        []string
	Violation      int
	Lanes          []struct{ Name string }
	Elections      []struct{ Term int }
	Events         struct{ At, Kind, Lane, Peer, Call, Term, Index, Name, Text, Flags []int }
}

var pageData = regexp.MustCompile(`<script id="data"[^>]*>\s*([A-Za-z0-9+/=]+)\s*</script>`)

func readPage(t *testing.T, text []byte) (p page) {
	t.Helper()
	m := pageData.FindSubmatch(text)
	if m == nil {
		t.Fatalf("there is no data in the page:\n%.2000s", text)
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

func readPageFile(t *testing.T, path string) page {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return readPage(t, text)
}

// pageOf returns the page of a recording as it is now.
func pageOf(t *testing.T, r *recording) page {
	t.Helper()
	var b bytes.Buffer
	if err := r.rec.Write(&b); err != nil {
		t.Fatal(err)
	}
	return readPage(t, b.Bytes())
}

// count returns the number of events of a kind whose text or name contains part.
func (p *page) count(kind picture.Kind, part string) (n int) {
	e := &p.Events
	for i := range e.Kind {
		if e.Kind[i] == int(kind) && (strings.Contains(p.Strings[e.Text[i]], part) || strings.Contains(p.Strings[e.Name[i]], part)) {
			n++
		}
	}
	return n
}

// wantViolation checks which violation the page opens at.
func (p *page) wantViolation(t *testing.T, rule string, lane int, text string) {
	t.Helper()
	if p.Violation < 0 {
		t.Errorf("the page has no violation, want %q of lane %d", rule, lane)
		return
	}
	e, v := &p.Events, p.Violation
	if name, got := p.Strings[e.Name[v]], p.Strings[e.Text[v]]; name != rule || e.Lane[v] != lane || !strings.Contains(got, text) {
		t.Errorf("the violation is %q of lane %d: %q; want %q of lane %d with %q", name, e.Lane[v], got, rule, lane, text)
	}
	if n := p.count(picture.Violation, ""); n != 1 {
		t.Errorf("the page has %d violations, want one", n)
	}
}

// checkScenarioPage checks the page that a line of output names, of a scenario of TestChaos that crashes servers, and removes
// it.
func checkScenarioPage(t *testing.T, line, rule, text string) {
	t.Helper()
	path := strings.TrimSuffix(strings.TrimPrefix(line, "picture: "), "\n")
	defer os.Remove(path)
	p := readPageFile(t, path)
	p.wantViolation(t, rule, p.Events.Lane[max(p.Violation, 0)], text)
	if p.count(picture.Step, "crashServer")+p.count(picture.Step, "crashAll") == 0 {
		t.Error("the page shows no fault")
	}
}
