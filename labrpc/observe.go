//go:build go1.25

package labrpc

// An Observer is told what happens to the calls of a network (see Network.Observe). Of one call it is told, in this order,
// at most once each:
//
//   - Sent, before the request leaves: the server that the end is connected to after Sent has returned gets the request.
//   - Handling, right before the handler runs.
//   - Handled, right after the handler has returned, before its reply can reach the client.
//   - Ended, before Call or Forward returns.
//
// Each call that is Sent is also Ended, but it may lack Handling, or Handled, or both. A call that is cut off ends while its
// request or its handler is still under way, so Handling and Handled may follow Ended, even after Cleanup.
//
// The methods are called concurrently, by the goroutines that carry out the calls and with no lock of this package held.
// They may use the network, except for Call and Forward. The call waits until they return. The values args and reply are
// those of the client and the handler: a method may read them while it runs, but must not keep or modify them.
//
// The arguments that Forward sends, and the arguments and replies of a server with SetDispatch, are whole gob streams, each
// a []byte.
type Observer interface {
	Sent(call CallInfo, args interface{})     // args as passed to Call or Forward
	Handling(call CallInfo, args interface{}) // args as passed to the handler
	Handled(call CallInfo, reply interface{}) // reply is the pointer that was passed to the handler
	Ended(call CallInfo, fate Fate)
}

// CallInfo describes a call to an Observer.
type CallInfo struct {
	Number int64       // the network's calls are numbered from 1 as they are sent
	End    interface{} // name of the client end
	Server interface{} // name of the server to which the end is connected when the request is sent; nil if to none
	Method string      // "Service.Method"
}

// Fate says how a call has ended.
type Fate int

const (
	Delivered   Fate = iota // the reply has reached the client
	Late                    // likewise, after the delay of LongReordering
	RequestLost             // the unreliable network has lost the request
	ReplyLost               // the unreliable network has lost the reply, or a server's Fdispatch has returned none
	Unreachable             // the end was disabled or not connected, or there was no such server, when the request was sent
	CutOff                  // meanwhile the end was disabled or deleted or the server replaced or deleted, or Cleanup was called
)

// String returns the fate in words, such as "request lost".
func (f Fate) String() string {
	return [...]string{"delivered", "late", "request lost", "reply lost", "unreachable", "cut off"}[f]
}

// isDelivered reports whether the client has the reply.
func (f Fate) isDelivered() bool { return f == Delivered || f == Late }

// Observe makes the network tell o about its calls. It must be called before the first call. The network has one observer;
// nil means none. A call that begins after Cleanup, or whose end has SetCall, is not told: it sends nothing through this
// network. Nor is a request that is handed to Server.Dispatch, which belongs to no network. If o is a LinkObserver, it is
// told about the network, too.
func (rn *Network) Observe(o Observer) {
	rn.mu.Lock()
	defer rn.mu.Unlock()
	rn.observer = o
	rn.links, _ = o.(LinkObserver)
	rn.observeAllLocked()
}

// info describes c, which has been sent.
func (c *call) info() CallInfo {
	info := CallInfo{Number: c.number, End: c.end.name, Method: c.svcMeth}
	if c.host != nil {
		info.Server = c.host.name
	}
	return info
}

// observer returns the network's observer, or nil. A request of Server.Dispatch has no network.
func (c *call) observer() Observer {
	if c.rn == nil {
		return nil
	}
	return c.rn.observer
}
