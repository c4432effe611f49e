package browser

import (
	"math"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"6.824/picture"
)

func TestHostile(t *testing.T) {
	texts := []string{
		"</script><script>window.hacked = 1</script>", `<img src="http://127.0.0.1:9/x" onerror="window.hacked = 1">`,
		"שלום \u202eevil\u202c", "👩‍👩‍👧 e\u0301 \x00\x1b[31m \xff", "${window.hacked = 1}", "NaN", "__proto__", "constructor", "",
		strings.Repeat("long ", 2<<20), "<style>*{display:none}</style>",
	}
	s := newScript(texts[0], 2)
	s.SetCommand(texts[1])
	client := s.Lane(texts[1], true)
	for _, text := range texts {
		s.Note(text)
		s.do(picture.Event{Kind: picture.Log, Lane: 0, Index: 1, Entries: []picture.Entry{{Term: 1, Text: text}}})
		s.do(picture.Event{Kind: picture.Apply, Lane: 0, Index: 1, Text: text})
		s.do(picture.Event{Kind: picture.Step, Lane: picture.NoLane, Text: text})
		s.do(picture.Event{Kind: picture.Note, Lane: 1, Text: text, Detail: text})
		s.send(0, 1, picture.Event{Name: text, Text: text, Detail: text, Index: -5, Term: -1}, text+"?")
		s.Operation(client, text)(text, false)
		s.events += 2
	}
	// Numbers and lanes that no cluster has.
	s.do(picture.Event{Kind: picture.State, Lane: 1, Term: math.MaxInt, Role: 200, Peer: 99})
	s.do(picture.Event{Kind: picture.Log, Lane: 1, Index: math.MaxInt - 10, Entries: []picture.Entry{{Term: math.MinInt, Text: "x"}}})
	s.do(picture.Event{Kind: picture.Log, Lane: 1, Index: -7})
	s.do(picture.Event{Kind: picture.Commit, Lane: 1, Index: math.MaxInt})
	s.do(picture.Event{Kind: picture.Link, Lane: 1, Peer: 77})
	s.do(picture.Event{Kind: picture.Receive, Lane: 1, Call: 1 << 60})
	s.do(picture.Event{Kind: picture.End, Lane: 0, Call: 1<<60 + 1, Fate: picture.Ignored})
	s.do(picture.Event{Kind: 99, Lane: 0, Text: "of no kind"})
	for kind := picture.Start; kind <= picture.Note; kind++ { // on no lane, and of a message that takes odd ways
		for k, lane := range []int{99, 1 << 16, -7, 1, 0} {
			s.do(picture.Event{Kind: kind, Lane: lane, Peer: lane, Call: 1<<50 + int64(k%2), Index: k - 2, Last: k})
		}
	}
	s.do(picture.Event{Kind: picture.Violation, Lane: 0, Name: texts[0], Text: texts[1]})
	b := open(t, s.page(t), look{})
	eval[bool](b, `(async () => {
		for (let i = 0; i < picture.run.n; i++) {
			picture.select(i);
			if (i %% 8 === 0) await new Promise(requestAnimationFrame);
		}
		return true;
	})()`)
	must(b, chromedp.SendKeys(chromedp.CSS("#search"), "<script>"))
	must(b, chromedp.Click(chromedp.CSS("#notes summary")))
	b.press("ask")
	b.wait()
	if eval[bool](b, `"hacked" in window || document.querySelector("img, main style, section script, #notes .popup *:not(p), #named *:not(a)") !== null`) {
		t.Error("text of the run has become HTML")
	}
	b.expect("title", texts[0])
	b.expect("notes", texts[1], "evil", "👩‍👩‍👧")
	if got := eval[int](b, "document.body.textContent.length"); got > 1<<20 {
		t.Errorf("the page holds %d characters of text", got)
	}
}

// A run without events, and one without servers, are shown as well.
func TestEmpty(t *testing.T) {
	b := open(t, newScript("nothing", 0).page(t), look{})
	b.expect("title", "nothing")
	b.key("jknpv+-")
	b.press("fold")
	b = open(t, newScript("servers only", 2).page(t), look{})
	b.key("jknpv+-")
	b.press("fold")
}
