package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

const failoverServers = 5

// retryAfter is how long commitOne waits for a command before it submits another.
const retryAfter = time.Second

// spread is a distribution of times, in nanoseconds.
type spread struct {
	Times  int           `json:"times"` // number of measurements
	Median time.Duration `json:"median_ns"`
	Worst  time.Duration `json:"worst_ns"`
}

func newSpread(times []time.Duration) spread {
	return spread{Times: len(times), Median: median(times), Worst: slices.Max(times)}
}

func (s spread) String() string {
	return fmt.Sprintf("median %v, worst %v", s.Median.Round(time.Millisecond), s.Worst.Round(time.Millisecond))
}

// measureFailovers cuts the leader off, measures until another server has applied a new command as leader, reconnects the
// old leader, and repeats that.
func measureFailovers(ctx context.Context, times int, progress io.Writer) (spread, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, flatTime, errStalled)
	defer cancel()
	t, err := newTrial(ctx, failoverServers)
	if err != nil {
		return spread{}, err
	}
	defer t.ours.close()
	var all []time.Duration
	for i := range times {
		if err := t.settle(); err != nil {
			return spread{}, err
		}
		old := t.ours.lead
		start := time.Now()
		t.ours.enable(old, false)
		if err := t.commitOne(map[int]bool{old: true}); err != nil {
			return spread{}, err
		}
		all = append(all, time.Since(start))
		t.ours.enable(old, true)
		if (i+1)%10 == 0 {
			fmt.Fprintf(progress, "compare: failover %d/%d\n", i+1, times)
		}
	}
	return newSpread(all), t.settle()
}

// measureColdStarts measures from before the servers start until the leader has applied the first command.
func measureColdStarts(ctx context.Context, times int, progress io.Writer) (spread, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, flatTime, errStalled)
	defer cancel()
	var all []time.Duration
	for i := range times {
		start := time.Now()
		t, err := newTrial(ctx, failoverServers)
		if err != nil {
			return spread{}, err
		}
		err = t.commitOne(nil)
		all = append(all, time.Since(start))
		t.ours.close()
		if err != nil {
			return spread{}, err
		}
		if (i+1)%10 == 0 {
			fmt.Fprintf(progress, "compare: cold start %d/%d\n", i+1, times)
		}
	}
	return newSpread(all), nil
}

// commitOne returns when a leader outside the set cut has applied a new command. If the leader changes meanwhile, commitOne
// submits another command.
func (t *trial) commitOne(cut map[int]bool) error {
	for {
		if err := t.follow(cut); err != nil {
			return err
		}
		before := t.leader.count.Load()
		if t.submit() != nil {
			continue
		}
		one, cancel := context.WithTimeout(t.ctx, retryAfter)
		err := t.leader.await(one, before+1)
		cancel()
		if err == nil || t.ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
	}
}

// settle commits a command with all servers connected, and waits until all have applied the same commands.
func (t *trial) settle() error {
	if err := t.commitOne(nil); err != nil {
		return err
	}
	for {
		n := t.leader.count.Load()
		for _, m := range t.machines {
			if err := m.await(t.ctx, n); err != nil {
				return err
			}
		}
		if t.leader.count.Load() == n {
			return agree(t.ctx, t.machines, n)
		}
	}
}
