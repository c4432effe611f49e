//go:build go1.25

package picture

import "time"

// A heartbeat that changes nothing hides what matters. Such a message is folded: it looks like the message before it from
// the same sender to the same receiver, had the same answer and fate, and nothing on the two lanes has followed from it.

// A look is what two messages must have in common so that the second one says nothing new.
type look struct {
	name              string
	term, index, last int
	fate              Fate
	answered, ok      bool
}

// folded reports for each event whether its message is folded. keep says which events must be seen.
func (u *run) folded(keep []bool) []bool {
	folded := make([]bool, len(u.events))
	type link struct{ from, to int }
	before := map[link]look{}
	for i, e := range u.events {
		if e.Kind != Send {
			continue
		}
		c := u.calls[e.Call]
		if c.end < 0 {
			continue
		}
		l := look{name: e.Name, term: e.Term, fate: u.events[c.end].Fate, answered: c.answer >= 0, ok: u.granted(c)}
		if e.Index <= e.Last { // it brings entries
			l.index, l.last = e.Index, e.Last
		}
		at := link{e.Lane, e.Peer}
		repeats := before[at] == l
		before[at] = l
		if !repeats || l.answered && !l.ok || u.changes(c) {
			continue
		}
		parts := [...]int{i, c.receive, c.answer, c.end}
		if kept(keep, parts[:]) {
			continue
		}
		for _, k := range parts {
			if k >= 0 {
				folded[k] = true
			}
		}
	}
	return folded
}

func kept(keep []bool, parts []int) bool {
	for _, k := range parts {
		if k >= 0 && keep[k] {
			return true
		}
	}
	return false
}

// soon is the longest time, on a real clock, from the arrival of a reply to what its receiver does with it.
const soon = time.Millisecond

// changes reports whether something has happened in the handler of a call, or soon after its return on the sender's lane.
// Other messages may come in between. A handler that has not returned may have changed anything.
func (u *run) changes(c *call) (changed bool) {
	if c.receive >= 0 && c.answer < 0 {
		return true
	}
	if c.receive >= 0 {
		u.back(u.events[c.receive].Lane, c.answer, func(k int, _ *Event) bool {
			changed = changed || k > c.receive && u.callOf(k) == nil
			return k > c.receive && !changed
		})
	}
	end := u.events[c.end]
	if changed || end.Lane < 0 || end.Lane >= len(u.lanes) {
		return changed
	}
	next := u.perLane[end.Lane][u.place[c.end]+1:]
	for _, k := range next[:min(len(next), maxBack)] {
		e := u.events[k]
		if e.At-end.At > soon || u.callOf(k) == nil {
			return e.At-end.At <= soon && (e.Kind == State || e.Kind == Commit || e.Kind == Log)
		}
	}
	return false
}
