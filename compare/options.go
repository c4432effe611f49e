package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"6.824/cmd/cli"
)

// options are the values of the flags.
type options struct {
	plan plan
	json bool
	flat bool
	flatOptions
}

var command = cli.Command{
	Name:    "compare",
	Summary: "Compare measures this project's Raft beside go.etcd.io/raft and github.com/hashicorp/raft.",
	Usage:   "[flags]",
	About: `All engines run in this process, with the same workloads, and the result is one
table of medians over the rounds. A ratio is this Raft's ops/s over the
competitor's, or, with one command at a time, this Raft's p50 latency over the
competitor's. The table shows the ratio to the fastest competitor, and its lowest
and highest value in a single round.

README.md describes the engines, the workloads and the figures of -flat. Progress
goes to standard error, figures go to standard output. Run nothing else on the
machine meanwhile.`,
	Examples: `go run .
go run . -json > figures.json
go run . -servers 3 -workloads int -rounds 3
go run . -engines ours,etcd,hashicorp
go run . -flat`,
	OK:       "all figures were measured",
	Failed:   "an engine stalled, lost its leader or applied wrong commands",
	Unusable: "wrong usage",
}

// parseOptions parses the command line.
func parseOptions(args []string) (options, error) {
	var o options
	f := command.Flags()
	servers := f.String("servers", "3,5", "numbers of servers, a comma-separated `list`")
	names := f.String("engines", "ours,etcd-node,hashicorp-default,etcd,hashicorp", "engines, a comma-separated `list`")
	works := f.String("workloads", "latency,int,string,kv", "workloads, a comma-separated `list`")
	f.IntVar(&o.plan.rounds, "rounds", 5, "`number` of rounds")
	f.DurationVar(&o.plan.duration, "duration", time.Second,
		"`duration` of each measurement, after a warm-up of a quarter of it")
	f.BoolVar(&o.json, "json", false, "print the figures of every round as JSON instead of the table")
	f.BoolVar(&o.flat, "flat", false,
		"measure only this Raft: long logs, heap, catch-up, many waiting clients, failover, cold start")
	f.IntVar(&o.entries, "entries", 1_000_000, "`number` of entries in the long log, with -flat")
	f.IntVar(&o.failovers, "failovers", 100, "`number` of failovers and of cold starts, with -flat")
	others, err := command.Parse(f, args)
	if err != nil {
		return o, err
	}
	if err := cli.Needs(f, "-flat", o.flat, "entries", "failovers"); err != nil {
		return o, err
	}
	if err := cli.Needs(f, "a run without -flat", !o.flat, "engines", "workloads"); err != nil {
		return o, err
	}
	if o.plan.servers, err = parseList("servers", *servers, parseServers); err != nil {
		return o, err
	}
	o.plan.engines, err = parseList("engines", *names, byName(engines, func(e engine) string { return e.name }))
	if err != nil {
		return o, err
	}
	o.plan.workloads, err = parseList("workloads", *works, byName(workloads, func(w workload) string { return w.name }))
	if err != nil {
		return o, err
	}
	return o, o.check(others)
}

// check returns an error for values that no measurement allows.
func (o options) check(others []string) error {
	switch {
	case len(others) > 0:
		return cli.Usagef("unexpected argument %q", others[0])
	case o.plan.rounds < 1:
		return cli.Usagef("-rounds must be at least 1: %d", o.plan.rounds)
	case o.plan.duration < time.Millisecond:
		return cli.Usagef("-duration must be at least 1ms: %v", o.plan.duration)
	case o.entries < shortLog+probe:
		return cli.Usagef("-entries must be at least %d: %d", shortLog+probe, o.entries)
	case o.failovers < 1:
		return cli.Usagef("-failovers must be at least 1: %d", o.failovers)
	}
	return nil
}

// parseList parses each part of the comma-separated value of a flag. A part that is given twice is an error.
func parseList[T any](flag, list string, parse func(string) (T, error)) ([]T, error) {
	var values []T
	seen := map[string]bool{}
	for part := range strings.SplitSeq(list, ",") {
		part = strings.TrimSpace(part)
		v, err := parse(part)
		if err != nil {
			return nil, cli.Usagef("-%s: %w", flag, err)
		}
		if seen[part] {
			return nil, cli.Usagef("-%s: %q is given twice", flag, part)
		}
		seen[part] = true
		values = append(values, v)
	}
	return values, nil
}

func parseServers(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 99 || strconv.Itoa(n) != s {
		return 0, fmt.Errorf("%q is not a number from 1 to 99", s)
	}
	return n, nil
}

// byName returns a function that finds a value by its name.
func byName[T any](all []T, name func(T) string) func(string) (T, error) {
	return func(s string) (T, error) {
		var names []string
		for _, v := range all {
			if name(v) == s {
				return v, nil
			}
			names = append(names, name(v))
		}
		var zero T
		return zero, fmt.Errorf("%q is not one of %s", s, strings.Join(names, ", "))
	}
}
