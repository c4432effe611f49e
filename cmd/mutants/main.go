// Mutants asks whether raft's tests catch what people get wrong: it plants one classic mistake after another in
// package raft, runs the tests, and says which test finds it and how soon. A mistake that no test finds is a missing
// test.
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
	"syscall"
	"time"
)

// Exit statuses, beside 128 plus the signal's number for a run that a signal ended.
const (
	exitAllKilled = 0
	exitAlive     = 1 // a mutant survived, does not fit the source or does not compile
	exitUsage     = 2 // wrong usage, or the tests fail without any mutant
)

const usageText = `usage: mutants [flags]

Each mutant is a classic mistake in Raft: a small edit of package raft, compiled
with the go command's -overlay, so that no file is touched. Its tests run, in
virtual time, until one fails: first the unit tests and deliberate schedules,
then the lab's tests, then random faults. Killed is a mutant by a test that fails,
a panic, a data race, or a test that does not end. One that no test kills shows
that a test is missing.

Progress goes to standard error, the matrix to standard output.

Exit status: 0 when all mutants are killed; 1 when one survives, no longer fits
the source or does not compile; 2 for wrong usage, or if the tests fail without
a mutant; 130 after Ctrl-C, 143 after SIGTERM.

flags:
`

// options are what the command line chooses.
type options struct {
	run      string
	list     bool
	lab      int           // how often the lab's own tests are tried on each mutant
	timeout  time.Duration // of one mutant, and of its lab runs
	parallel int
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
	f.IntVar(&o.parallel, "parallel", runtime.GOMAXPROCS(0), "`number` of mutants at once")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if err := o.check(f.Args()); err != nil {
		fmt.Fprintf(w, "mutants: %v\nTry 'mutants -h'.\n", err)
		return o, err
	}
	return o, nil
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
	}
	return nil
}

// choose returns the mutant called name, or else those whose names match it.
func choose(all []mutant, name string) ([]mutant, error) {
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
	mutants, err := choose(table, o.run)
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
	fmt.Fprintln(stderr, "mutants: the tests without a mutant")
	if err := l.checkHealthy(ctx, mutants); err != nil {
		return exitUsage, err
	}
	results := l.testAll(ctx, mutants, stderr)
	if ctx.Err() != nil {
		return exitUsage, ctx.Err()
	}
	printMatrix(stdout, results, o.lab)
	if alive := printSummary(stdout, results, o.lab, time.Since(start)); alive {
		return exitAlive, nil
	}
	return exitAllKilled, nil
}
