//go:build go1.25

package picture

import "slices"

// A state is what events have told of a server.
type state struct {
	Up       bool     `json:"up"`
	Term     int      `json:"term"`
	Role     Role     `json:"role"`
	Leader   int      `json:"leader"` // its lane, or NoLane
	Commit   int      `json:"commit"`
	Applied  int      `json:"applied"`
	Snapshot int      `json:"snapshot"`
	Base     int      `json:"base"` // index of the last entry before log
	Cut      []int    `json:"cut"`  // the lanes to which its messages cannot pass
	log      []logged // from Base+1 on
}

func newState() state { return state{Leader: NoLane, Cut: []int{}} }

// maxLog bounds the entries of a log that a state remembers.
const maxLog = 1 << 12

// last returns the index of the last entry.
func (s *state) last() int { return s.Base + len(s.log) }

// apply applies an event of the server's lane.
func (s *state) apply(e *Event) {
	switch e.Kind {
	case Start:
		*s = state{Up: true, Leader: NoLane, Cut: s.Cut}
	case Crash:
		s.Up, s.Role, s.Leader = false, NoRole, NoLane
	case State:
		s.Up, s.Term, s.Role, s.Leader = true, e.Term, e.Role, e.Peer
	case Commit:
		s.Commit = e.Index
	case Apply:
		s.Applied = e.Index
	case Snapshot:
		s.Snapshot = max(s.Snapshot, e.Index)
		s.drop(e.Index)
	case Log:
		s.replace(e)
	case Link:
		s.Cut = slices.DeleteFunc(slices.Clone(s.Cut), func(lane int) bool { return lane == e.Peer })
		if !e.Up {
			s.Cut = append(s.Cut, e.Peer)
		}
	}
}

// drop forgets the entries up to index.
func (s *state) drop(index int) {
	switch {
	case index >= s.last():
		s.Base, s.log = index, nil
	case index > s.Base:
		s.log = s.log[index-s.Base:]
		s.Base = index
	}
}

// replace replaces the entries from the index of a Log event on.
func (s *state) replace(e *Event) {
	switch index := e.Index; {
	case index <= s.Base || index > s.last()+1:
		s.Base, s.log = max(index-1, 0), nil
	default:
		s.log = s.log[:index-1-s.Base]
	}
	s.log = e.appendTo(s.log)
	if extra := len(s.log) - maxLog; extra > 0 {
		s.Base, s.log = s.Base+extra, s.log[extra:]
	}
}
