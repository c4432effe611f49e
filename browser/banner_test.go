package browser

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"6.824/picture"
)

// A late story is a run in which server 2 votes twice in term 2, with crashes in between, and the test notices that later.
type late struct {
	file                        string
	first, crash, second, reply int // two votes, a crash between them, and the end of the second call
	broken                      int
}

func tellLate(t testing.TB) (r late) {
	t.Helper()
	s := newScript("TestLate", 3)
	s.Note("The log of a server is known only from what it has sent.")
	s.begin(3)
	vote := func(candidate int, end string) (answer, last int) {
		s.do(picture.Event{Kind: picture.State, Lane: candidate, Term: 2, Role: picture.Candidate, Peer: picture.NoLane})
		s.calls++
		s.do(picture.Event{Kind: picture.Send, Lane: candidate, Peer: 2, Call: s.calls, Term: 2, Name: "RequestVote", Text: "RequestVote term 2: last log entry 0/0"})
		s.do(picture.Event{Kind: picture.Receive, Lane: 2, Peer: candidate, Call: s.calls})
		s.do(picture.Event{Kind: picture.State, Lane: 2, Term: 2, Role: picture.Follower, Peer: picture.NoLane})
		answer = s.do(picture.Event{Kind: picture.Answer, Lane: 2, Peer: candidate, Call: s.calls, OK: true, Term: 2, Text: fmt.Sprint("votes for server ", candidate)})
		return answer, s.do(picture.Event{Kind: picture.End, Lane: candidate, Peer: 2, Call: s.calls, Fate: picture.Late, Text: end})
	}
	r.first, _ = vote(1, "")
	for range 3 {
		r.crash = s.do(picture.Event{Kind: picture.Crash, Lane: 2})
		s.do(picture.Event{Kind: picture.Step, Lane: picture.NoLane, Text: "restart server 2"})
		s.do(picture.Event{Kind: picture.Start, Lane: 2})
		s.do(picture.Event{Kind: picture.Link, Lane: 2, Peer: 1})
		s.now += 440 * time.Millisecond
		s.do(picture.Event{Kind: picture.Link, Lane: 2, Peer: 1, Up: true})
	}
	r.crash -= 2 * 5 // the first one
	r.second, r.reply = vote(0, "the reply is of term 2, but server 0 is in term 3")
	s.heartbeats(3)
	r.broken = s.do(picture.Event{Kind: picture.Violation, Lane: 2, Term: 2, Call: s.calls - 3, Name: "two votes in one term (§5.2)", Text: "server 2 votes twice"})
	r.file = s.page(t)
	return r
}

// The banner leads to the events that the violation names, and to where it was noticed; the page opens at the message.
func TestBanner(t *testing.T) {
	r := tellLate(t)
	b := open(t, r.file, look{})
	b.selected(r.second)
	b.expect("named", "server 2 votes for server 1 · ", "server 2 crashes · ", "server 2 votes for server 0", " · noticed at 1.380 s")
	if n := eval[int](b, `document.querySelectorAll("#named a").length`); n > 5 {
		t.Errorf("the banner has %d links", n)
	}
	if got := b.text("named"); strings.Index(got, "server 1") > strings.Index(got, "crashes") || strings.Count(got, "crashes") != 1 {
		t.Errorf("the links are not in order, or repeat crashes: %s", got)
	}
	for _, event := range []int{r.first, r.crash, r.broken, r.second} {
		must(b, chromedp.Click(chromedp.CSS(fmt.Sprintf(`#named a[href="#e%d"]`, event))))
		b.selected(event)
	}
	b.press("jump")
	b.selected(r.broken)
	eval[bool](b, "picture.select(0) || true")
	b.key("v")
	b.selected(r.broken)
	// The notes are one line until somebody wants them.
	if got := strings.TrimSpace(b.text("notes")); got != "Derived from messages: 1 note" {
		t.Errorf("the notes say %q", got)
	}
	must(b, chromedp.Click(chromedp.CSS("#notes summary")))
	b.expect("notes", "known only from what it has sent")
	// A page whose violation is where it opens needs no second link to it.
	s := newScript("at once", 2)
	s.do(picture.Event{Kind: picture.State, Lane: 0, Term: 3, Role: picture.Leader})
	broken := s.do(picture.Event{Kind: picture.Violation, Lane: 0, Term: 3, Name: "a leader without a majority"})
	b = open(t, s.page(t), look{})
	b.selected(broken)
	if got := b.text("named"); got != "0.001 s server 0: term 3, leader" {
		t.Errorf("the banner leads to %q", got)
	}
}

// The list of what led to the violation shows ten events at least, and the selected one; crashes again and again are one.
func TestLed(t *testing.T) {
	r := tellLate(t)
	type list struct{ Lines, Rows int }
	var lists []list
	for _, size := range []look{{}, {width: 1920, height: 1080, theme: "dark"}} {
		b := open(t, r.file, size)
		lists = append(lists, eval[list](b, `(() => {
			const list = document.querySelector("#led ol");
			list.append(...Array.from({ length: 60 }, () => list.lastElementChild.cloneNode(true)));
			return { Rows: Math.floor(list.clientHeight / list.firstElementChild.clientHeight), Lines: list.firstElementChild.clientHeight };
		})()`))
	}
	if lists[0].Rows < 10 || lists[1].Rows <= lists[0].Rows || lists[0].Lines > 24 {
		t.Errorf("the lists have %v rows", lists)
	}
	b := open(t, r.file, look{height: 800})
	for _, event := range []int{r.first, r.second, r.broken} {
		eval[bool](b, "picture.select(%d) || true", event)
		if !eval[bool](b, `(() => {
			const list = document.querySelector("#led ol").getBoundingClientRect(), marked = document.querySelectorAll("#led a[aria-current]");
			const { top, bottom } = marked[0].getBoundingClientRect();
			return marked.length === 1 && marked[0].hash === "#e%d" && top >= list.top - 1 && bottom <= list.bottom + 1;
		})()`, event) {
			t.Errorf("event %d is not marked in the list, or is out of sight", event)
		}
	}
	b.expect("led", "starts, the last of 3 times")
	if got := b.text("led"); strings.Count(got, "crashes") != 1 || strings.Count(got, "starts") != 1 {
		t.Errorf("the crashes are not one: %s", got)
	}
	if size := eval[int](b, "picture.rows.size[picture.rows.of[%d]]", r.crash+1); size < 10 {
		t.Errorf("a step between crashes is in a row of %d events", size)
	}
}

// The logs are on the first screen, show what differs from what was applied, and cut long numbers in the middle.
func TestLogs(t *testing.T) {
	const long, other = "2666851156573990427", "2666851156573990428"
	s := newScript("logs that differ", 5)
	s.begin(5)
	for lane, text := range []string{long, long, other, long} {
		s.do(picture.Event{Kind: picture.Log, Lane: lane, Index: 1, Entries: []picture.Entry{{Term: 1, Text: "x"}, {Term: 1, Text: text}}})
	}
	s.do(picture.Event{Kind: picture.Log, Lane: 4, Index: 1, Entries: []picture.Entry{{Term: 1, Text: "x"}}})
	for lane, text := range []string{long, other, "", "a snapshot"} {
		if text != "" {
			s.do(picture.Event{Kind: picture.Apply, Lane: lane, Index: 1, Text: "x"})
			s.do(picture.Event{Kind: picture.Apply, Lane: lane, Index: 2, Text: text})
		}
	}
	s.do(picture.Event{Kind: picture.Violation, Lane: 1, Name: "two servers apply different commands"})
	b := open(t, s.page(t), look{})
	type cell struct {
		Text, Title string
		Differs     bool
	}
	cells := func(name string) (row []cell) {
		return eval[[]cell](b, `[...document.querySelectorAll("#servers tr.log")].filter((row) => row.cells[0].innerText === %q).flatMap((row) =>
			[...row.cells].slice(1).map((cell) => ({ Text: cell.innerText, Title: cell.title, Differs: cell.classList.contains("differs") })))`, name)
	}
	for _, c := range cells("1") {
		if c.Text != "●1 x" && c.Text != "1 x" || c.Differs {
			t.Errorf("at index 1 is %+v", c)
		}
	}
	row := cells("2")
	for lane, text := range []string{"●1 26…27", "●1 26…27", "1 26…28", "●1 26…27"} {
		c := row[lane]
		if c.Text != text || !c.Differs || !strings.Contains(c.Title, long[:18]) || !strings.Contains(c.Title, "; applied there: ") {
			t.Errorf("at index 2, server %d has %+v", lane, c)
		}
	}
	if row[4] != (cell{}) {
		t.Errorf("server 4, which has no such entry, has %+v", row[4])
	}
	row = cells("applied")
	if len(row) != 5 || row[0].Title != long || row[1].Title != other || !row[1].Differs || row[2].Text != "" {
		t.Errorf("what was applied is %+v", row)
	}
	if !eval[bool](b, `document.querySelector("#servers tr.log").getBoundingClientRect().bottom <= 800 &&
		[...document.querySelectorAll("#servers td")].every((cell) => cell.clientHeight < 24)`) {
		t.Error("the logs are not on the first screen, or wrap")
	}
	b.expect("servers", "vote", "last")
}
