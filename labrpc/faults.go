//go:build go1.25

package labrpc

import (
	"math/rand"
	"time"
)

// Upper bounds of the delays, in milliseconds. They are the course's.
const (
	SHORTDELAY = 27              // a request on an unreliable network is delayed for less than this
	LONGDELAY  = 7000            // a call that cannot reach a server fails in less than this if LongDelays is on
	MAXDELAY   = LONGDELAY + 100 // after this time, every call that cannot reach a server has failed
)

// Reliable makes the network reliable or unreliable. An unreliable network delays each request by 0 to 26 ms, loses 10% of
// the requests, and loses 10% of the replies. A new network is reliable. For a call in flight, the setting at the time of
// the request counts.
func (rn *Network) Reliable(yes bool) { rn.set(&rn.reliable, yes) }

// IsReliable reports whether the network is reliable.
func (rn *Network) IsReliable() bool { return rn.reliable.Load() }

// LongReordering turns late replies on or off. If it is on, two thirds of the replies are delivered 200 to 2199 ms after
// their handlers have returned. A late reply is delivered even if its end is disabled in the meantime. It is off in a new
// network. For a call in flight, the setting at the time of the request counts.
func (rn *Network) LongReordering(yes bool) { rn.set(&rn.longReordering, yes) }

// LongDelays sets how long a Call that cannot reach a server takes to return false: 0 to 6999 ms if yes, or else 0 to 99 ms,
// as in a new network.
func (rn *Network) LongDelays(yes bool) { rn.set(&rn.longDelays, yes) }

// IsLongDelays reports whether LongDelays is on.
func (rn *Network) IsLongDelays() bool { return rn.longDelays.Load() }

// failDelay returns a random time after which a call that cannot reach a server fails.
func (rn *Network) failDelay() time.Duration {
	if rn.longDelays.Load() {
		return milliseconds(rand.Int() % LONGDELAY)
	}
	return milliseconds(rand.Int() % 100)
}

// shortDelay returns a random delay for a request on an unreliable network.
func shortDelay() time.Duration { return milliseconds(rand.Int() % SHORTDELAY) }

// isLost decides at random whether a message is lost on an unreliable network.
func isLost() bool { return rand.Int()%1000 < 100 }

// isReordered decides at random whether a reply is late.
func isReordered() bool { return rand.Intn(900) < 600 }

// reorderDelay returns a random delay of 200 to 2199 ms for a late reply. Its mean is 700 ms.
func reorderDelay() time.Duration { return milliseconds(200 + rand.Intn(1+rand.Intn(2000))) }

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// settleAfter settles c, which must not be in flight, after the delay. At Cleanup, c is abandoned.
func (rn *Network) settleAfter(delay time.Duration, c *call, fate Fate) {
	rn.mu.Lock()
	defer rn.mu.Unlock()
	if rn.closed() {
		c.abandon()
		return
	}
	rn.waiting[c] = true
	c.timer = time.AfterFunc(delay, func() {
		if rn.stopWaiting(c) {
			c.settle(fate)
		}
	})
}

// stopWaiting removes c from waiting. It returns false if c was not there.
func (rn *Network) stopWaiting(c *call) bool {
	rn.mu.Lock()
	defer rn.mu.Unlock()
	was := rn.waiting[c]
	delete(rn.waiting, c)
	return was
}

// sleep waits for d and returns true. At Cleanup it returns false at once.
func (rn *Network) sleep(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-rn.done:
		return false
	}
}
