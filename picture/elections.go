//go:build go1.25

package picture

import (
	"fmt"
	"strings"
	"time"
)

// An election is the requests for votes that a server has sent in one term, or in one round of PreVotes.
type election struct {
	Lane    int    `json:"lane"`
	Term    int    `json:"term"`
	Name    string `json:"name"`
	Event   int    `json:"event"` // the first request
	Outcome string `json:"outcome"`
	Votes   []vote `json:"votes"`

	last time.Duration // when the last request was sent
}

// A vote is what has become of the last request to one server.
type vote struct {
	Lane  int    `json:"lane"`
	Text  string `json:"text"`
	Event int    `json:"event"`

	call *call
}

// maxElections is how many elections are shown, the last ones.
const maxElections = 40

// A candidate stands once in a term, but a server may ask for PreVotes again and again. maxPause is the longest time between
// two requests for one round of PreVotes.
const maxPause = 60 * time.Millisecond

// elections returns the last elections before the violation, or the last ones of the run if there is none.
func (u *run) elections() []*election {
	var all []*election
	open := make([]*election, len(u.lanes)) // the latest of each lane
	events := u.events
	if u.violation >= 0 {
		events = events[:u.violation]
	}
	for i, e := range events {
		if e.Kind != Send || !isVote(e) || e.Lane == e.Peer || e.Lane < 0 || e.Lane >= len(u.lanes) {
			continue
		}
		el := open[e.Lane]
		if el == nil || el.Name != e.Name || el.Term != e.Term || isPreVote(e.Name) && e.At-el.last > maxPause {
			el = &election{Lane: e.Lane, Term: e.Term, Name: e.Name, Event: i}
			open[e.Lane] = el
			all = append(all, el)
		}
		el.last = e.At
		el.ask(e.Peer, u.calls[e.Call])
	}
	all = all[max(0, len(all)-maxElections):]
	for _, el := range all {
		u.judge(el)
	}
	return all
}

// ask records a request. A later one to the same server replaces the earlier one, unless that was answered.
func (el *election) ask(lane int, c *call) {
	for k := range el.Votes {
		if v := &el.Votes[k]; v.Lane == lane {
			if v.call.answer < 0 {
				v.call = c
			}
			return
		}
	}
	el.Votes = append(el.Votes, vote{Lane: lane, call: c})
}

// judge says what has become of each vote and of the election.
func (u *run) judge(el *election) {
	granted := 1 // its own
	for k := range el.Votes {
		v, yes := &el.Votes[k], false
		if v.Text, v.Event, yes = u.verdict(v.call); yes {
			granted++
		}
	}
	servers := 0
	for _, l := range u.lanes {
		if !l.client {
			servers++
		}
	}
	el.Outcome = fmt.Sprintf("%d of %d votes", granted, servers)
	switch {
	case isPreVote(el.Name) && granted > servers/2:
		el.Outcome = "may stand: " + el.Outcome
	case !isPreVote(el.Name) && u.leads(el):
		el.Outcome = "won: " + el.Outcome
	case granted <= servers/2:
		el.Outcome = "no majority: " + el.Outcome
	}
}

// isPreVote reports whether the name of a message is that of a request for a PreVote.
func isPreVote(name string) bool { return strings.Contains(strings.ToLower(name), "pre") }

// verdict says what has become of a request for a vote, and at which event.
func (u *run) verdict(c *call) (text string, event int, granted bool) {
	var fate Fate
	if c.end >= 0 {
		fate = u.events[c.end].Fate
	}
	switch {
	case c.answer < 0 && c.end < 0:
		return "not heard: no answer yet", c.send, false
	case c.answer < 0:
		return "not heard: " + fate.String(), c.end, false
	case !u.granted(c):
		text = "refused"
		if why := u.events[c.answer].Text; why != "" {
			text += ": " + why
		}
		return text, c.answer, false
	case c.end < 0:
		return "granted, but the reply is still under way", c.answer, false
	case fate == Delivered || fate == Late:
		return "granted", c.answer, true
	case fate == Ignored:
		return "granted, but too late", c.answer, false
	}
	return "granted, but not heard: " + fate.String(), c.answer, false
}

// leads reports whether the candidate became the leader of the term after its first request, before it crashed or had a
// higher term.
func (u *run) leads(el *election) bool {
	lane := u.perLane[el.Lane]
	for _, k := range lane[u.place[el.Event]:] {
		switch e := u.events[k]; {
		case e.Kind == State && e.Role == Leader && e.Term == el.Term:
			return true
		case e.Kind == State && e.Term > el.Term, e.Kind == Crash:
			return false
		}
	}
	return false
}

// String returns the fate in words, or "" if it is unknown.
func (f Fate) String() string {
	words := [...]string{"", "delivered", "delivered late", "request lost", "reply lost", "unreachable", "cut off", "thrown away"}
	if int(f) >= len(words) {
		return ""
	}
	return words[f]
}
