//go:build unix

package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	tortureSeed   = flag.Uint64("torture.seed", 1, "seed of TestTorture")
	tortureRounds = flag.Int("torture.rounds", 4, "rounds of faults of TestTorture")
)

// TestTorture causes faults in a cluster of kvd processes, while clients get, put, append and compare-and-set: processes are
// killed and stopped, the network is cut and slow and alters bits, a disk is full; meanwhile servers are added and removed,
// leaderships transferred, and snapshots taken. The history must be linearizable: nothing that was acknowledged is lost,
// nothing happens twice. The seed decides on the faults, and on which of the two clusters has certificates.
func TestTorture(t *testing.T) {
	t.Parallel()
	for n, name := range map[int]string{3: "three", 5: "five"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			torture(t, name, n, (uint64(n)/2+*tortureSeed)%2 == 0)
		})
	}
}

func torture(t *testing.T, name string, n int, withTLS bool) {
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("again: go test -count=1 -run '^TestTorture$/^%s$' ./cmd/kvd -torture.seed=%d -torture.rounds=%d", name, *tortureSeed, *tortureRounds)
		}
	})
	f := newFleet(t, n, *tortureSeed, withTLS, "320m", "-snapshot", "3000", "-tick", "20ms")
	u := &users{fleet: f}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var running sync.WaitGroup
	for k := range 6 {
		one := &user{users: u, number: k, random: rand.New(rand.NewPCG(*tortureSeed, uint64(k)))}
		running.Go(func() { one.run(ctx) })
	}
	running.Go(func() { newOperator(f, *tortureSeed).run(ctx) })
	faults := newFaults(f, *tortureSeed)
	for round := range *tortureRounds {
		length := 100 + faults.random.IntN(600)
		if round%10 == 9 {
			length *= 8
		}
		what := faults.begin()
		time.Sleep(time.Duration(length) * time.Millisecond)
		faults.waitForFullDisk()
		faults.end()
		u.round.Add(1)
		before := f.counted("operations that were answered")
		f.eventually("nothing happens", func() bool { return f.counted("operations that were answered") > before+50 })
		if round%10 == 9 {
			t.Logf("round %d (%s): %s", round+1, what, f.counters())
		}
	}
	cancel()
	running.Wait()
	last := &user{users: u, number: 99, random: rand.New(rand.NewPCG(*tortureSeed, 97))}
	last.readAll()
	for _, id := range f.ids() {
		if s, ok := f.status(id); !ok || s.SnapshotIndex == 0 {
			t.Errorf("server %d has taken no snapshot: %+v", id, s)
		}
	}
	ops := u.verdict()
	t.Logf("seed %d, certificates: %t, %d operations in the history; %s", *tortureSeed, withTLS, ops, f.counters())
}

// counted returns what count has counted.
func (f *fleet) counted(what string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counts[what]
}

// counters returns all that was counted.
func (f *fleet) counters() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts["bits that were altered"] = f.gone
	for _, l := range f.links {
		f.counts["bits that were altered"] += l.alterations()
	}
	var all []string
	for _, what := range slices.Sorted(maps.Keys(f.counts)) {
		all = append(all, fmt.Sprintf("%s: %d", what, f.counts[what]))
	}
	return strings.Join(all, "; ")
}
