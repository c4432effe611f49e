//go:build go1.25

package labrpc

import (
	"log"
	"math/rand"
	"sync"
	"sync/atomic"
	"time"
)

// Network is a set of client ends and servers, and what may befall the messages between them.
// All methods may be called by any number of goroutines at once.
type Network struct {
	reliable       atomic.Bool
	longDelays     atomic.Bool   // calls that reach nobody take seconds to fail
	longReordering atomic.Bool   // replies are often late
	done           chan struct{} // closed by Cleanup

	_     [64]byte // keeps the counters, written by each call, off the flags' cache line
	count atomic.Int32
	bytes atomic.Int64
	_     [64]byte

	calls sync.Pool // of *call; the network's own, since a synctest bubble keeps its channels

	mu      sync.Mutex // guards what follows, and is taken before any ClientEnd.mu
	ends    map[interface{}]*ClientEnd
	enabled map[*ClientEnd]bool // the enabled ones of ends
	hosts   map[interface{}]*host
	waiting map[*call]bool // calls that end when their timer fires
}

// host is a server's name, connected to or not, and whoever answers to it now.
type host struct {
	server atomic.Pointer[Server] // nil: nobody; written under Network.mu
}

// MakeNetwork returns a reliable network without ends and servers. Cleanup must be called when it is
// no longer needed.
func MakeNetwork() *Network {
	rn := &Network{
		done:    make(chan struct{}),
		ends:    map[interface{}]*ClientEnd{},
		enabled: map[*ClientEnd]bool{},
		hosts:   map[interface{}]*host{},
		waiting: map[*call]bool{},
	}
	rn.calls.New = func() interface{} { return newCall(rn) }
	rn.reliable.Store(true)
	return rn
}

// Cleanup ends the network: every Call, waiting or future, returns false at once. A handler that is
// running goes on, but nobody gets its reply. A second Cleanup panics.
func (rn *Network) Cleanup() {
	rn.mu.Lock()
	defer rn.mu.Unlock()
	close(rn.done)
	for e := range rn.enabled {
		e.disable()
	}
	clear(rn.enabled)
	for c := range rn.waiting {
		c.timer.Stop()
		c.lose()
	}
	clear(rn.waiting)
}

func (rn *Network) closed() bool {
	select {
	case <-rn.done:
		return true
	default:
		return false
	}
}

// Reliable switches short delays (up to 26 ms) and losses (a tenth of the requests, and a tenth of
// the replies) off or on. A network is reliable at first.
func (rn *Network) Reliable(yes bool) { rn.reliable.Store(yes) }

// IsReliable tells what was last given to Reliable.
func (rn *Network) IsReliable() bool { return rn.reliable.Load() }

// LongReordering switches late replies on or off: two in three come 200 to 2199 ms after they were
// made. It is off at first.
func (rn *Network) LongReordering(yes bool) { rn.longReordering.Store(yes) }

// LongDelays tells how long a Call that cannot reach a server takes to fail: up to 7 s (LONGDELAY)
// or, as at first, up to 0.1 s.
func (rn *Network) LongDelays(yes bool) { rn.longDelays.Store(yes) }

// IsLongDelays tells what was last given to LongDelays.
func (rn *Network) IsLongDelays() bool { return rn.longDelays.Load() }

// MakeEnd returns a new client end, neither connected nor enabled. endname may be any comparable
// value. A name already in use ends the process (log.Fatalf).
func (rn *Network) MakeEnd(endname interface{}) *ClientEnd {
	rn.mu.Lock()
	defer rn.mu.Unlock()
	if rn.ends[endname] != nil {
		log.Fatalf("MakeEnd: %v already exists\n", endname)
	}
	e := &ClientEnd{rn: rn}
	rn.ends[endname] = e
	return e
}

// DeleteEnd removes an end. Its calls in flight return false at once, and later ones fail as if it
// were disabled. An unknown name ends the process (log.Fatalf).
func (rn *Network) DeleteEnd(endname interface{}) {
	rn.mu.Lock()
	defer rn.mu.Unlock()
	e := rn.ends[endname]
	if e == nil {
		log.Fatalf("MakeEnd: %v doesn't exists\n", endname)
	}
	e.disable()
	delete(rn.enabled, e)
	delete(rn.ends, endname)
}

// Connect makes an end's later calls go to the named server, present or not. Calls in flight stay
// with the server they went to. An unknown endname has no effect.
func (rn *Network) Connect(endname interface{}, servername interface{}) {
	rn.mu.Lock()
	defer rn.mu.Unlock()
	if e := rn.ends[endname]; e != nil {
		e.connect(rn.hostLocked(servername))
	}
}

// Enable opens or closes an end. Closing it makes its calls in flight return false at once; their
// requests are still carried out. An unknown endname has no effect.
func (rn *Network) Enable(endname interface{}, enabled bool) {
	rn.mu.Lock()
	defer rn.mu.Unlock()
	e := rn.ends[endname]
	switch {
	case e == nil || rn.closed():
	case enabled:
		rn.enabled[e] = true
		e.enable()
	default:
		delete(rn.enabled, e)
		e.disable()
	}
}

// AddServer lets rs answer to servername, which may be any comparable value. Calls in flight to
// another server of that name return false at once.
func (rn *Network) AddServer(servername interface{}, rs *Server) {
	rn.mu.Lock()
	defer rn.mu.Unlock()
	rn.replaceLocked(rn.hostLocked(servername), rs)
}

// DeleteServer lets nobody answer to servername. Calls in flight to it return false at once; their
// requests are still carried out.
func (rn *Network) DeleteServer(servername interface{}) {
	rn.mu.Lock()
	defer rn.mu.Unlock()
	rn.replaceLocked(rn.hostLocked(servername), nil)
}

// hostLocked returns the host of that name, or nil for a nil name, which stands for no connection.
func (rn *Network) hostLocked(servername interface{}) *host {
	h := rn.hosts[servername]
	if h == nil && servername != nil {
		h = new(host)
		rn.hosts[servername] = h
	}
	return h
}

// replaceLocked changes who answers at h. Only enabled ends have calls in flight.
func (rn *Network) replaceLocked(h *host, rs *Server) {
	if h == nil || h.server.Swap(rs) == rs {
		return
	}
	for e := range rn.enabled {
		e.loseCallsTo(h)
	}
}

// GetCount returns how many requests have reached the server that now has that name. It panics if
// there is none.
func (rn *Network) GetCount(servername interface{}) int {
	rn.mu.Lock()
	defer rn.mu.Unlock()
	return rn.hosts[servername].server.Load().GetCount()
}

// GetTotalCount returns the number of requests sent, lost ones included.
func (rn *Network) GetTotalCount() int { return int(rn.count.Load()) }

// GetTotalBytes returns the size of all requests sent and all replies delivered, as they were
// encoded: values without descriptions of their types, unless they hold interfaces (labgob.Message).
func (rn *Network) GetTotalBytes() int64 { return rn.bytes.Load() }

// settleAfter ends c, which is not in flight, when the delay is over, or at Cleanup.
func (rn *Network) settleAfter(delay time.Duration, c *call, ok bool) {
	rn.mu.Lock()
	defer rn.mu.Unlock()
	if rn.closed() {
		c.lose()
		return
	}
	rn.waiting[c] = true
	c.timer = time.AfterFunc(delay, func() {
		if rn.stopWaiting(c) {
			c.settle(ok)
		}
	})
}

// stopWaiting tells whether c was still waiting.
func (rn *Network) stopWaiting(c *call) bool {
	rn.mu.Lock()
	defer rn.mu.Unlock()
	was := rn.waiting[c]
	delete(rn.waiting, c)
	return was
}

// sleep returns false early at Cleanup.
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

// Limits of the delays, in milliseconds.
const (
	SHORTDELAY = 27              // a message's on an unreliable network are below this
	LONGDELAY  = 7000            // a failing call's with LongDelays are below this
	MAXDELAY   = LONGDELAY + 100 // after this, every call to nobody has failed
)

// failDelay is how long a call takes to find out that it reaches nobody.
func (rn *Network) failDelay() time.Duration {
	if rn.longDelays.Load() {
		return milliseconds(rand.Int() % LONGDELAY)
	}
	return milliseconds(rand.Int() % 100)
}

func shortDelay() time.Duration { return milliseconds(rand.Int() % SHORTDELAY) }

func isLost() bool { return rand.Int()%1000 < 100 }

func isReordered() bool { return rand.Intn(900) < 600 }

// reorderDelay is 200 to 2199 ms; short ones are more likely.
func reorderDelay() time.Duration { return milliseconds(200 + rand.Intn(1+rand.Intn(2000))) }

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }
