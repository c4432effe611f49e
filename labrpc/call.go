//go:build go1.25

package labrpc

import (
	"log"
	"reflect"
	"runtime"
	"time"

	"6.824/labgob"
)

// call is one Call on its way. Until it is settled it is either in flight (on its end's list) or
// waiting for a timer (in Network.waiting), or its own goroutine is just moving it from the one to the
// other. Exactly one party takes it out of there, and that one settles it.
type call struct {
	rn      *Network
	settled chan struct{} // of capacity 1; holds the news that ok and reply are final

	svcMeth  string
	argsType reflect.Type
	request  labgob.Message

	// What was true when the request was sent; set by begin.
	end            *ClientEnd
	host           *host
	server         *Server
	carrier        carrier // nil: Call carries it itself
	unreliable     bool
	longReordering bool

	slot  int         // index in end.inFlight, or landed; guarded by end.mu
	timer *time.Timer // while waiting; guarded by Network.mu

	ok     bool
	lost   bool // ok is false, and the call's goroutine or timer may still use the call
	reply  labgob.Message
	unsent error // gob's, if it could not encode the reply
}

const landed = -1

func newCall(rn *Network) *call {
	return &call{rn: rn, settled: make(chan struct{}, 1), slot: landed}
}

// recycle keeps c for another Call, unless somebody may still hold it.
func (c *call) recycle() {
	if c.lost {
		return
	}
	c.request.Release()
	c.reply.Release()
	*c = call{rn: c.rn, settled: c.settled, slot: landed}
	c.rn.calls.Put(c)
}

// settle ends the Call. If ok, the reply is delivered now.
func (c *call) settle(ok bool) {
	if ok {
		c.rn.bytes.Add(int64(c.reply.Len()))
	}
	c.ok = ok
	c.settled <- struct{}{}
}

// lose ends the Call early: nobody waits any more for what is still going on.
func (c *call) lose() {
	c.lost = true
	c.settle(false)
}

// explain ends the process because err kept the answer from being decoded into reply.
func (c *call) explain(err error, reply interface{}) {
	if c.unsent != nil {
		log.Fatalf("ClientEnd.Call(): decode reply: %v: the server could not encode the reply of %v: %v\n", err, c.svcMeth, c.unsent)
	}
	log.Fatalf("ClientEnd.Call(): decode reply: %v: the reply of %v does not fit into a %T\n", err, c.svcMeth, reply)
}

// growStack makes the stack of a new goroutine large enough for a small call, while there is hardly
// anything on it. Left to itself it would grow in the depths of gob, where moving all the frames takes
// longer than the rest of the call.
//
//go:noinline
func growStack() {
	var room [4 << 10]byte
	runtime.KeepAlive(&room)
}

// carrier leads to a goroutine that serves an end's calls, one after the other: to use it again is cheaper than a
// new goroutine with its stack. It ends when the channel, of capacity 1, is closed.
type carrier chan *call

// maxIdle is how many carriers of an end wait for another call at most.
const maxIdle = 64

func newCarrier() carrier {
	w := make(carrier, 1)
	go w.carry()
	return w
}

func (w carrier) carry() {
	for c := range w {
		c.serve()
	}
}

// serve carries the request to the server and the reply back. It runs in another goroutine than Call, so that Call can
// return while the handler is still busy, unless the handler is prompt. A lost call has its request carried out too.
func (c *call) serve() {
	growStack()
	if c.unreliable && (!c.rn.sleep(shortDelay()) || isLost()) {
		if c.end.land(c) {
			c.settle(false)
		}
		return
	}
	reply, err := c.server.dispatch(c.svcMeth, c.argsType, c.request)
	if !c.end.land(c) {
		return
	}
	switch {
	case c.unreliable && isLost():
		c.settle(false)
	case c.longReordering && isReordered():
		// From here on the reply comes even if the end is disabled meanwhile.
		c.reply, c.unsent = reply, err
		c.rn.settleAfter(reorderDelay(), c, true)
	default:
		c.reply, c.unsent = reply, err
		c.settle(true)
	}
}
