package main

import (
	"errors"
	"flag"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"6.824/cmd/cli"
)

// options are the values of the flags and arguments.
type options struct {
	dir        string // where pkg is looked up
	pkg        string
	seeds      seedRange
	single     bool // no -seeds: the tests' output goes straight to stdout
	run        string
	verbose    bool
	count      int
	check      bool
	keepGoing  bool
	jobs       int
	timeout    time.Duration // real time of one run
	limit      time.Duration // virtual time of one run
	env        []string
	harness    bool   // run our tests on the package raft of the tree dir
	overlay    string // file of replacements for source files, or ""
	tags       string
	trace      string   // file, or ""
	traceFuncs string   // regular expression
	picture    string   // file, or ""
	args       []string // of the test binary
}

const (
	defaultTimeout = 5 * time.Minute
	// defaultLimit is long, since tests that sleep cost no real time.
	defaultLimit = 2 * time.Hour
)

var command = cli.Command{
	Name:    "replay",
	Summary: "Replay runs a package's tests from a seed: the same seed gives the same run, byte for byte.",
	Usage:   "[flags] [package] [-args FLAGS...]",
	About: `The package is a directory or an import path. The default is ../raft, or with -C
the directory itself. Any package with tests will do. FLAGS go to the test binary.

Clocks, sleeps, random numbers and preemption follow the seed. Sleeping costs no
real time. Standard output depends only on the package, the flags and the seed:
it holds the tests' own output, and with -seeds the results. Timings and
explanations go to standard error. To replay a failure, use the command that was
printed. -v, -check, -trace and -picture do not change the run. Other flags of the
tests do.`,
	Examples: `go run . -seed 7 -run TestFigure8Unreliable2C
go run . -seeds 1-1000 -run 2B
go run . -seeds 1-1000 -keep-going
go run . -seed 7 -check
go run . -seed 7 -run TestFigure8Unreliable2C -picture run.html
go run . -seed 7 -run TestFigure8Unreliable2C -trace run.txt -trace-func Vote
go run . -seeds 1-20 -run OneKey3A ../kvraft
go run . -C ~/6.824/src -seeds 1-20 kvraft`,
	OK:       "all runs passed",
	Failed:   "a test failed, or two runs of one seed differ (-check)",
	Unusable: "wrong usage, tests that do not build, or no tests",
}

// parseOptions parses the command line.
func parseOptions(args []string) (*options, error) {
	o := &options{}
	var seed uint64
	var seeds string
	f := command.Flags()
	f.Uint64Var(&seed, "seed", 1, "run the tests once, from seed `N`")
	f.StringVar(&seeds, "seeds", "", "run the tests once for each seed of the range `A-B`, until the first failure")
	f.StringVar(&o.run, "run", "", "run only the tests that match `regexp`, as go test does")
	f.BoolVar(&o.verbose, "v", false, "show passed tests and their logs, as go test -v does; the run stays the same")
	f.IntVar(&o.count, "count", 1, "run each test this `number` of times within a run")
	f.BoolVar(&o.check, "check", false, "run each seed twice and compare output, clock calls, random bytes and scheduling")
	f.BoolVar(&o.keepGoing, "keep-going", false, "continue after a failure and list all failures, with -seeds")
	f.IntVar(&o.jobs, "j", runtime.NumCPU(), "`number` of seeds to run at once, with -seeds")
	f.DurationVar(&o.timeout, "timeout", defaultTimeout, "stop a run after this `duration` of real time")
	f.DurationVar(&o.limit, "limit", defaultLimit, "fail a run after this `duration` of virtual time, as -test.timeout does")
	o.addBuildFlags(f)
	f.StringVar(&o.trace, "trace", "", "write calls, their arguments and the output to `file`, with -seed; the run stays the same")
	f.StringVar(&o.traceFuncs, "trace-func", "", "trace only the functions that match `regexp`, with -trace")
	f.StringVar(&o.picture, "picture", "", "write the page of the run that failed, or else of the last one, to `file`, with -seed; the run stays the same")
	flags, rest := splitArgs(args)
	o.args = rest
	packages, err := command.Parse(f, flags)
	if err != nil {
		return nil, err
	}
	o.single = !cli.Given(f, "seeds")
	o.seeds = seedRange{seed, seed}
	if !o.single {
		if o.seeds, err = parseSeedRange(seeds); err != nil {
			return nil, err
		}
	}
	if err := cli.Needs(f, "-seeds", !o.single, "j", "keep-going"); err != nil {
		return nil, err
	}
	if err := cli.Needs(f, "-trace", o.trace != "", "trace-func"); err != nil {
		return nil, err
	}
	o.pkg = filepath.Join("..", "raft")
	if len(packages) > 0 {
		o.pkg = packages[0]
	} else if o.dir != "" {
		o.pkg = "."
	}
	return o, o.validate(cli.Given(f, "seed"), packages)
}

// addBuildFlags adds the flags that say what is built, and its environment.
func (o *options) addBuildFlags(f *flag.FlagSet) {
	f.StringVar(&o.dir, "C", "", "look for the package in directory `dir`")
	f.BoolVar(&o.harness, "harness", false, "run our Lab 2 tests on the package raft of the course tree that -C names")
	f.StringVar(&o.overlay, "overlay", "", "replace source files as the JSON `file` says, as go build does")
	f.StringVar(&o.tags, "tags", "", "build with this comma-separated `list` of build tags")
	f.Func("env", "set `KEY=VALUE` for the tests, which inherit no environment; may be repeated", func(s string) error {
		o.env = append(o.env, s)
		if !strings.Contains(s, "=") {
			return errors.New("not of the form KEY=VALUE")
		}
		return nil
	})
}

// validate returns an error for values that contradict each other or make no sense.
func (o *options) validate(seedGiven bool, packages []string) error {
	switch {
	case seedGiven && !o.single:
		return cli.Usagef("-seed and -seeds exclude each other")
	case o.trace != "" && !o.single:
		return cli.Usagef("-trace needs one seed: use -seed instead of -seeds")
	case o.picture != "" && !o.single:
		return cli.Usagef("-picture needs one seed: use -seed instead of -seeds")
	case o.jobs < 1:
		return cli.Usagef("-j must be at least 1: %d", o.jobs)
	case o.count < 1:
		return cli.Usagef("-count must be at least 1: %d", o.count)
	case o.timeout <= 0:
		return cli.Usagef("-timeout must be more than 0: %v", o.timeout)
	case o.limit <= 0:
		return cli.Usagef("-limit must be more than 0: %v", o.limit)
	case o.harness && (o.dir == "" || len(packages) > 0 || o.overlay != ""):
		return cli.Usagef("-harness needs -C and excludes a package and -overlay")
	case len(packages) > 1:
		return cli.Usagef("one package at a time, not %q (flags for the tests go after -args)", packages)
	}
	if _, err := regexp.Compile(o.traceFuncs); err != nil {
		return cli.Usagef("-trace-func: %v", err)
	}
	return nil
}

// splitArgs splits args at -args or --.
func splitArgs(args []string) (own, rest []string) {
	for i, a := range args {
		if a == "-args" || a == "--args" || a == "--" {
			return args[:i], args[i+1:]
		}
	}
	return args, nil
}
