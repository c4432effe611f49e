package main

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// A plan is an installation. Paths are relative to the tree, with slashes.
type plan struct {
	tree     *tree
	all      bool
	moved    []string          // files to move aside
	kept     []string          // files of package raft that stay
	written  map[string][]byte // new files
	warnings []string
	part     string // a test's name ends with it, such as "3A"
}

// courseNames are names that the course's files of package raft declare. A file stays if it declares one of them, or a
// method of one.
var courseNames = []string{
	"make_config", "config", "Persister", "DPrintf", // up to 2024
	"makeTest", "Test", "newRfsrv", "rfsrv", "NewRfsrv", "Itester", // from 2025 on
	"Rfproxy", "TesterProxy", "IraftServer", "raftServer", // from 2026 on
	"StartArgs", "GetStateArgs", "CheckLogsArgs", "IngestLogArgs", "ApplyErrArgs",
}

var labTest = regexp.MustCompile(`^Test\w*[23]([ABCD])$`)

// isCourse reports whether f, a file of package raft, is the course's.
func (f *goFile) isCourse() bool {
	if f.names["Raft"] || f.names["Make"] || path.Base(f.name) == adapterName {
		return false // adapterName: ours, from an installation whose backup is gone
	}
	for name := range f.names {
		if strings.HasPrefix(name, "Raft.") {
			return false
		}
	}
	for name := range f.names {
		base, _, _ := strings.Cut(name, ".")
		if f.isTest() && labTest.MatchString(name) || slices.Contains(courseNames, base) {
			return true
		}
	}
	return false
}

// isExtra reports whether the course's tests can do without f, which isCourse: it has nothing of the course but DPrintf and
// Debug, or it is not the course's file of tests.
func (f *goFile) isExtra() bool {
	if f.isTest() {
		return !slices.Contains([]string{"test_test.go", "raft_test.go"}, path.Base(f.name))
	}
	return f.names["DPrintf"] && !slices.ContainsFunc(courseNames, func(n string) bool { return n != "DPrintf" && f.names[n] })
}

// makePlan plans the installation of the library at root in t.
func makePlan(t *tree, root string, all bool) (*plan, error) {
	p := &plan{tree: t, all: all, written: map[string][]byte{}}
	files, err := readPackage(t.dir, t.raft)
	if err != nil {
		return nil, err
	}
	library, err := readPackage(root, "raft")
	if err != nil {
		return nil, err
	}
	if all && !t.split {
		p.replace(files, library, "raft")
	} else if err := p.replaceLibrary(files, library); err != nil {
		return nil, err
	}
	if err := p.warnOfUses(files); err != nil {
		return nil, err
	}
	p.part = firstPart(files, p.kept, library, all && !t.split)
	if all {
		for _, dir := range []string{"labrpc", "labgob"} {
			if err := p.replacePackage(root, dir); err != nil {
				return nil, err
			}
		}
	}
	slices.Sort(p.moved)
	return p, p.checkCase(filesBelow(t.dir))
}

// checkCase refuses files of the tree that differ only by case from a file to be written: on some disks they are the same.
func (p *plan) checkCase(files []string) error {
	for _, name := range p.names() {
		for _, f := range files {
			if f != name && strings.EqualFold(f, name) {
				return fmt.Errorf("%s differs only by case from %s of the library: rename yours", f, name)
			}
		}
	}
	return nil
}

// replace plans to put all files of a package of the library, tests included, in place of the tree's files.
func (p *plan) replace(files, library []*goFile, dir string) {
	virtual := false
	for _, f := range files {
		p.moved = append(p.moved, f.name)
	}
	for _, f := range library {
		p.write(path.Join(dir, path.Base(f.name)), f)
		virtual = virtual || f.isTest() && f.hasImport("testing/synctest")
	}
	if virtual && p.tree.goMinor < 23 {
		p.written[path.Join(dir, "course_tree_test.go")] = timersFile(dir)
	}
}

func (p *plan) write(name string, f *goFile) { p.written[name] = f.forTree(p.tree.prefix, p.tree.raft) }

// replacePackage plans to replace labrpc or labgob.
func (p *plan) replacePackage(root, dir string) error {
	files, err := readPackage(p.tree.dir, dir)
	if err != nil {
		return err
	}
	library, err := readPackage(root, dir)
	if err != nil {
		return err
	}
	missing, err := p.tree.missing(files, library, dir)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("-all cannot replace %s: the tree uses %s, which this repository's %s does not have",
			dir, strings.Join(missing, ", "), dir)
	}
	p.replace(files, library, dir)
	return nil
}

// replaceLibrary plans to put the library, without its tests, in place of the student's files of package raft.
func (p *plan) replaceLibrary(files, library []*goFile) error {
	library = slices.DeleteFunc(library, (*goFile).isTest)
	kept := slices.Clone(files)
	kept = slices.DeleteFunc(kept, func(f *goFile) bool { return !f.isCourse() })
	replaced := []string{"persister.go", "applymsg.go"} // for types that belong to the tree
	switch {
	case !p.tree.split && declares(kept, "Persister"):
		replaced = replaced[:1]
	case !p.tree.split:
		replaced = nil
	}
	library = slices.DeleteFunc(library, func(f *goFile) bool { return slices.Contains(replaced, path.Base(f.name)) })
	course := slices.Clone(kept)
	kept = slices.DeleteFunc(kept, func(f *goFile) bool {
		return f.isExtra() && (len(clashes(f, library)) > 0 || len(f.needs(files, course, library)) > 0)
	})
	for _, f := range files {
		if !slices.Contains(kept, f) {
			p.moved = append(p.moved, f.name)
		}
	}
	for _, f := range library {
		p.write(path.Join(p.tree.raft, path.Base(f.name)), f)
	}
	if err := p.keep(files, kept, library); err != nil {
		return err
	}
	adapter, err := p.tree.adapter(kept)
	if adapter != nil {
		p.written[path.Join(p.tree.raft, adapterName)] = adapter
	}
	return err
}

// keep plans to keep these files of package raft. It looks for names that they and the library declare, and for names
// that only the student's files declare.
func (p *plan) keep(files, kept, library []*goFile) error {
	for _, f := range kept {
		p.kept = append(p.kept, f.name)
		if both := clashes(f, library); len(both) > 0 {
			return fmt.Errorf("%s declares %s, as the library does: rename it in your file", f.name, strings.Join(both, ", "))
		}
		if names := f.needs(files, kept, library); len(names) > 0 {
			p.warnings = append(p.warnings, fmt.Sprintf("%s uses %s, which only your own files declare: it will not compile",
				f.name, strings.Join(names, ", ")))
		}
		if _, taken := p.written[f.name]; taken {
			return fmt.Errorf("%s stays, but the library has a file of that name: rename yours", f.name)
		}
	}
	return nil
}

// clashes returns the names that both f and the library declare.
func clashes(f *goFile, library []*goFile) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(f.names)) {
		if declares(library, name) {
			names = append(names, name)
		}
	}
	return names
}

// needs returns the names that f uses and that only those files declare that are neither kept nor the library's.
func (f *goFile) needs(files, kept, library []*goFile) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(f.uses)) {
		adapted := slices.Contains([]string{"DPrintf", "Debug", "ApplyMsg", "Persister"}, name)
		if !adapted && declares(files, name) && !declares(kept, name) && !declares(library, name) {
			names = append(names, name)
		}
	}
	return names
}

// firstPart returns the suffix of the tests to run first, such as "2A", or nothing.
func firstPart(files []*goFile, kept []string, library []*goFile, ours bool) string {
	if ours {
		files = library
	}
	var parts []string
	for _, f := range files {
		if !ours && !slices.Contains(kept, f.name) {
			continue
		}
		for name := range f.names {
			if labTest.MatchString(name) {
				parts = append(parts, name[len(name)-2:])
			}
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return slices.Min(parts)
}
