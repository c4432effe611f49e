package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// A machine is one server's state machine: it counts the commands it is given and keeps a rolling
// hash of them. apply and flush belong to the goroutine that the engine applies commands from;
// one other goroutine at a time may wait.
type machine struct {
	kind    kind
	timed   bool          // record lastAt
	onApply func(seq int) // if set, called with each intCommand

	n    int64  // commands applied
	hash uint64 // rolling hash of them

	// count publishes n, and with it hash and lastAt, to other goroutines.
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

// applyBytes takes the next command as encode made it.
func (m *machine) applyBytes(b []byte) {
	m.n++
	m.hash = mix(m.hash, m.kind.digestBytes(b))
}

// flush makes the commands applied so far visible to await. An engine calls it when it has no more
// commands at hand; until then the driver does not count them.
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

// verify waits until every machine has applied the first issued commands, and compares what they
// applied with what was submitted, in order.
func verify(ctx context.Context, machines []*machine, k kind, issued int) error {
	var want uint64
	for seq := range issued {
		want = mix(want, digest(k.value(seq)))
	}
	if err := agree(ctx, machines, int64(issued)); err != nil {
		return err
	}
	if got := machines[0].hash; got != want {
		return fmt.Errorf("all servers applied %d commands with hash %x; those submitted have %x", issued, got, want)
	}
	return nil
}

// agree waits until every machine has applied n commands, and checks that none applied more and all
// applied the same in the same order.
func agree(ctx context.Context, machines []*machine, n int64) error {
	for i, m := range machines {
		if err := m.await(ctx, n); err != nil {
			return fmt.Errorf("server %d: %w", i, err)
		}
		if got := m.count.Load(); got != n || m.hash != machines[0].hash {
			return fmt.Errorf("server %d applied %d commands, hash %x; server 0 hash %x, expected %d commands",
				i, got, m.hash, machines[0].hash, n)
		}
	}
	return nil
}
