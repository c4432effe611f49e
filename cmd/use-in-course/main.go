// Use-in-course installs this library in a course tree of 6.824 or 6.5840, of 2018 and 2020 to 2026, and removes it again.
// With -harness it runs this repository's tests on the student's Raft in the tree.
package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"6.824/cmd/cli"
	"6.824/cmd/coursetree"
)

// options are the values of the flags and the argument.
type options struct {
	dir    string
	all    bool
	undo   bool
	dryRun bool

	harness   bool
	run       string
	race      bool
	verbose   bool
	clock     string
	keepGoing bool
	logDir    string
	timeout   time.Duration // real time of one test
}

var command = cli.Command{
	Name:    "use-in-course",
	Summary: "Use-in-course installs this Raft library in a course tree of 6.824 or 6.5840, or tests the Raft that is there.",
	Usage:   "[flags] DIR",
	About: `DIR is the tree's directory src, which has raft (or raft1), labrpc and labgob. The
command recognizes the trees of 2018 and 2020 to 2026, whatever their module is called.

By default it installs the library alone: your source files of package raft make
way for the library's, and the course's harness, tests, network and Persister
stay. With -all it also replaces labrpc and labgob, the course's tests of package
raft and its Persister by this repository's, except that from 2025 on package
raft1 keeps the course's tests, which need the course's Persister.

No file is deleted. Files that it replaces are moved to DIR/.before-6.824-raft, and
-undo moves them back. Files that you have changed after the installation are
moved to DIR/.changed-6.824-raft. A second run replaces the library by the
current one. If a run is killed, run the command again, or undo. go.mod is never
changed.

With -harness it installs nothing. It builds our tests of Lab 2 with your package
raft, by go's -overlay, and runs them one by one, on a clock that does not wait. It
stops after the first part with a failure. docs/student-raft.md says more.`,
	Examples: `./use-in-course.sh -n ~/6.5840/src
./use-in-course.sh ~/6.5840/src
./use-in-course.sh -all ~/6.5840/src
./use-in-course.sh -undo ~/6.5840/src
./use-in-course.sh -harness ~/6.5840/src
./use-in-course.sh -harness -run 2B -race ~/6.5840/src
go run ./cmd/use-in-course ~/6.5840/src`,
	OK:       "done; with -harness, all tests passed",
	Failed:   "a file could not be moved or written, or -undo found no backup of a file, or a test failed",
	Unusable: "wrong usage, DIR is no course tree, or its package raft does not compile; nothing was changed",
}

func main() { cli.Main(&command, parseOptions, run) }

func parseOptions(args []string) (options, error) {
	var o options
	f := command.Flags()
	f.BoolVar(&o.all, "all", false, "replace labrpc, labgob and the tests, too")
	f.BoolVar(&o.undo, "undo", false, "restore the tree")
	f.BoolVar(&o.dryRun, "n", false, "only say what would be done")
	f.BoolVar(&o.harness, "harness", false, "run our tests on your package raft; the tree is only read")
	f.StringVar(&o.run, "run", "", "run only the tests that match `regexp`, as go test does, with -harness")
	f.BoolVar(&o.race, "race", false, "use the race detector, with -harness")
	f.BoolVar(&o.verbose, "v", false, "print what the tests print to standard error, with -harness")
	f.StringVar(&o.clock, "clock", "virtual", "`virtual` or real: the clock of the tests, with -harness")
	f.BoolVar(&o.keepGoing, "keep-going", false, "run all parts, also after a failure, with -harness")
	f.StringVar(&o.logDir, "logs", "", "write the tests' output, and the pages of failures, to files in `directory`, with -harness")
	f.DurationVar(&o.timeout, "timeout", 10*time.Minute, "stop a test after this `duration` of real time, with -harness")
	others, err := command.Parse(f, args)
	if err == nil {
		err = cli.Needs(f, "-harness", o.harness, "run", "race", "v", "clock", "keep-going", "logs", "timeout")
	}
	switch {
	case err != nil:
		return o, err
	case o.harness && (o.all || o.undo || o.dryRun):
		return o, cli.Usagef("-harness installs nothing: it excludes -all, -undo and -n")
	case o.clock != "virtual" && o.clock != "real":
		return o, cli.Usagef("-clock must be virtual or real: %s", o.clock)
	case o.timeout <= 0:
		return o, cli.Usagef("-timeout must be more than 0: %v", o.timeout)
	case len(others) == 0:
		return o, cli.Usagef("DIR is missing")
	case len(others) > 1:
		return o, cli.Usagef("unexpected argument %q", others[1])
	case o.all && o.undo:
		return o, cli.Usagef("-all and -undo exclude each other")
	}
	o.dir = others[0]
	return o, nil
}

func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	dir, err := coursetree.Abs(o.dir)
	if err != nil {
		return cli.Unusable(err)
	}
	if o.harness {
		return runHarness(ctx, dir, o, stdout, stderr)
	}
	d := &disk{dir: dir, before: always}
	if o.undo {
		return undo(d, o, stdout)
	}
	return install(ctx, d, o, stdout, stderr)
}

// undo carries out -undo.
func undo(d *disk, o options, stdout io.Writer) error {
	m, err := readManifest(d.dir)
	switch {
	case err != nil:
		return cli.Unusable(err)
	case m == nil && d.has(stateDir) && !o.dryRun: // a run was killed before it changed anything, or after it undid everything
		return d.clear()
	case m == nil:
		return cli.Unusable(fmt.Errorf("%s has no %s: there is nothing to undo", d.dir, stateDir))
	case o.dryRun:
		m.describe(stdout)
		return nil
	}
	result, err := d.restore(m)
	result.print(stdout)
	if err != nil {
		return err
	}
	if len(result.lost) > 0 {
		return cli.ErrFailed
	}
	if len(result.aside) == 0 {
		fmt.Fprintf(stdout, "%s is as it was before the installation.\n", d.dir)
	}
	return nil
}

// install carries out the command without -undo. If ctx ends, it restores the tree.
func install(ctx context.Context, d *disk, o options, stdout, stderr io.Writer) error {
	m, err := readManifest(d.dir)
	if err != nil {
		return cli.Unusable(err)
	}
	if m != nil && o.dryRun {
		fmt.Fprintln(stdout, "An installation is there. It would first be undone, and then made again:")
		m.describe(stdout)
		return nil
	}
	if m != nil {
		fmt.Fprintln(stdout, "An earlier installation is undone first.")
		result, err := d.restore(m)
		result.print(stdout)
		if err != nil {
			return err
		}
		if len(result.lost) > 0 {
			return cli.ErrFailed // the library must not be taken for the student's files
		}
	}
	p, err := planFor(d.dir, o.all)
	if err != nil && m != nil {
		return fmt.Errorf("%w; the earlier installation is undone", err)
	}
	if err != nil {
		return cli.Unusable(err)
	}
	p.print(stdout, o.dryRun)
	if o.dryRun {
		fmt.Fprintln(stdout, "Nothing was changed (-n).")
		return nil
	}
	d.before = func(string) error { return ctx.Err() }
	if err := d.apply(p); err != nil {
		err = d.giveUp(err)
		if ctx.Err() != nil {
			fmt.Fprintf(stderr, "%s: %v\n", command.Name, err) // Main prints only the signal
		}
		return err
	}
	p.printNext(stdout)
	return nil
}

// planFor reads the tree and this library, and plans the installation.
func planFor(dir string, all bool) (*plan, error) {
	root, err := coursetree.LibraryDir()
	if err != nil {
		return nil, err
	}
	t, err := coursetree.Recognize(dir)
	if err != nil {
		return nil, err
	}
	if t.IsLibrary() {
		return nil, fmt.Errorf("%s is this library itself", dir)
	}
	return makePlan(t, root, all)
}
