package browser

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"6.824/picture"
)

// Without a rule that was broken, the page shows why the last elections failed.
func TestElections(t *testing.T) {
	s := newScript("no leader within 5 s", 3)
	s.do(picture.Event{Kind: picture.State, Lane: 0, Term: 4, Role: picture.Candidate, Peer: picture.NoLane})
	ask := picture.Event{Term: 4, Name: "RequestVote", Text: "RequestVote term 4: last entry 1/1"}
	refused := s.send(0, 1, ask, "its log is newer: 5/3")
	s.calls++
	ask.Kind, ask.Peer, ask.Call = picture.Send, 2, s.calls
	s.do(ask)
	lost := s.do(picture.Event{Kind: picture.End, Peer: 2, Call: s.calls, Fate: picture.RequestLost})
	s.do(picture.Event{Kind: picture.Violation, Lane: picture.NoLane, Name: "the test fails", Text: "no leader within 5 s"})
	b := open(t, s.page(t), look{})
	b.expect("banner", "the test fails", "no leader within 5 s")
	b.expect("elections", "server 0", "term 4", "no majority", "server 1: refused: its log is newer: 5/3", "server 2: not heard: request lost")
	for _, event := range []int{refused.answer, lost} {
		must(b, chromedp.Click(chromedp.CSS(fmt.Sprintf(`#elections a[href="#e%d"]`, event))))
		b.selected(event)
	}
}

// The page of real servers, of every size: its events can be selected, and the states are those of a cluster that works.
func TestCluster(t *testing.T) {
	file := cluster(t)
	for _, size := range []look{{}, {width: 1920, height: 1080, theme: "dark"}, {width: 390, height: 844}} {
		b := open(t, file, size)
		b.wait()
		if wide := eval[bool](b, "document.documentElement.scrollWidth > innerWidth || document.documentElement.scrollHeight > innerHeight"); wide {
			t.Errorf("%d × %d: the page does not fit the window", size.width, size.height)
		}
	}
	b := open(t, file, look{})
	n := eval[int](b, `(() => {
		for (let i = 0; i < picture.run.n; i += 7) picture.select(i);
		return picture.run.n;
	})()`)
	if n < 500 {
		t.Errorf("the run has %d events", n)
	}
	if b.press("fold"); eval[int](b, "picture.rows.count") < 500 {
		t.Error("without folding, there are fewer rows than events")
	}
	for _, id := range []string{"in", "out", "theme"} {
		b.press(id)
		b.wait()
	}
	eval[bool](b, "picture.select(0) || true")
	must(b, chromedp.SendKeys(chromedp.CSS("#search"), "command 1"+kb.Enter))
	b.expect("event", "command 1")
	b.expect("found", "1 of ")
	last := eval[int](b, "picture.run.kind.lastIndexOf(%d)", picture.Commit)
	eval[bool](b, "picture.select(%d) || true", last)
	b.expect("servers", "LEADER", "follower", "down", "command 0", "command 2")
}

// What happened before the first kept event is in the state of the servers, and messages may have lost their beginning.
func TestOmitted(t *testing.T) {
	s := newScript("a long run", 3)
	s.Recorder = picture.New(picture.Options{Title: "a long run", Max: 3 << 10})
	for i := range 3 {
		s.Lane(fmt.Sprint("server ", i), false)
	}
	s.begin(3)
	s.do(picture.Event{Kind: picture.Log, Lane: 0, Index: 1, Entries: []picture.Entry{{Term: 1, Text: "first"}}})
	s.do(picture.Event{Kind: picture.Commit, Lane: 0, Index: 1})
	for lane, peers := range [][]int{{2, 1}, {0}, {0}} { // servers 1 and 2 reach each other
		for _, peer := range peers {
			s.do(picture.Event{Kind: picture.Link, Lane: lane, Peer: peer})
		}
	}
	for s.events < 20_000 {
		s.heartbeats(1)
		s.do(picture.Event{Kind: picture.Apply, Lane: 0, Index: 1, Text: "again"}) // so that there are some rows
	}
	b := open(t, s.page(t), look{})
	b.expect("notes", "events were left out")
	b.selected(0)
	b.expect("servers", "LEADER", "follower", "first")
	if got := eval[string](b, "JSON.stringify(picture.run.links.map((links) => [links.cut[0], links.alone[0]]))"); got != "[[[1,2],true],[[0],false],[[0],false]]" {
		t.Errorf("at first, the links that are cut are %s", got)
	}
	kept := eval[int](b, "picture.run.n")
	if kept < 2000 || kept > 4000 {
		t.Errorf("the page has %d events", kept)
	}
	for event := range 5 {
		eval[bool](b, "picture.select(%d) || true", event)
		b.selected(event)
	}
}
