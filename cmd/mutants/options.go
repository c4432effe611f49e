package main

import (
	"regexp"
	"runtime"
	"slices"
	"time"

	"6.824/cmd/cli"
)

// options are the values of the flags.
type options struct {
	run      string
	list     bool
	lab      int           // how often the lab's own tests run on each mutant
	timeout  time.Duration // of the tests of one mutant, and of the lab's tests
	parallel int

	explore bool          // run the explorer instead of the tests
	limit   time.Duration // of the explorer, for each mutant
}

var command = cli.Command{
	Name:    "mutants",
	Summary: "Mutants plants classic mistakes in package raft, one at a time, and prints which test finds each.",
	Usage:   "[flags]",
	About: `A mutant is a small edit of package raft. It is compiled with the go command's
-overlay, so no source file changes. The tests of raft run on each mutant, in
virtual time, until one fails: first the unit tests and planned schedules, then
the lab's tests, then random faults. A test kills a mutant if it fails, panics,
has a data race or does not end. If a mutant survives, a test is missing.

With -explore, only the explorer (TestExplore) runs, and only on mutants that
break safety. The explorer tries every schedule within limits, then random ones.
The table shows the violated property, the number of states or walks until the
explorer found the violation, and the number of actions of its trace.

Run this command in a directory of the module that holds raft/raft.go. Progress
goes to standard error, the table goes to standard output.`,
	Examples: `go run ./cmd/mutants -list
go run ./cmd/mutants -run vote-not-saved
go run ./cmd/mutants -run '^vote' -lab 10
go run ./cmd/mutants -explore -explore.limit 10s`,
	OK: "all mutants were killed, or found with -explore",
	Failed: "a mutant survived, was not found, does not fit the source or does not\n" +
		"       compile, or the tests fail without a mutant",
	Unusable: "wrong usage, or there is no raft/raft.go",
}

// parseOptions parses the command line.
func parseOptions(args []string) (options, error) {
	var o options
	f := command.Flags()
	f.StringVar(&o.run, "run", "", "test the mutant with this `name`, or, if there is none, those whose names match it as a regular expression")
	f.BoolVar(&o.list, "list", false, "print the name of each mutant and what it gets wrong, and test nothing")
	f.IntVar(&o.lab, "lab", 0, "then run the lab's 28 tests alone on each mutant, this `number` of times or until one fails")
	f.DurationVar(&o.timeout, "timeout", time.Minute, "`duration` after which a mutant's tests count as hanging")
	f.IntVar(&o.parallel, "parallel", runtime.GOMAXPROCS(0), "`number` of mutants to test at once; the default with -explore is 1")
	f.BoolVar(&o.explore, "explore", false, "run only the explorer, on the mutants that break safety")
	f.DurationVar(&o.limit, "explore.limit", time.Minute, "`duration` of the search for each mutant, with -explore")
	others, err := command.Parse(f, args)
	if err != nil {
		return o, err
	}
	if err := cli.Needs(f, "-explore", o.explore, "explore.limit"); err != nil {
		return o, err
	}
	if o.explore && !cli.Given(f, "parallel") {
		o.parallel = 1 // one explorer keeps all processors busy
	}
	return o, o.check(others)
}

func (o options) check(others []string) error {
	switch {
	case len(others) > 0:
		return cli.Usagef("unexpected argument %q (-run NAME chooses a mutant)", others[0])
	case o.lab < 0:
		return cli.Usagef("-lab must not be negative: %d", o.lab)
	case o.timeout < time.Second:
		return cli.Usagef("-timeout must be at least 1s: %v", o.timeout)
	case o.parallel < 1:
		return cli.Usagef("-parallel must be at least 1: %d", o.parallel)
	case o.limit < time.Second:
		return cli.Usagef("-explore.limit must be at least 1s: %v", o.limit)
	case o.explore && o.lab > 0:
		return cli.Usagef("-lab and -explore exclude each other: the explorer runs alone")
	}
	return nil
}

// choose returns the mutant with this name. If there is none, it returns those whose names match it as a regular
// expression. With safety it returns only mutants that break safety. It is an error if none is left.
func choose(all []mutant, name string, safety bool) ([]mutant, error) {
	chosen, err := matching(all, name)
	if err != nil || !safety {
		return chosen, err
	}
	chosen = slices.DeleteFunc(chosen, func(m mutant) bool { return !m.safety })
	if len(chosen) == 0 {
		return nil, cli.Usagef("-run: %q matches no mutant that breaks safety; -explore -list shows them", name)
	}
	return chosen, nil
}

// matching is choose without safety.
func matching(all []mutant, name string) ([]mutant, error) {
	for _, m := range all {
		if m.name == name {
			return []mutant{m}, nil
		}
	}
	pattern, err := regexp.Compile(name)
	if err != nil {
		return nil, cli.Usagef("-run: %w", err)
	}
	var chosen []mutant
	for _, m := range all {
		if pattern.MatchString(m.name) {
			chosen = append(chosen, m)
		}
	}
	if len(chosen) == 0 {
		return nil, cli.Usagef("-run: no mutant's name matches %q; -list shows them", name)
	}
	return chosen, nil
}
