package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"6.824/cmd/cli"
	"go.etcd.io/etcd/server/v3/storage/wal"
)

// TestMain makes the test's program a child, as main does.
func TestMain(m *testing.M) {
	wal.SegmentSizeBytes = 1 << 20
	if config := os.Getenv(childVariable); config != "" {
		if err := runChild(config); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func testProcesses(t *testing.T) *processes {
	p, err := newProcesses(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.end)
	return p
}

// A run measures what it says: an operation does not end before the delays that it must wait for, reads cost no sync, and
// each write is in two logs.
func TestLoops(t *testing.T) {
	var out strings.Builder
	b, err := measureLoops(testProcesses(t), options{rounds: 1, time: 60 * time.Millisecond}, &out, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range b.rows {
		least := map[string]time.Duration{"ours": r.sync + 2*r.way, "example": 2 * (r.sync + r.way)}
		if r.syncTime[0] < max(r.sync, time.Nanosecond) || r.trip[0] < max(2*r.way, time.Nanosecond) {
			t.Errorf("%+v: a sync takes %v and a round trip %v", r.workload, r.syncTime, r.trip)
		}
		for kind, c := range r.cells {
			if c.p50[0] < least[kind] {
				t.Errorf("%s, %+v: p50 is %v, less than %v", kind, r.workload, c.p50, least[kind])
			}
			syncs := c.syncs[0]
			if r.Reads && syncs != 0 || !r.Reads && syncs == 0 || !r.Reads && r.Clients == 1 && syncs < 2./3 {
				t.Errorf("%s, %+v: %v syncs an operation", kind, r.workload, syncs)
			}
		}
	}
	if lines := strings.Count(out.String(), "\n"); lines != 2+3*2+2 {
		t.Errorf("a table of %d lines:\n%s", lines, out.String())
	}
}

// Without etcd, the error says how to install it.
func TestNoEtcd(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	err := measureServices(testProcesses(t), options{rounds: 1, time: time.Second}, io.Discard, io.Discard)
	if cli.ExitCode(err) != cli.ExitUsage || !strings.Contains(err.Error(), "apt-get install etcd-server") {
		t.Errorf("without etcd: %v", err)
	}
}

func TestOptions(t *testing.T) {
	for _, args := range []string{"x", "-rounds 0", "-time 1ms", "-nosuch"} {
		if _, err := parseOptions(strings.Fields(args)); cli.ExitCode(err) != cli.ExitUsage {
			t.Errorf("%s: %v", args, err)
		}
	}
	if o, err := parseOptions([]string{"-etcd", "-time", "20ms"}); err != nil || !o.etcd || o.time != 20*time.Millisecond {
		t.Errorf("%+v, %v", o, err)
	}
}

// A load counts each operation and its time, and ends with an error.
func TestLoad(t *testing.T) {
	calls := 0
	l := load{Clients: 1, For: 20 * time.Millisecond}
	r, err := l.run([]func(context.Context) error{func(context.Context) error {
		calls++
		time.Sleep(time.Millisecond)
		return nil
	}})
	if err != nil || r.Ops != calls || r.P50 < time.Millisecond || r.P99 < r.P50 || r.Took < l.For {
		t.Errorf("%d calls: %+v, %v", calls, r, err)
	}
	failed := errors.New("failed")
	if _, err := l.run([]func(context.Context) error{func(context.Context) error { return failed }}); !errors.Is(err, failed) {
		t.Errorf("error %v", err)
	}
}

func TestTable(t *testing.T) {
	for d, want := range map[time.Duration]string{1234567: "1.23 ms", 999: "999 ns", 45678: "45.7 µs", 2 * time.Second: "2 s"} {
		if got := (samples{d}).String(); got != want {
			t.Errorf("%d is %q, want %q", d, got, want)
		}
	}
	if got := (samples{5, 1, 3}).String(); got != "3 ns" {
		t.Errorf("the median is %s", got)
	}
	for f, want := range map[float64]string{7: "7", 999.6: "999", 12345: "12,300", 1234567: "1,230,000"} {
		if got := thousands(f); got != want {
			t.Errorf("%v is %q, want %q", f, got, want)
		}
	}
}
