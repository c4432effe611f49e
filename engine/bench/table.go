package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
)

// samples are measured times, one for each round.
type samples []time.Duration

func (s *samples) add(d time.Duration) { *s = append(*s, d) }

// addEach adds a time for each of n operations.
func (s *samples) addEach(d time.Duration, n int) { s.add(d / time.Duration(n)) }

// String returns the median with three digits.
func (s samples) String() string {
	d := middle(s)
	unit := time.Nanosecond
	for d/unit >= 1000 {
		unit *= 10
	}
	text := d.Round(unit).String()
	at := strings.IndexFunc(text, unicode.IsLetter)
	return text[:at] + " " + text[at:]
}

// middle returns the median.
func middle[T time.Duration | float64](all []T) T {
	return slices.Sorted(slices.Values(all))[len(all)/2]
}

// A cell is what the rounds have measured for one load on one kind of servers.
type cell struct {
	p50, p99 samples
	rate     []float64 // operations a second
	ratio    []float64 // p50 compared with a sync and a round trip
	syncs    []float64 // for each operation, of the server that has synced most
	cpu      samples   // of all servers, for each operation
	client   samples   // of the clients
}

func (c *cell) addResult(r result) {
	c.p50.add(r.P50)
	c.p99.add(r.P99)
	c.rate = append(c.rate, float64(r.Ops)/r.Took.Seconds())
}

// printLoops prints the table of package engine and the example.
func printLoops(out io.Writer, rows []*loopRow) {
	fmt.Fprint(out, `| clients | operation | fsync | round trip | servers | p50 | p50 / (fsync + round trip) | a second | fsyncs each | CPU time each |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
`)
	for _, r := range rows {
		for _, kind := range r.kinds {
			c := r.cells[kind]
			ratio := "–"
			if r.Clients == 1 && !r.Reads {
				ratio = fmt.Sprintf("%.2f", middle(c.ratio))
			}
			fmt.Fprintf(out, "| %d | %s | %s | %s | %s | %s | %s | %s | %.2g | %s |\n", r.Clients, r.operation(), r.syncTime, r.trip,
				kind, c.p50, ratio, thousands(middle(c.rate)), middle(c.syncs), c.cpu)
		}
	}
}

// operation returns what the clients do.
func (l load) operation() string {
	if l.Reads {
		return "read"
	}
	return "write"
}

// thousands returns a number with three digits and commas.
func thousands(f float64) string {
	n, unit := int(f), 1
	for n/unit >= 1000 {
		unit *= 10
	}
	digits := fmt.Sprint((n + unit/2) / unit * unit)
	for k := len(digits) - 3; k > 0; k -= 3 {
		digits = digits[:k] + "," + digits[k:]
	}
	return digits
}

// printServices prints the table of kvd and etcd.
func printServices(out io.Writer, services []service, rows []*serviceRow) {
	fmt.Fprint(out, `| clients | operation | value | servers | p50 | p99 | a second | servers' CPU time each | clients' CPU time each |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
`)
	for _, r := range rows {
		for _, s := range services {
			c := r.cells[s.name()]
			fmt.Fprintf(out, "| %d | %s | %s B | %s | %s | %s | %s | %s | %s |\n", r.Clients, r.operation(), thousands(float64(r.Size)),
				s.name(), c.p50, c.p99, thousands(middle(c.rate)), c.cpu, c.client)
		}
	}
}
