package main

import (
	"fmt"
	"time"
)

const (
	// window is the largest number of lines that are submitted but not yet applied.
	window = 1024
	// patience is how long the client waits for progress before it gives up. An election usually takes less than a second.
	patience = 30 * time.Second
	// tick is how often the client looks for a leader and for lines to submit while no server applies anything.
	tick = 5 * time.Millisecond
)

// client submits the lines to the leader, in order, many at a time.
type client struct {
	cluster *cluster
	report  *reporter
	lines   []string
	spread  time.Duration
	began   time.Time

	leader, term int // the leader that got the lines before next, and its term
	next         int // index in lines of the next line to submit
}

func newClient(c *cluster, lines []string, spread time.Duration, r *reporter) *client {
	return &client{cluster: c, report: r, lines: lines, spread: spread, began: time.Now(), leader: -1}
}

// run submits lines until some server has applied all of them: then they are committed. It returns an error if there is
// no progress for patience.
func (cl *client) run() error {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	applied, moved := 0, time.Now()
	for applied < len(cl.lines) {
		cl.submit(applied)
		select {
		case <-cl.cluster.changed:
		case <-ticker.C:
		}
		if now := max(applied, cl.cluster.progress()); now > applied {
			applied, moved = now, time.Now()
			cl.report.progress(applied)
		} else if applied >= cl.due() {
			moved = time.Now() // every line that has arrived is applied
		} else if time.Since(moved) > patience {
			return fmt.Errorf("no line was applied for %v, after line %d", patience, applied)
		}
	}
	return nil
}

// submit gives the leader the lines that are due. Lines that an earlier leader got may be lost, so a new leader gets all
// lines that are not applied; the machines skip lines that come twice.
func (cl *client) submit(applied int) {
	s, term := cl.cluster.leader()
	if s == nil {
		return
	}
	if s.id != cl.leader || term != cl.term {
		cl.leader, cl.term = s.id, term
		cl.next = applied
		cl.report.event("server %d leads in term %d", s.id, term)
	}
	for until := min(cl.due(), applied+window); cl.next < until; cl.next++ {
		line := Line{Number: cl.next + 1, Text: cl.lines[cl.next]}
		_, t, leads := s.rf.Start(line)
		if !leads || t != term {
			return
		}
		cl.report.recording.submit(line, s.id)
	}
}

// due returns the number of lines that have arrived.
func (cl *client) due() int {
	elapsed := time.Since(cl.began)
	if elapsed >= cl.spread {
		return len(cl.lines)
	}
	return 1 + int(float64(len(cl.lines)-1)*float64(elapsed)/float64(cl.spread))
}

// settle waits until every server has applied all entries. Once a second it submits the last line again, since a leader
// commits entries of earlier terms only together with one of its own (paper, §5.4.2).
func (cl *client) settle() error {
	began, repeated := time.Now(), time.Now()
	for !settled(cl.cluster.rows(), len(cl.lines)) {
		if time.Since(began) > patience {
			return fmt.Errorf("%v after the repair, some server has not applied everything", patience)
		}
		if s, _ := cl.cluster.leader(); s != nil && time.Since(repeated) > time.Second {
			s.rf.Start(Line{Number: len(cl.lines), Text: cl.lines[len(cl.lines)-1]})
			repeated = time.Now()
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

// settled reports whether all servers hold all lines and have applied the same index, the last in each log.
func settled(rows []row, lines int) bool {
	for _, r := range rows {
		if len(r.lines) < lines || r.applied != r.status.LastIndex || r.applied != rows[0].applied {
			return false
		}
	}
	return true
}
