package main

import (
	"fmt"
	"io"
	"time"

	"6.824/cmd/cli"
)

// progress prints the state of a sweep: on a terminal, one line that rewrites itself, and elsewhere a new line every ten
// seconds. C says when to call show.
type progress struct {
	*time.Ticker
	out   io.Writer
	tty   bool
	shown bool
}

func newProgress(out io.Writer) *progress {
	p := &progress{out: out, Ticker: time.NewTicker(10 * time.Second)}
	if p.tty = cli.IsTerminal(out); p.tty {
		p.Reset(200 * time.Millisecond)
	}
	return p
}

func (p *progress) show(line string) {
	if !p.tty {
		fmt.Fprintf(p.out, "replay: %s\n", line)
		return
	}
	p.clear()
	fmt.Fprint(p.out, line)
	p.shown = true
}

// clear erases the line on a terminal, so that other output can follow.
func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.shown = false
	}
}

func (p *progress) close() {
	p.Stop()
	p.clear()
}
