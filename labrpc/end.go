//go:build go1.25

package labrpc

import (
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"

	"6.824/labgob"
)

// ClientEnd is a client's connection to one server. Any number of goroutines may use it; their calls have no order.
// Network.MakeEnd makes one.
type ClientEnd struct {
	rn        *Network
	name      interface{}
	elsewhere atomic.Pointer[Fcall] // nil unless SetCall was called

	mu       sync.Mutex
	enabled  bool
	host     *host    // the destination of new calls; nil if not connected
	inFlight []*call  // the goroutine that removes a call from this list settles it
	idle     []worker // empty while disabled
}

// Call sends a request to the connected server, waits until the handler svcMeth ("Service.Method") has handled it, and
// returns true with the reply in the variable that reply points to. That variable should be zero (see package labgob).
//
// It returns false and does not change the variable in these cases:
//
//   - The end is not enabled or not connected, or there is no server of that name. Call then returns after a random delay
//     (see Network.LongDelays).
//   - The request or the reply is lost.
//   - Before the handler has returned, the end is disabled or deleted, or the server is replaced or deleted.
//   - Cleanup is called.
//
// If Call returns false, the handler may or may not have run. Call has no timeout: it waits until the handler returns or
// one of these events happens. For a prompt handler on a reliable network it always waits until the handler returns (see
// MakeService).
//
// args must have exactly the type of the handler's first parameter; otherwise the handler's goroutine panics. Call panics
// if args is nil or gob cannot encode it. The process ends (log.Fatalf) if the server has no handler svcMeth, if gob cannot
// encode the reply or cannot decode it into the variable, or if a reply arrives and reply is no pointer to a variable.
func (e *ClientEnd) Call(svcMeth string, args interface{}, reply interface{}) bool {
	if f := e.elsewhere.Load(); f != nil {
		return e.callElsewhere(*f, svcMeth, args, reply)
	}
	request := encodeArgs(svcMeth, args)
	if e.rn.closed() {
		return false
	}
	c := e.rn.calls.Get().(*call)
	c.svcMeth, c.args, c.argsType, c.request = svcMeth, args, reflect.TypeOf(args), request
	ok := e.send(c)
	defer c.recycle()
	if !ok {
		return false
	}
	if err := c.decodeReply(reply); err != nil {
		c.fatalReply(err, reply)
	}
	return true
}

// send counts the request, sends it and waits until c is settled. It reports whether c has a reply.
func (e *ClientEnd) send(c *call) bool {
	c.number, c.end = e.rn.count.Add(1), e
	e.rn.bytes.Add(int64(c.request.Len()))
	if o := c.observer(); o != nil {
		c.host = e.connected()
		o.Sent(c.info(), c.args)
	}
	switch {
	case !e.begin(c):
		e.rn.settleAfter(e.rn.failDelay(), c, Unreachable)
	case c.worker == nil:
		c.serve()
	default:
		if c.argsType != nil && c.server.elsewhere.Load() != nil { // another process needs a whole gob stream
			c.request.Release()
			c.request, c.argsType = labgob.Stream(Marshall(c.args)), nil
		}
		c.worker <- c
	}
	<-c.settled
	if o := c.observer(); o != nil {
		o.Ended(c.info(), c.fate)
	}
	return c.fate.isDelivered()
}

// encodeArgs encodes the arguments of a call. It panics if they are nil or gob cannot encode them.
func encodeArgs(svcMeth string, args interface{}) labgob.Message {
	v := reflect.ValueOf(args)
	if !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		panic(fmt.Sprintf("ClientEnd.Call(): the args of %v are nil: %#v", svcMeth, args))
	}
	request, err := labgob.MarshalValue(v)
	if err != nil {
		panic(fmt.Errorf("%w: the args of %v, a %T", err, svcMeth, args))
	}
	return request
}

// begin puts c on the list of calls in flight and returns true, or returns false if c cannot reach a server.
func (e *ClientEnd) begin(c *call) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	c.host = e.host
	if !e.enabled || e.host == nil {
		return false
	}
	c.server = e.host.server.Load()
	if c.server == nil {
		return false
	}
	c.slot = len(e.inFlight)
	e.inFlight = append(e.inFlight, c)
	c.unreliable = !e.rn.reliable.Load()
	c.longReordering = e.rn.longReordering.Load()
	if c.unreliable || !c.server.isPrompt(c.svcMeth) {
		c.worker = e.workerLocked()
	}
	return true
}

// workerLocked returns an idle worker, or a new one. It avoids the worker that became idle last, if there are others: that
// one may still be busy with waking its Call, and would delay this call.
func (e *ClientEnd) workerLocked() worker {
	last := len(e.idle) - 1
	if last < 0 {
		return newWorker()
	}
	w := e.idle[0]
	e.idle[0] = e.idle[last]
	e.idle = e.idle[:last]
	return w
}

// finish removes c from the list of calls in flight. It returns false if c was removed before. If c has a worker, the worker
// must be the caller; it becomes idle, or ends if the end is disabled or has enough idle workers.
func (e *ClientEnd) finish(c *call) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case c.worker == nil:
	case e.enabled && len(e.idle) < maxIdle:
		e.idle = append(e.idle, c.worker)
	default:
		close(c.worker)
	}
	return e.removeLocked(c)
}

// removeLocked removes c from the list of calls in flight. It returns false if c is not on the list.
func (e *ClientEnd) removeLocked(c *call) bool {
	if c.slot == notInFlight {
		return false
	}
	last := len(e.inFlight) - 1
	e.inFlight[last].slot = c.slot
	e.inFlight[c.slot] = e.inFlight[last]
	e.inFlight[last] = nil
	e.inFlight = e.inFlight[:last]
	c.slot = notInFlight
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

// connected returns the destination of new calls, nil if the end is not connected.
func (e *ClientEnd) connected() *host {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.host
}

// disable makes all calls in flight return false, and ends the idle workers.
func (e *ClientEnd) disable() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.enabled = false
	for _, w := range e.idle {
		close(w)
	}
	e.idle = nil
	e.abandonLocked(func(*call) bool { return true })
}

// abandonCallsTo makes the calls in flight to h return false.
func (e *ClientEnd) abandonCallsTo(h *host) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.abandonLocked(func(c *call) bool { return c.host == h })
}

// abandonLocked makes the chosen calls in flight return false.
func (e *ClientEnd) abandonLocked(chosen func(*call) bool) {
	for i := len(e.inFlight) - 1; i >= 0; i-- { // backwards, because removeLocked moves the last call
		if c := e.inFlight[i]; chosen(c) && e.removeLocked(c) {
			c.abandon()
		}
	}
}
