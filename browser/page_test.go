package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func TestViolation(t *testing.T) {
	r := tell(t)
	b := open(t, r.file, look{})
	b.selected(r.second.answer) // the rule was noticed to be broken later
	b.press("jump")
	b.selected(r.broken)
	b.expect("title", "TestStory")
	b.expect("banner", "two votes in one term (§5.2)", "server 2 votes for server 0 after")
	b.expect("event", "two votes in one term", "server 2", "RequestVote term 2 for server 0")
	b.expect("command", "go test -run TestStory")
	b.press("copy")
	if got := eval[string](b, "getSelection().toString()"); got != "go test -run TestStory" {
		t.Errorf("Copy selects %q", got)
	}
	must(b, chromedp.Poll[bool](`document.getElementById("copy").textContent !== "Copy"`))
	b.expect("led", "RequestVote term 2 for server 1", "RequestVote term 2 for server 0", "crashes")
	// Its row is in sight and red; what led to it has a row of its own; other events are folded.
	if red := eval[bool](b, `(() => {
		const canvas = document.getElementById("picture"), { y } = picture.whereIs(%d), r = picture.view.ratio;
		const [red, green] = canvas.getContext("2d").getImageData(canvas.width - 3, Math.round(y * r), 1, 1).data;
		return red > 120 && green < 90;
	})()`, r.broken); !red {
		t.Error("the line of the violation is not red")
	}
	sharing := func(event int) int {
		return eval[int](b, "picture.rows.size[picture.rows.of[%d]]", event)
	}
	for _, event := range []int{r.first.send, r.first.answer, r.second.send, r.crash} {
		if n := sharing(event); n != 1 {
			t.Errorf("event %d led to the violation, and is one of %d in its row", event, n)
		}
	}
	if sharing(r.append.send) == 1 {
		t.Error("an event that did not lead to the violation has a row of its own")
	}
	b.press("past")
	if n := sharing(r.append.send); n != 1 {
		t.Errorf("with all events shown, one of them is one of %d in its row", n)
	}
}

func TestMessage(t *testing.T) {
	r := tell(t)
	b := open(t, r.file, look{hash: fmt.Sprint("#e", r.append.send)})
	from, to := b.place(r.append.send), b.place(r.append.receive)
	b.key(kb.Escape)
	b.selected(-1)
	b.expect("event", "Nothing is selected")
	b.clickAt(point{from.X + .7*(to.X-from.X), from.Y + .7*(to.Y-from.Y)})
	b.selected(r.append.send)
	b.expect("event", "AppendEntries from server 0 to server 1", "after 0/0: entry 1", "delivered")
	b.expect("arguments", "PrevLogIndex: 0", "LeaderCommit: 0")
	b.expect("reply", "Granted: true")
	// The panel leads to the other events of the message.
	must(b, chromedp.Click(chromedp.CSS(fmt.Sprintf(`#event a[href="#e%d"]`, r.append.end))))
	b.selected(r.append.end)
	b.clickAt(b.place(r.append.receive))
	b.selected(r.append.receive)
	must(b, chromedp.Evaluate[chromedp.Void](fmt.Sprintf("picture.select(%d)", r.lost)))
	b.expect("event", "there was no link to the receiver")
}

func TestServers(t *testing.T) {
	r := tell(t)
	b := open(t, r.file, look{hash: fmt.Sprint("#e", r.append.end)})
	cell := func(row, column int) string {
		return eval[string](b, "document.querySelector('#servers table').rows[%d].cells[%d].innerText", row, column)
	}
	for row, want := range map[int][]string{
		1: {"role", "LEADER", "follower", "follower"},
		2: {"term", "1", "1", "1"},
		3: {"vote", "0", "0", "0"},
		5: {"commit", "0", "0", "0"},
		7: {"last", "1/1", "1/1", "0"},
		9: {"1", "1 x = 1", "1 x = 1", ""},
	} {
		for column, text := range want {
			if got := cell(row, column); got != text {
				t.Errorf("row %d, column %d says %q, want %q", row, column, got, text)
			}
		}
	}
	must(b, chromedp.Evaluate[chromedp.Void](fmt.Sprintf("picture.select(%d)", r.crash)))
	if got := cell(1, 3); got != "down" {
		t.Errorf("a crashed server is %q", got)
	}
	if got := cell(9, 1); got != "●1 x = 1" {
		t.Errorf("the applied entry is %q", got)
	}
}

func TestFold(t *testing.T) {
	r := tell(t)
	b := open(t, r.file, look{})
	b.press("past")
	rows := func() int { return eval[int](b, "picture.rows.count") }
	folded := rows()
	eval[bool](b, "picture.select(%d, true) || true", r.heartbeat)
	b.expect("event", "14 heartbeats", "folded")
	b.key(kb.Enter)
	if got := rows(); got != folded+14*4-1 {
		t.Errorf("unfolding 14 heartbeats makes %d rows of %d", got, folded)
	}
	b.press("fold")
	b.press("fold")
	if got := rows(); got != folded {
		t.Errorf("after the switch there are %d rows, not %d", got, folded)
	}
	b.clickAt(b.place(r.heartbeat))
	if got := rows(); got != folded+14*4-1 {
		t.Errorf("a click on 14 heartbeats makes %d rows of %d", got, folded)
	}
	if got := eval[int](b, "picture.rows.size[picture.rows.of[%d]]", r.cut); got != 4 {
		t.Errorf("the four links that are cut at once have %d events in their row", got)
	}
}

func TestSearch(t *testing.T) {
	r := tell(t)
	b := open(t, r.file, look{})
	b.key("/")
	if !eval[bool](b, `document.activeElement.id === "search" && (document.activeElement.value = "") === ""`) {
		t.Error("/ does not lead to the search")
	}
	b.key("after 0/0" + kb.Enter)
	b.selected(r.append.send)
	b.expect("found", "1 of 1")
	eval[bool](b, `(document.getElementById("search").value = "") === ""`)
	b.key("term 2 for" + kb.Enter)
	b.expect("found", "1 of 2")
	b.selected(r.first.send)
	b.press("later")
	b.selected(r.second.send)
	b.key("x")
	b.press("earlier")
	b.selected(r.first.send)
	eval[bool](b, `(document.getElementById("search").value = "") === ""`)
	must(b, chromedp.Focus(chromedp.CSS("#search")))
	b.key("nothing like it" + kb.Enter)
	b.expect("found", "none")
}

func TestFilter(t *testing.T) {
	r := tell(t)
	b := open(t, r.file, look{})
	hidden := func(event int) bool { return eval[int](b, "picture.rows.hidden[%d]", event) == 1 }
	expect := func(what string, want map[int]bool) {
		t.Helper()
		for event, hides := range want {
			if hidden(event) != hides {
				t.Errorf("%s: event %d is hidden: %v", what, event, !hides)
			}
		}
	}
	must(b, chromedp.Click(chromedp.CSS("#filter summary")))
	must(b, chromedp.Click(chromedp.CSS("#lanes label:nth-child(2) input")))
	expect("without server 1", map[int]bool{r.append.send: true, r.append.receive: true, r.second.send: false, r.broken: false})
	b.expect("filter", "(on)")
	b.press("all")
	expect("all", map[int]bool{r.append.send: false, r.append.receive: false})
	must(b, chromedp.Click(chromedp.CSS("#names label:nth-child(1) input"))) // the most frequent one: AppendEntries
	expect("without AppendEntries", map[int]bool{r.append.send: true, r.append.end: true, r.first.send: false})
	b.press("all")
	must(b, chromedp.SendKeys(chromedp.CSS("#from"), "2"))
	expect("from term 2 on", map[int]bool{r.append.send: true, r.first.send: false, r.cut - 1: false})
	b.press("all")
	must(b, chromedp.SendKeys(chromedp.CSS("#index"), "1"))
	expect("index 1", map[int]bool{r.append.send: false, r.append.answer: false, r.first.send: true})
	b.key(kb.Escape)
	if eval[bool](b, `document.getElementById("filter").open`) {
		t.Error("Escape leaves the filter open")
	}
}

func TestKeys(t *testing.T) {
	r := tell(t)
	b := open(t, r.file, look{hash: fmt.Sprint("#e", r.append.send)})
	for _, step := range []struct {
		key  string
		want int
	}{{"j", r.append.receive}, {"k", r.append.send}, {"n", r.append.end}, {"p", r.append.send}, {"v", r.broken}, {kb.Escape, -1}} {
		b.key(step.key)
		b.selected(step.want)
	}
	top := func() float64 { return eval[float64](b, "picture.view.top") }
	b.press("past")
	b.key(kb.Home)
	home := top()
	b.key(kb.PageDown)
	page := top()
	b.key(kb.ArrowDown)
	line := top()
	b.key(kb.End)
	if end := top(); !(home < page && page < line && line < end) {
		t.Errorf("the keys go to %v, %v, %v, %v", home, page, line, end)
	}
	zoom := func() float64 { return eval[float64](b, "picture.view.zoom") }
	before := zoom()
	b.key("-")
	if less := zoom(); less >= before {
		t.Errorf("- zooms from %v to %v", before, less)
	}
	b.key("?")
	b.expect("help", "leader: solid", "RequestVote", "next, previous event")
	b.key(kb.Escape)
	if eval[bool](b, `document.getElementById("help").open`) {
		t.Error("Escape leaves the help open")
	}
	// Tab reaches every part of the page.
	eval[bool](b, "document.activeElement.blur() || true")
	reached := map[string]bool{}
	for range 60 {
		b.key(kb.Tab)
		reached[eval[string](b, "document.activeElement.id || document.activeElement.tagName")] = true
	}
	for _, id := range []string{"search", "fold", "past", "in", "theme", "ask", "picture", "A", "copy", "SUMMARY"} {
		if !reached[id] {
			t.Errorf("Tab does not reach %s", id)
		}
	}
}

func TestMouse(t *testing.T) {
	r := tell(t)
	b := open(t, r.file, look{hash: fmt.Sprint("#e", r.append.send)})
	y := func(event int) float64 { return b.place(event).Y }
	near := func(what string, got, want float64) {
		t.Helper()
		if got < want-.5 || got > want+.5 {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	event := r.append.send
	before := y(event)
	b.wheel(point{300, 500}, 100, false)
	near("an event after the wheel", y(event), before-100)
	at := b.place(event)
	apart := y(event+1) - y(event)
	b.wheel(at, -100, true)
	near("what is under the pointer while zooming", y(event), at.Y)
	if got := y(event+1) - y(event); got <= apart {
		t.Errorf("zooming changes the distance of rows from %v to %v", apart, got)
	}
	before = y(event)
	must(b, chromedp.DragAndDropXY(300, 600, 300, 500))
	near("an event after dragging", y(event), before-100)
	b.selected(event) // a drag is no click
	box := eval[point](b, `(({ x, y, height }) => ({ X: x + 20, Y: y + height - 5 }))(document.getElementById("map").getBoundingClientRect())`)
	b.clickAt(box)
	if got := y(r.broken); got < 100 || got > 800 {
		t.Errorf("a click on the end of the map shows the violation at %v", got)
	}
}

// On a phone, one finger moves the picture, two zoom it, and a tap selects.
func TestTouch(t *testing.T) {
	r := tell(t)
	b := open(t, r.file, look{width: 390, height: 844, hash: fmt.Sprint("#e", r.append.send)})
	b.press("past")
	touch := func(kind input.DispatchTouchEventType, fingers ...point) {
		t.Helper()
		points := []*input.TouchPoint{}
		for k, p := range fingers {
			id := float64(k + 1)
			points = append(points, &input.TouchPoint{X: p.X, Y: p.Y, ID: &id})
		}
		if _, err := chromedp.Call(b.ctx, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: kind, TouchPoints: points}); err != nil {
			t.Fatal(err)
		}
	}
	at := b.place(r.append.send)
	touch(input.DispatchTouchEventTypeTouchStart, at)
	touch(input.DispatchTouchEventTypeTouchMove, point{at.X, at.Y - 20})
	touch(input.DispatchTouchEventTypeTouchMove, point{at.X, at.Y - 60})
	touch(input.DispatchTouchEventTypeTouchEnd)
	if moved := b.place(r.append.send).Y - at.Y; moved > -55 || moved < -65 {
		t.Errorf("a finger that moves by 60 pixels moves an event by %v", moved)
	}
	b.selected(r.append.send)
	zoom := eval[float64](b, "picture.view.zoom")
	touch(input.DispatchTouchEventTypeTouchStart, point{150, 350}, point{150, 400})
	touch(input.DispatchTouchEventTypeTouchMove, point{150, 325}, point{150, 425})
	touch(input.DispatchTouchEventTypeTouchEnd)
	if got := eval[float64](b, "picture.view.zoom"); got < 1.5*zoom {
		t.Errorf("two fingers zoom from %v to %v", zoom, got)
	}
	eval[bool](b, "picture.select(%d) || true", r.lost)
	at = b.place(r.lost)
	eval[bool](b, "picture.select(-1) || true")
	touch(input.DispatchTouchEventTypeTouchStart, at)
	touch(input.DispatchTouchEventTypeTouchEnd)
	b.selected(r.lost)
}

func TestLink(t *testing.T) {
	r := tell(t)
	b := open(t, r.file, look{hash: fmt.Sprint("#e", r.lost)})
	b.selected(r.lost)
	eval[string](b, `location.hash = "#e%d"`, r.crash)
	b.selected(r.crash)
	b.expect("event", "server 2", "crashes")
	b.key("j")
	if got := must(b, chromedp.Location()); !strings.HasSuffix(got, fmt.Sprint("#e", r.crash+1)) {
		t.Errorf("the address of the next event is %s", got)
	}
	eval[string](b, `location.hash = "#e99999999"`)
	b.selected(-1)
}

func TestTheme(t *testing.T) {
	r := tell(t)
	for theme, want := range map[string]bool{"light": false, "dark": true} {
		b := open(t, r.file, look{theme: theme})
		isDark := func() bool {
			return eval[bool](b, `(() => {
				const canvas = document.getElementById("picture");
				const drawn = canvas.getContext("2d").getImageData(2, canvas.height - 2, 1, 1).data[0];
				const [page] = getComputedStyle(document.body).backgroundColor.match(/\d+/).map(Number);
				return Math.abs(page - drawn) < 3 && page < 100;
			})()`)
		}
		b.wait()
		if isDark() != want {
			t.Errorf("the page for %s is dark: %v", theme, !want)
		}
		b.press("theme")
		b.wait()
		if isDark() == want {
			t.Errorf("the switch leaves the page for %s as it is", theme)
		}
	}
}
