package record

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"6.824/labrpc"
	"6.824/picture"
)

// data is what these tests need of a page's data.
type data struct {
	Notes   []string
	Lanes   []struct{ Name string }
	Strings []string
	Events  struct{ Kind, Lane, Peer, Call, Term, Index, Last, Role, Fate, Flags, Name, Text, Detail []int }
	Entries map[string][][2]int
}

// dataOf returns the data of a recording.
func dataOf(t testing.TB, rec *picture.Recorder) (d data) {
	t.Helper()
	var page bytes.Buffer
	if err := rec.Write(&page); err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`<script id="data"[^>]*>\s*([A-Za-z0-9+/=]+)`).FindSubmatch(page.Bytes())
	z, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(m[1])))
	if err == nil {
		err = json.NewDecoder(z).Decode(&d)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var kinds = [...]string{"", "start", "crash", "state", "commit", "apply", "snapshot", "save", "log", "send", "receive", "answer", "end", "link", "net",
	"step", "invoke", "return", "note", "violation"}

// line describes event i, with the numbers that are not 0.
func (d *data) line(i int) string {
	e := &d.Events
	kind := picture.Kind(e.Kind[i])
	words := []string{fmt.Sprint(e.Lane[i]), kinds[kind]}
	add := func(shown bool, format string, args ...any) {
		if shown {
			words = append(words, fmt.Sprintf(format, args...))
		}
	}
	add(kind == picture.Send || kind == picture.Link, "to %d", e.Peer[i])
	add(e.Role[i] > 0, "%s", [...]string{"", "follower", "candidate", "leader"}[e.Role[i]])
	add(kind == picture.State && e.Peer[i] >= 0, "of %d", e.Peer[i])
	add(e.Term[i] > 0, "term %d", e.Term[i])
	add(e.Last[i] > 0, "%d..%d", e.Index[i], e.Last[i])
	add(e.Index[i] > 0 && e.Last[i] == 0, "at %d", e.Index[i])
	add(e.Fate[i] > 0, "%s", picture.Fate(e.Fate[i]))
	add(e.Flags[i]&1 != 0, "ok")
	add(e.Flags[i]&2 != 0, "up")
	for _, entry := range d.Entries[strconv.Itoa(i)] {
		add(true, "%s/%d", d.Strings[entry[1]], entry[0])
	}
	add(e.Text[i] > 0, ": %s", d.Strings[e.Text[i]])
	return strings.Join(words, " ")
}

// A scene drives a Cluster by hand.
type scene struct {
	*Cluster
	t     testing.TB
	rec   *picture.Recorder
	seen  int // events that were expected
	calls int64
	lives map[int]int
}

func newScene(t testing.TB, servers int) *scene {
	begun := time.Now()
	rec := picture.New(picture.Options{Now: func() time.Duration { return time.Since(begun) + 1 }})
	return &scene{Cluster: New(rec, servers), t: t, rec: rec, lives: map[int]int{}}
}

// endName is the name of an end of a server's life.
func endName(from, to, life int) string { return fmt.Sprint(from, ">", to, ".", life) }

// start starts a server and returns its observer.
func (s *scene) start(server int) *Server {
	s.lives[server]++
	var ends []any
	for to := range s.servers {
		ends = append(ends, endName(server, to, s.lives[server]))
	}
	s.Started(server, ends)
	return s.Server(server)
}

// startAll starts all servers and forgets the events.
func (s *scene) startAll() (all []*Server) {
	for server := range s.servers {
		all = append(all, s.start(server))
	}
	s.skip()
	return all
}

// A call is one in flight.
type call struct {
	s    *scene
	info labrpc.CallInfo
	args any
}

func (s *scene) send(from, to int, method string, args any) *call {
	s.calls++
	c := &call{s, labrpc.CallInfo{Number: s.calls, End: endName(from, to, s.lives[from]), Server: to, Method: "Raft." + method}, args}
	s.Sent(c.info, args)
	return c
}

func (c *call) handling() *call {
	c.s.Handling(c.info, c.args)
	return c
}

func (c *call) handled(reply any) *call {
	c.s.Handled(c.info, reply)
	return c
}

func (c *call) ended(fate labrpc.Fate) { c.s.Ended(c.info, fate) }

func (c *call) done(reply any) { c.handling().handled(reply).ended(labrpc.Delivered) }

// lines returns the events since the last ones that were expected.
func (s *scene) lines() (lines []string) {
	s.t.Helper()
	d := dataOf(s.t, s.rec)
	for i := s.seen; i < len(d.Events.Kind); i++ {
		lines = append(lines, d.line(i))
	}
	s.seen = len(d.Events.Kind)
	return lines
}

func (s *scene) skip() { s.lines() }

// expect compares the events since the last ones that were expected.
func (s *scene) expect(want ...string) {
	s.t.Helper()
	if got := s.lines(); !slices.Equal(got, want) {
		s.t.Errorf("events\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}
