package engine

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// A log is written as a string: c is a command, n the no-op of a new leader, m a change of the membership, r the empty
// entry in place of a refused one. Raft indices begin behind the base.

// appendAll appends the entries of a log written as a string, from raft index on.
func appendAll(p *positions, index uint64, log string) {
	for k, kind := range log {
		p.append(index+uint64(k), kind == 'c', 10)
	}
}

func TestPositions(t *testing.T) {
	type step struct {
		at  uint64 // raft index
		log string // what is appended there
	}
	for _, test := range []struct {
		name     string
		base     uint64
		commands int // that the base covers
		steps    []step
		want     string // command indices of the entries behind the base; . for entries that are none
	}{
		{name: "empty"},
		{name: "commands", steps: []step{{1, "ccc"}}, want: "123"},
		{name: "no-op at each election", steps: []step{{1, "nccnncn"}}, want: ".12..3."},
		{name: "refused change", steps: []step{{1, "ncmrrc"}}, want: ".1...2"},
		{name: "behind a snapshot", base: 10, commands: 4, steps: []step{{11, "cnc"}}, want: "5.6"},
		{name: "behind the first snapshot", base: 1, steps: []step{{2, "nc"}}, want: ".1"},
		{name: "commands overwritten by a no-op", steps: []step{{1, "nccc"}, {3, "nc"}}, want: ".1.2"},
		{name: "no-op overwritten by a command", steps: []step{{1, "ncn"}, {3, "cc"}}, want: ".123"},
		{name: "change overwritten by a command", steps: []step{{1, "cm"}, {2, "c"}}, want: "12"},
		{name: "all overwritten, shorter", base: 10, commands: 4, steps: []step{{11, "ccccc"}, {11, "n"}}, want: "."},
		{name: "overwritten twice", steps: []step{{1, "ccc"}, {2, "ncc"}, {3, "nn"}, {5, "c"}}, want: "1...2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPositions(test.base, test.commands)
			for _, s := range test.steps {
				appendAll(&p, s.at, s.log)
			}
			if got := p.last() - p.base; got != uint64(len(test.want)) {
				t.Fatalf("the log has %d entries, want %d", got, len(test.want))
			}
			commands := test.commands
			for k, want := range test.want {
				index := test.base + uint64(k) + 1
				if want != '.' {
					if commands++; commands != int(want-'0') {
						t.Fatalf("the test is wrong: command %d is called %c", commands, want)
					}
					if got := p.raftIndex(commands); got != index {
						t.Errorf("command %d is entry %d, want %d", commands, got, index)
					}
				}
				if got := p.commands(index); got != commands {
					t.Errorf("there are %d commands up to entry %d, want %d", got, index, commands)
				}
			}
		})
	}
}

// TestPositions_random compares with a slow and obvious twin, a list of kinds.
func TestPositions_random(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		p, log, base := newPositions(0, 0), "", 0
		for range 100 {
			switch at := base + random.IntN(len(log)-base+1); random.IntN(10) {
			case 0:
				base = at
				p.compact(uint64(at))
			case 1:
				log = log[:at]
				fallthrough
			default:
				kind := string("ccccnmr"[random.IntN(7)])
				p.append(uint64(len(log)+1), kind == "c", 1)
				log += kind
			}
		}
		for k := base; k <= len(log); k++ {
			want := strings.Count(log[:k], "c")
			if got := p.commands(uint64(k)); got != want {
				t.Fatalf("%d commands up to entry %d of %s, want %d", got, k, log, want)
			}
			if k > base && log[k-1] == 'c' && p.raftIndex(want) != uint64(k) {
				t.Fatalf("command %d of %s is entry %d, want %d", want, log, p.raftIndex(want), k)
			}
			if got := p.bytesBehind(uint64(k)); got != int64(len(log)-k) {
				t.Fatalf("%d bytes behind entry %d of %s", got, k, log)
			}
		}
	}
}

func TestPositions_impossible(t *testing.T) {
	for name, f := range map[string]func(*positions){
		"append behind a gap":          func(p *positions) { p.append(14, true, 0) },
		"append into the snapshot":     func(p *positions) { p.append(10, true, 0) },
		"count before the snapshot":    func(p *positions) { p.commands(9) },
		"count behind the end":         func(p *positions) { p.commands(13) },
		"command in the snapshot":      func(p *positions) { p.raftIndex(4) },
		"command that is not in there": func(p *positions) { p.raftIndex(6) },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPositions(10, 4)
			appendAll(&p, 11, "nc")
			defer func() {
				if recover() == nil {
					t.Error("there was no panic")
				}
			}()
			f(&p)
		})
	}
}
