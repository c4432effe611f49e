//go:build go1.25

package picture

import "math"

// The causal past of a violation: the messages, saves and changes without which it would not have happened. All that has
// happened before it on any server would be nearly the whole page, so an event leads only to those that have brought about what
// it says: a leader to its votes, an entry to the message that has brought it, a commit to the replies that were counted.

// maxPast bounds the events that are highlighted. The nearest ones come first.
const maxPast = 400

// A past collects a causal past.
type past struct {
	*run
	in    []bool
	queue []int
}

// past reports for each event whether it belongs to the causal past of the violation, or to the violation itself.
func (u *run) past() []bool {
	p := &past{run: u, in: make([]bool, len(u.events))}
	if u.violation < 0 {
		return p.in
	}
	p.add(u.violation)
	p.seeds(u.violation)
	for k := 0; k < len(p.queue); k++ {
		p.causes(p.queue[k])
	}
	return p.in
}

// add adds events, of which -1 stands for none.
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
		p.rivals(c, v)
	}
	if e.Index > 0 {
		p.entry(e.Lane, v, e.Index)
		for lane := range p.lanes {
			p.find(lane, v, func(_ int, a *Event) bool { return a.Kind == Apply && a.Index == e.Index })
		}
		p.counted(v, e)
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
	p.find(lane, i, func(_ int, e *Event) bool { return e.Kind == Snapshot && e.Index >= index })
	acknowledged := func(first int) int {
		return p.find(lane, i, func(_ int, e *Event) bool {
			if e.Kind != Answer || !e.OK {
				return false
			}
			sent := p.sent(p.calls[e.Call])
			return sent != nil && !isVote(sent) && sent.Last >= index && sent.Index <= first
		})
	}
	if acknowledged(index) < 0 { // no message that brought the entry: one that followed it
		acknowledged(math.MaxInt)
	}
}

// covers reports whether a Log event brings the entry at index.
func covers(e *Event, index int) bool { return e.Index <= index && index < e.Index+len(e.Entries) }

// causes adds what has directly brought about an event.
func (p *past) causes(i int) {
	switch e := p.events[i]; e.Kind {
	case Send:
		p.sender(i, e)
	case Receive:
		p.add(p.calls[e.Call].send)
	case Answer:
		p.add(p.calls[e.Call].receive)
		p.handled(i, p.calls[e.Call])
	case End:
		p.add(p.calls[e.Call].answer)
	case State:
		if e.Role == Leader {
			p.votes(i, e)
			return
		}
		p.enclosing(i)
	case Log, Snapshot:
		p.enclosing(i)
	case Commit:
		p.committed(i, e)
	case Apply:
		p.find(e.Lane, i, func(_ int, c *Event) bool { return c.Kind == Commit && c.Index >= e.Index })
		p.find(e.Lane, i, func(_ int, l *Event) bool { return l.Kind == Log && covers(l, e.Index) })
	}
}

// enclosing adds the beginning of the handler in which event i has happened.
func (p *past) enclosing(i int) (in bool) {
	c := p.during(i)
	if c != nil {
		p.add(c.receive)
	}
	return c != nil
}

// handled adds what was saved and changed between the beginning of a handler and its return, event i.
func (p *past) handled(i int, c *call) {
	if c.receive < 0 {
		return
	}
	p.back(p.events[i].Lane, i, func(k int, e *Event) bool {
		if k > c.receive && (e.Kind == Save || e.Kind == Log || e.Kind == State || e.Kind == Snapshot) {
			p.add(k)
		}
		return k > c.receive
	})
}

// sender adds why a server has sent a request: its role in that term, and where it had the entries from.
func (p *past) sender(i int, sent *Event) {
	p.find(sent.Lane, i, func(_ int, e *Event) bool {
		return e.Kind == State && e.Term == sent.Term && (e.Role == Leader || e.Role == Candidate)
	})
	if sent.Index <= sent.Last && sent.Last > 0 && !isVote(sent) {
		p.find(sent.Lane, i, func(_ int, e *Event) bool { return e.Kind == Log && covers(e, sent.Last) })
	}
}

// votes adds the votes that a new leader, event i, has counted since it became a candidate.
func (p *past) votes(i int, leader *Event) {
	p.back(leader.Lane, i, func(k int, e *Event) bool {
		switch {
		case e.Kind == End && p.granted(p.calls[e.Call]):
			if sent := p.sent(p.calls[e.Call]); sent != nil && isVote(sent) {
				p.add(k)
			}
		case e.Kind == State && e.Role == Candidate && e.Term == leader.Term:
			p.add(k)
			return false
		case e.Kind == Start:
			return false
		}
		return true
	})
}

// committed adds why entries are known to be committed, event i: the message that has said so, or the replies that the leader
// has counted, the last one of each server.
func (p *past) committed(i int, commit *Event) {
	if !p.enclosing(i) {
		p.counted(i, commit)
	}
}

// counted adds the replies that a leader has counted for the entry at commit's index, if the lane leads.
func (p *past) counted(i int, commit *Event) {
	leads := -1
	p.back(commit.Lane, i, func(k int, e *Event) bool {
		if e.Kind == State && e.Role == Leader {
			leads = k
		}
		return e.Kind != State && e.Kind != Start
	})
	if leads < 0 {
		return
	}
	p.add(leads)
	counted := make([]bool, len(p.lanes))
	p.back(commit.Lane, i, func(k int, e *Event) bool {
		if e.Kind == End && p.granted(p.calls[e.Call]) {
			sent := p.sent(p.calls[e.Call])
			if sent != nil && !isVote(sent) && sent.Last >= commit.Index && sent.Peer >= 0 && sent.Peer < len(counted) && !counted[sent.Peer] {
				counted[sent.Peer] = true
				p.add(k)
			}
		}
		return k > leads
	})
	p.find(commit.Lane, i, func(_ int, e *Event) bool { return e.Kind == Log && covers(e, commit.Index) })
}
