package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// reporter prints events, one a line, and the progress. On a terminal, the progress is a line below the events that
// rewrites itself; elsewhere it is a new line every two seconds.
type reporter struct {
	w    io.Writer
	live bool

	recording *recording // gets the events, too; may be nil

	mu     sync.Mutex // guards what follows
	closed bool
	total  int // lines of the text
	began  time.Time
	shown  time.Time // when the progress was printed last
	done   int       // lines applied
}

const (
	livePause  = 100 * time.Millisecond
	quietPause = 2 * time.Second
	eraseLine  = "\r\x1b[K"
)

// begin starts the clock. It must be called before event and progress.
func (r *reporter) begin(total int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total, r.began = total, time.Now()
	r.shown = r.began
}

// hasBegun reports whether begin was called.
func (r *reporter) hasBegun() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.began.IsZero()
}

// event prints a line with the time since begin.
func (r *reporter) event(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.recording.step(text)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.eraseLocked()
	r.printLocked(text + "\n")
	r.showLocked()
}

// progress takes the number of applied lines, and prints it if enough time has passed since the last time.
func (r *reporter) progress(done int) {
	r.recording.applied(done)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done = done
	pause := quietPause
	if r.live {
		pause = livePause
	}
	if time.Since(r.shown) < pause && done < r.total {
		return
	}
	r.shown = time.Now()
	if r.live {
		r.eraseLocked()
		r.showLocked()
	} else {
		r.printLocked(r.stateLocked() + "\n")
	}
}

// close erases the live line. The reporter prints nothing after that.
func (r *reporter) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.eraseLocked()
	r.closed = true
}

func (r *reporter) eraseLocked() {
	if r.live && !r.closed {
		fmt.Fprint(r.w, eraseLine)
	}
}

func (r *reporter) showLocked() {
	if r.live {
		r.printLocked(r.stateLocked())
	}
}

func (r *reporter) printLocked(text string) {
	if !r.closed {
		fmt.Fprintf(r.w, "%6.2fs  %s", time.Since(r.began).Seconds(), text)
	}
}

func (r *reporter) stateLocked() string {
	return fmt.Sprintf("%d of %d lines applied (%d%%)", r.done, r.total, 100*r.done/max(1, r.total))
}
