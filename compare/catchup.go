package main

import (
	"context"
	"time"
)

const (
	behind      = 100_000 // entries that the returning server lacks
	conflicting = 1_000   // entries that only the returning server has
)

// catchUp is how long a server took to catch up, and the RPCs of all servers meanwhile.
type catchUp struct {
	Time time.Duration `json:"time_ns"`
	RPCs float64       `json:"rpcs"`
}

func medianCatchUp(all []catchUp) catchUp {
	return catchUp{
		Time: pick(all, func(c catchUp) time.Duration { return c.Time }),
		RPCs: pick(all, func(c catchUp) float64 { return c.RPCs }),
	}
}

// measureCatchUp cuts off a leader that has entries of its own, commits others without it, and measures from its return
// until it has applied those.
func measureCatchUp(ctx context.Context) (catchUp, error) {
	var c catchUp
	t, err := newTrial(ctx, 3)
	if err != nil {
		return c, err
	}
	defer t.ours.close()
	if err := t.extend(shortLog); err != nil {
		return c, err
	}
	old := t.ours.lead
	t.ours.enable(old, false)
	for range conflicting {
		t.ours.rafts[old].Start(-1)
	}
	if err := t.follow(map[int]bool{old: true}); err != nil {
		return c, err
	}
	if _, err := t.run(behind); err != nil {
		return c, err
	}
	rpcs := t.ours.net.GetTotalCount()
	start := time.Now()
	t.ours.enable(old, true)
	if err := t.machines[old].await(ctx, int64(t.issued)); err != nil {
		return c, err
	}
	c.Time = time.Since(start)
	c.RPCs = float64(t.ours.net.GetTotalCount() - rpcs)
	return c, verify(ctx, t.machines, intCommand, t.issued)
}
