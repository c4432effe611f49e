//go:build go1.25

package wire

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// lastEvents is the number of events of each server that a violation prints.
const lastEvents = 12

// An event is stored unformatted, because it is almost never printed.
type event struct {
	server, order int
	at            time.Duration
	format        string
	args          [5]any
	n             int
}

// A history holds the last events of a server.
type history struct {
	events [lastEvents]event
	count  int
}

func (c *Checker) note(server int, format string, args ...any) {
	c.order++
	h := &c.servers[server].history
	e := &h.events[h.count%lastEvents]
	h.count++
	e.server, e.order, e.at, e.format = server, c.order, c.now(), format
	e.n = copy(e.args[:], args)
}

func (c *Checker) noteSent(r *request) {
	switch r.kind {
	case vote:
		c.note(r.from, "term %v: asks %d for its vote, last entry %v/%v", r.term, r.to, r.lastIndex, r.lastTerm)
	case snapshot:
		c.note(r.from, "term %v: InstallSnapshot to %d up to %v", r.term, r.to, r.snapIndex)
	default:
		c.note(r.from, "term %v: AppendEntries to %d after %v/%v, commit %v", r.term, r.to, r.prevIndex, r.prevTerm, r.commit)
	}
}

func (c *Checker) noteHandled(r *request, a answer) {
	switch {
	case r.kind == vote && a.granted.yes:
		c.note(r.to, "term %v: votes for %d", r.term, r.from)
	case r.kind == vote:
		c.note(r.to, "term %v: refuses %d its vote in term %v", a.term, r.from, r.term)
	case r.kind == snapshot:
		c.note(r.to, "term %v: gets the snapshot of %d up to %v", a.term, r.from, r.snapIndex)
	case a.success.yes:
		c.note(r.to, "term %v: acknowledges %v to %d", r.term, r.last, r.from)
	default:
		c.note(r.to, "term %v: rejects entries of %d after %v, sent in term %v", a.term, r.from, r.prevIndex, r.term)
	}
}

// String returns the number, or "?" if it could not be read.
func (n number) String() string {
	if !n.ok {
		return "?"
	}
	return fmt.Sprint(n.n)
}

// Picture returns the last events of each server, as a violation shows them: a column for each server, in the order of time.
func (c *Checker) Picture() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.picture()
}

// picture formats the last events of all servers in the order in which they happened, with a column for each server.
func (c *Checker) picture() string {
	var all []event
	widths := make([]int, len(c.servers))
	for i, s := range c.servers {
		widths[i] = len("server 0")
		for _, e := range s.events {
			if e.order > 0 {
				all = append(all, e)
				widths[i] = max(widths[i], len(e.text()))
			}
		}
	}
	slices.SortFunc(all, func(a, b event) int { return a.order - b.order })
	var b strings.Builder
	line := func(first string, text func(server int) string) {
		row := fmt.Sprintf("%12s", first)
		for i, width := range widths {
			row += fmt.Sprintf(" | %-*s", width, text(i))
		}
		b.WriteString(strings.TrimRight(row, " ") + "\n")
	}
	line("", func(server int) string { return fmt.Sprint("server ", server) })
	for _, e := range all {
		line(e.at.Round(time.Microsecond).String(), func(server int) string {
			if server == e.server {
				return e.text()
			}
			return ""
		})
	}
	return b.String()
}

func (e *event) text() string { return fmt.Sprintf(e.format, e.args[:e.n]...) }
