package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"time"
)

const (
	shortLog    = 1_000   // entries in the log that the long one is compared with
	probe       = 50_000  // commands submitted to measure ops/s at a length of the log
	behind      = 100_000 // entries that the follower that catches up lacks
	conflicting = 1_000   // entries it has that nobody else has

	bytesPerEntry = 11 // about what an int in the log takes on one server
)

// flatTime is how long one measurement of -flat may take.
const flatTime = 10 * time.Minute

type flatOptions struct {
	entries, failovers int
}

// flatReport is what -flat measures of our engine alone. Times are in nanoseconds.
type flatReport struct {
	Long     []longLog `json:"long_log"`
	CatchUp  catchUp   `json:"catch_up"`
	Waiting  waiting   `json:"many_waiting"`
	Failover spread    `json:"failover"`
	Cold     spread    `json:"cold_start"`
}

type longLog struct {
	Servers       int     `json:"servers"`
	Entries       int     `json:"entries"`
	ShortOps      float64 `json:"ops_per_second_short"`
	LongOps       float64 `json:"ops_per_second_long"`
	Ratio         float64 `json:"ratio"`
	BytesPerEntry float64 `json:"heap_bytes_per_entry_per_server"`
}

type catchUp struct {
	Time time.Duration `json:"time_ns"`
	RPCs float64       `json:"rpcs"`
}

func measureFlat(ctx context.Context, p plan, o flatOptions, progress io.Writer) (flatReport, error) {
	var r flatReport
	// The process itself gets faster in its first moments; that is none of the short log's merit.
	if _, err := runCell(ctx, engines[0], 3, workload{kind: intCommand}, p.duration); err != nil {
		return r, fmt.Errorf("warm-up: %w", err)
	}
	for _, servers := range p.servers {
		fmt.Fprintf(progress, "long log, %d servers\n", servers)
		long, err := medianOf(ctx, p.rounds, func(ctx context.Context) (longLog, error) {
			return measureLong(ctx, servers, o.entries)
		}, medianLong)
		if err != nil {
			return r, fmt.Errorf("long log: %w", err)
		}
		r.Long = append(r.Long, long)
	}
	var err error
	fmt.Fprintln(progress, "catch-up, 3 servers")
	if r.CatchUp, err = medianOf(ctx, p.rounds, measureCatchUp, medianCatchUp); err != nil {
		return r, fmt.Errorf("catch-up: %w", err)
	}
	fmt.Fprintln(progress, "many waiting, 3 servers")
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

// medianOf measures once for each round and joins the outcomes.
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

// pick returns the median of one field of all.
func pick[T any, N number](all []T, field func(T) N) N {
	var values []N
	for _, v := range all {
		values = append(values, field(v))
	}
	return median(values)
}

func medianLong(all []longLog) longLog {
	return longLog{
		Servers:       all[0].Servers,
		Entries:       all[0].Entries,
		ShortOps:      pick(all, func(l longLog) float64 { return l.ShortOps }),
		LongOps:       pick(all, func(l longLog) float64 { return l.LongOps }),
		Ratio:         pick(all, func(l longLog) float64 { return l.Ratio }),
		BytesPerEntry: pick(all, func(l longLog) float64 { return l.BytesPerEntry }),
	}
}

func medianCatchUp(all []catchUp) catchUp {
	return catchUp{
		Time: pick(all, func(c catchUp) time.Duration { return c.Time }),
		RPCs: pick(all, func(c catchUp) float64 { return c.RPCs }),
	}
}

// trial is one cluster of ours that commands are submitted to.
type trial struct {
	load
	ours     *ourCluster
	machines []*machine
}

// newTrial starts a cluster; the caller closes it.
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

// follow makes the leader outside cut the one that commands go to.
func (t *trial) follow(cut map[int]bool) error {
	err := t.ours.awaitLeader(t.ctx, cut)
	t.leader = t.machines[t.ours.lead]
	return err
}

// run submits n commands in a window and returns how many a second the leader applied.
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

// extend makes the log length entries long on all servers and collects garbage.
func (t *trial) extend(length int) error {
	if _, err := t.run(length - t.issued); err != nil {
		return err
	}
	err := verify(t.ctx, t.machines, intCommand, t.issued)
	runtime.GC()
	return err
}

// heapBytes returns what is in use after a full collection.
func heapBytes() float64 {
	runtime.GC()
	runtime.GC() // the first one only moves what sync.Pools hold out of the way
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// measureLong compares the speed behind a short log and behind a long one in the same cluster.
func measureLong(ctx context.Context, servers, entries int) (longLog, error) {
	l := longLog{Servers: servers, Entries: entries}
	empty := heapBytes()
	t, err := newTrial(ctx, servers)
	if err != nil {
		return l, err
	}
	defer t.ours.close()
	// In a small heap the collector runs all the time. The ballast stands for the long log's size,
	// so that the short log isn't slower for that.
	ballast := make([]byte, entries*servers*bytesPerEntry)
	if err = t.extend(shortLog); err != nil {
		return l, err
	}
	if l.ShortOps, err = t.run(probe); err != nil {
		return l, err
	}
	runtime.KeepAlive(ballast)
	if err = t.extend(entries); err != nil {
		return l, err
	}
	l.BytesPerEntry = (heapBytes() - empty) / float64(entries*servers)
	l.LongOps, err = t.run(probe)
	l.Ratio = l.LongOps / l.ShortOps
	if err != nil {
		return l, err
	}
	return l, verify(ctx, t.machines, intCommand, t.issued)
}

// measureCatchUp cuts a leader off with entries of its own, lets the others go on without it, and
// measures from its return until it has applied what they have.
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

func (r flatReport) print(out io.Writer) error {
	for _, l := range r.Long {
		if _, err := fmt.Fprintf(out, "%d servers: %.0f ops/s with %d entries in the log, %.0f with %d: %.2f (at least 0.9: %s); %.0f bytes of heap per entry per server\n",
			l.Servers, l.ShortOps, shortLog, l.LongOps, l.Entries, l.Ratio, met(l.Ratio >= 0.9), l.BytesPerEntry); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, `a follower %d entries behind with %d conflicting ones: caught up in %v, %.0f RPCs
%d goroutines waiting: %.0f ops/s, %.2f of the %.0f with %d outstanding
failover, %d servers, %d times: %v
cold start, %d servers, %d times: %v
`,
		behind, conflicting, r.CatchUp.Time.Round(time.Millisecond), r.CatchUp.RPCs,
		waiters, r.Waiting.Ops, r.Waiting.Ratio, r.Waiting.WindowOps, outstanding,
		failoverServers, r.Failover.Times, r.Failover, failoverServers, r.Cold.Times, r.Cold)
	return err
}
