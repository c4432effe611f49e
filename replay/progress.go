package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// progress is a line that rewrites itself on a terminal, and a rare line elsewhere. C says when to
// show it again.
type progress struct {
	*time.Ticker
	out   io.Writer
	tty   bool
	shown bool
}

func newProgress(out io.Writer) *progress {
	p := &progress{out: out, Ticker: time.NewTicker(10 * time.Second)}
	if f, ok := out.(*os.File); ok {
		info, err := f.Stat()
		p.tty = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	if p.tty {
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

// clear makes room for other output.
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
