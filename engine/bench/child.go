package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// childVariable is the environment variable that makes this program a child. It holds a childConfig as JSON.
const childVariable = "ENGINE_BENCH_CHILD"

// A childConfig says what a child is.
type childConfig struct {
	Kind  string // a name of kinds, or "echo"
	ID    int
	Peers map[int]string
	Dir   string
}

// A server is one of three that agree on commands. It applies each committed command by calling what it was made with.
type server interface {
	state() (term int, leads bool)
	propose(command []byte) error // returns once the command is handed over
	read(ctx context.Context) error
}

// kinds are the servers that can be measured.
var kinds = map[string]func(c childConfig, apply func(command []byte)) (server, error){
	"ours":    newOurs,
	"example": newExample,
}

// A request is what the parent asks a child for.
type request struct {
	Do   string // delay, state or load
	Sync time.Duration
	Way  time.Duration
	Load load
}

// An answer is what the child says.
type answer struct {
	Error   string
	Term    int
	Leads   bool
	Applied int64 // commands
	Syncs   int64
	Result  result
}

// The delays of this process: how long a sync lasts at least, and how long a message to a peer is under way.
var syncDelay, wayDelay atomic.Int64

// runChild serves the parent until that closes standard input, which it also does by dying.
func runChild(config string) error {
	var c childConfig
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		return err
	}
	if c.Kind == "echo" {
		return runEcho(c)
	}
	w := newWaiters()
	s, err := kinds[c.Kind](c, w.applied)
	if err != nil {
		return err
	}
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var r request
		if err := in.Decode(&r); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		a, err := serve(r, s, w)
		if err != nil {
			a.Error = err.Error()
		}
		if err := out.Encode(a); err != nil {
			return err
		}
	}
}

func serve(r request, s server, w *waiters) (a answer, err error) {
	switch r.Do {
	case "delay":
		syncDelay.Store(int64(r.Sync))
		wayDelay.Store(int64(r.Way))
	case "state":
		a.Term, a.Leads = s.state()
		a.Applied = w.count.Load()
		a.Syncs, err = syncs()
	case "load":
		do := slices.Repeat([]func(context.Context) error{s.read}, r.Load.Clients)
		for k := range do {
			if !r.Load.Reads {
				do[k] = func(ctx context.Context) error { return w.do(ctx, s, k, r.Load.Size) }
			}
		}
		a.Result, err = r.Load.run(do)
	default:
		err = fmt.Errorf("there is no request %q", r.Do)
	}
	return a, err
}

// syncs returns how often etcd's write-ahead log was synced in this process: the package counts that.
func syncs() (int64, error) {
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		return 0, err
	}
	for _, f := range families {
		if f.GetName() == "etcd_disk_wal_fsync_duration_seconds" {
			return int64(f.GetMetric()[0].GetHistogram().GetSampleCount()), nil
		}
	}
	return 0, errors.New("etcd's write-ahead log does not count its syncs")
}
