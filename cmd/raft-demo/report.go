package main

import (
	"fmt"

	"6.824/cmd/cli"
)

// reporter prints the events and how many lines are applied, and passes both on to the recording.
type reporter struct {
	cli.Reporter
	recording *recording // may be nil
	total     int        // lines of the text
}

// begin starts the clock. It must be called before event and progress.
func (r *reporter) begin(total int) {
	r.total = total
	r.Begin(r.state(0))
}

func (r *reporter) event(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.recording.step(text)
	r.Event(text)
}

// progress takes the number of applied lines.
func (r *reporter) progress(done int) {
	r.recording.applied(done)
	r.Progress(r.state(done), done >= r.total)
}

func (r *reporter) state(done int) string {
	return fmt.Sprintf("%d of %d lines applied (%d%%)", done, r.total, 100*done/max(1, r.total))
}
