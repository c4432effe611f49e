package browser

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"6.824/picture"
)

// large is a run of about n events.
func large(t testing.TB, n int) string {
	s := newScript("a large run", 5)
	s.begin(5)
	for index := 1; s.events < n; index++ {
		entry := []picture.Entry{{Term: 1, Text: fmt.Sprint("x = ", index)}}
		s.do(picture.Event{Kind: picture.Log, Index: index, Entries: entry})
		for to := 1; to < 5; to++ {
			text := fmt.Sprintf("AppendEntries term 1 after %d/1: entry %d, commit %d", index-1, index, index-1)
			s.send(0, to, picture.Event{Term: 1, Index: index, Last: index, Name: "AppendEntries", Text: text, Detail: text}, "",
				picture.Event{Kind: picture.Log, Index: index, Entries: entry}, picture.Event{Kind: picture.Commit, Index: index - 1})
		}
		s.do(picture.Event{Kind: picture.Commit, Index: index})
		s.heartbeats(4)
		if index%50 == 0 {
			s.do(picture.Event{Kind: picture.Step, Lane: picture.NoLane, Text: fmt.Sprint("step ", index)})
			s.do(picture.Event{Kind: picture.State, Lane: 1 + index/50%4, Term: 1, Role: picture.Candidate, Peer: picture.NoLane})
		}
	}
	return s.page(t)
}

// pan scrolls for so many frames with this many events in view, and returns how long each drawing took, and how long
// after the one before each frame came, in
// milliseconds.
func pan(b *tab, frames, events int) (draws, waits []float64) {
	b.Helper()
	type times struct{ Draws, Waits []float64 }
	got := eval[times](b, `(async () => {
		const { view, costs } = picture, Waits = [], frames = %d, frame = () => new Promise(requestAnimationFrame);
		view.zoom = (view.height - 42) / %d;
		await frame();
		costs.length = 0;
		for (let k = 0, before = await frame(); k < frames; k++) {
			document.getElementById("picture").dispatchEvent(new WheelEvent("wheel", { deltaY: 40, cancelable: true }));
			const now = await frame();
			Waits.push(now - before);
			before = now;
		}
		return { Draws: costs.slice(), Waits };
	})()`, frames, events)
	slices.Sort(got.Draws)
	slices.Sort(got.Waits)
	return got.Draws, got.Waits
}

// A hundred thousand events: what does not depend on how busy the machine is. Benchmark has the times.
func TestLarge(t *testing.T) {
	file := large(t, 100_000)
	if info, err := os.Stat(file); err != nil || info.Size() > 10<<20 {
		t.Fatalf("the page has %d bytes (%v)", info.Size(), err)
	}
	b := open(t, file, look{})
	if n := eval[int](b, "picture.run.n"); n < 100_000 {
		t.Errorf("the page has %d events", n)
	}
	draws, _ := pan(b, 60, 2000)
	if len(draws) < 30 {
		t.Errorf("60 turns of the wheel have drawn %d times", len(draws))
	}
	if median := draws[len(draws)/2]; median > 16.7 {
		t.Errorf("drawing takes %v ms", median)
	}
	eval[bool](b, "picture.select(99_000, false, true) || true")
	b.expect("event", "event 99000")
	must(b, chromedp.SendKeys(chromedp.CSS("#search"), "step 100"))
	b.expect("found", "2") // step 100 and step 1000
}

// Benchmark measures how soon a page can be used, and frames while it is panned.
func Benchmark(b *testing.B) {
	for _, events := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprint(events), func(b *testing.B) {
			file := large(b, events)
			for b.Loop() {
				begun := time.Now()
				page := open(b, file, look{})
				b.ReportMetric(time.Since(begun).Seconds(), "s-with-tab")
				b.ReportMetric(eval[float64](page, "picture.ready")/1000, "s-ready")
				for _, inView := range []int{30, 2000} {
					draws, frames := pan(page, 180, inView)
					b.ReportMetric(draws[len(draws)*95/100], fmt.Sprintf("ms-draw-p95/%d", inView))
					b.ReportMetric(frames[len(frames)*95/100], fmt.Sprintf("ms-frame-p95/%d", inView))
				}
			}
		})
	}
}
