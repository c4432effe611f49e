package raft

// The last events of each server, which the watch remembers and a violation prints.

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
	order  int
	at     time.Duration
	format string
	args   [6]int
	n      int
}

func (e *event) String() string {
	args := make([]any, e.n)
	for k := range args {
		args[k] = e.args[k]
	}
	return fmt.Sprintf(e.format, args...)
}

// A history holds the last events of a server.
type history struct {
	events [lastEvents]event
	count  int
}

func (w *watch) note(s *watched, format string, args ...int) {
	w.order++
	e := &s.history.events[s.history.count%lastEvents]
	s.history.count++
	e.order, e.at, e.format = w.order, time.Since(w.begun), format
	e.n = copy(e.args[:], args)
}

// picture formats the last events of all servers in the order in which they happened, with a column for each server.
// Events in one line have the same time, and happened from left to right.
func (w *watch) picture() string {
	rows := w.rows()
	head := make([]string, len(w.servers))
	for i, s := range w.servers {
		head[i] = fmt.Sprintf("server %d", i)
		if s.life == nil {
			head[i] += " (down)"
		}
	}
	widths := make([]int, len(head))
	for _, row := range append([][]string{head}, rows.texts...) {
		for i, text := range row {
			widths[i] = max(widths[i], len(text))
		}
	}
	var b strings.Builder
	line := func(first string, texts []string) {
		text := fmt.Sprintf("%12s", first)
		for i := range texts {
			text += fmt.Sprintf(" | %-*s", widths[i], texts[i])
		}
		b.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	line("", head)
	for k, texts := range rows.texts {
		line(rows.times[k].String(), texts)
	}
	return b.String()
}

// rows holds the lines of a picture.
type rows struct {
	times []time.Duration
	texts [][]string
}

func (w *watch) rows() (r rows) {
	type shown struct {
		server int
		*event
	}
	var all []shown
	for i, s := range w.servers {
		for k := range s.history.events {
			if e := &s.history.events[k]; e.order > 0 {
				all = append(all, shown{i, e})
			}
		}
	}
	slices.SortFunc(all, func(a, b shown) int { return a.order - b.order })
	column := len(w.servers)
	for _, e := range all {
		at := e.at.Round(time.Microsecond)
		if e.server <= column || at != r.times[len(r.times)-1] {
			r.times = append(r.times, at)
			r.texts = append(r.texts, make([]string, len(w.servers)))
		}
		column = e.server
		r.texts[len(r.texts)-1][column] = e.String()
	}
	return r
}
