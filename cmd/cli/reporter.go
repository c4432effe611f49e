package cli

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// A Reporter prints what happens while a command runs: events, one a line, and the state of the run. On a terminal, the state is
// a line below the events that rewrites itself; elsewhere it is a new line every two seconds.
type Reporter struct {
	W    io.Writer
	Live bool // W is a terminal

	mu     sync.Mutex // guards what follows
	closed bool
	state  string
	began  time.Time
	shown  time.Time // when the state was printed last
}

const (
	livePause  = 100 * time.Millisecond
	quietPause = 2 * time.Second
	eraseLine  = "\r\x1b[K"
)

// Begin starts the clock. It must be called before Event and Progress.
func (r *Reporter) Begin(state string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state, r.began = state, time.Now()
	r.shown = r.began
}

// Begun reports whether Begin was called.
func (r *Reporter) Begun() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.began.IsZero()
}

// Event prints a line with the time since Begin.
func (r *Reporter) Event(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.eraseLocked()
	r.printLocked(text + "\n")
	r.showLocked()
}

// Progress takes the new state, and prints it if it is the last one or if enough time has passed.
func (r *Reporter) Progress(state string, last bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state = state
	pause := quietPause
	if r.Live {
		pause = livePause
	}
	if time.Since(r.shown) < pause && !last {
		return
	}
	r.shown = time.Now()
	if r.Live {
		r.eraseLocked()
		r.showLocked()
	} else {
		r.printLocked(r.state + "\n")
	}
}

// Close erases the live line. The Reporter prints nothing after that.
func (r *Reporter) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.eraseLocked()
	r.closed = true
}

func (r *Reporter) eraseLocked() {
	if r.Live && !r.closed {
		fmt.Fprint(r.W, eraseLine)
	}
}

func (r *Reporter) showLocked() {
	if r.Live {
		r.printLocked(r.state)
	}
}

func (r *Reporter) printLocked(text string) {
	if !r.closed {
		fmt.Fprintf(r.W, "%6.2fs  %s", time.Since(r.began).Seconds(), text)
	}
}
