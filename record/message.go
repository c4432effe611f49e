//go:build go1.25

package record

import (
	"fmt"
	"strings"

	"6.824/labrpc"
	"6.824/picture"
)

// A Message is a request from one lane to another, and its reply.
type Message struct {
	c              *Cluster
	call           int64
	ended, handled bool
}

// Message records that server from sends a request to server to, over another transport than labrpc. method is the name of
// the RPC, and args points to its arguments.
func (c *Cluster) Message(from, to int, method string, args any) *Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sendLocked(from, to, method, args)
}

func (c *Cluster) sendLocked(from, to int, method string, args any) *Message {
	c.number++
	m := &Message{c: c, call: c.number}
	c.rec.Add(picture.Event{
		Kind: picture.Send, Lane: from, Peer: to, Call: m.call, Name: method[strings.LastIndexByte(method, '.')+1:], Text: fmt.Sprint(args),
	})
	return m
}

// Received records that the handler of the request begins.
func (m *Message) Received() {}

// Answered records that the handler has returned. reply points to its reply.
func (m *Message) Answered(reply any) {}

// Ended records that the sender has the reply, or learns that there is none.
func (m *Message) Ended(fate picture.Fate) {}

var _ labrpc.Observer = (*Cluster)(nil)

// Sent records a request of a labrpc network. It is a method of labrpc.Observer, as the next three are.
func (c *Cluster) Sent(call labrpc.CallInfo, args any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, known := c.ends[call.End]; known {
		c.calls[call.Number] = c.sendLocked(at.from, at.to, call.Method, args)
	}
}

// Handling records that a handler is about to run.
func (c *Cluster) Handling(call labrpc.CallInfo, args any) {}

// Handled records that a handler has returned.
func (c *Cluster) Handled(call labrpc.CallInfo, reply any) {}

// Ended records how a call has ended.
func (c *Cluster) Ended(call labrpc.CallInfo, fate labrpc.Fate) {}
