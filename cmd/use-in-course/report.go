package main

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"6.824/cmd/cli"
	"6.824/cmd/coursetree"
)

// names returns the paths of the new files in order.
func (p *plan) names() []string { return slices.Sorted(maps.Keys(p.written)) }

// print says what was found and what the plan is. With long, it prints long lists, too.
func (p *plan) print(w io.Writer, long bool) {
	t := p.tree
	fmt.Fprintf(w, "found in %s: a tree like that of %s (package raft in %s imports %q)\n",
		t.Dir, t.Years, t.Raft, t.Prefix+"labrpc")
	printList(w, "moves to "+stateDir, p.moved, long)
	printList(w, "keeps", p.kept, long)
	count := map[string]int{}
	for name := range p.written {
		count[filepath.Dir(filepath.FromSlash(name))]++
	}
	for _, dir := range slices.Sorted(maps.Keys(count)) {
		fmt.Fprintf(w, "installs %d files in %s\n", count[dir], dir)
	}
	if t.Module != "" {
		fmt.Fprintln(w, "leaves go.mod as it is")
	}
	for _, text := range p.warnings {
		fmt.Fprintf(w, "WARNING: %s\n", text)
	}
}

// printList prints a list of files. Without long, it prints only how many there are if they are many.
func printList(w io.Writer, verb string, names []string, long bool) {
	const many = 12
	switch {
	case len(names) > many && !long:
		fmt.Fprintf(w, "%s: %d files\n", verb, len(names))
	case len(names) > 0:
		fmt.Fprintf(w, "%s: %s\n", verb, strings.Join(names, ", "))
	}
}

// printNext prints the commands to run after the installation.
func (p *plan) printNext(w io.Writer) {
	fmt.Fprintln(w, "\nNow run, with Go 1.25 or newer:")
	if version := coursetree.NewerGo(p.tree.Dir); version != "" {
		fmt.Fprintf(w, "  export GOTOOLCHAIN=%s\n", version)
	}
	for _, line := range p.next() {
		fmt.Fprintf(w, "  %s\n", line)
	}
	if p.tree.Split && !p.tree.Daemons {
		fmt.Fprintln(w, "The tests of rsm need the option raft.WithCloseOnKill() where your code calls raft.Make.")
	}
	fmt.Fprintf(w, "To restore the tree:\n  ./use-in-course.sh -undo %s\n", cli.Quote(p.tree.Dir))
}

// next returns the commands for a POSIX shell that check the installation.
func (p *plan) next() []string {
	t := p.tree
	test := "go test"
	if p.part != "" {
		test += " -run " + p.part
	}
	switch {
	case t.Daemons:
		run := ""
		if p.part != "" {
			run = ` RUN="-run ` + p.part + `"`
		}
		return []string{"cd " + cli.Quote(t.Dir), "go vet ./raft1", "make" + run + " raft1"}
	case t.Prefix == "":
		env := "GO111MODULE=off GOPATH=" + cli.Quote(filepath.Dir(t.Dir)) + " "
		return []string{"cd " + cli.Quote(filepath.Join(t.Dir, t.Raft)), env + "go vet .", env + test + " ."}
	case strings.HasPrefix(t.Prefix, "."):
		return []string{"cd " + cli.Quote(filepath.Join(t.Dir, t.Raft)), "GO111MODULE=off go vet .", "GO111MODULE=off " + test + " ."}
	}
	return []string{"cd " + cli.Quote(t.Dir), "go vet ./" + t.Raft, test + " ./" + t.Raft}
}
