//go:build go1.25

package raft

import "time"

// looks is how many looks in a row must find nobody heard before the ticker acts.
const checks = 8

// A silence is how a ticker tells that others are silent from that this process did not run: a container is throttled, a
// laptop is suspended, a machine has far too much to do. What the others sent meanwhile is still to be read, and they may
// have slept, too. So, however late it wakes, the ticker acts only after it has checked several times, a moment apart, and
// nobody was heard in between. If every look is on time, the last moment ends at the deadline.
type silence struct {
	deadline time.Time     // when to act; a look that comes late postpones it
	interval time.Duration // between two looks
	checked  int
}

// begin waits for a deadline at the end of a timeout. Its last quarter is for looking. As timeouts are random, servers
// that wake together have moments of their own, and still stand for election at times of their own.
func (s *silence) begin(deadline time.Time, timeout time.Duration) {
	*s = silence{deadline: deadline, interval: timeout / (4 * checks)}
}

// next returns when the ticker must look again, or act.
func (s *silence) next() time.Time {
	return s.deadline.Add(-time.Duration(checks-s.checked) * s.interval)
}

// certain looks, if it is time to. It reports whether it is time to act.
func (s *silence) expired(now time.Time) bool {
	late := now.Sub(s.next())
	if late < 0 || s.checked == checks {
		return late >= 0
	}
	s.checked++
	if late > s.interval {
		s.deadline = s.deadline.Add(late)
	}
	return false
}
