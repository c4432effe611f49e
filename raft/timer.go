//go:build go1.25

package raft

import "time"

// checks is how many checks an election timer makes before it expires.
const checks = 8

// An electionTimer measures an election timeout (§5.2). A pause of this process alone cannot make it expire. A container may
// be throttled, a laptop suspended, a machine overloaded. After the pause, messages that the peers sent meanwhile are still
// unread, and the peers may have paused too. So the ticker makes several checks, one interval apart, before the timer
// expires. Meanwhile the server handles those messages, and may reset the timer. A check that is late postpones the
// deadline. On a leader, the timer runs while no majority replies.
type electionTimer struct {
	deadline time.Time     // when the timer expires, if no further check is late
	interval time.Duration // between two checks, and between the last check and deadline
	checked  int           // checks made
}

// start makes the timer expire at deadline. The checks fill the last quarter of timeout. Since timeouts are random, so are
// intervals: servers that resume together after a pause still start elections at different times.
func (t *electionTimer) start(deadline time.Time, timeout time.Duration) {
	*t = electionTimer{deadline: deadline, interval: timeout / (4 * checks)}
}

// next returns the time of the next check, or the deadline after the last check.
func (t *electionTimer) next() time.Time {
	return t.deadline.Add(-time.Duration(checks-t.checked) * t.interval)
}

// expired makes the next check if it is due, and reports whether the timer has expired. The ticker must call it at the time
// that next returns; an earlier call does nothing.
func (t *electionTimer) expired(now time.Time) bool {
	late := now.Sub(t.next())
	if late < 0 || t.checked == checks {
		return late >= 0
	}
	t.checked++
	if late > t.interval {
		t.deadline = t.deadline.Add(late)
	}
	return false
}
