package main

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// names returns the paths of the new files in order.
func (p *plan) names() []string { return slices.Sorted(maps.Keys(p.written)) }

// print says what was found and what the plan is.
func (p *plan) print(w io.Writer) {
	t := p.tree
	imports := fmt.Sprintf("module %s", t.module)
	switch {
	case t.prefix == "":
		imports = "a GOPATH without go.mod"
	case strings.HasPrefix(t.prefix, "."):
		imports = "relative imports"
	}
	fmt.Fprintf(w, "found in %s: a tree like that of %s (%s, package raft in %s)\n", t.dir, t.years, imports, t.raft)
	printList(w, "moves to "+stateDir, p.moved)
	printList(w, "keeps", p.kept)
	count := map[string]int{}
	for name := range p.written {
		count[filepath.Dir(filepath.FromSlash(name))]++
	}
	for _, dir := range slices.Sorted(maps.Keys(count)) {
		fmt.Fprintf(w, "installs %d files in %s\n", count[dir], dir)
	}
	if t.module != "" {
		fmt.Fprintln(w, "leaves go.mod as it is")
	}
	for _, text := range p.warnings {
		fmt.Fprintf(w, "WARNING: %s\n", text)
	}
}

// printList prints a list of files, or how many there are if they are many.
func printList(w io.Writer, verb string, names []string) {
	const most = 12
	switch {
	case len(names) > most:
		fmt.Fprintf(w, "%s: %d files\n", verb, len(names))
	case len(names) > 0:
		fmt.Fprintf(w, "%s: %s\n", verb, strings.Join(names, ", "))
	}
}

// printNext prints the commands to run after the installation.
func (p *plan) printNext(w io.Writer) {
	fmt.Fprintln(w, "\nNow run, with Go 1.25 or newer:")
	for _, line := range p.next() {
		fmt.Fprintf(w, "  %s\n", line)
	}
	if p.tree.split && !p.tree.daemons {
		fmt.Fprintln(w, "The tests of rsm need the option raft.WithCloseOnKill() where your code calls raft.Make.")
	}
	fmt.Fprintf(w, "To restore the tree:\n  ./use-in-course.sh -undo %s\n", quote(p.tree.dir))
}

// next returns the commands for a POSIX shell that check the installation.
func (p *plan) next() []string {
	t := p.tree
	test := "go test"
	if p.part != "" {
		test += " -run " + p.part
	}
	switch {
	case t.daemons:
		run := ""
		if p.part != "" {
			run = ` RUN="-run ` + p.part + `"`
		}
		return []string{"cd " + quote(t.dir), "go vet ./raft1", "make" + run + " raft1"}
	case t.prefix == "":
		env := "GO111MODULE=off GOPATH=" + quote(filepath.Dir(t.dir)) + " "
		return []string{"cd " + quote(filepath.Join(t.dir, t.raft)), env + "go vet .", env + test + " ."}
	case strings.HasPrefix(t.prefix, "."):
		return []string{"cd " + quote(filepath.Join(t.dir, t.raft)), "GO111MODULE=off go vet .", "GO111MODULE=off " + test + " ."}
	}
	return []string{"cd " + quote(t.dir), "go vet ./" + t.raft, test + " ./" + t.raft}
}

// quote returns s as one word for the shell.
func quote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+,@%", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
