package browser

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// chromium is the context of the browser, in which each test opens a window.
var chromium context.Context

func TestMain(m *testing.M) {
	path, err := findBrowser()
	if err != nil {
		fmt.Fprintln(os.Stderr, "browser:", err)
		os.Exit(1)
	}
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.DisableGPU, chromedp.WindowSize(1280, 800)}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses to run as root with its sandbox
	}
	ctx, stop := chromedp.NewContext(context.Background(), chromedp.WithAllocatorOptions(options...))
	if err := chromedp.Do(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "browser: cannot start %s: %v\n", path, err)
		os.Exit(1)
	}
	chromium = ctx
	status := m.Run()
	stop()
	os.Exit(status)
}

// findBrowser returns the path of a browser. Without one nothing can be tested, so that is an error.
func findBrowser() (string, error) {
	names := []string{"chromium", "chromium-browser", "google-chrome", "chrome"}
	if name := os.Getenv("CHROME"); name != "" {
		names = []string{name}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no %s: install Chromium (apt-get install chromium), or set CHROME to the path of a browser", strings.Join(names, ", "))
}

// A tab shows one page.
type tab struct {
	testing.TB
	ctx context.Context

	mu       sync.Mutex // guards what follows
	problems []string   // exceptions and errors on the console
	fetched  []string   // URLs
}

// A look is how the page is to be shown. Its zero value is a light window of 1280 × 800 pixels.
type look struct {
	width, height int64
	theme         string
	hash          string
}

// open opens a page and waits until it can be used. When the test ends, it fails the test if a script had an error, or if
// anything but the page itself was fetched.
func open(t testing.TB, file string, l look) *tab {
	t.Helper()
	b := &tab{TB: t}
	ctx, stop := chromedp.NewContext(chromium, chromedp.WithListener(b.listen))
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	b.ctx = ctx
	t.Cleanup(func() {
		b.check(file)
		cancel()
		stop()
	})
	theme := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: cmp.Or(l.theme, "light")}}
	must(b, chromedp.EmulateViewport(cmp.Or(l.width, 1280), cmp.Or(l.height, 800)))
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: theme}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	must(b, chromedp.Navigate(address(file)+l.hash))
	must(b, chromedp.Poll[float64]("window.picture && picture.ready"))
	return b
}

func address(file string) string { return (&url.URL{Scheme: "file", Path: file}).String() }

// must runs an action and returns its result.
func must[T any](b *tab, action chromedp.Action[T]) T {
	b.Helper()
	result, err := chromedp.Run(b.ctx, action)
	if err != nil {
		b.Fatal(err)
	}
	return result
}

// eval evaluates an expression of JavaScript in the page.
func eval[T any](b *tab, format string, args ...any) T {
	b.Helper()
	return must(b, chromedp.Evaluate[T](fmt.Sprintf(format, args...), chromedp.EvalAwaitPromise))
}

func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		problem := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			problem += " " + e.ExceptionDetails.Exception.Description
		}
		b.problems = append(b.problems, problem)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			b.problems = append(b.problems, e.Entry.Text)
		}
	case *network.EventRequestWillBeSent:
		b.fetched = append(b.fetched, e.Request.URL)
	}
}

func (b *tab) check(file string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, problem := range b.problems {
		b.Errorf("the page has a problem: %s", problem)
	}
	for _, u := range b.fetched {
		if page, _, _ := strings.Cut(u, "#"); page != address(file) && !strings.HasPrefix(u, "data:,") {
			b.Errorf("the page has fetched %s", u)
		}
	}
	if len(b.fetched) == 0 {
		b.Error("the test has not seen the page itself being fetched")
	}
}

// text returns what an element says.
func (b *tab) text(id string) string {
	b.Helper()
	return eval[string](b, "document.getElementById(%q).innerText", id)
}

// expect fails the test unless an element contains each of the texts.
func (b *tab) expect(id string, texts ...string) {
	b.Helper()
	got := b.text(id)
	for _, want := range texts {
		if !strings.Contains(got, want) {
			b.Errorf("#%s says %q, which lacks %q", id, got, want)
		}
	}
}

// selected fails the test unless this event becomes selected. A link works only after the click has been handled.
func (b *tab) selected(want int) {
	b.Helper()
	poll := chromedp.Poll[bool](fmt.Sprintf("picture.selected === %d", want), chromedp.WithPollingTimeout(5*time.Second))
	if _, err := chromedp.Run(b.ctx, poll); err != nil {
		b.Errorf("event %d is selected, want %d: %v", eval[int](b, "picture.selected"), want, err)
	}
}

// press clicks an element, and key presses keys.
func (b *tab) press(id string) {
	b.Helper()
	must(b, chromedp.Click(chromedp.CSS("#"+id)))
}

func (b *tab) key(keys string, options ...chromedp.KeyOption) {
	b.Helper()
	must(b, chromedp.KeyEvent(keys, options...))
}

type point struct{ X, Y float64 }

// place returns where an event is in the window.
func (b *tab) place(event int) point {
	b.Helper()
	return eval[point](b, `(() => {
		const { x, y } = picture.whereIs(%d), box = document.getElementById("picture").getBoundingClientRect();
		return { X: box.x + x, Y: box.y + y };
	})()`, event)
}

func (b *tab) clickAt(p point) {
	b.Helper()
	must(b, chromedp.MouseClickXY(p.X, p.Y))
}

// wait waits until the page has drawn what has changed.
func (b *tab) wait() {
	b.Helper()
	eval[bool](b, "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")
}

// wheel turns the wheel at a point.
func (b *tab) wheel(p point, down float64, control bool) {
	b.Helper()
	must(b, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseWheel, p.X, p.Y, func(e *input.DispatchMouseEventParams) {
		e.DeltaX, e.DeltaY = 1e-6, down // Chromium wants both, and the protocol's package leaves out a zero
		if control {
			e.Modifiers = int64(chromedp.ModifierCtrl)
		}
	}))
	b.wait()
}
