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

	"6.824/cmd/cli/clitest"
)

// Every engine applies every kind of command on all its servers: runCell verifies that.
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

// whileLed repeats a measurement while our leader loses its lead, which can happen on a busy machine.
func whileLed(measure func() error) error {
	err := measure()
	for tries := 1; errors.Is(err, errNotLeader) && tries < 10; tries++ {
		err = measure()
	}
	return err
}

// awaitGoroutines fails the test if goroutines of a closed cluster remain.
func awaitGoroutines(t *testing.T, before int) {
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines before, %d after", before, runtime.NumGoroutine())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestMeasure_stopsWithContext(t *testing.T) {
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
	o, err := parseOptions([]string{"-flat", "-json", "-rounds", "1", "-duration", "100ms", "-servers", "3",
		"-entries", "55000", "-failovers", "2"})
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

func TestMain(m *testing.M) { clitest.Main(m, main) }

func TestStyle(t *testing.T) {
	clitest.Style(t, "compare", []string{"-rounds", "0"}, []string{"-workloads", "int", "-servers", "3", "-duration", "10ms", "-rounds", "1000000"}, "ops/s")
}

func TestParseOptions_rejects(t *testing.T) {
	for _, args := range []string{
		"-servers 0", "-servers 3,x", "-servers 3,3", "-servers 3,", "-engines ours,zookeeper", "-workloads float", "-rounds 0",
		"-duration 0s", "-duration soon", "-flat -entries 5", "-flat -failovers 0", "-failovers 9", "-flat -engines ours", "-unknown", "extra",
	} {
		if _, err := parseOptions(strings.Fields(args)); err == nil {
			t.Errorf("%s: accepted", args)
		}
	}
}
