//go:build go1.25

package record

import (
	"fmt"

	"6.824/labrpc"
	"6.824/picture"
	"6.824/wire"
)

// A Message is a request from one server to another, or from a client, and its reply.
type Message struct {
	c    *Cluster
	call int64
	link
	toLife  int // life of the receiver when the request was sent
	method  string
	request *reading
	reply   *reading
	entries []picture.Entry // of a request that is handled, if its receiver tells nothing
	whole   bool            // these are all of them
	handled bool
	ended   bool
	client  *client // the client that sends it, if that was found out
}

// byHand is the number before that of the first message of Message. The numbers of a network's calls are below.
const byHand = 1 << 40

// Message records that server from sends a request to server to over another transport than labrpc. method is the name of
// the RPC, and args are its arguments.
func (c *Cluster) Message(from, to int, method string, args any) *Message {
	r := c.readings.request(method, args)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byHand++
	m := &Message{c: c, call: byHand + c.byHand, link: link{from, to, c.servers[from].life}, method: method, request: r}
	m.sendLocked(args)
	return m
}

// Received records that the handler of the request begins.
func (m *Message) Received() { m.received(nil) }

func (m *Message) received(args any) {
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	if !m.onRunning() {
		return
	}
	if m.request.Request.Kind == wire.AppendEntries && !m.c.servers[m.to].tells {
		m.entries, m.whole = m.c.entriesOf(args)
	}
	m.c.rec.Add(picture.Event{Kind: picture.Receive, Lane: m.to, Call: m.call})
}

// Answered records that the handler has returned this reply.
func (m *Message) Answered(reply any) {
	r := m.c.readings.reply(m.method, m.request.Request.Kind, reply)
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	m.handled, m.reply = true, r
	m.c.forgetLocked(m)
	if !m.onRunning() {
		return
	}
	e := picture.Event{Kind: picture.Answer, Lane: m.to, Call: m.call, Term: known(r.Reply.Term), OK: m.accepted(), Detail: r.detail}
	m.c.deriveHandledLocked(m, e.OK)
	if e.Text = r.text; !e.OK {
		e.Text = m.reason()
	} else if e.Text == "" {
		e.Text = m.acceptance()
	}
	m.c.rec.Add(e)
}

// Ended records that the sender has the reply, or knows that there is none.
func (m *Message) Ended(fate picture.Fate) {
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	m.ended = true
	m.handled = m.handled || fate != picture.CutOff
	m.c.forgetLocked(m)
	arrived := fate == picture.Delivered || fate == picture.Late
	text := ""
	if arrived && m.ignored() {
		if text = m.stale(); text == "" {
			fate = picture.Ignored
		}
	}
	m.c.rec.Add(picture.Event{Kind: picture.End, Lane: m.from, Call: m.call, Fate: fate, Text: text})
	if m.client != nil && arrived && m.reply != nil && !m.reply.declined {
		m.client.finish(m.reply.text, true)
	}
}

var _ labrpc.LinkObserver = (*Cluster)(nil)

// Sent records a request of a labrpc network. It is one of the methods of labrpc.LinkObserver, which the network calls.
func (c *Cluster) Sent(call labrpc.CallInfo, args any) {
	r := c.readings.request(call.Method, args)
	c.mu.Lock()
	defer c.mu.Unlock()
	at, client, known := c.routeLocked(call, r, args)
	s := c.servers
	if !known || at.from >= len(s) || at.to >= len(s) || !s[at.from].up || s[at.from].life != at.life {
		return
	}
	m := &Message{c: c, call: call.Number, link: at, method: call.Method, request: r, client: client}
	c.calls[call.Number] = m
	c.cutLocked(at)
	if client != nil {
		client.begin(c, r.text)
	}
	m.sendLocked(args)
}

// sent returns a call that is not over, or nil.
func (c *Cluster) sent(call labrpc.CallInfo) *Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls[call.Number]
}

// Handling records that a handler is about to run.
func (c *Cluster) Handling(call labrpc.CallInfo, args any) {
	if m := c.sent(call); m != nil {
		m.received(args)
	}
}

// Handled records that a handler has returned.
func (c *Cluster) Handled(call labrpc.CallInfo, reply any) {
	if m := c.sent(call); m != nil {
		m.Answered(reply)
	}
}

// Ended records how a call has ended.
func (c *Cluster) Ended(call labrpc.CallInfo, fate labrpc.Fate) {
	if m := c.sent(call); m != nil {
		m.Ended(picture.Fate(fate) + picture.Delivered)
	}
}

// maxCutOff bounds the calls that have ended and whose handlers may still return.
const maxCutOff = 1 << 12

// forgetLocked forgets a call of which nothing more will be told.
func (c *Cluster) forgetLocked(m *Message) {
	switch {
	case m.ended && m.handled:
		delete(c.calls, m.call)
	case m.ended:
		c.cutOff = append(c.cutOff, m.call)
		if len(c.cutOff) > maxCutOff {
			delete(c.calls, c.cutOff[0])
			c.cutOff = c.cutOff[1:]
		}
	}
}

func (m *Message) sendLocked(args any) {
	q := &m.request.Request
	m.toLife = m.c.servers[m.to].life
	e := picture.Event{Kind: picture.Send, Lane: m.from, Peer: m.to, Call: m.call, Term: known(q.Term),
		Name: m.request.name, Text: m.request.text, Detail: m.request.detail}
	switch {
	case q.Kind == wire.RequestVote || q.Kind == wire.PreVote:
		e.Index, e.Last = known(q.LastIndex), known(q.LastIndex)
	case q.Kind == wire.AppendEntries && (q.PrevIndex > 0 || q.PrevIndex == 0 && q.Count > 0):
		e.Index, e.Last = q.PrevIndex+1, q.PrevIndex+q.Count // of a heartbeat, Last is PrevIndex: who accepts it has that entry
	case q.Kind == wire.InstallSnapshot && q.LastIndex > 0:
		e.Index, e.Last = 1, q.LastIndex
	}
	m.c.deriveSentLocked(m, args)
	m.c.rec.Add(e)
}

// onRunning reports whether the receiver has neither crashed nor started since the request was sent.
func (m *Message) onRunning() bool {
	s := m.c.servers[m.to]
	return s.up && s.life == m.toLife
}

// accepted reports whether the reply says yes.
func (m *Message) accepted() bool {
	switch r := m.reply; {
	case m.request.Request.Kind == wire.Other:
		return !r.declined
	case r.Answered || m.request.Request.Kind == wire.RequestVote || m.request.Request.Kind == wire.PreVote:
		return r.Accepted
	default: // such as the reply to InstallSnapshot
		return r.Reply.Term <= m.request.Request.Term
	}
}

// acceptance returns in words an answer that says yes.
func (m *Message) acceptance() string {
	switch q := &m.request.Request; {
	case q.Kind == wire.RequestVote:
		return "votes for " + m.c.servers[m.from].name
	case q.Kind == wire.PreVote:
		return "would vote for " + m.c.servers[m.from].name
	case q.Kind == wire.InstallSnapshot:
		return "has the snapshot up to " + number(q.LastIndex)
	case q.PrevIndex == wire.Unread || q.Count == wire.Unread:
		return "accepts"
	default:
		return fmt.Sprintf("has entries up to %d", q.PrevIndex+q.Count)
	}
}

// stale says of a reply that is ignored what is wrong with it, if its receiver runs and tells nothing: it may use the reply all
// the same.
func (m *Message) stale() string {
	s, q := m.c.servers[m.from], &m.request.Request
	switch {
	case s.tells || !s.up || s.life != m.life:
		return ""
	case s.term != q.Term:
		return fmt.Sprintf("a reply of term %d, but %s is in term %d", q.Term, s.name, s.term)
	}
	return fmt.Sprintf("a reply to a %s, but %s is one no longer", map[bool]string{true: "candidate", false: "leader"}[q.Kind == wire.RequestVote], s.name)
}

// ignored reports whether a reply that has just arrived comes too late for the sender to use it: the sender has crashed,
// has another term, or is no candidate or leader any more.
func (m *Message) ignored() bool {
	s, q := m.c.servers[m.from], &m.request.Request
	switch {
	case !s.up || s.life != m.life:
		return true
	case q.Kind == wire.Other || q.Term == wire.Unread:
		return false
	case q.Kind == wire.PreVote:
		return s.tells && s.term+1 != q.Term
	case q.Kind == wire.RequestVote:
		return s.term != q.Term || s.role == picture.Follower
	default:
		return s.term != q.Term || s.role != picture.Leader
	}
}
