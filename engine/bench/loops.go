package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// A workload is a load on servers whose disk and network may be slower than they are.
type workload struct {
	load
	sync, way time.Duration // a sync lasts at least so long, and a message is under way for so much longer
	kinds     []string
}

// commandSize is the size of a command in bytes.
const commandSize = 100

var both = []string{"ours", "example"}

// workloads are what is measured. Only ours has reads that ask a majority and write nothing.
var workloads = []workload{
	{load{Clients: 1, Size: commandSize}, 5 * time.Millisecond, time.Millisecond, both},
	{load{Clients: 1, Size: commandSize}, 0, 0, both},
	{load{Clients: maxClients, Size: commandSize}, 0, 0, both},
	{load{Clients: 1, Reads: true}, 0, 0, both[:1]},
	{load{Clients: maxClients, Reads: true}, 0, 0, both[:1]},
}

// A loopRow is what the rounds have measured for a workload.
type loopRow struct {
	workload
	syncTime, trip samples
	cells          map[string]*cell // by kind
}

// A loopBench is a run that measures package engine beside the loop of etcd's example.
type loopBench struct {
	options
	*processes
	groups map[string]*group // by kind
	floor  *floor
	rows   []*loopRow
}

func measureLoops(p *processes, o options, out, progress io.Writer) (*loopBench, error) {
	b := &loopBench{options: o, processes: p, groups: map[string]*group{}}
	if err := b.startAll(); err != nil {
		return nil, err
	}
	for _, w := range workloads {
		r := &loopRow{workload: w, cells: map[string]*cell{}}
		for _, kind := range w.kinds {
			r.cells[kind] = &cell{}
		}
		b.rows = append(b.rows, r)
	}
	for round := range o.rounds {
		for k, r := range b.rows {
			fmt.Fprintf(progress, "round %d of %d: workload %d of %d\n", round+1, o.rounds, k+1, len(b.rows))
			if err := b.measure(r, round); err != nil {
				return nil, err
			}
		}
	}
	printLoops(out, b.rows)
	return b, nil
}

// startAll starts the servers, and the processes that measure a sync and a round trip.
func (b *loopBench) startAll() error {
	addresses, err := freeAddresses(2)
	if err != nil {
		return err
	}
	for id := range addresses {
		if _, err := b.startChild("echo", id, addresses); err != nil {
			return err
		}
	}
	if b.floor, err = newFloor(b.processes.dir, addresses); err != nil {
		return err
	}
	for _, kind := range both {
		if b.groups[kind], err = b.startGroup(kind); err != nil {
			return err
		}
	}
	return nil
}

// measure measures a workload once, with each kind of servers. Another kind begins in each round.
func (b *loopBench) measure(r *loopRow, round int) error {
	syncTime, err := b.floor.sync(r.sync, b.time/4)
	if err != nil {
		return err
	}
	trip, err := b.floor.roundTrip(r.way, b.time/4)
	if err != nil {
		return err
	}
	r.syncTime.add(syncTime)
	r.trip.add(trip)
	for k := range r.kinds {
		kind := r.kinds[(k+round)%len(r.kinds)]
		if err := b.ctx.Err(); err != nil {
			return err
		}
		if err := b.groups[kind].measure(b.ctx, r.workload, b.time, syncTime+trip, r.cells[kind]); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	return nil
}

// maxElections bounds the elections that may disturb a measurement, which is then done again.
const maxElections = 3

// measure measures a workload and adds what it has found to c.
func (g *group) measure(ctx context.Context, w workload, d, least time.Duration, c *cell) error {
	if _, err := g.askAll(request{Do: "delay", Sync: w.sync, Way: w.way}); err != nil {
		return err
	}
	for range maxElections {
		before, err := g.settle(ctx, w, d/10)
		if err != nil {
			return err
		}
		used := cpu(g.commands()...)
		w.For = d
		a, err := g.lead.ask(request{Do: "load", Load: w.load})
		used = cpu(g.commands()...) - used
		after, err2 := g.askAll(request{Do: "state"})
		if err2 != nil {
			return err2
		}
		if slices.ContainsFunc(after, func(a answer) bool { return a.Term != before[0].Term }) {
			continue
		}
		if err != nil {
			return err
		}
		var most int64
		for k := range after {
			most = max(most, after[k].Syncs-before[k].Syncs)
		}
		c.addResult(a.Result)
		c.ratio = append(c.ratio, float64(a.Result.P50)/float64(least))
		c.syncs = append(c.syncs, float64(most)/float64(a.Result.Ops))
		c.cpu.addEach(used, a.Result.Ops)
		return nil
	}
	return errors.New("one election follows the other")
}

// settle has the leader warm up, and waits until all servers are in one term and have applied the same commands: then no
// sync is under way.
func (g *group) settle(ctx context.Context, w workload, warm time.Duration) ([]answer, error) {
	if err := g.awaitLeader(ctx); err != nil {
		return nil, err
	}
	w.For = warm
	_, failed := g.lead.ask(request{Do: "load", Load: w.load})
	var states []answer
	err := patiently(ctx, g.kind, func() (err error) {
		if states, err = g.askAll(request{Do: "state"}); err != nil {
			return err
		}
		for _, s := range states {
			if s.Applied != states[0].Applied || s.Term != states[0].Term {
				return errors.Join(errors.New("the servers do not catch up"), failed)
			}
		}
		return g.awaitLeader(ctx)
	})
	return states, err
}
