//go:build go1.25

package wire

import "6.824/labrpc"

// The four methods of labrpc.Observer.
var _ labrpc.Observer = (*Checker)(nil)

// Sent records a request before it leaves, and checks what it says of its sender.
func (c *Checker) Sent(call labrpc.CallInfo, args any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, known := c.ends[call.End]
	if !known || at.to >= len(c.servers) {
		return
	}
	m := c.readMessage(kindOf(call.Method), args)
	if m == nil {
		return
	}
	if at.to == at.from { // it tells nothing new: a candidate votes for itself, and a leader has its entries
		c.asksItself = true
		return
	}
	r := &request{link: at, message: m, number: call.Number, toLife: c.servers[at.to].life}
	c.calls[call.Number] = r
	c.judgeRefusals()
	c.call = call.Number
	defer c.leave()
	if from := c.servers[at.from]; !from.up || from.life != at.life {
		return // it has been killed, but does not know it
	}
	c.noteSent(r)
	c.checkSent(r)
}

// Handling records that a handler is about to run, and checks the entries that it is given.
func (c *Checker) Handling(call labrpc.CallInfo, args any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.calls[call.Number]
	if r == nil {
		return
	}
	if m := c.readMessage(r.kind, args); m != nil {
		r.message = m
		c.readEntries(m, args)
		c.requireArgs(call.Method, m, args)
	}
	c.call = call.Number
	defer c.leave()
	r.running = true
	c.seen[r.kind] = true
	c.servers[r.to].begin(r)
	c.learnEntries(r)
}

// Handled checks the reply of a handler that has returned.
func (c *Checker) Handled(call labrpc.CallInfo, reply any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.calls[call.Number]
	if r == nil {
		return
	}
	delete(c.calls, call.Number)
	s := c.servers[r.to]
	delete(s.running, r.number)
	r.sure = s.up && s.life == r.toLife
	a := c.readAnswer(reply)
	c.requireReply(call.Method, r.kind, a, reply)
	from := c.servers[r.from]
	from.heardTerm = max(from.heardTerm, a.term.n)
	c.noteHandled(r, a)
	c.call = call.Number
	defer c.leave()
	c.checkHandled(s, r, a)
	c.judgeRefusals()
}

// leave ends the check of a call.
func (c *Checker) leave() { c.call = 0 }

// Ended forgets a request that no handler will see.
func (c *Checker) Ended(call labrpc.CallInfo, fate labrpc.Fate) {
	if fate == labrpc.RequestLost || fate == labrpc.Unreachable {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.calls, call.Number)
	}
}
