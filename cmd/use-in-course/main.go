// Use-in-course installs this library in a course tree of 6.824 or 6.5840, of 2018 and 2020 to 2026, and removes it again.
package main

import (
	"context"
	"fmt"
	"io"

	"6.824/cmd/cli"
	"6.824/cmd/coursetree"
)

// options are the values of the flags and the argument.
type options struct {
	dir    string
	all    bool
	undo   bool
	dryRun bool
}

var command = cli.Command{
	Name:    "use-in-course",
	Summary: "Use-in-course installs this Raft library in a course tree of 6.824 or 6.5840.",
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
changed.`,
	Examples: `./use-in-course.sh -n ~/6.5840/src
./use-in-course.sh ~/6.5840/src
./use-in-course.sh -all ~/6.5840/src
./use-in-course.sh -undo ~/6.5840/src
go run ./cmd/use-in-course ~/6.5840/src`,
	OK:       "done",
	Failed:   "a file could not be moved or written, or -undo found no backup of a file",
	Unusable: "wrong usage, or DIR is no course tree; nothing was changed",
}

func main() { cli.Main(&command, parseOptions, run) }

func parseOptions(args []string) (options, error) {
	var o options
	f := command.Flags()
	f.BoolVar(&o.all, "all", false, "replace labrpc, labgob and the tests, too")
	f.BoolVar(&o.undo, "undo", false, "restore the tree")
	f.BoolVar(&o.dryRun, "n", false, "only say what would be done")
	others, err := command.Parse(f, args)
	switch {
	case err != nil:
		return o, err
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
