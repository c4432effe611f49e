package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// A workload is a load on a cluster with a slower disk and network.
type workload struct {
	name      string
	load      load
	sync, way time.Duration
}

const commandSize = 100

var workloads = []workload{
	{"1 client, slow", load{Clients: 1, Size: commandSize}, 5 * time.Millisecond, time.Millisecond},
	{"1 client", load{Clients: 1, Size: commandSize}, 0, 0},
	{"256 clients", load{Clients: 256, Size: commandSize}, 0, 0},
	{"1 client, reads", load{Clients: 1, Reads: true}, 0, 0},
	{"256 clients, reads", load{Clients: 256, Reads: true}, 0, 0},
}

// A cell is what the rounds have measured for one workload and one kind of servers.
type cell struct {
	ratio, p50, p99, rate, syncs, cpu, client []float64
}

func (c *cell) add(r result) {
	c.p50 = append(c.p50, float64(r.P50))
	c.p99 = append(c.p99, float64(r.P99))
	c.rate = append(c.rate, r.rate())
}

// A bench is one run.
type bench struct {
	options
	dir    string
	groups []*group
	floor  *floor
	cells  map[string]map[string]*cell
	syncs  map[string][]float64 // measured times of a sync and of a round trip, by workload
	trips  map[string][]float64
	out    io.Writer
	log    io.Writer
	ctx    context.Context
}

// measureLoops measures package engine beside the example.
func measureLoops(ctx context.Context, dir string, o options, out, log io.Writer) error {
	b := &bench{options: o, dir: dir, cells: map[string]map[string]*cell{}, syncs: map[string][]float64{}, trips: map[string][]float64{}, out: out, log: log, ctx: ctx}
	if err := b.start(); err != nil {
		return err
	}
	for round := range o.rounds {
		for _, w := range workloads {
			fmt.Fprintf(log, "round %d of %d: %s\n", round+1, o.rounds, w.name)
			if err := b.measure(w); err != nil {
				return err
			}
		}
	}
	b.print()
	return nil
}

func (b *bench) start() error {
	addresses, err := freeAddresses(2)
	if err != nil {
		return err
	}
	for id := range addresses {
		c := childConfig{Kind: "echo", ID: id, Peers: addresses, Dir: filepath.Join(b.dir, fmt.Sprint("echo", id))}
		if _, err := startChild(b.ctx, c); err != nil {
			return err
		}
	}
	if b.floor, err = newFloor(b.dir, addresses); err != nil {
		return err
	}
	for _, kind := range []string{"ours", "example"} {
		g, err := startGroup(b.ctx, kind, b.dir)
		if err != nil {
			return err
		}
		b.groups = append(b.groups, g)
	}
	return nil
}

// measure measures one workload once, with each kind.
func (b *bench) measure(w workload) error {
	sync, err := b.floor.sync(w.sync, b.time/4)
	if err != nil {
		return err
	}
	trip, err := b.floor.roundTrip(w.way, b.time/4)
	if err != nil {
		return err
	}
	b.syncs[w.name] = append(b.syncs[w.name], float64(sync))
	b.trips[w.name] = append(b.trips[w.name], float64(trip))
	for _, g := range b.groups {
		if w.load.Reads && g.kind == "example" {
			continue
		}
		if err := b.ctx.Err(); err != nil {
			return err
		}
		if err := b.measureGroup(w, g, sync+trip); err != nil {
			return fmt.Errorf("%s: %w", g.kind, err)
		}
	}
	return nil
}

func (b *bench) measureGroup(w workload, g *group, floor time.Duration) error {
	leader, err := g.leader(b.ctx)
	if err != nil {
		return err
	}
	if _, err := g.askAll(request{Do: "delay", Sync: w.sync, Way: w.way}); err != nil {
		return err
	}
	warm, real := w.load, w.load
	warm.For, real.For = b.time/10, b.time
	if _, err := leader.ask(request{Do: "load", Load: warm}); err != nil {
		return err
	}
	before, err := g.askAll(request{Do: "syncs"})
	if err != nil {
		return err
	}
	cpuBefore := cpu(g.commands()...)
	a, err := leader.ask(request{Do: "load", Load: real})
	if err != nil {
		return err
	}
	used := cpu(g.commands()...) - cpuBefore
	after, err := g.askAll(request{Do: "syncs"})
	if err != nil {
		return err
	}
	var most int64
	for k := range after {
		most = max(most, after[k]-before[k])
	}
	if b.cells[w.name] == nil {
		b.cells[w.name] = map[string]*cell{}
	}
	c := b.cells[w.name][g.kind]
	if c == nil {
		c = &cell{}
		b.cells[w.name][g.kind] = c
	}
	r := a.Result
	c.add(r)
	c.ratio = append(c.ratio, float64(r.P50)/float64(floor))
	c.syncs = append(c.syncs, float64(most)/float64(r.Ops))
	c.cpu = append(c.cpu, float64(used)/float64(r.Ops))
	return nil
}

func (g *group) commands() (all []*exec.Cmd) {
	for _, s := range g.servers {
		all = append(all, s.cmd)
	}
	return all
}

func (b *bench) print() {
	fmt.Fprintln(b.out, "| workload | fsync | round trip | servers | p50 | times fsync + round trip | p99 | a second | fsyncs each | CPU each |")
	fmt.Fprintln(b.out, "|---|---|---|---|---|---|---|---|---|---|")
	for _, w := range workloads {
		for _, g := range b.groups {
			c := b.cells[w.name][g.kind]
			if c == nil {
				continue
			}
			fmt.Fprintf(b.out, "| %s | %s | %s | %s | %s | %.2f | %s | %.0f | %.4f | %s |\n", w.name, duration(b.syncs[w.name]), duration(b.trips[w.name]),
				g.kind, duration(c.p50), middle(c.ratio), duration(c.p99), middle(c.rate), middle(c.syncs), duration(c.cpu))
		}
	}
}

// middle returns the median.
func middle(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

func duration(all []float64) time.Duration {
	return time.Duration(middle(all)).Round(time.Microsecond)
}
