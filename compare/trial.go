package main

import (
	"context"
	"runtime"
	"time"
)

// trial is a cluster of ours and the load on it.
type trial struct {
	load
	ours     *ourCluster
	machines []*machine
}

// newTrial starts a cluster and waits for its leader. The caller closes it.
func newTrial(ctx context.Context, servers int) (*trial, error) {
	t := &trial{machines: newMachines(servers, workload{kind: intCommand})}
	t.ours = newOurCluster(intCommand, t.machines)
	t.ctx, t.cluster = ctx, t.ours
	if err := t.follow(nil); err != nil {
		t.ours.close()
		return nil, err
	}
	return t, nil
}

// follow waits for a leader outside the set cut, and submits to it from then on.
func (t *trial) follow(cut map[int]bool) error {
	err := t.ours.awaitLeader(t.ctx, cut)
	t.leader = t.machines[t.ours.lead]
	return err
}

// run submits n commands, with a full window, and returns how many per second the leader applied.
func (t *trial) run(n int) (float64, error) {
	start := time.Now()
	if err := t.fillTo(n); err != nil {
		return 0, err
	}
	if err := t.leader.await(t.ctx, int64(t.issued)); err != nil {
		return 0, err
	}
	return float64(n) / time.Since(start).Seconds(), nil
}

// extend submits commands until each log has length entries, and then collects garbage.
func (t *trial) extend(length int) error {
	if _, err := t.run(length - t.issued); err != nil {
		return err
	}
	err := verify(t.ctx, t.machines, intCommand, t.issued)
	runtime.GC()
	return err
}
