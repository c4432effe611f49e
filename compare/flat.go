package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// flatTime is how long one measurement of -flat may take.
const flatTime = 10 * time.Minute

// flatOptions are the values of the flags that only -flat uses.
type flatOptions struct {
	entries, failovers int
}

// flatReport holds the figures of -flat. Times are in nanoseconds.
type flatReport struct {
	Long     []longLog `json:"long_log"`
	CatchUp  catchUp   `json:"catch_up"`
	Waiting  waiting   `json:"many_waiting"`
	Failover spread    `json:"failover"`
	Cold     spread    `json:"cold_start"`
}

// measureFlat measures the figures of -flat.
func measureFlat(ctx context.Context, p plan, o flatOptions, progress io.Writer) (flatReport, error) {
	var r flatReport
	// A process is slower in its first moments. Without this warm-up, the figure of the short log would be too low.
	if _, err := runCell(ctx, engines[0], 3, workload{kind: intCommand}, p.duration); err != nil {
		return r, fmt.Errorf("warm-up: %w", err)
	}
	for _, servers := range p.servers {
		fmt.Fprintf(progress, "compare: long log, %d servers\n", servers)
		long, err := medianOf(ctx, p.rounds, func(ctx context.Context) (longLog, error) {
			return measureLong(ctx, servers, o.entries)
		}, medianLong)
		if err != nil {
			return r, fmt.Errorf("long log: %w", err)
		}
		r.Long = append(r.Long, long)
	}
	var err error
	fmt.Fprintln(progress, "compare: catch-up, 3 servers")
	if r.CatchUp, err = medianOf(ctx, p.rounds, measureCatchUp, medianCatchUp); err != nil {
		return r, fmt.Errorf("catch-up: %w", err)
	}
	fmt.Fprintln(progress, "compare: many waiting clients, 3 servers")
	if r.Waiting, err = medianOf(ctx, p.rounds, func(ctx context.Context) (waiting, error) {
		return measureWaiting(ctx, p.duration)
	}, medianWaiting); err != nil {
		return r, fmt.Errorf("many waiting: %w", err)
	}
	if r.Failover, err = measureFailovers(ctx, o.failovers, progress); err != nil {
		return r, fmt.Errorf("failover: %w", err)
	}
	if r.Cold, err = measureColdStarts(ctx, o.failovers, progress); err != nil {
		return r, fmt.Errorf("cold start: %w", err)
	}
	return r, nil
}

// medianOf measures once for each round and returns what join makes of the outcomes.
func medianOf[T any](ctx context.Context, rounds int, measure func(context.Context) (T, error), join func([]T) T) (T, error) {
	var all []T
	for range rounds {
		one, cancel := context.WithTimeoutCause(ctx, flatTime, errStalled)
		v, err := measure(one)
		cancel()
		if err != nil {
			return v, err
		}
		all = append(all, v)
	}
	return join(all), nil
}

// pick returns the median of one field.
func pick[T any, N number](all []T, field func(T) N) N {
	var values []N
	for _, v := range all {
		values = append(values, field(v))
	}
	return median(values)
}

// print writes a line for each figure.
func (r flatReport) print(out io.Writer) error {
	for _, l := range r.Long {
		if _, err := fmt.Fprintf(out, "%d servers: %.0f ops/s with %d entries in the log, %.0f with %d: ratio %.2f; %.0f bytes of heap per entry per server\n",
			l.Servers, l.ShortOps, shortLog, l.LongOps, l.Entries, l.Ratio, l.BytesPerEntry); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, `a follower that lacks %d entries and has %d conflicting ones: caught up in %v, %.0f RPCs
%d waiting clients: %.0f ops/s, %.2f of the %.0f with %d outstanding
failover, %d servers, %d times: %v
cold start, %d servers, %d times: %v
`,
		behind, conflicting, r.CatchUp.Time.Round(time.Millisecond), r.CatchUp.RPCs,
		waiters, r.Waiting.Ops, r.Waiting.Ratio, r.Waiting.WindowOps, outstanding,
		failoverServers, r.Failover.Times, r.Failover, failoverServers, r.Cold.Times, r.Cold)
	return err
}
