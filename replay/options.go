package main

import (
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// options is a parsed command line.
type options struct {
	dir       string // where pkg is looked up
	pkg       string
	seeds     seedRange
	single    bool // -seed rather than -seeds: the tests' output goes straight to stdout
	run       string
	verbose   bool
	count     int
	check     bool
	keepGoing bool
	jobs      int
	timeout   time.Duration // wall time of one run
	limit     time.Duration // virtual time of one run
	env       []string
	args      []string // handed to the test binary as they are
}

const (
	defaultTimeout = 5 * time.Minute
	// defaultLimit leaves room for long suites: virtual time that is slept through costs nothing.
	defaultLimit = 2 * time.Hour
)

// seedRange is first..last, both included.
type seedRange struct{ first, last uint64 }

// size saturates: the full range of seeds has one more than fits.
func (r seedRange) size() uint64 {
	if n := r.last - r.first; n < math.MaxUint64 {
		return n + 1
	}
	return math.MaxUint64
}

func (r seedRange) String() string {
	if r.first == r.last {
		return strconv.FormatUint(r.first, 10)
	}
	return fmt.Sprintf("%d-%d", r.first, r.last)
}

func parseSeedRange(s string) (seedRange, error) {
	from, to, isRange := strings.Cut(s, "-")
	if !isRange {
		to = from
	}
	first, err1 := strconv.ParseUint(from, 10, 64)
	last, err2 := strconv.ParseUint(to, 10, 64)
	if err1 != nil || err2 != nil {
		return seedRange{}, fmt.Errorf("-seeds %s: want two whole numbers, as in 1-1000", s)
	}
	if last < first {
		return seedRange{}, fmt.Errorf("-seeds %s: the range runs backwards, write %d-%d", s, last, first)
	}
	return seedRange{first, last}, nil
}

const usage = `Replay runs a package's tests from a seed: same seed, same run, byte for byte.

Usage: go run . [flags] [package] [-args flags of the test binary]

The package is a directory or an import path; the default is ../raft, or with -C the
directory itself. Any Go package with tests will do, a course tree's raft or kvraft as it is. Its
tests run for GOOS=wasip1 on a host whose clocks, sleep, randomness and preemption follow the seed;
sleeping costs no time.

  go run . -seed 7 -run TestFigure8Unreliable2C
  go run . -seeds 1-1000 -run 2B             stops at the first failure and says how to replay it
  go run . -seed 7 -check                    twice; the runs must not differ in one byte or clock call
  go run . -C ~/6.824/src -seeds 1-20 kvraft somebody else's lab

Standard output is the tests' own and depends on nothing but package, flags and seed. The host's
own words and timings go to standard error. Flags given to the test change the run: replay a
failure with the very command that was printed.

Exit codes (of the program; "go run" turns them all into 1): 0 passed, 1 a test failed,
2 wrong flags or nothing to run, 130 interrupted.

Flags:
`

// parseOptions reads the command line; complaints about flags and the help text go to out.
func parseOptions(args []string, out io.Writer) (*options, error) {
	o := &options{}
	var seed uint64
	var seeds string
	fs := flag.NewFlagSet("replay", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Uint64Var(&seed, "seed", 1, "run the tests once, from seed `N`")
	fs.StringVar(&seeds, "seeds", "", "run the tests once for each seed of the range `A-B`, on all cores")
	fs.StringVar(&o.run, "run", "", "run only the tests that match `regexp`, as in go test")
	fs.BoolVar(&o.verbose, "v", false, "pass -v to the tests")
	fs.IntVar(&o.count, "count", 1, "run each test `n` times within the run")
	fs.BoolVar(&o.check, "check", false, "run each seed twice and compare all output and clock calls")
	fs.BoolVar(&o.keepGoing, "keep-going", false, "with -seeds: go on after a failure and list them all")
	fs.IntVar(&o.jobs, "j", runtime.NumCPU(), "with -seeds: run `n` seeds at a time")
	fs.DurationVar(&o.timeout, "timeout", defaultTimeout, "give a run up after this much wall time")
	fs.DurationVar(&o.limit, "limit", defaultLimit, "fail a run after this much virtual time (-test.timeout)")
	fs.StringVar(&o.dir, "C", "", "look the package up in `dir`")
	fs.Func("env", "set `KEY=VALUE` for the tests, which inherit no environment (repeatable)", func(s string) error {
		o.env = append(o.env, s)
		if !strings.Contains(s, "=") {
			return fmt.Errorf("want KEY=VALUE")
		}
		return nil
	})
	flags, rest := splitArgs(args)
	o.args = rest
	pkgs, err := parseAnywhere(fs, flags)
	if err == flag.ErrHelp {
		fmt.Fprint(out, usage)
		fs.SetOutput(out)
		fs.PrintDefaults()
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	return o, o.complete(fs, pkgs, seed, seeds)
}

// complete fills in what depends on several flags and rejects what makes no sense.
func (o *options) complete(fs *flag.FlagSet, pkgs []string, seed uint64, seeds string) error {
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	o.single = !given["seeds"]
	o.seeds = seedRange{seed, seed}
	if !o.single {
		var err error
		if o.seeds, err = parseSeedRange(seeds); err != nil {
			return err
		}
	}
	switch {
	case given["seed"] && given["seeds"]:
		return fmt.Errorf("-seed and -seeds exclude each other")
	case o.keepGoing && o.single:
		return fmt.Errorf("-keep-going needs -seeds")
	case o.jobs < 1 || o.count < 1:
		return fmt.Errorf("-j and -count must be at least 1")
	case o.timeout <= 0 || o.limit <= 0:
		return fmt.Errorf("-timeout and -limit must be more than 0")
	case len(pkgs) > 1:
		return fmt.Errorf("one package at a time, not %q; flags for the tests go after -args", pkgs)
	}
	o.pkg = filepath.Join("..", "raft")
	if len(pkgs) == 1 {
		o.pkg = pkgs[0]
	} else if o.dir != "" {
		o.pkg = "."
	}
	return nil
}

// splitArgs cuts off what follows -args or --.
func splitArgs(args []string) (own, rest []string) {
	for i, a := range args {
		if a == "-args" || a == "--args" || a == "--" {
			return args[:i], args[i+1:]
		}
	}
	return args, nil
}

// parseAnywhere parses flags before, between and after the other arguments, which it returns.
func parseAnywhere(fs *flag.FlagSet, args []string) (others []string, err error) {
	for {
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		if fs.NArg() == 0 {
			return others, nil
		}
		others = append(others, fs.Arg(0))
		args = fs.Args()[1:]
	}
}

// command is the shell line that runs one seed as o would, output included.
func (o *options) command(seed uint64) string {
	words := append(self(), "-seed", strconv.FormatUint(seed, 10))
	add := func(set bool, flag ...string) {
		if set {
			words = append(words, flag...)
		}
	}
	add(o.run != "", "-run", o.run)
	add(o.verbose, "-v")
	add(o.count != 1, "-count", strconv.Itoa(o.count))
	add(o.timeout != defaultTimeout, "-timeout", o.timeout.String())
	add(o.limit != defaultLimit, "-limit", o.limit.String())
	for _, e := range o.env {
		add(true, "-env", e)
	}
	add(o.dir != "", "-C", o.dir)
	add(true, o.pkg)
	if len(o.args) > 0 {
		add(true, "-args")
		add(true, o.args...)
	}
	for i := range words {
		words[i] = shellQuote(words[i])
	}
	return strings.Join(words, " ")
}

// self is how this program was started. go run leaves its binary in a directory that is gone when
// the user wants it again.
func self() []string {
	if !strings.Contains(filepath.ToSlash(os.Args[0]), "/go-build") {
		return []string{os.Args[0]}
	}
	if dir, err := os.Getwd(); err == nil {
		return []string{"go", "run", "-C", dir, "."}
	}
	return []string{"go", "run", "."}
}

func shellQuote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./=:,+@%", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
