package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// reporter tells the story of a run: a line for each event and, on a terminal, a live line below them with the
// progress; elsewhere a line of progress every two seconds.
type reporter struct {
	mu    sync.Mutex
	w     io.Writer
	live  bool
	total int
	began time.Time
	shown time.Time // when the progress was shown last
	done  int       // lines applied
}

const (
	livePause  = 100 * time.Millisecond
	quietPause = 2 * time.Second
	eraseLine  = "\r\x1b[K"
)

func newReporter(w io.Writer, live bool, total int) *reporter {
	now := time.Now()
	return &reporter{w: w, live: live, total: total, began: now, shown: now}
}

// event prints a line with the time since the start.
func (r *reporter) event(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.eraseLocked()
	r.printLocked(fmt.Sprintf(format, args...) + "\n")
	r.showLocked()
}

// progress notes how many lines are applied.
func (r *reporter) progress(done int) {
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

// close takes the live line away.
func (r *reporter) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.eraseLocked()
}

func (r *reporter) eraseLocked() {
	if r.live {
		fmt.Fprint(r.w, eraseLine)
	}
}

func (r *reporter) showLocked() {
	if r.live {
		r.printLocked(r.stateLocked())
	}
}

func (r *reporter) printLocked(text string) {
	fmt.Fprintf(r.w, "%6.2fs  %s", time.Since(r.began).Seconds(), text)
}

func (r *reporter) stateLocked() string {
	return fmt.Sprintf("%d of %d lines applied (%d%%)", r.done, r.total, 100*r.done/max(1, r.total))
}
