package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

const waiters = 10_000 // clients: goroutines that each wait for their own command

// waiting compares many waiting clients with one goroutine that keeps a window of commands outstanding.
type waiting struct {
	Ops       float64 `json:"ops_per_second"`
	WindowOps float64 `json:"ops_per_second_256_outstanding"`
	Ratio     float64 `json:"ratio"`
}

func medianWaiting(all []waiting) waiting {
	return waiting{
		Ops:       pick(all, func(w waiting) float64 { return w.Ops }),
		WindowOps: pick(all, func(w waiting) float64 { return w.WindowOps }),
		Ratio:     pick(all, func(w waiting) float64 { return w.Ratio }),
	}
}

// measureWaiting measures many clients, each of which submits its next command when the leader has applied the last one,
// and one goroutine that keeps 256 commands outstanding.
func measureWaiting(ctx context.Context, d time.Duration) (waiting, error) {
	var w waiting
	window, err := runCell(ctx, engines[0], 3, workload{kind: intCommand}, d)
	if err != nil {
		return w, err
	}
	w.WindowOps = window.Ops
	w.Ops, err = runWaiters(ctx, d)
	w.Ratio = w.Ops / w.WindowOps
	return w, err
}

// runWaiters returns the ops/s of the waiting clients.
func runWaiters(ctx context.Context, d time.Duration) (float64, error) {
	machines := newMachines(3, workload{kind: intCommand})
	c := newClients(machines)
	t := &trial{machines: machines, ours: newOurCluster(intCommand, machines)}
	defer t.ours.close()
	t.ctx = ctx
	if err := t.follow(nil); err != nil {
		return 0, err
	}
	c.leader.Store(t.leader)
	running, end := context.WithCancelCause(ctx)
	c.start(running, end, t.ours)
	ops, err := t.observe(running, d)
	end(nil)
	c.running.Wait()
	if err != nil {
		return 0, err
	}
	return ops, agree(ctx, machines, c.submitted.Load())
}

// clients are goroutines. The command of a client is its number.
type clients struct {
	answers   []chan struct{}         // one for each client: the leader has applied its command
	leader    atomic.Pointer[machine] // the machine that answers
	submitted atomic.Int64
	running   sync.WaitGroup
}

func newClients(machines []*machine) *clients {
	c := &clients{answers: make([]chan struct{}, waiters)}
	for i := range c.answers {
		c.answers[i] = make(chan struct{}, 1) // a client has one command outstanding
	}
	for _, m := range machines {
		m.onApply = func(client int) {
			if c.leader.Load() == m {
				c.answers[client] <- struct{}{}
			}
		}
	}
	return c
}

// start starts the clients. They run until ctx ends. A client that cannot submit calls end.
func (c *clients) start(ctx context.Context, end context.CancelCauseFunc, to cluster) {
	for i, answer := range c.answers {
		c.running.Go(func() {
			for ctx.Err() == nil {
				if err := to.submit(i); err != nil {
					end(err)
					return
				}
				c.submitted.Add(1)
				<-answer
			}
		})
	}
	context.AfterFunc(ctx, c.release)
}

// release answers all clients, so that each one sees that ctx has ended.
func (c *clients) release() {
	for _, answer := range c.answers {
		select {
		case answer <- struct{}{}:
		default:
		}
	}
}

// observe returns how many commands per second the leader applies during d, after a warm-up.
func (t *trial) observe(ctx context.Context, d time.Duration) (float64, error) {
	if err := sleep(ctx, warmUp(d)); err != nil {
		return 0, err
	}
	start, before := time.Now(), t.leader.count.Load()
	err := sleep(ctx, d)
	return float64(t.leader.count.Load()-before) / time.Since(start).Seconds(), err
}

// sleep returns the cause of ctx's end if that comes before d has passed.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
