package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// A machine is one server's state machine. It counts its commands and keeps a rolling hash of them. Only the goroutine in
// which the engine applies commands may call apply and flush. One other goroutine at a time may call await.
type machine struct {
	kind    kind
	timed   bool          // record lastAt
	onApply func(seq int) // if set, called with each intCommand

	n    int64  // commands applied
	hash uint64 // rolling hash of them

	// count is n as of the last flush. A goroutine that has read it may read hash and lastAt.
	count  atomic.Int64
	lastAt time.Time
	want   atomic.Bool
	wake   chan struct{}
}

func newMachines(servers int, w workload) []*machine {
	ms := make([]*machine, servers)
	for i := range ms {
		ms[i] = &machine{kind: w.kind, timed: w.latency, wake: make(chan struct{}, 1)}
	}
	return ms
}

// apply takes the next command as a Go value.
func (m *machine) apply(value any) {
	m.n++
	m.hash = mix(m.hash, digest(value))
	if m.onApply != nil {
		m.onApply(value.(int))
	}
}

// applyBytes takes the next command as encode encodes it.
func (m *machine) applyBytes(b []byte) {
	m.n++
	m.hash = mix(m.hash, m.kind.digestBytes(b))
}

// flush makes the applied commands visible to await. An engine calls it when it has no more commands ready. The driver does
// not count commands before that.
func (m *machine) flush() {
	if m.timed {
		m.lastAt = time.Now()
	}
	m.count.Store(m.n)
	if m.want.Load() && m.want.Swap(false) {
		select {
		case m.wake <- struct{}{}:
		default:
		}
	}
}

// await returns when the machine has applied at least target commands.
func (m *machine) await(ctx context.Context, target int64) error {
	for m.count.Load() < target {
		m.want.Store(true)
		if m.count.Load() >= target {
			return nil
		}
		select {
		case <-m.wake:
		case <-ctx.Done():
			return fmt.Errorf("waited for command %d, applied %d: %w", target, m.count.Load(), context.Cause(ctx))
		}
	}
	return nil
}

// verify waits until every machine has applied issued commands, and returns an error unless each has applied the commands
// 0 to issued-1 in order.
func verify(ctx context.Context, machines []*machine, k kind, issued int) error {
	var want uint64
	for seq := range issued {
		want = mix(want, digest(k.value(seq)))
	}
	if err := agree(ctx, machines, int64(issued)); err != nil {
		return err
	}
	if got := machines[0].hash; got != want {
		return fmt.Errorf("all servers applied %d commands with hash %x, but the submitted commands have hash %x", issued, got, want)
	}
	return nil
}

// agree waits until every machine has applied n commands, and returns an error if one has applied more, or others in
// another order.
func agree(ctx context.Context, machines []*machine, n int64) error {
	for i, m := range machines {
		if err := m.await(ctx, n); err != nil {
			return fmt.Errorf("server %d: %w", i, err)
		}
		if got := m.count.Load(); got != n || m.hash != machines[0].hash {
			return fmt.Errorf("server %d applied %d commands with hash %x, not %d with hash %x as server 0 did",
				i, got, m.hash, n, machines[0].hash)
		}
	}
	return nil
}
