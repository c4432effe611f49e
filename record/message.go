//go:build go1.25

package record

import (
	"fmt"
	"strconv"
	"strings"

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
	request wire.Request
	entries []picture.Entry // of a request that is handled, if its receiver tells nothing
	whole   bool            // these are all of them
	handled bool
	ended   bool
	client  *client // that sends it to a server; nil if a server does
	ok      bool    // what the reply says
	result  string
}

// byHand is the number before that of the first message of Message. The numbers of a network's calls are below.
const byHand = 1 << 40

// Message records that server from sends a request to server to over another transport than labrpc. method is the name of
// the RPC, and args are its arguments.
func (c *Cluster) Message(from, to int, method string, args any) *Message {
	text := words(args)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byHand++
	m := &Message{c: c, call: byHand + c.byHand, link: link{from, to, c.servers[from].life}}
	c.sendLocked(m, method, args, text)
	return m
}

// Received records that the handler of the request begins.
func (m *Message) Received() {
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	m.receiveLocked(nil)
}

// Answered records that the handler has returned this reply.
func (m *Message) Answered(reply any) {
	text := words(reply)
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	m.answerLocked(reply, text)
}

// Ended records that the sender has the reply, or knows that there is none.
func (m *Message) Ended(fate picture.Fate) {
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	m.endLocked(fate)
}

var _ labrpc.LinkObserver = (*Cluster)(nil)

// Sent records a request of a labrpc network. It is one of the methods of labrpc.LinkObserver, which the network calls.
func (c *Cluster) Sent(call labrpc.CallInfo, args any) {
	text := words(args)
	c.mu.Lock()
	defer c.mu.Unlock()
	at, known := c.routeLocked(call, args)
	s := c.servers
	if !known || at.from >= len(s) || at.to >= len(s) || !s[at.from].up || s[at.from].life != at.life {
		return
	}
	m := &Message{c: c, call: call.Number, link: at}
	c.calls[call.Number] = m
	c.cutLocked(at)
	if g := c.groupOf(call.End); g != nil && s[at.from].client {
		m.client = c.clientLocked(g, args)
		m.client.begin(c, call.Method, args)
	}
	c.sendLocked(m, call.Method, args, text)
}

// Handling records that a handler is about to run.
func (c *Cluster) Handling(call labrpc.CallInfo, args any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m := c.calls[call.Number]; m != nil {
		m.receiveLocked(args)
	}
}

// Handled records that a handler has returned.
func (c *Cluster) Handled(call labrpc.CallInfo, reply any) {
	text := words(reply)
	c.mu.Lock()
	defer c.mu.Unlock()
	if m := c.calls[call.Number]; m != nil {
		m.answerLocked(reply, text)
		c.forgetLocked(call.Number, m)
	}
}

// Ended records how a call has ended.
func (c *Cluster) Ended(call labrpc.CallInfo, fate labrpc.Fate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m := c.calls[call.Number]; m != nil {
		m.endLocked(picture.Fate(fate) + picture.Delivered)
		m.handled = m.handled || fate != labrpc.CutOff
		c.forgetLocked(call.Number, m)
	}
}

// maxCutOff bounds the calls that have ended and whose handlers may still return.
const maxCutOff = 1 << 12

// forgetLocked forgets a call of which nothing more will be told.
func (c *Cluster) forgetLocked(number int64, m *Message) {
	switch {
	case m.ended && m.handled:
		delete(c.calls, number)
	case m.ended:
		c.cutOff = append(c.cutOff, number)
		if len(c.cutOff) > maxCutOff {
			delete(c.calls, c.cutOff[0])
			c.cutOff = c.cutOff[1:]
		}
	}
}

func (c *Cluster) sendLocked(m *Message, method string, args any, text string) {
	m.request = c.reader.Request(method, args)
	q := &m.request
	m.toLife = c.servers[m.to].life
	if strings.HasPrefix(text, "AppendEntries term ") {
		q.Count = countIn(text)
	}
	e := picture.Event{Kind: picture.Send, Lane: m.from, Peer: m.to, Call: m.call, Name: method[strings.LastIndexByte(method, '.')+1:]}
	e.Term = known(q.Term)
	switch q.Kind {
	case wire.PreVote:
		e.Name = "PreVote"
		fallthrough
	case wire.RequestVote:
		e.Index, e.Last = known(q.LastIndex), known(q.LastIndex)
	case wire.AppendEntries:
		if q.PrevIndex != wire.Unread && q.Count > 0 {
			e.Index, e.Last = q.PrevIndex+1, q.PrevIndex+q.Count
		}
	case wire.InstallSnapshot:
		if q.LastIndex > 0 {
			e.Index, e.Last = 1, q.LastIndex
		}
	}
	if text == "" {
		text = describe(e.Name, q, args)
	}
	e.Text, e.Detail = c.internLocked(text), c.detailLocked(args)
	if !c.servers[m.from].tells {
		c.unreadableLocked(method, q)
	}
	c.deriveSentLocked(m, args)
	c.rec.Add(e)
}

// countIn returns the number of entries in the words of this repository's Raft, whose entries a wire.Reader cannot count.
func countIn(words string) int {
	before, _, several := strings.Cut(words, " entries ")
	if !several {
		return strings.Count(words, ": entry ")
	}
	n, err := strconv.Atoi(before[strings.LastIndexByte(before, ' ')+1:])
	if err != nil {
		return 0
	}
	return n
}

// known returns a number that was read, or 0.
func known(n int) int {
	if n == wire.Unread {
		return 0
	}
	return n
}

// number returns a number in words.
func number(n int) string {
	if n == wire.Unread {
		return "?"
	}
	return strconv.Itoa(n)
}

// describe returns a request in words. An entry is its index and its term.
func describe(name string, q *wire.Request, args any) string {
	switch q.Kind {
	case wire.Other:
		return name + " " + value(args, 2*maxValue)
	case wire.RequestVote, wire.PreVote:
		return fmt.Sprintf("%s term %s: last log entry %s/%s", name, number(q.Term), number(q.LastIndex), number(q.LastTerm))
	case wire.InstallSnapshot:
		return fmt.Sprintf("%s term %s: up to %s/%s", name, number(q.Term), number(q.LastIndex), number(q.LastTerm))
	}
	what := "heartbeat"
	switch {
	case q.Count == wire.Unread:
		what = "entries"
	case q.Count == 1:
		what = "entry " + number(q.PrevIndex+1)
	case q.Count > 1:
		what = fmt.Sprintf("%d entries %d..%d", q.Count, q.PrevIndex+1, q.PrevIndex+q.Count)
	}
	return fmt.Sprintf("%s term %s after %s/%s: %s, commit %s", name, number(q.Term), number(q.PrevIndex), number(q.PrevTerm), what, number(q.Commit))
}

// detailLocked returns all fields of arguments or of a reply.
func (c *Cluster) detailLocked(v any) string {
	p := printer{b: c.buffer[:0], limit: maxValue}
	p.fields(v)
	c.buffer = p.b
	if text, known := c.texts[string(p.b)]; known { // without an allocation
		return text
	}
	return c.internLocked(string(p.b))
}

// maxTexts bounds the texts that are kept for use again.
const maxTexts = 1 << 12

// internLocked returns text, in the memory of an equal one if that is known: most messages are like others.
func (c *Cluster) internLocked(text string) string {
	if old, known := c.texts[text]; known {
		return old
	}
	if len(c.texts) >= maxTexts {
		clear(c.texts)
	}
	c.texts[text] = text
	return text
}

// onRunning reports whether the receiver has neither crashed nor started since the request was sent.
func (m *Message) onRunning() bool {
	s := m.c.servers[m.to]
	return s.up && s.life == m.toLife
}

func (m *Message) receiveLocked(args any) {
	if !m.onRunning() {
		return
	}
	if s := m.c.servers[m.to]; !s.tells && m.request.Kind == wire.AppendEntries {
		m.entries, m.whole = m.c.entriesLocked(args)
	}
	m.c.rec.Add(picture.Event{Kind: picture.Receive, Lane: m.to, Call: m.call})
}

func (m *Message) answerLocked(reply any, text string) {
	m.handled = true
	if !m.onRunning() {
		return
	}
	r := m.c.reader.Reply(m.request.Kind, reply)
	e := picture.Event{Kind: picture.Answer, Lane: m.to, Call: m.call, Term: known(r.Term), OK: m.accepted(r, reply)}
	e.Detail = m.c.detailLocked(reply)
	m.c.deriveHandledLocked(m, r, e.OK)
	switch {
	case !e.OK:
		e.Text = m.c.reason(m, r, text)
	case text != "":
		e.Text = m.c.internLocked(text)
	default:
		e.Text = m.c.internLocked(m.acceptance(reply))
	}
	m.ok, m.result = e.OK, e.Text
	m.c.rec.Add(e)
}

// acceptance returns the answer to a request in words that does what the request asks for.
func (m *Message) acceptance(reply any) string {
	switch q := &m.request; {
	case q.Kind == wire.Other:
		return value(reply, 2*maxValue)
	case q.Kind == wire.RequestVote:
		return "votes for server " + strconv.Itoa(m.from)
	case q.Kind == wire.PreVote:
		return "would vote"
	case q.Kind == wire.InstallSnapshot:
		return "has the snapshot up to " + number(q.LastIndex)
	case q.PrevIndex == wire.Unread || q.Count == wire.Unread:
		return "accepts"
	}
	return "has entries up to " + strconv.Itoa(m.request.PrevIndex+m.request.Count)
}

// accepted reports whether a reply says yes.
func (m *Message) accepted(r wire.Reply, reply any) bool {
	switch {
	case m.request.Kind == wire.Other:
		return !declines(reply)
	case r.Answered:
		return r.Accepted
	}
	return r.Term == wire.Unread || r.Term <= m.request.Term
}

func (m *Message) endLocked(fate picture.Fate) {
	m.ended = true
	if (fate == picture.Delivered || fate == picture.Late) && m.ignored() {
		fate = picture.Ignored
	}
	m.c.rec.Add(picture.Event{Kind: picture.End, Lane: m.from, Call: m.call, Fate: fate})
	if m.client != nil && m.ok && fate != picture.CutOff && fate != picture.ReplyLost {
		m.client.finish(m.result, true)
	}
}

// ignored reports whether a reply that has just arrived comes too late for its sender to use it: the sender has crashed,
// has another term, or is no candidate or leader any more.
func (m *Message) ignored() bool {
	s, term := m.c.servers[m.from], m.request.Term
	switch {
	case m.request.Kind == wire.Other || term == wire.Unread:
		return false
	case !s.up || s.life != m.life:
		return true
	case m.request.Kind == wire.PreVote:
		return s.tells && s.term+1 != term
	case m.request.Kind == wire.RequestVote:
		return s.term != term || s.role == picture.Follower
	}
	return s.term != term || s.role != picture.Leader
}
