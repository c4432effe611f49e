package raft

// The search for a small scenario that fails in the same way as a large one.

import (
	"reflect"
	"slices"
	"strings"
	"time"
)

// shrinkScenario returns a scenario for which fails returns true, with fewer servers, faults and commands, shorter
// pauses and simpler settings. It returns s itself if it finds none. See shrinkList for the requirements on fails.
func shrinkScenario(s scenario, fails func(scenario) bool) scenario {
	for {
		before := s
		for _, shrink := range []func(scenario, func(scenario) bool) scenario{
			shrinkFaults, shrinkServers, simplifyCrashes, shrinkSettings, shrinkOptions, shrinkCommands, simplifyCommands, shrinkPauses,
		} {
			s = shrink(s, fails)
		}
		if reflect.DeepEqual(s, before) {
			return s
		}
	}
}

// with returns the scenario with other faults.
func (s scenario) with(faults []fault) scenario {
	s.faults = faults
	return s
}

// shrinkFaults removes faults and pauses. If it removes a fault but not its pause, it adds the pause to the fault
// before.
func shrinkFaults(s scenario, fails func(scenario) bool) scenario {
	var pieces []fault
	for _, f := range s.faults {
		pause := f.pause
		if f.pause = 0; f.kind != letTimePass {
			pieces = append(pieces, f)
		}
		if pause > 0 {
			pieces = append(pieces, fault{kind: letTimePass, pause: pause})
		}
	}
	return shrinkPart(s, fails, pieces, func(pieces []fault) scenario { return s.with(joinPauses(pieces)) })
}

// shrinkPart shrinks a list that is part of s. build returns s with another list in its place.
func shrinkPart[T any](s scenario, fails func(scenario) bool, list []T, build func(kept []T) scenario) scenario {
	shrinkList(list, func(kept []T) bool {
		candidate := build(kept)
		if !fails(candidate) {
			return false
		}
		s = candidate
		return true
	})
	return s
}

// joinPauses merges each fault that is only a pause into the fault before it.
func joinPauses(pieces []fault) (faults []fault) {
	for _, f := range pieces {
		switch last := len(faults) - 1; {
		case f.kind == letTimePass && f.pause == 0:
		case f.kind == letTimePass && last >= 0:
			faults[last].pause += f.pause
		default:
			faults = append(faults, f)
		}
	}
	return faults
}

// shrinkServers removes servers and the faults that name them.
func shrinkServers(s scenario, fails func(scenario) bool) scenario {
	for i := s.servers - 1; i >= 0 && s.servers > 1; i-- {
		if candidate := s.without(i); fails(candidate) {
			s = candidate
		}
	}
	return s
}

// without returns the scenario without server i and the faults that name it. Higher servers move down by one.
func (s scenario) without(i int) scenario {
	s.servers--
	if i < len(s.options) {
		s.options = slices.Delete(slices.Clone(s.options), i, i+1)
	}
	var pieces []fault
	for _, f := range s.faults {
		server, to := f.kind.names()
		if server && f.server == i || to && f.to == i {
			f = fault{kind: letTimePass, pause: f.pause}
		}
		if f.server > i {
			f.server--
		}
		if f.to > i {
			f.to--
		}
		pieces = append(pieces, f)
	}
	return s.with(joinPauses(pieces))
}

// simplifyCrashes replaces crashes at a message by plain ones, which happen in every run. A scenario that fails more often can
// be shrunk further.
func simplifyCrashes(s scenario, fails func(scenario) bool) scenario {
	for k, f := range s.faults {
		if f.kind == crashAtMessage {
			candidate := s.with(slices.Clone(s.faults))
			candidate.faults[k].kind = crashServer
			if fails(candidate) {
				s = candidate
			}
		}
	}
	return s
}

// shrinkSettings sets as many settings as possible to their zero values.
func shrinkSettings(s scenario, fails func(scenario) bool) scenario {
	for _, simplify := range []func(*scenario){
		func(s *scenario) { s.whole = false },
		func(s *scenario) { s.snapshots = false },
		func(s *scenario) { s.slowReaders = false },
		func(s *scenario) { s.longDelays = false },
		func(s *scenario) { s.seed = 0 },
	} {
		candidate := s
		simplify(&candidate)
		if !reflect.DeepEqual(candidate, s) && fails(candidate) {
			s = candidate
		}
	}
	return s
}

// shrinkOptions removes options of servers.
func shrinkOptions(s scenario, fails func(scenario) bool) scenario {
	type chosen struct {
		start int // the server, or s.servers plus the fault, that names the option
		name  string
	}
	var all []chosen
	split := func(start int, list string) {
		for name := range strings.SplitSeq(list, ",") {
			if name != "" {
				all = append(all, chosen{start, name})
			}
		}
	}
	for i, list := range s.options {
		split(i, list)
	}
	for k, f := range s.faults {
		split(s.servers+k, f.options)
	}
	return shrinkPart(s, fails, all, func(kept []chosen) scenario {
		names := make([][]string, s.servers+len(s.faults))
		for _, c := range kept {
			names[c.start] = append(names[c.start], c.name)
		}
		candidate := s.with(slices.Clone(s.faults))
		candidate.options = nil
		for start, names := range names {
			if list := strings.Join(names, ","); start < s.servers {
				candidate.options = append(candidate.options, list)
			} else {
				candidate.faults[start-s.servers].options = list
			}
		}
		if len(kept) == 0 {
			candidate.options = nil
		}
		return candidate
	})
}

// shrinkCommands removes commands.
func shrinkCommands(s scenario, fails func(scenario) bool) scenario {
	type command struct {
		fault  int
		letter byte
	}
	var all []command
	for k, f := range s.faults {
		for i := range len(f.commands) {
			all = append(all, command{k, f.commands[i]})
		}
	}
	return shrinkPart(s, fails, all, func(kept []command) scenario {
		candidate := s.with(slices.Clone(s.faults))
		for k := range candidate.faults {
			candidate.faults[k].commands = ""
		}
		for _, c := range kept {
			candidate.faults[c.fault].commands += string(c.letter)
		}
		return candidate
	})
}

// simplifyCommands replaces commands of other types by ints.
func simplifyCommands(s scenario, fails func(scenario) bool) scenario {
	var others []int // the faults that start other commands
	for k, f := range s.faults {
		if strings.Trim(f.commands, "i") != "" {
			others = append(others, k)
		}
	}
	return shrinkPart(s, fails, others, func(kept []int) scenario {
		candidate := s.with(slices.Clone(s.faults))
		for _, k := range others {
			if !slices.Contains(kept, k) {
				candidate.faults[k].commands = strings.Repeat("i", len(s.faults[k].commands))
			}
		}
		return candidate
	})
}

// shrinkPauses shortens the pauses one by one, to round values.
func shrinkPauses(s scenario, fails func(scenario) bool) scenario {
	for k := range s.faults {
		for pause := rounderThan(s.faults[k].pause); pause > 0; pause = rounderThan(pause) {
			candidate := s.with(slices.Clone(s.faults))
			candidate.faults[k].pause = pause
			if !fails(candidate) {
				break
			}
			s = candidate
		}
	}
	return s
}

// rounderThan returns the longest round pause that is shorter than this one, or 0. A pause is round if it is 1, 2, 3, 5
// or 7 times a power of ten milliseconds.
func rounderThan(pause time.Duration) (shorter time.Duration) {
	for unit := time.Millisecond; unit < pause; unit *= 10 {
		for _, n := range []time.Duration{1, 2, 3, 5, 7} {
			if n*unit < pause {
				shorter = n * unit
			}
		}
	}
	return shorter
}
