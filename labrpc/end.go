//go:build go1.25

package labrpc

import (
	"reflect"
	"sync"

	"6.824/labgob"
)

// ClientEnd is a client's way to one server. Any number of goroutines may Call at once; there is no
// order between their calls.
type ClientEnd struct {
	rn *Network

	mu       sync.Mutex
	enabled  bool
	host     *host     // where calls go; nil: not connected
	inFlight []*call   // whoever takes a call off this list settles it
	idle     []carrier // empty while disabled
}

// Call sends a request to the handler svcMeth ("Service.Method") of the connected server and waits for
// the answer. It returns true with the answer in the pointer reply, or false, with reply untouched, if
// the request or the answer was lost, the server cannot be reached or goes away, or the network is
// cleaned up. After a false the handler may have run or not. Call does not return only if the handler
// does not and nothing happens to end and server, or if it is one that should be prompt (see MakeService).
//
// args must have exactly the type the handler takes. Arguments that gob cannot encode panic; an answer that
// gob cannot encode, or cannot decode into reply, ends the process (log.Fatalf).
func (e *ClientEnd) Call(svcMeth string, args interface{}, reply interface{}) bool {
	request, err := labgob.Marshal(args)
	if err != nil {
		panic(err)
	}
	if e.rn.closed() {
		return false
	}
	e.rn.count.Add(1)
	e.rn.bytes.Add(int64(request.Len()))

	c := e.rn.calls.Get().(*call)
	c.svcMeth, c.argsType, c.request = svcMeth, reflect.TypeOf(args), request
	switch {
	case !e.begin(c):
		e.rn.settleAfter(e.rn.failDelay(), c, false)
	case c.carrier == nil:
		c.serve()
	default:
		c.carrier <- c
	}
	<-c.settled
	defer c.recycle()
	if !c.ok {
		return false
	}
	if err := c.reply.UnmarshalLast(reply); err != nil {
		c.explain(err, reply)
	}
	return true
}

// begin puts c in flight and returns true, or returns false if c cannot reach a server.
func (e *ClientEnd) begin(c *call) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.enabled || e.host == nil {
		return false
	}
	c.server = e.host.server.Load()
	if c.server == nil {
		return false
	}
	c.end, c.host, c.slot = e, e.host, len(e.inFlight)
	e.inFlight = append(e.inFlight, c)
	c.unreliable = !e.rn.reliable.Load()
	c.longReordering = e.rn.longReordering.Load()
	if c.unreliable || !c.server.isPrompt(c.svcMeth) {
		c.carrier = e.carrierLocked()
	}
	return true
}

// carrierLocked returns a carrier of the end's, or a new one. It rarely is the one that came last: that one may not wait
// for a call yet, and the call would wait for it, though its core may be busy and this one idle.
func (e *ClientEnd) carrierLocked() carrier {
	last := len(e.idle) - 1
	if last < 0 {
		return newCarrier()
	}
	w := e.idle[0]
	e.idle[0] = e.idle[last]
	e.idle = e.idle[:last]
	return w
}

// land takes c off the list, if nobody has done so before. Its carrier, who must be the caller if it has one, is about
// to be free for another call; a disabled end keeps none.
func (e *ClientEnd) land(c *call) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case c.carrier == nil:
	case e.enabled && len(e.idle) < maxIdle:
		e.idle = append(e.idle, c.carrier)
	default:
		close(c.carrier)
	}
	return e.landLocked(c)
}

func (e *ClientEnd) landLocked(c *call) bool {
	if c.slot == landed {
		return false
	}
	last := len(e.inFlight) - 1
	e.inFlight[last].slot = c.slot
	e.inFlight[c.slot] = e.inFlight[last]
	e.inFlight[last] = nil
	e.inFlight = e.inFlight[:last]
	c.slot = landed
	return true
}

func (e *ClientEnd) connect(h *host) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.host = h
}

func (e *ClientEnd) enable() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.enabled = true
}

func (e *ClientEnd) disable() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.enabled = false
	for _, w := range e.idle {
		close(w)
	}
	e.idle = nil
	e.loseLocked(func(*call) bool { return true })
}

func (e *ClientEnd) loseCallsTo(h *host) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.loseLocked(func(c *call) bool { return c.host == h })
}

// loseLocked makes the chosen calls in flight return false.
func (e *ClientEnd) loseLocked(chosen func(*call) bool) {
	for i := len(e.inFlight) - 1; i >= 0; i-- { // landing moves only the last one
		if c := e.inFlight[i]; chosen(c) && e.landLocked(c) {
			c.lose()
		}
	}
}
