//go:build go1.25

package labrpc

import (
	"errors"
	"fmt"
	"log"
	"reflect"
	"time"

	"6.824/labgob"
)

// A call is one Call in progress. Until it is settled it is on its end's list of calls in flight, or it waits for a timer
// (in Network.waiting), or its goroutine is moving it from the list to the timer. The goroutine that removes it settles it,
// so it is settled exactly once.
type call struct {
	rn      *Network
	settled chan struct{} // of capacity 1; receives a value when fate and reply are final

	number   int64 // see CallInfo
	end      *ClientEnd
	svcMeth  string
	args     interface{}
	argsType reflect.Type // of args; nil if the request is a whole gob stream, as the reply is to be, too
	request  labgob.Message

	// The state when the request was sent; set by begin.
	host           *host // nil if the end was not connected
	server         *Server
	worker         worker // nil: Call's own goroutine serves the call
	unreliable     bool
	longReordering bool

	slot  int         // index in end.inFlight, or notInFlight; guarded by end.mu
	timer *time.Timer // while waiting; guarded by Network.mu

	fate      Fate
	abandoned bool // fate is CutOff, and the call's worker or timer may still use the call
	reply     labgob.Message
	encodeErr error // gob's, if it could not encode the reply
}

const notInFlight = -1

func newCall(rn *Network) *call {
	return &call{rn: rn, settled: make(chan struct{}, 1), slot: notInFlight}
}

// recycle keeps c's memory for another Call, unless another goroutine may still use it.
func (c *call) recycle() {
	if c.abandoned {
		return
	}
	c.request.Release()
	c.reply.Release()
	*c = call{rn: c.rn, settled: c.settled, slot: notInFlight}
	c.rn.calls.Put(c)
}

// settle wakes Call. If the reply is delivered, it is counted.
func (c *call) settle(fate Fate) {
	if fate.isDelivered() {
		c.rn.bytes.Add(int64(c.reply.Len()))
	}
	c.fate = fate
	c.settled <- struct{}{}
}

// abandon makes Call return false while the worker or the timer of the call is still active.
func (c *call) abandon() {
	c.abandoned = true
	c.settle(CutOff)
}

var errNilReply = errors.New("no variable")

// decodeReply decodes the reply into the variable that reply points to. It returns gob's error, or errNilReply.
func (c *call) decodeReply(reply interface{}) error {
	if reply == nil {
		return errNilReply // labgob would panic
	}
	return c.reply.UnmarshalLast(reply)
}

// fatalReply ends the process because of err, which decodeReply has returned.
func (c *call) fatalReply(err error, reply interface{}) {
	sent := "the reply of " + c.svcMeth
	if h := c.server.handler(c.svcMeth); h != nil { // else the service was replaced after the handler had run
		sent += fmt.Sprintf(" (%v)", h.replyType)
	}
	reason := fmt.Sprintf("%v does not fit into a %T", sent, reply)
	switch v := reflect.ValueOf(reply); {
	case c.encodeErr != nil:
		reason = fmt.Sprintf("the server could not encode %v: %v", sent, c.encodeErr)
	case v.Kind() != reflect.Pointer || v.IsNil():
		reason = fmt.Sprintf("%v needs a pointer to a variable, not %#v", sent, reply)
	}
	log.Fatalf("ClientEnd.Call(): decode reply: %v: %v\n", err, reason)
}

// A worker is a goroutine that serves calls of one end, one after the other. It receives them from this channel, of
// capacity 1, and ends when the channel is closed. Using a goroutine again is cheaper than starting one, mainly because
// the stack of a new goroutine grows while it encodes and decodes.
type worker chan *call

// maxIdle is the maximum number of idle workers of an end.
const maxIdle = 64

func newWorker() worker {
	w := make(worker, 1)
	go w.run()
	return w
}

func (w worker) run() {
	for c := range w {
		c.serve()
	}
}

// serve carries the request to the server and the reply back. It runs in a worker, so that Call can return while the handler
// is busy, or in Call's goroutine if the handler is prompt. The handler also runs for an abandoned call.
func (c *call) serve() {
	if c.unreliable && (!c.rn.sleep(shortDelay()) || isLost()) {
		if c.end.finish(c) {
			c.settle(RequestLost)
		}
		return
	}
	reply, err := c.server.dispatch(c)
	if !c.end.finish(c) {
		return
	}
	switch {
	case err == errNoReply || c.unreliable && isLost():
		c.settle(ReplyLost)
	case c.longReordering && isReordered():
		// From here on the reply is delivered even if the end is disabled.
		c.reply, c.encodeErr = reply, err
		c.rn.settleAfter(reorderDelay(), c, Late)
	default:
		c.reply, c.encodeErr = reply, err
		c.settle(Delivered)
	}
}
