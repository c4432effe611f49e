package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Every engine must bring every kind of command to all its servers: runCell verifies that.
func TestRunCell(t *testing.T) {
	for _, e := range engines {
		for _, w := range workloads {
			t.Run(e.name+"/"+w.name, func(t *testing.T) {
				before := runtime.NumGoroutine()
				var s sample
				// On a busy machine 20 ms may pass without a command.
				for d := 20 * time.Millisecond; s.Commands == 0 && d < 5*time.Second; d *= 4 {
					err := whileLed(func() (err error) {
						s, err = runCell(t.Context(), e, 3, w, d)
						return err
					})
					if err != nil {
						t.Fatal(err)
					}
				}
				if s.Commands == 0 || s.Ops <= 0 || (w.latency && (s.P50 <= 0 || s.P99 < s.P50)) {
					t.Errorf("sample %+v", s)
				}
				awaitGoroutines(t, before)
			})
		}
	}
}

// whileLed repeats a measurement in which our leader lost its lead, as it may on a machine that is busy with other things.
func whileLed(measure func() error) error {
	err := measure()
	for tries := 1; errors.Is(err, errNotLeader) && tries < 10; tries++ {
		err = measure()
	}
	return err
}

// awaitGoroutines fails if goroutines of a closed cluster stay.
func awaitGoroutines(t *testing.T, before int) {
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines before, %d after", before, runtime.NumGoroutine())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestMeasure_stopsWhenTold(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	for _, w := range workloads[:2] {
		p := plan{servers: []int{3}, rounds: 1, duration: time.Hour, engines: engines[:1], workloads: []workload{w}}
		if _, err := measure(ctx, p, io.Discard); err == nil {
			t.Errorf("%s: no error", w.name)
		}
	}
}

func TestRun_flat(t *testing.T) {
	o, err := parse([]string{"-flat", "-json", "-rounds", "1", "-duration", "100ms", "-servers", "3", "-entries", "55000", "-failovers", "2"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = whileLed(func() error {
		out.Reset()
		return run(t.Context(), o, &out, io.Discard)
	})
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	f := r.Ours
	if len(f.Long) != 1 || f.Long[0].Ratio <= 0 || f.Long[0].BytesPerEntry <= 0 || f.CatchUp.RPCs <= 0 ||
		f.Waiting.Ops <= 0 || f.Failover.Times != 2 || f.Cold.Worst < f.Cold.Median {
		t.Errorf("report %s", out.String())
	}
}

func TestParse_rejects(t *testing.T) {
	for _, args := range []string{
		"-servers 0", "-servers 3,x", "-servers 3,3", "-servers 3,", "-engines ours,zookeeper", "-workloads float", "-rounds 0",
		"-duration 0s", "-duration soon", "-entries 5", "-failovers 0", "-unknown", "extra",
	} {
		var errs bytes.Buffer
		if _, err := parse(strings.Fields(args), &errs); err == nil {
			t.Errorf("%s: accepted", args)
		} else if errs.Len() == 0 {
			t.Errorf("%s: the user is told nothing", args)
		}
	}
}
