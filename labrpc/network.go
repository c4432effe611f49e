//go:build go1.25

package labrpc

import (
	"log"
	"sync"
	"sync/atomic"
)

// Network holds client ends and servers, and decides which messages between them are delayed or lost. Any number of
// goroutines may use it. MakeNetwork makes one.
type Network struct {
	reliable       atomic.Bool
	longDelays     atomic.Bool   // calls that cannot reach a server take seconds to fail
	longReordering atomic.Bool   // two thirds of the replies are late
	done           chan struct{} // closed by Cleanup
	observer       Observer      // nil if there is none
	links          LinkObserver  // the observer, if it is one; nil otherwise

	_     [64]byte // keeps the counters, which each call writes, away from the cache line of the flags
	count atomic.Int64
	bytes atomic.Int64
	_     [64]byte

	calls sync.Pool // of *call; each network has its own, because a call's channel belongs to the network's synctest bubble

	mu      sync.Mutex // guards the fields below; locked before any ClientEnd.mu
	ends    map[interface{}]*ClientEnd
	enabled map[*ClientEnd]bool // the enabled ends
	hosts   map[interface{}]*host
	waiting map[*call]bool // calls that end when their timer fires
}

// A host stands for a server name. Ends are connected to a host, so that replacing its server affects them all.
type host struct {
	name   interface{}
	server atomic.Pointer[Server] // nil if there is no server of that name; written under Network.mu
}

// MakeNetwork returns a reliable network without ends and servers. Call Cleanup when it is no longer needed.
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

// Cleanup shuts the network down. Every Call in progress returns false at once, or after its handler if Call runs that
// itself (see MakeService). Every later Call returns false at once. Running handlers are not stopped, but their
// replies are discarded. A second Cleanup panics.
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
		c.abandon()
	}
	clear(rn.waiting)
}

// closed reports whether Cleanup was called.
func (rn *Network) closed() bool {
	select {
	case <-rn.done:
		return true
	default:
		return false
	}
}

// MakeEnd returns a new client end, which is neither connected nor enabled. endname may be any comparable value;
// MakeEnd panics if it is not comparable. If there is an end of that name, the process ends (log.Fatalf).
func (rn *Network) MakeEnd(endname interface{}) *ClientEnd {
	rn.mu.Lock()
	defer rn.mu.Unlock()
	if rn.ends[endname] != nil {
		log.Fatalf("MakeEnd: %v already exists\n", endname)
	}
	e := &ClientEnd{rn: rn, name: endname}
	rn.ends[endname] = e
	rn.observeEndLocked(e)
	return e
}

// DeleteEnd removes an end. Its calls in flight return false at once. Later calls fail as if the end were disabled. If there
// is no end of that name, the process ends (log.Fatalf).
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
	rn.observeEndLocked(e)
}

// Connect sets the server to which an end sends later calls. Calls in flight are not affected. The server may be added
// later; until then calls fail. A nil servername disconnects the end. Connect does nothing if there is no end of that name.
func (rn *Network) Connect(endname interface{}, servername interface{}) {
	rn.mu.Lock()
	defer rn.mu.Unlock()
	if e := rn.ends[endname]; e != nil {
		e.connect(rn.hostLocked(servername))
		rn.observeEndLocked(e)
	}
}

// Enable enables or disables an end. If the end is disabled, its calls in flight return false at once, but their handlers
// still run. Later calls from a disabled end fail. Enable does nothing if there is no end of that name, or after Cleanup.
func (rn *Network) Enable(endname interface{}, enabled bool) {
	rn.mu.Lock()
	defer rn.mu.Unlock()
	e := rn.ends[endname]
	switch {
	case e == nil || rn.closed():
		return
	case enabled:
		rn.enabled[e] = true
		e.enable()
	default:
		delete(rn.enabled, e)
		e.disable()
	}
	rn.observeEndLocked(e)
}

// AddServer adds a server to the network under a name, which may be any comparable value except nil. It replaces another
// server of that name; calls in flight to that server return false at once, but their handlers still run.
func (rn *Network) AddServer(servername interface{}, rs *Server) {
	rn.mu.Lock()
	defer rn.mu.Unlock()
	rn.replaceLocked(rn.hostLocked(servername), rs)
}

// DeleteServer removes a server from the network. Its calls in flight return false at once, but their handlers still run.
// It does nothing if there is no server of that name.
func (rn *Network) DeleteServer(servername interface{}) {
	rn.mu.Lock()
	defer rn.mu.Unlock()
	rn.replaceLocked(rn.hostLocked(servername), nil)
}

// hostLocked returns the host of that name, or nil if the name is nil.
func (rn *Network) hostLocked(servername interface{}) *host {
	h := rn.hosts[servername]
	if h == nil && servername != nil {
		h = &host{name: servername}
		rn.hosts[servername] = h
	}
	return h
}

// replaceLocked makes rs the server of h and abandons the calls to the previous one. Only enabled ends have calls in flight.
func (rn *Network) replaceLocked(h *host, rs *Server) {
	if h == nil || h.server.Swap(rs) == rs {
		return
	}
	for e := range rn.enabled {
		e.abandonCallsTo(h)
	}
	if rn.links != nil {
		rn.links.ServerChanged(h.name, rs != nil)
	}
}

// GetCount returns how many requests have reached the server that has that name now (see Server.GetCount). It panics if
// there is no server of that name.
func (rn *Network) GetCount(servername interface{}) int {
	rn.mu.Lock()
	defer rn.mu.Unlock()
	return rn.hosts[servername].server.Load().GetCount()
}

// GetTotalCount returns how many requests were sent, including those that were lost or could not reach a server. Where an
// int has 32 bits, the count stops at the largest int.
func (rn *Network) GetTotalCount() int { return saturate(rn.count.Load()) }

// GetTotalBytes returns the total size in bytes of all encoded requests that were sent and all encoded replies that were
// delivered. Messages have no descriptions of their types unless they can hold interfaces (see labgob.Message).
func (rn *Network) GetTotalBytes() int64 { return rn.bytes.Load() }
