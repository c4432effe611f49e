//go:build !unrecorded

package raft

// The pages of counterexamples.

import (
	"testing"
	"time"

	"6.824/picture"
	"6.824/record"
)

// recorded plays a walk and returns its recording, in which each step of a server takes a millisecond.
func (w walk) recorded(t testing.TB) *recording {
	o := &walkObserver{messages: make(map[*wire]*walkMessage)}
	o.r = newRecordingAt(t, w.limits.servers, func() time.Duration { return time.Duration(o.steps) * time.Millisecond })
	o.r.rec.SetCommand("make explore TRACE='" + w.code() + "'")
	o.r.rec.Note("The explorer has no clock: each step of a server takes a millisecond here.")
	c := newLiveFor(w.limits, w.variant, true, o)
	c.watch.show = func(string) {}
	c.watch.recordIn(o.r)
	for k, a := range w.trace {
		o.steps++
		o.r.step("%d  %s", k+1, a.text())
		if _, ok := c.try(a); !ok || c.verdict() != nil {
			break
		}
	}
	if b := c.verdict(); b != nil { // by the explorer's own checks; the watch has recorded its violation itself
		o.r.violation(b.property, c.at, 0, 0, b.text)
	}
	return o.r
}

// A walkObserver records a live cluster.
type walkObserver struct {
	r        *recording
	steps    int
	messages map[*wire]*walkMessage // by request
}

// A walkMessage is a message of a live cluster.
type walkMessage struct {
	*record.Message
	from, to int
	received bool
}

func (o *walkObserver) start(server int) Option {
	o.r.Started(server, nil)
	return o.r.option(server)
}

func (o *walkObserver) crash(server int) { o.r.Crashed(server) }

func (o *walkObserver) send(from, to int, w *wire) *walkMessage {
	method, _ := w.message.rpc()
	m := &walkMessage{Message: o.r.Message(from, to, method, w.message), from: from, to: to}
	o.messages[w] = m
	return m
}

func (o *walkObserver) before(c *live, server int, in step) {
	o.steps++
	switch in.kind {
	case stepReceive:
		if m := o.messages[in.message]; m != nil {
			if m.received { // it arrives once more
				m = o.send(m.from, m.to, in.message)
			}
			m.received = true
			m.Received()
		}
	case stepVoted:
		o.end(in.message, in.reply)
	case stepReturned:
		if open := c.servers[server].open; in.arg < len(open) {
			o.end(open[in.arg].message, in.reply)
		}
	}
}

// end records that a sender gets a reply, or learns that there is none.
func (o *walkObserver) end(request, reply *wire) {
	m, fate := o.messages[request], picture.Delivered
	switch {
	case m == nil:
		return
	case reply == nil && m.received:
		fate = picture.ReplyLost
	case reply == nil:
		fate = picture.RequestLost
	}
	m.Ended(fate)
}

func (o *walkObserver) after(c *live, server int, in step, out *outcome) {
	switch in.kind {
	case stepAsk, stepSend, stepBeat:
		if out.message != nil {
			o.send(server, in.peer, out.message)
		}
	case stepReceive:
		if m := o.messages[in.message]; m != nil && out.reply != nil {
			m.Answered(out.reply.reply)
		}
	}
}

// TestExplorePicture checks the page of a walk: its actions, and messages with their replies.
func TestExplorePicture(t *testing.T) {
	w, broken := walkFrom(1, 150, true)
	if broken != nil {
		t.Fatal(broken)
	}
	p := pageOf(t, w.recorded(t))
	if p.Violation >= 0 || p.count(picture.Step, "") != len(w.trace) || p.count(picture.Send, "") == 0 || p.count(picture.Answer, "") == 0 {
		t.Errorf("violation %d, %d steps of %d, %d messages", p.Violation, p.count(picture.Step, ""), len(w.trace), p.count(picture.Send, ""))
	}
}

// TestExplorePictureOfViolation checks that the page of a counterexample opens at its violation, which is the last action's.
func TestExplorePictureOfViolation(t *testing.T) {
	plant(t, forgetVote)
	for seed := range int64(500) {
		w, broken := walkFrom(seed, 150, true)
		if broken == nil {
			continue
		}
		w.shrink(broken, true)
		c := w.counterexample(broken)
		p := pageOf(t, c.recorded(t))
		p.wantViolation(t, c.property, p.Events.Lane[max(p.Violation, 0)], "")
		if p.count(picture.Step, "") != len(c.trace) || p.count(picture.Crash, "") == 0 || p.Command != "make explore TRACE='"+c.code()+"'" {
			t.Errorf("%d steps of %d, %d crashes, command %q", p.count(picture.Step, ""), len(c.trace), p.count(picture.Crash, ""), p.Command)
		}
		return
	}
	t.Fatal("500 walks found nothing")
}
