// Command compare measures this project's Raft beside go.etcd.io/raft and github.com/hashicorp/raft:
// one process, one workload driver, one way of counting. README.md says what is compared and how
// each engine is tuned.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const usage = `compare measures this project's Raft beside go.etcd.io/raft and github.com/hashicorp/raft
in one process and prints one table. Progress goes to standard error.

usage: go run . [flags]

`

type options struct {
	plan plan
	json bool
	flat bool
	flatOptions
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	opts, err := parse(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		os.Exit(2)
	}
	err = run(ctx, opts, os.Stdout, os.Stderr)
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "compare: interrupted")
		os.Exit(130)
	case err != nil:
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

// parse reads the command line. It has told the user about any error it returns.
func parse(args []string, errs io.Writer) (options, error) {
	fs := flag.NewFlagSet("compare", flag.ContinueOnError)
	fs.SetOutput(errs)
	fs.Usage = func() { fmt.Fprint(errs, usage); fs.PrintDefaults() }
	servers := fs.String("servers", "3,5", "numbers of servers, comma-separated")
	rounds := fs.Int("rounds", 5, "rounds; the table shows medians over them")
	duration := fs.Duration("duration", time.Second, "measured time of each cell, after a warm-up of a quarter of it")
	names := fs.String("engines", "ours,etcd-node,hashicorp-default,etcd,hashicorp", "engines, comma-separated")
	works := fs.String("workloads", "latency,int,string,kv", "workloads, comma-separated")
	asJSON := fs.Bool("json", false, "write JSON with every round's figures instead of the table")
	flat := fs.Bool("flat", false, "measure only ours: long logs, heap, catch-up, many waiting, failover, cold start")
	var o options
	fs.IntVar(&o.entries, "entries", 1_000_000, "with -flat: entries in the long log")
	fs.IntVar(&o.failovers, "failovers", 100, "with -flat: failovers and cold starts")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	o.json, o.flat = *asJSON, *flat
	o.plan = plan{rounds: *rounds, duration: *duration}
	var err error
	o.plan.servers, err = parseList(*servers, parseServers)
	if err == nil {
		o.plan.engines, err = parseList(*names, byName("engine", engines, func(e engine) string { return e.name }))
	}
	if err == nil {
		o.plan.workloads, err = parseList(*works, byName("workload", workloads, func(w workload) string { return w.name }))
	}
	if err == nil {
		err = o.check(fs.Args())
	}
	if err != nil {
		fmt.Fprintf(errs, "compare: %v (see -h)\n", err)
	}
	return o, err
}

// check finds what the flags' own types allow and the measurements don't.
func (o options) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q", rest[0])
	case o.plan.rounds < 1:
		return fmt.Errorf("-rounds %d: need at least 1", o.plan.rounds)
	case o.plan.duration < time.Millisecond:
		return fmt.Errorf("-duration %v: need at least 1ms", o.plan.duration)
	case o.entries < shortLog+probe:
		return fmt.Errorf("-entries %d: need at least %d", o.entries, shortLog+probe)
	case o.failovers < 1:
		return fmt.Errorf("-failovers %d: need at least 1", o.failovers)
	}
	return nil
}

// parseList splits a comma-separated list and parses its parts; a part given twice is an error.
func parseList[T any](list string, parse func(string) (T, error)) ([]T, error) {
	var values []T
	seen := map[string]bool{}
	for part := range strings.SplitSeq(list, ",") {
		part = strings.TrimSpace(part)
		v, err := parse(part)
		if err != nil {
			return nil, err
		}
		if seen[part] {
			return nil, fmt.Errorf("%q is given twice", part)
		}
		seen[part] = true
		values = append(values, v)
	}
	return values, nil
}

func parseServers(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 99 || strconv.Itoa(n) != s {
		return 0, fmt.Errorf("-servers: %q is not a number of servers from 1 to 99", s)
	}
	return n, nil
}

// byName returns a parser that looks a value up by its name.
func byName[T any](what string, all []T, name func(T) string) func(string) (T, error) {
	return func(s string) (T, error) {
		var names []string
		for _, v := range all {
			if name(v) == s {
				return v, nil
			}
			names = append(names, name(v))
		}
		var zero T
		return zero, fmt.Errorf("unknown %s %q; there are %s", what, s, strings.Join(names, ", "))
	}
}

// run measures what the options ask for and prints it.
func run(ctx context.Context, o options, out, progress io.Writer) error {
	r := report{Environment: currentEnvironment()}
	if o.flat {
		flat, err := measureFlat(ctx, o.plan, o.flatOptions, progress)
		if err != nil {
			return err
		}
		if r.Ours = &flat; !o.json {
			return flat.print(out)
		}
		return printJSON(out, r)
	}
	samples, err := measure(ctx, o.plan, progress)
	if err != nil {
		return err
	}
	r.Samples, r.Rows = samples, summarize(o.plan, samples)
	if o.json {
		return printJSON(out, r)
	}
	fmt.Fprintln(out, r.Environment)
	return printTable(out, o.plan, r.Rows)
}

// environment says where the figures come from.
type environment struct {
	Go       string            `json:"go"`
	Platform string            `json:"platform"`
	CPUs     int               `json:"cpus"`
	Modules  map[string]string `json:"modules"`
}

func currentEnvironment() environment {
	e := environment{
		Go:       runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
		CPUs:     runtime.GOMAXPROCS(0),
		Modules:  map[string]string{},
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "go.etcd.io/raft/v3" || m.Path == "github.com/hashicorp/raft" {
				e.Modules[m.Path] = m.Version
			}
		}
	}
	return e
}

func (e environment) String() string {
	return fmt.Sprintf("%s %s, %d CPUs; go.etcd.io/raft/v3 %s, github.com/hashicorp/raft %s",
		e.Go, e.Platform, e.CPUs, e.Modules["go.etcd.io/raft/v3"], e.Modules["github.com/hashicorp/raft"])
}
