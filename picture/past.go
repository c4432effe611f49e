//go:build go1.25

package picture

import (
	"math"
	"slices"
)

// The causal past of a violation is the messages, saves and changes without which it would not have happened. To include each
// event that happened before another one would highlight nearly the whole page. So an event leads only to those that are the
// reason for it: a leader to its votes, an entry to the message that has brought it, a commit to the replies that were counted.

// maxPast bounds the events that are highlighted. The nearest ones come first.
const maxPast = 400

// A past collects a causal past.
type past struct {
	*run
	in    []bool
	queue []int
}

// past reports for each event whether it belongs to the causal past of the violation, or to the violation itself, and whether
// it is one of the events that the violation is about.
func (u *run) past() (in, named []bool) {
	p := &past{run: u, in: make([]bool, len(u.events))}
	if u.violation < 0 {
		return p.in, p.in
	}
	p.add(u.violation)
	p.seeds(u.violation)
	named = slices.Clone(p.in)
	if v := u.events[u.violation]; v.Call != 0 { // about that message, so what other servers have reached explains nothing
		for _, i := range p.queue {
			if e := u.events[i]; e.Lane != v.Lane && (e.Kind == State || e.Kind == Apply) {
				named[i] = false
			}
		}
	}
	for k := 0; k < len(p.queue); k++ {
		p.causes(p.queue[k])
	}
	return p.in, named
}

// guilty returns the event at which the page opens: the violation, or the last event of the message that has broken the rule
// if that was noticed at a later time. If the violation is about an operation, the page opens at its end. guilty returns -1 if
// there is no violation.
func (u *run) guilty() int {
	if u.violation < 0 {
		return -1
	}
	v := u.events[u.violation]
	c := u.calls[v.Call]
	if c != nil && v.Call < 0 && c.end >= 0 {
		return c.end
	}
	if c != nil {
		for _, k := range []int{c.answer, c.send} {
			if k >= 0 && k < u.violation && u.events[k].At < v.At {
				return k
			}
		}
	}
	return u.violation
}

// add adds events. It ignores -1.
func (p *past) add(events ...int) {
	for _, i := range events {
		if i >= 0 && !p.in[i] && len(p.queue) < maxPast {
			p.in[i] = true
			p.queue = append(p.queue, i)
		}
	}
}

// find adds the last event of a lane before event i for which found returns true, and returns it, or -1.
func (p *past) find(lane, i int, found func(k int, e *Event) bool) (at int) {
	at = -1
	p.back(lane, i, func(k int, e *Event) bool {
		if found(k, e) {
			at = k
		}
		return at < 0
	})
	p.add(at)
	return at
}

// seeds adds the events that the violation itself names.
func (p *past) seeds(v int) {
	e := p.events[v]
	if c := p.calls[e.Call]; c != nil {
		p.add(c.end, c.answer, c.receive, c.send)
		if sent := p.sent(c); sent != nil && sent.Peer == e.Lane {
			p.rivals(c, v)
		}
	}
	index := e.Index
	if index == 0 && e.Call == 0 && e.Term == 0 { // it names nothing: what the server has applied last
		p.contradiction(v)
		if k := p.find(e.Lane, v, func(_ int, a *Event) bool { return a.Kind == Apply }); k >= 0 {
			index = p.events[k].Index
		}
	}
	if index > 0 {
		p.entry(e.Lane, v, index)
		for lane := range p.lanes {
			p.find(lane, v, func(_ int, a *Event) bool { return a.Kind == Apply && a.Index == index })
		}
		p.counted(v, &Event{Lane: e.Lane, Index: index})
	}
	if e.Term > 0 {
		for lane := range p.lanes {
			p.find(lane, v, func(_ int, s *Event) bool { return s.Kind == State && s.Role == Leader && s.Term == e.Term })
		}
	}
	first := v
	for _, i := range p.queue {
		if p.events[i].Lane == e.Lane {
			first = min(first, i)
		}
	}
	p.back(e.Lane, v, func(k int, s *Event) bool { // what it may have forgotten
		if s.Kind == Crash || s.Kind == Start {
			p.add(k)
		}
		return k > first
	})
}

// rivals adds what the receiver of a call has promised to others: other requests of that name and term that it has granted,
// and the last entries that it has acknowledged.
func (p *past) rivals(c *call, v int) {
	sent := p.sent(c)
	if sent == nil {
		return
	}
	most := -1
	p.back(sent.Peer, v, func(k int, e *Event) bool {
		if e.Kind != Answer || !e.OK || k == c.answer {
			return true
		}
		switch other := p.sent(p.calls[e.Call]); {
		case other == nil:
		case other.Name == sent.Name && other.Term == sent.Term && other.Lane != sent.Lane:
			p.add(k)
		case !isVote(other) && other.Last > 0 && (most < 0 || other.Last > p.sent(p.callOf(most)).Last):
			most = k
		}
		return true
	})
	p.add(most)
}

// entry adds how a lane got the entry at index, acknowledged it, and lost it.
func (p *past) entry(lane, i, index int) {
	got := p.find(lane, i, func(_ int, e *Event) bool { return e.Kind == Log && covers(e, index) })
	p.find(lane, i, func(k int, e *Event) bool { return k > got && got >= 0 && e.Kind == Log && e.Index <= index })
	p.find(lane, i, func(_ int, e *Event) bool { return e.Kind == Snapshot })
	acknowledged := func(first int) int {
		return p.find(lane, i, func(_ int, e *Event) bool {
			if e.Kind != Answer || !e.OK {
				return false
			}
			sent := p.sent(p.calls[e.Call])
			return sent != nil && !isVote(sent) && sent.Last >= index && sent.Index <= first
		})
	}
	had := acknowledged(index)
	if had < 0 { // no message that brought the entry: one that followed it
		had = acknowledged(math.MaxInt)
	}
	p.find(lane, i, func(k int, e *Event) bool { // the entry may have been cut off without a word: a shorter message came later
		if k < had || had < 0 || e.Kind != Answer || !e.OK {
			return false
		}
		sent := p.sent(p.calls[e.Call])
		return sent != nil && !isVote(sent) && sent.Last > 0 && sent.Index <= sent.Last && sent.Last < index
	})
}

// contradiction looks for the first two servers that have applied different commands at one index before event v. It adds both
// commands, and the last snapshot of each of the two servers before that.
func (p *past) contradiction(v int) {
	first := map[int]int{} // by index
	for i, e := range p.events[:v] {
		if e.Kind != Apply || e.Name != "" {
			continue
		}
		if k, known := first[e.Index]; known && p.events[k].Text != e.Text {
			p.add(k, i)
			for _, at := range []int{k, i} {
				p.find(p.events[at].Lane, at, func(_ int, s *Event) bool { return s.Kind == Snapshot })
			}
			return
		} else if !known {
			first[e.Index] = i
		}
	}
}

// covers reports whether a Log event brings the entry at index.
func covers(e *Event, index int) bool { return e.Index <= index && index < e.Index+len(e.Entries) }
