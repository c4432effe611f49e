package picture

import (
	"fmt"
	"io"
	"testing"
	"time"
)

// busy records n events of five servers: heartbeats, entries, changes.
func busy(n int) *Recorder {
	s := newScript(5, n+chunkSize)
	s.elect(0, 1, 1, 2, 3, 4)
	for k := 1; s.events < n; k++ {
		entry := []Entry{{1, fmt.Sprint("command ", k)}}
		s.do(Event{Kind: Log, Lane: 0, Index: k, Entries: entry})
		for peer := 1; peer < 5; peer++ {
			e := with(append1, 1, k, k)
			e.Text, e.Detail = fmt.Sprintf("term 1 after %d/1: 1 entry", k-1), fmt.Sprintf("Term: 1\nLeaderId: 0\nPrevLogIndex: %d\nPrevLogTerm: 1\nLeaderCommit: %d", k-1, k-1)
			s.message(0, peer, e, "ok", Event{Kind: Log, Index: k, Entries: entry}, Event{Kind: Save, Text: "1 entry"})
			s.message(0, peer, with(append1, 1, 0, 0), "ok")
		}
		s.do(Event{Kind: Commit, Lane: 0, Index: k})
		s.do(Event{Kind: Apply, Lane: 0, Index: k})
	}
	return s.Recorder
}

// BenchmarkAdd measures an event, BenchmarkWrite a whole page.
func BenchmarkAdd(b *testing.B) {
	r := New(Options{Now: func() time.Duration { return 1 }})
	r.Lane("server 0", false)
	b.ReportAllocs()
	for b.Loop() {
		r.Add(Event{Kind: Commit, Index: 1})
	}
}

func BenchmarkWrite(b *testing.B) {
	for _, n := range []int{1000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := busy(n)
			r.Add(Event{Kind: Violation, Lane: 1, Term: 1, Index: n / 100, Name: "a rule"})
			var size counter
			for b.Loop() {
				size = 0
				if err := r.Write(&size); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(size), "B/page")
		})
	}
}

type counter int

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }

var _ io.Writer = (*counter)(nil)
