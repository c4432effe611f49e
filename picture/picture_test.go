package picture

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A script makes events by hand. Each happens a millisecond after the one before.
type script struct {
	*Recorder
	now    time.Duration
	calls  int64
	events int
}

func newScript(servers int, max int) *script {
	s := &script{}
	s.Recorder = New(Options{Title: "a test", Max: max})
	for i := range servers {
		s.Lane(fmt.Sprint("server ", i), false)
	}
	return s
}

// do adds an event and returns its place among all.
func (s *script) do(e Event) int {
	s.now += time.Millisecond
	e.At = s.now
	s.Add(e)
	s.events++
	return s.events - 1
}

// message adds a whole message. A text other than "ok" is the reason of a refusal.
func (s *script) message(from, to int, e Event, answer string, during ...Event) (parts [4]int) {
	s.calls++
	call := s.calls
	e.Kind, e.Lane, e.Peer, e.Call = Send, from, to, call
	parts[0] = s.do(e)
	parts[1] = s.do(Event{Kind: Receive, Lane: to, Call: call})
	for _, d := range during {
		d.Lane = to
		s.do(d)
	}
	a := Event{Kind: Answer, Lane: to, Call: call, OK: answer == "ok"}
	if !a.OK {
		a.Text = answer
	}
	parts[2] = s.do(a)
	parts[3] = s.do(Event{Kind: End, Lane: from, Call: call, Fate: Delivered})
	return parts
}

// data returns what the page's script gets, read from the page.
func (s *script) data(t *testing.T) *data {
	t.Helper()
	var page bytes.Buffer
	if err := s.Write(&page); err != nil {
		t.Fatal(err)
	}
	return read(t, page.Bytes())
}

func read(t *testing.T, page []byte) *data {
	t.Helper()
	_, rest, _ := bytes.Cut(page, []byte(`<script id="data" type="text/plain">`))
	packed, _, found := bytes.Cut(rest, []byte("</script>"))
	if !found {
		t.Fatal("the page has no data")
	}
	zipped, err := base64.StdEncoding.DecodeString(string(packed))
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		t.Fatal(err)
	}
	d := new(data)
	if err := json.NewDecoder(z).Decode(d); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *data) flagged(bit int) (events []int) {
	for i, f := range d.Events.Flags {
		if f&bit != 0 {
			events = append(events, i)
		}
	}
	return events
}

func TestPage(t *testing.T) {
	s := newScript(2, 0)
	s.Note("one")
	s.Note("one")
	s.do(Event{Kind: Start})
	s.do(Event{Kind: Log, Index: 1, Entries: []Entry{{1, "x"}, {2, "y"}}})
	s.do(Event{Kind: Violation, Lane: 1, Name: "a rule", Text: "is broken"})
	d := s.data(t)
	if d.Title != "a test" || len(d.Notes) != 1 || len(d.Lanes) != 2 || d.Violation != 2 || d.Open != 2 || len(d.Events.At) != 3 {
		t.Errorf("read %+v", d)
	}
	if got := d.Entries["1"]; len(got) != 2 || got[1][0] != 2 || d.Strings[got[1][1]] != "y" {
		t.Errorf("entries are %v", d.Entries)
	}
	if d.Strings[d.Events.Name[2]] != "a rule" || d.Events.At[2] != int64(time.Millisecond) {
		t.Errorf("the violation is %+v", d.Events)
	}
	name := filepath.Join(t.TempDir(), "page.html")
	if err := s.WriteFile(name); err != nil {
		t.Fatal(err)
	}
	if page, err := os.ReadFile(name); err != nil || read(t, page).Title != "a test" {
		t.Errorf("the file: %v", err)
	}
	if err := s.WriteFile(filepath.Join(t.TempDir(), "no", "page.html")); err == nil || !strings.HasPrefix(err.Error(), "picture: ") {
		t.Errorf("a missing directory: %v", err)
	}
}

func TestOperation(t *testing.T) {
	s := newScript(1, 0)
	client := s.Lane("client 0", true)
	first, second := s.Operation(client, "Put x 1"), s.Operation(client, "Get x")
	second("1", true)
	first("no reply", false)
	d := s.data(t)
	if !d.Lanes[1].Client || !slices.Equal(d.Events.Call, []int64{-1, -2, -2, -1}) || !slices.Equal(d.Events.Flags, []int{0, 0, flagOK, 0}) ||
		d.Strings[d.Events.Text[2]] != "1" {
		t.Errorf("got %+v", d.Events)
	}
}

// What is given up remains in the states of the lanes.
func TestBound(t *testing.T) {
	s := newScript(1, 3*chunkSize)
	s.Add(Event{At: 1, Kind: Start})
	s.Add(Event{At: 1, Kind: State, Term: 3, Role: Leader, Peer: 0})
	for i := 1; i < 5*chunkSize; i++ {
		s.Add(Event{At: 2, Kind: Log, Index: i, Entries: []Entry{{3, fmt.Sprint(i)}}})
		s.Add(Event{At: 2, Kind: Commit, Index: i})
	}
	d := s.data(t)
	kept := len(d.Events.At)
	if kept > 3*chunkSize || kept < 2*chunkSize || d.Omitted+kept != 10*chunkSize {
		t.Errorf("kept %d, omitted %d", kept, d.Omitted)
	}
	before := d.Lanes[0].Before
	if !before.Up || before.Term != 3 || before.Role != Leader || before.Commit != d.Omitted/2-1 {
		t.Errorf("before the first event: %+v", before.state)
	}
	if last := before.Log[len(before.Log)-1]; before.Base+len(before.Log) != before.Commit || d.Strings[last[1]] != fmt.Sprint(before.Commit) {
		t.Errorf("the log ends with %v at %d", last, before.Base+len(before.Log))
	}
	// Entries count, too.
	s = newScript(1, 3*chunkSize)
	for range 100 {
		s.Add(Event{At: 1, Kind: Log, Index: 1, Entries: make([]Entry, 1000)})
	}
	if d := s.data(t); d.Omitted < 80 {
		t.Errorf("of 100 events with 1000 entries, %d were given up", d.Omitted)
	}
}

func TestHostile(t *testing.T) {
	s := newScript(1, 0)
	s.SetTitle(`</title><script>alert(1)</script>{{data}}`)
	long := strings.Repeat("é", 5<<20)
	shared := []Entry{{1, long}}
	s.do(Event{Kind: Note, Name: long, Text: long, Detail: "</script><img src=x onerror=alert(1)>\xff NaN"})
	s.do(Event{Kind: Log, Index: 1, Entries: shared})
	var page bytes.Buffer
	if err := s.Write(&page); err != nil {
		t.Fatal(err)
	}
	if page.Len() > 300<<10 || bytes.Contains(page.Bytes(), []byte("alert(1)</script>")) || bytes.Contains(page.Bytes(), []byte("onerror")) {
		t.Errorf("a page of %d bytes", page.Len())
	}
	d := read(t, page.Bytes())
	if text := d.Strings[d.Events.Text[0]]; len(text) > maxText+30 || !strings.HasSuffix(text, "é… (10485760 bytes)") {
		t.Errorf("the text is cut to %q", text)
	}
	if len(shared[0].Text) != len(long) {
		t.Error("entries that others may read were modified")
	}
}

// Words are asked for when the page is written, also those of events that are summed up by then.
func TestWords(t *testing.T) {
	s := newScript(1, 4*chunkSize)
	asked := 0
	add := func(index int) {
		s.do(Event{Kind: Log, Index: index, Entries: []Entry{{Term: 1}, {Term: 1}}, Words: func(k int) string {
			asked++
			return fmt.Sprint("command ", index+k)
		}})
	}
	add(1)
	for range 6 * chunkSize {
		s.do(Event{Kind: Note})
	}
	add(2)
	if asked > 0 {
		t.Errorf("asked %d times before the page is written", asked)
	}
	d := s.data(t)
	texts := func(log [][2]int) (all []string) {
		for _, entry := range log {
			all = append(all, d.Strings[entry[1]])
		}
		return all
	}
	var last [][2]int
	for _, log := range d.Entries {
		last = log
	}
	before := texts(d.Lanes[0].Before.Log)
	if d.Omitted == 0 || len(d.Entries) != 1 || !slices.Equal(before, []string{"command 1", "command 2"}) || !slices.Equal(texts(last), []string{"command 2", "command 3"}) {
		t.Errorf("%d omitted, %d logs, %q, then %q", d.Omitted, len(d.Entries), before, texts(last))
	}
}
