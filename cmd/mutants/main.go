// Mutants asks whether raft's tests catch what people get wrong: it plants one classic mistake after another in
// package raft, runs the tests, and says which test finds it and how soon. A mistake that no test finds is a missing
// test. With -explore it asks only the explorer, and only about mistakes that break safety.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// Exit statuses, beside 128 plus the signal's number for a run that a signal ended.
const (
	exitAllKilled = 0
	exitAlive     = 1 // a mutant survived or was not found, does not fit the source or does not compile
	exitUsage     = 2 // wrong usage, or the tests fail without any mutant
)

const usageText = `usage: mutants [flags]

A mutant is a classic mistake in Raft: a small edit of package raft. It is
compiled with the go command's -overlay, so no file changes. For each mutant the
tests run, in virtual time, until one fails: first the unit tests and planned
schedules, then the lab's tests, then random faults. A mutant is killed by a test
that fails, a panic, a data race, or a test that does not end. A mutant that
survives shows that a test is missing.

With -explore only the mutants that break safety run, and on each only the
explorer (TestExplore), which tries every schedule of the code within limits,
and then random ones. The matrix says which property it found violated, after
how many states or walks, and with how long a trace.

Progress goes to standard error, the matrix to standard output.

Exit status: 0 if all mutants are killed, or found with -explore; 1 if one is
not, no longer fits the source or does not compile; 2 for wrong usage, or if the
tests fail without a mutant; 130 after Ctrl-C, 143 after SIGTERM.

flags:
`

// options are what the command line chooses.
type options struct {
	run      string
	list     bool
	lab      int           // how often the lab's own tests are tried on each mutant
	timeout  time.Duration // of one mutant, and of its lab runs
	parallel int

	explore bool          // run the explorer instead of the tests
	limit   time.Duration // of the explorer, for each mutant
}

// parseOptions reads the command line. On an error, or after -h, which is flag.ErrHelp, it has written to w what
// there is to say.
func parseOptions(args []string, w io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("mutants", flag.ContinueOnError)
	f.SetOutput(w)
	f.Usage = func() {
		fmt.Fprint(w, usageText)
		f.PrintDefaults()
	}
	f.StringVar(&o.run, "run", "", "only the mutant of this `name`, or those whose names match it as a regular expression")
	f.BoolVar(&o.list, "list", false, "say what each mutant gets wrong, and run nothing")
	f.IntVar(&o.lab, "lab", 0, "also run the lab's 28 tests alone on each mutant, up to this `number` of times")
	f.DurationVar(&o.timeout, "timeout", time.Minute, "`duration` that a mutant may take; its tests hang if they take longer")
	f.IntVar(&o.parallel, "parallel", runtime.GOMAXPROCS(0), "`number` of mutants at once; with -explore 1 by default")
	f.BoolVar(&o.explore, "explore", false, "run the explorer alone, on the mutants that break safety")
	f.DurationVar(&o.limit, "explore.limit", time.Minute, "`duration` that the explorer searches for each mutant")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if o.explore && !given(f, "parallel") {
		o.parallel = 1 // one explorer keeps all processors busy
	}
	if err := o.check(f.Args()); err != nil {
		fmt.Fprintf(w, "mutants: %v\nTry 'mutants -h'.\n", err)
		return o, err
	}
	return o, nil
}

// given reports whether the command line sets the flag.
func given(f *flag.FlagSet, name string) (set bool) {
	f.Visit(func(f *flag.Flag) { set = set || f.Name == name })
	return set
}

func (o options) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q (one mutant is chosen with -run NAME)", rest[0])
	case o.lab < 0:
		return fmt.Errorf("-lab must not be negative: %d", o.lab)
	case o.timeout < time.Second:
		return fmt.Errorf("-timeout must be at least 1s: %v", o.timeout)
	case o.parallel < 1:
		return fmt.Errorf("-parallel must be at least 1: %d", o.parallel)
	case o.limit < time.Second:
		return fmt.Errorf("-explore.limit must be at least 1s: %v", o.limit)
	case o.explore && o.lab > 0:
		return errors.New("-lab and -explore exclude each other: the explorer runs alone")
	}
	return nil
}

// choose returns the mutant called name, or else those whose names match it; with safety only those that break safety.
func choose(all []mutant, name string, safety bool) ([]mutant, error) {
	chosen, err := matching(all, name)
	if err != nil || !safety {
		return chosen, err
	}
	chosen = slices.DeleteFunc(chosen, func(m mutant) bool { return !m.safety })
	if len(chosen) == 0 {
		return nil, fmt.Errorf("-run: %q matches no mutant that breaks safety; -explore -list shows them", name)
	}
	return chosen, nil
}

func matching(all []mutant, name string) ([]mutant, error) {
	for _, m := range all {
		if m.name == name {
			return []mutant{m}, nil
		}
	}
	pattern, err := regexp.Compile(name)
	if err != nil {
		return nil, fmt.Errorf("-run: %w", err)
	}
	var chosen []mutant
	for _, m := range all {
		if pattern.MatchString(m.name) {
			chosen = append(chosen, m)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("-run: no mutant's name matches %q; -list shows them", name)
	}
	return chosen, nil
}

func main() {
	o, err := parseOptions(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(exitAllKilled)
	case err != nil:
		os.Exit(exitUsage)
	}
	ctx, stop := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() { stop(stopped{<-signals}) }()

	status, err := test(ctx, o, os.Stdout, os.Stderr)
	var s stopped
	if errors.As(context.Cause(ctx), &s) {
		status, err = s.status(), s
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "mutants: %v\n", err)
	}
	os.Exit(status)
}

// stopped says by which signal.
type stopped struct{ signal os.Signal }

func (s stopped) Error() string { return fmt.Sprintf("stopped before the end (%v)", s.signal) }

func (s stopped) status() int {
	if s.signal == os.Interrupt {
		return 128 + int(syscall.SIGINT)
	}
	return 128 + int(syscall.SIGTERM)
}

// test runs the chosen mutants and prints the matrix. When it returns, no process and no file of it is left.
func test(ctx context.Context, o options, stdout, stderr io.Writer) (status int, err error) {
	mutants, err := choose(table, o.run, o.explore)
	if err != nil {
		return exitUsage, err
	}
	if o.list {
		printList(stdout, mutants)
		return exitAllKilled, nil
	}
	start := time.Now()
	l, err := newLaboratory(ctx, o)
	if err != nil {
		return exitUsage, err
	}
	defer l.close()
	subject := "tests"
	if o.explore {
		subject = "explorer"
	}
	fmt.Fprintf(stderr, "mutants: the %s without a mutant\n", subject)
	if err := l.checkHealthy(ctx, mutants); err != nil {
		return exitUsage, err
	}
	results := l.testAll(ctx, mutants, stderr)
	if ctx.Err() != nil {
		return exitUsage, ctx.Err()
	}
	if l.print(stdout, results, time.Since(start)) {
		return exitAlive, nil
	}
	return exitAllKilled, nil
}
