package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"6.824/cmd/cli"
)

// A screen prints lines on standard output and the state of the runs on standard error: on a terminal in a line that it
// keeps up to date below all others, elsewhere in a new line every ten seconds.
type screen struct {
	stdout, stderr io.Writer
	live           bool
	width          func() int
	drawn          int           // length of the live line
	next           time.Duration // when the next new line is due
}

const statusInterval = 10 * time.Second

func newScreen(stdout, stderr io.Writer) *screen {
	return &screen{stdout: stdout, stderr: stderr, live: cli.IsTerminal(stderr),
		width: func() int { return terminalWidth(stderr) }, next: statusInterval}
}

// print prints a line.
func (s *screen) print(line string) {
	s.clear()
	fmt.Fprintln(s.stdout, line)
}

// status shows the state of the runs, after they have taken so long.
func (s *screen) status(state string, elapsed time.Duration) {
	switch {
	case s.live:
		state = state[:max(min(len(state), s.width()-1), 0)] // a full line would wrap; state is ASCII
		fmt.Fprintf(s.stderr, "\r%s%s", state, strings.Repeat(" ", max(s.drawn-len(state), 0)))
		s.drawn = len(state)
	case elapsed >= s.next:
		s.next = elapsed + statusInterval
		fmt.Fprintln(s.stderr, state)
	}
}

// clear erases the live line.
func (s *screen) clear() {
	if s.drawn > 0 {
		fmt.Fprintf(s.stderr, "\r%s\r", strings.Repeat(" ", s.drawn))
		s.drawn = 0
	}
}

// duration returns text such as 0.31s, 12.0s, 3m05s or 1h02m.
func duration(d time.Duration) string {
	s := int(d / time.Second)
	switch {
	case s < 10:
		return fmt.Sprintf("%d.%02ds", s, d%time.Second/(10*time.Millisecond))
	case s < 60:
		return fmt.Sprintf("%d.%ds", s, d%time.Second/(100*time.Millisecond))
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	}
	return fmt.Sprintf("%dh%02dm", s/3600, s%3600/60)
}

// usualWidth is the width of a terminal that does not tell its own.
const usualWidth = 80
