package main

import (
	"fmt"
	"time"
)

const (
	// window bounds the lines that are submitted but not yet applied.
	window = 1024
	// patience is how long the demo waits for a sign of progress before it gives up. A new leader takes a second.
	patience = 30 * time.Second
	// tick is how often the client looks for a leader or a line to submit when no server applies anything.
	tick = 5 * time.Millisecond
)

// client submits the lines, in order and many at a time, to whoever leads.
type client struct {
	cluster *cluster
	report  *reporter
	lines   []string
	spread  time.Duration
	began   time.Time

	leader, term int // to whom the lines before next were submitted
	next         int // index in lines of the next one to submit
}

func newClient(c *cluster, lines []string, spread time.Duration, r *reporter) *client {
	return &client{cluster: c, report: r, lines: lines, spread: spread, began: time.Now(), leader: -1}
}

// run submits until all lines are applied somewhere, and so committed. It returns an error when nothing moves.
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
			moved = time.Now() // there is nothing to wait for
		} else if time.Since(moved) > patience {
			return fmt.Errorf("no line was applied for %v, after line %d", patience, applied)
		}
	}
	return nil
}

// submit gives the leader as many lines as are due. What was given to an earlier leader may be lost, so a new one gets
// everything from the first line that is not applied; the machines leave out what comes twice.
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
		_, t, leads := s.rf.Start(Line{Number: cl.next + 1, Text: cl.lines[cl.next]})
		if !leads || t != term {
			return
		}
	}
}

// due returns how many lines have come in by now.
func (cl *client) due() int {
	elapsed := time.Since(cl.began)
	if elapsed >= cl.spread {
		return len(cl.lines)
	}
	return 1 + int(float64(len(cl.lines)-1)*float64(elapsed)/float64(cl.spread))
}

// settle waits until every server has applied everything. It repeats the last line now and then, since a leader
// commits entries of earlier terms only behind one of its own (paper, 5.4.2).
func (cl *client) settle() error {
	began, repeated := time.Now(), time.Now()
	for !settled(cl.cluster.rows(), len(cl.lines)) {
		if time.Since(began) > patience {
			return fmt.Errorf("%v after the repair, not every server has applied everything", patience)
		}
		if s, _ := cl.cluster.leader(); s != nil && time.Since(repeated) > time.Second {
			s.rf.Start(Line{Number: len(cl.lines), Text: cl.lines[len(cl.lines)-1]})
			repeated = time.Now()
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

// settled reports whether all servers hold all lines and have applied all that any log holds.
func settled(rows []row, lines int) bool {
	for _, r := range rows {
		if len(r.lines) < lines || r.applied != r.status.LastIndex || r.applied != rows[0].applied {
			return false
		}
	}
	return true
}
