//go:build go1.25

package picture

// What an event follows from directly, by its kind.

// causes adds the events from which event i follows directly.
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
	case Return:
		p.answered(i, p.calls[e.Call])
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

// answered adds the beginning of an operation that ends with event i, the last reply before that which was no refusal, and what
// the server had applied last when it answered.
func (p *past) answered(i int, c *call) {
	p.add(c.send)
	reply := p.find(p.events[i].Lane, i, func(k int, e *Event) bool {
		return k > c.send && e.Kind == End && p.granted(p.calls[e.Call])
	})
	if reply >= 0 {
		answer := p.calls[p.events[reply].Call].answer
		p.find(p.events[answer].Lane, answer, func(_ int, e *Event) bool { return e.Kind == Apply })
	}
}

// enclosing adds the beginning of the handler in which event i has happened.
func (p *past) enclosing(i int) {
	if c := p.during(i); c != nil {
		p.add(c.receive)
	}
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
		case e.Kind == State && e.Term == leader.Term: // a candidate may tell it more than once, as when it votes for itself last
			if e.Role == Candidate {
				p.add(k)
			}
		case e.Kind == State, e.Kind == Start:
			return false
		}
		return true
	})
}

// committed adds why entries are known to be committed, event i: the replies that the leader has counted, the last one of
// each server, or the message that has said so and why its sender knew.
func (p *past) committed(i int, commit *Event) {
	if p.counted(i, commit) {
		return
	}
	c := p.during(i)
	if c == nil {
		return
	}
	p.add(c.receive)
	if sent := p.sent(c); sent != nil {
		p.find(sent.Lane, c.send, func(_ int, e *Event) bool { return e.Kind == Commit && e.Index >= commit.Index })
	}
}

// counted adds the replies that a leader has counted for the entry at commit's index. It reports whether the lane leads.
func (p *past) counted(i int, commit *Event) (leads bool) {
	since, term := -1, 0
	p.back(commit.Lane, i, func(k int, e *Event) bool {
		if e.Kind != State {
			return e.Kind != Start
		}
		if e.Role != Leader || since >= 0 && e.Term != term {
			return false
		}
		since, term = k, e.Term // a State may repeat the one before
		return true
	})
	if since < 0 {
		return false
	}
	p.add(since)
	counted := make([]bool, len(p.lanes))
	p.back(commit.Lane, i, func(k int, e *Event) bool {
		if e.Kind == End && p.granted(p.calls[e.Call]) {
			sent := p.sent(p.calls[e.Call])
			if sent != nil && !isVote(sent) && sent.Last >= commit.Index && sent.Peer >= 0 && sent.Peer < len(counted) && !counted[sent.Peer] {
				counted[sent.Peer] = true
				p.add(k)
			}
		}
		return k > since
	})
	p.find(commit.Lane, i, func(_ int, e *Event) bool { return e.Kind == Log && covers(e, commit.Index) })
	return true
}
