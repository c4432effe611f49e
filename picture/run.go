//go:build go1.25

package picture

import (
	"fmt"
	"strings"
)

// A run is what a Recorder has kept, indexed.
type run struct {
	title, command string
	notes          []string
	omitted        int
	lanes          []lane
	events         []*Event
	calls          map[int64]*call
	perLane        [][]int // the events of each lane, in their order
	place          []int   // of each event among those of its lane
	violation      int     // -1 if there is none
}

// A call is the events of a message, each -1 if it has not happened. An operation has its Invoke in send and its Return in end.
type call struct{ send, receive, answer, end int }

// run indexes what the recorder has kept.
func (r *Recorder) run() *run {
	r.mu.Lock()
	defer r.mu.Unlock()
	u := &run{title: cut(r.title, maxText), command: cut(r.command, maxDetail), notes: append([]string(nil), r.notes...), omitted: r.omitted,
		calls: map[int64]*call{}, perLane: make([][]int, len(r.lanes)), violation: -1}
	if r.dropped > 0 {
		u.notes = append(u.notes, fmt.Sprintf("The run went on: the last %d events are left out.", r.dropped))
	}
	for _, l := range r.lanes {
		u.lanes = append(u.lanes, *l)
		u.lanes[len(u.lanes)-1].before.log = append([]logged(nil), l.before.log...)
	}
	for _, c := range r.chunks {
		for k := range c.events[:c.n] {
			u.index(&c.events[k])
		}
	}
	return u
}

// index adds an event, which nobody modifies any more.
func (u *run) index(e *Event) {
	i := len(u.events)
	u.events = append(u.events, e)
	place := 0
	if e.Lane >= 0 && e.Lane < len(u.lanes) {
		place = len(u.perLane[e.Lane])
		u.perLane[e.Lane] = append(u.perLane[e.Lane], i)
	}
	u.place = append(u.place, place)
	switch e.Kind {
	case Send, Invoke:
		u.callFor(e).send = i
	case Receive:
		u.callFor(e).receive = i
	case Answer:
		u.callFor(e).answer = i
	case End, Return:
		u.callFor(e).end = i
	case Violation:
		if u.violation < 0 {
			u.violation = i
		}
	}
}

func (u *run) callFor(e *Event) *call {
	c := u.calls[e.Call]
	if c == nil {
		c = &call{-1, -1, -1, -1}
		u.calls[e.Call] = c
	}
	return c
}

// callOf returns the call to which an event belongs, or nil. Its request may have been given up.
func (u *run) callOf(i int) *call {
	switch e := u.events[i]; e.Kind {
	case Send, Receive, Answer, End:
		return u.calls[e.Call]
	}
	return nil
}

// sent returns the request of a call, or nil if it was given up.
func (u *run) sent(c *call) *Event {
	if c == nil || c.send < 0 {
		return nil
	}
	return u.events[c.send]
}

// granted reports whether a call was answered with OK.
func (u *run) granted(c *call) bool { return c.answer >= 0 && u.events[c.answer].OK }

// back calls f with the events of a lane before event i, from the last one on, until it returns false.
func (u *run) back(lane, i int, f func(k int, e *Event) bool) {
	if lane < 0 || lane >= len(u.perLane) {
		return
	}
	all := u.perLane[lane]
	n := len(all)
	if u.events[i].Lane == lane {
		n = u.place[i]
	}
	for n--; n >= 0; n-- {
		if k := all[n]; k < i && !f(k, u.events[k]) {
			return
		}
	}
}

// maxBack bounds how many events of a lane during and changes look at. Few messages of one server are under way at once.
const maxBack = 100

// during returns the call whose handler on this lane had begun and not returned when event i happened. It returns nil if
// there is none. If there are several, it returns the one that had begun last.
func (u *run) during(i int) (found *call) {
	steps := 0
	u.back(u.events[i].Lane, i, func(_ int, e *Event) bool {
		if e.Kind == Receive {
			if c := u.calls[e.Call]; c.answer < 0 || c.answer > i {
				found = c
			}
		}
		steps++
		return found == nil && e.Kind != Start && steps < maxBack
	})
	return found
}

// isVote reports whether the name of a message is that of a request for a vote.
func isVote(e *Event) bool { return strings.Contains(strings.ToLower(e.Name), "vote") }
