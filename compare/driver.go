package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"
)

// outstanding is how many commands a throughput workload keeps submitted but not yet applied.
const outstanding = 256

// stallTime is how long a cell may take beside its warm-up and its measured time.
const stallTime = 60 * time.Second

var errStalled = errors.New("no progress: the engine stalled or lost its leader")

// A workload is a kind of commands and a way of submitting them.
type workload struct {
	name    string
	title   string
	kind    kind
	latency bool // one command at a time; otherwise a window of outstanding ones
}

var workloads = []workload{
	{name: "latency", title: "one at a time", kind: intCommand, latency: true},
	{name: "int", title: "256 outstanding, ints", kind: intCommand},
	{name: "string", title: "256 outstanding, 1000 bytes", kind: stringCommand},
	{name: "kv", title: "256 outstanding, kv struct", kind: kvCommand},
}

// plan lists the cells that one run of the program measures.
type plan struct {
	servers   []int
	rounds    int
	duration  time.Duration
	engines   []engine
	workloads []workload
}

// A sample is the outcome of one cell: one engine, workload and number of servers in one round. Times are in nanoseconds.
type sample struct {
	Round    int           `json:"round"`
	Servers  int           `json:"servers"`
	Workload string        `json:"workload"`
	Engine   string        `json:"engine"`
	Commands int           `json:"commands"`
	Ops      float64       `json:"ops_per_second"`
	P50      time.Duration `json:"p50_ns,omitempty"`
	P99      time.Duration `json:"p99_ns,omitempty"`
}

// measure runs all cells of p. Engines alternate within a round, and each round begins with another engine, so that other
// work of the machine slows all of them down.
func measure(ctx context.Context, p plan, progress io.Writer) ([]sample, error) {
	var samples []sample
	total := p.rounds * len(p.servers) * len(p.workloads) * len(p.engines)
	for round := range p.rounds {
		for _, servers := range p.servers {
			for _, w := range p.workloads {
				for i := range p.engines {
					e := p.engines[(i+round)%len(p.engines)]
					s, err := runCell(ctx, e, servers, w, p.duration)
					if err != nil {
						return nil, fmt.Errorf("%s, %d servers, %s: %w", e.name, servers, w.title, err)
					}
					s.Round = round
					samples = append(samples, s)
					fmt.Fprintf(progress, "compare: %d/%d round %d: %d servers, %s, %s: %s\n",
						len(samples), total, round+1, servers, w.title, e.name, s.figure(w))
				}
			}
		}
	}
	return samples, nil
}

// runCell starts a new cluster, measures one workload on it, and checks that all its servers applied exactly the submitted
// commands.
func runCell(ctx context.Context, e engine, servers int, w workload, d time.Duration) (sample, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 2*d+stallTime, errStalled)
	defer cancel()
	runtime.GC()
	machines := newMachines(servers, w)
	cl, err := e.start(ctx, w, machines)
	if err != nil {
		return sample{}, err
	}
	defer cl.close()

	load := &load{ctx: ctx, cluster: cl, leader: machines[cl.leader()]}
	var s sample
	if w.latency {
		s, err = load.oneAtATime(d)
	} else {
		s, err = load.windowed(d)
	}
	if err != nil {
		return sample{}, err
	}
	s.Servers, s.Workload, s.Engine = servers, w.name, e.name
	return s, verify(ctx, machines, w.kind, load.issued)
}

// A load submits commands to a cluster.
type load struct {
	ctx     context.Context
	cluster cluster
	leader  *machine
	issued  int // number of submitted commands, and of the next command
}

func (l *load) submit() error {
	err := l.cluster.submit(l.issued)
	l.issued++
	return err
}

// warmUp is the unmeasured time before a measured time d.
func warmUp(d time.Duration) time.Duration { return max(d/4, 100*time.Millisecond) }

// oneAtATime submits each command when the leader has applied the one before. A command's latency ends when the leader's
// machine has applied it, not when this goroutine learns of it.
func (l *load) oneAtATime(d time.Duration) (sample, error) {
	var latencies []time.Duration
	begin := time.Now().Add(warmUp(d))
	var first, last time.Time
	for {
		start := time.Now()
		if err := l.submit(); err != nil {
			return sample{}, err
		}
		if err := l.leader.await(l.ctx, int64(l.issued)); err != nil {
			return sample{}, err
		}
		if start.Before(begin) {
			continue
		}
		if latencies == nil {
			first = start
		}
		last = l.leader.lastAt
		latencies = append(latencies, last.Sub(start))
		if last.Sub(begin) >= d {
			break
		}
	}
	s := sample{Commands: len(latencies), Ops: float64(len(latencies)) / last.Sub(first).Seconds()}
	s.P50, s.P99 = percentile(latencies, 50), percentile(latencies, 99)
	return s, nil
}

// windowed keeps 256 commands outstanding and counts the commands that the leader's machine applies in d.
func (l *load) windowed(d time.Duration) (sample, error) {
	if _, err := l.fillUntil(time.Now().Add(warmUp(d))); err != nil {
		return sample{}, err
	}
	start, before := time.Now(), l.leader.count.Load()
	end, err := l.fillUntil(start.Add(d))
	if err != nil {
		return sample{}, err
	}
	n := l.leader.count.Load() - before
	return sample{Commands: int(n), Ops: float64(n) / end.Sub(start).Seconds()}, nil
}

// fillUntil keeps the window full until the deadline, and returns the time at which it stopped.
func (l *load) fillUntil(deadline time.Time) (time.Time, error) {
	for {
		if err := l.fill(outstanding); err != nil {
			return time.Time{}, err
		}
		if now := time.Now(); !now.Before(deadline) {
			return now, nil
		}
	}
}

// fillTo submits n commands and keeps the window full meanwhile.
func (l *load) fillTo(n int) error {
	for target := l.issued + n; l.issued < target; {
		if err := l.fill(target - l.issued); err != nil {
			return err
		}
	}
	return nil
}

// fill waits until the window has room, and submits commands until it is full, but at most most.
func (l *load) fill(most int) error {
	if l.ctx.Err() != nil { // await does not look at ctx while the window has room
		return context.Cause(l.ctx)
	}
	if err := l.leader.await(l.ctx, int64(l.issued-outstanding+1)); err != nil {
		return err
	}
	room := outstanding - (l.issued - int(l.leader.count.Load()))
	for range min(room, most) {
		if err := l.submit(); err != nil {
			return err
		}
	}
	return nil
}

// figure returns the sample's main figure as text.
func (s sample) figure(w workload) string {
	if w.latency {
		return fmt.Sprintf("p50 %v, p99 %v", s.P50.Round(100*time.Nanosecond), s.P99.Round(100*time.Nanosecond))
	}
	return fmt.Sprintf("%.0f ops/s", s.Ops)
}
