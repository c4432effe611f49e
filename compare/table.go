package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

const oursName = "ours"

// A row is one line of the table: a workload on a number of servers, with the median over the rounds for each engine.
type row struct {
	Servers  int                `json:"servers"`
	Workload string             `json:"workload"`
	Medians  map[string]sample  `json:"medians"`
	Ratios   map[string]float64 `json:"ratios,omitempty"` // ours to each competitor's
	Fastest  string             `json:"fastest_competitor,omitempty"`
	Lowest   float64            `json:"lowest_ratio,omitempty"`  // of one round, to the fastest
	Highest  float64            `json:"highest_ratio,omitempty"` // of one round, to the fastest

	work workload
}

// summarize returns the rows, in the plan's order. A ratio is the median of the ratios in each round: ops/s over ops/s, or
// p50 over p50 for latency.
func summarize(p plan, samples []sample) []row {
	var rows []row
	for _, servers := range p.servers {
		for _, w := range p.workloads {
			var of []sample
			for _, s := range samples {
				if s.Servers == servers && s.Workload == w.name {
					of = append(of, s)
				}
			}
			rows = append(rows, newRow(servers, w, p.engines, of))
		}
	}
	return rows
}

func newRow(servers int, w workload, engines []engine, samples []sample) row {
	r := row{Servers: servers, Workload: w.name, Medians: map[string]sample{}, Ratios: map[string]float64{}, work: w}
	for _, e := range engines {
		r.Medians[e.name] = medianSample(e.name, w, servers, samples)
	}
	if _, ok := r.Medians[oursName]; !ok {
		return r
	}
	for _, e := range engines {
		if e.name == oursName {
			continue
		}
		ratios := roundRatios(w, e.name, samples)
		r.Ratios[e.name] = median(ratios)
		if r.Fastest == "" || w.faster(r.Medians[e.name], r.Medians[r.Fastest]) {
			r.Fastest, r.Lowest, r.Highest = e.name, slices.Min(ratios), slices.Max(ratios)
		}
	}
	return r
}

// value returns the figure that ratios are taken of: the p50 in nanoseconds for latency, otherwise ops/s.
func (w workload) value(s sample) float64 {
	if w.latency {
		return float64(s.P50)
	}
	return s.Ops
}

func (w workload) faster(a, b sample) bool {
	if w.latency {
		return a.P50 < b.P50
	}
	return a.Ops > b.Ops
}

// roundRatios returns ours over the competitor's, one for each round.
func roundRatios(w workload, competitor string, samples []sample) []float64 {
	figure := func(round int, engine string) float64 {
		i := slices.IndexFunc(samples, func(s sample) bool { return s.Round == round && s.Engine == engine })
		return w.value(samples[i])
	}
	var ratios []float64
	for _, s := range samples {
		if s.Engine == oursName {
			ratios = append(ratios, w.value(s)/figure(s.Round, competitor))
		}
	}
	return ratios
}

// medianSample returns the medians of the engine's figures, each taken by itself.
func medianSample(engine string, w workload, servers int, samples []sample) sample {
	var ops []float64
	var p50, p99 []time.Duration
	commands := 0
	for _, s := range samples {
		if s.Engine == engine {
			ops, p50, p99 = append(ops, s.Ops), append(p50, s.P50), append(p99, s.P99)
			commands += s.Commands
		}
	}
	return sample{Servers: servers, Workload: w.name, Engine: engine, Commands: commands,
		Ops: median(ops), P50: median(p50), P99: median(p99)}
}

// printTable writes a line for each row, and then the ratios of our kv figures to our int figures.
func printTable(out io.Writer, p plan, rows []row) error {
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(tw, "servers\tworkload")
	for _, e := range p.engines {
		fmt.Fprintf(tw, "\t%s", e.name)
	}
	if len(rows) > 0 && rows[0].Fastest != "" {
		fmt.Fprint(tw, "\tratio to the fastest\tlowest and highest round")
	}
	fmt.Fprintln(tw)
	for _, r := range rows {
		fmt.Fprintf(tw, "%d\t%s", r.Servers, r.work.title)
		for _, e := range p.engines {
			fmt.Fprintf(tw, "\t%s", r.Medians[e.name].figure(r.work))
		}
		fmt.Fprintln(tw, r.ratioCells())
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	return printKV(out, rows)
}

// ratioCells returns the ratio to the fastest competitor and its range over the rounds. It returns "" if this
// Raft or its competitors were not measured.
func (r row) ratioCells() string {
	if r.Fastest == "" {
		return ""
	}
	ratio := r.Ratios[r.Fastest]
	return fmt.Sprintf("\t%.2f of %s\t%.2f to %.2f", ratio, r.Fastest, r.Lowest, r.Highest)
}

// printKV writes the ratio of our kv figure to our int figure, for each number of servers.
func printKV(out io.Writer, rows []row) error {
	ints := map[int]float64{}
	for _, r := range rows {
		if s, ok := r.Medians[oursName]; ok && r.work.name == "int" {
			ints[r.Servers] = s.Ops
		}
	}
	for _, r := range rows {
		if n := ints[r.Servers]; n > 0 && r.work.name == "kv" {
			share := r.Medians[oursName].Ops / n
			if _, err := fmt.Fprintf(out, "ours, %d servers: ops/s of kv structs are %.2f of those of ints\n", r.Servers, share); err != nil {
				return err
			}
		}
	}
	return nil
}

// report is the output of -json.
type report struct {
	Environment environment `json:"environment"`
	Rows        []row       `json:"rows,omitempty"`
	Samples     []sample    `json:"samples,omitempty"`
	Ours        *flatReport `json:"ours,omitempty"`
}

func printJSON(out io.Writer, r report) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}
