package main

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	"6.824/cmd/coursetree"
)

// A plan is an installation. Paths are relative to the tree, with slashes.
type plan struct {
	tree     *coursetree.Tree
	all      bool
	moved    []string          // files to move aside
	kept     []string          // files of package raft that stay
	written  map[string][]byte // new files
	warnings []string
	part     string // a test's name ends with it, such as "3A"
}

// makePlan plans the installation of the library at root in t.
func makePlan(t *coursetree.Tree, root string, all bool) (*plan, error) {
	p := &plan{tree: t, all: all, written: map[string][]byte{}}
	files, err := coursetree.ReadPackage(t.Dir, t.Raft)
	if err != nil {
		return nil, err
	}
	library, err := coursetree.ReadPackage(root, "raft")
	if err != nil {
		return nil, err
	}
	if all && !t.Split {
		p.replace(files, library, "raft")
	} else if err := p.replaceLibrary(files, library); err != nil {
		return nil, err
	}
	if err := p.warnOfUses(files); err != nil {
		return nil, err
	}
	p.part = firstPart(files, p.kept, library, all && !t.Split)
	if all {
		for _, dir := range []string{"labrpc", "labgob"} {
			if err := p.replacePackage(root, dir); err != nil {
				return nil, err
			}
		}
	}
	slices.Sort(p.moved)
	return p, p.checkCase(filesBelow(t.Dir))
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

// unrecorded is the file of package raft that takes the place of the tests that import package picture.
const unrecorded = "harness_unrecorded_test.go"

// replace plans to put all files of a package of the library, tests included, in place of the tree's files.
func (p *plan) replace(files, library []*coursetree.File, dir string) {
	virtual := false
	for _, f := range files {
		p.moved = append(p.moved, f.Name)
	}
	for _, f := range library {
		if f.HasImport("6.824/wire") || f.HasImport("6.824/picture") { // tests of packages that the tree does not get
			continue
		}
		p.write(path.Join(dir, path.Base(f.Name)), f)
		if base := path.Base(f.Name); base == unrecorded {
			name := path.Join(dir, base)
			p.written[name] = bytes.Replace(p.written[name], []byte(" && (unrecorded)"), nil, 1)
		}
		virtual = virtual || f.IsTest() && f.HasImport("testing/synctest")
	}
	if virtual && p.tree.GoMinor < 23 {
		p.written[path.Join(dir, "course_tree_test.go")] = timersFile(dir)
	}
}

func (p *plan) write(name string, f *coursetree.File) {
	p.written[name] = f.ForTree(p.tree.Prefix, p.tree.Raft)
}

// replacePackage plans to replace labrpc or labgob.
func (p *plan) replacePackage(root, dir string) error {
	files, err := coursetree.ReadPackage(p.tree.Dir, dir)
	if err != nil {
		return err
	}
	library, err := coursetree.ReadPackage(root, dir)
	if err != nil {
		return err
	}
	lost, err := missing(p.tree, files, library, dir)
	if err != nil {
		return err
	}
	if len(lost) > 0 {
		return fmt.Errorf("-all cannot replace %s: the tree uses %s, which this repository's %s does not have",
			dir, strings.Join(lost, ", "), dir)
	}
	p.replace(files, library, dir)
	return nil
}

// replaceLibrary plans to put the library, without its tests, in place of the student's files of package raft.
func (p *plan) replaceLibrary(files, library []*coursetree.File) error {
	library = slices.DeleteFunc(library, (*coursetree.File).IsTest)
	kept := slices.Clone(files)
	kept = slices.DeleteFunc(kept, func(f *coursetree.File) bool { return !f.IsCourse() })
	replaced := []string{"persister.go", "applymsg.go"} // for types that belong to the tree
	switch {
	case !p.tree.Split && coursetree.Declares(kept, "Persister"):
		replaced = replaced[:1]
	case !p.tree.Split:
		replaced = nil
	}
	library = slices.DeleteFunc(library, func(f *coursetree.File) bool { return slices.Contains(replaced, path.Base(f.Name)) })
	course := slices.Clone(kept)
	kept = slices.DeleteFunc(kept, func(f *coursetree.File) bool {
		return f.IsExtra() && (len(coursetree.Clashes(f, library)) > 0 || len(f.Needs(files, course, library)) > 0)
	})
	for _, f := range files {
		if !slices.Contains(kept, f) {
			p.moved = append(p.moved, f.Name)
		}
	}
	for _, f := range library {
		p.write(path.Join(p.tree.Raft, path.Base(f.Name)), f)
	}
	if err := p.keep(files, kept, library); err != nil {
		return err
	}
	adapter, err := adapter(p.tree, kept)
	if adapter != nil {
		p.written[path.Join(p.tree.Raft, coursetree.AdapterName)] = adapter
	}
	return err
}

// keep plans to keep these files of package raft. It looks for names that they and the library declare, and for names
// that only the student's files declare.
func (p *plan) keep(files, kept, library []*coursetree.File) error {
	for _, f := range kept {
		p.kept = append(p.kept, f.Name)
		if both := coursetree.Clashes(f, library); len(both) > 0 {
			return fmt.Errorf("%s declares %s, as the library does: rename it in your file", f.Name, strings.Join(both, ", "))
		}
		if names := f.Needs(files, kept, library); len(names) > 0 {
			p.warnings = append(p.warnings, fmt.Sprintf("%s uses %s, which only your own files declare: it will not compile",
				f.Name, strings.Join(names, ", ")))
		}
		if _, taken := p.written[f.Name]; taken {
			return fmt.Errorf("%s stays, but the library has a file of that name: rename yours", f.Name)
		}
	}
	return nil
}

// firstPart returns the suffix of the tests to run first, such as "2A", or nothing.
func firstPart(files []*coursetree.File, kept []string, library []*coursetree.File, ours bool) string {
	if ours {
		files = library
	}
	var parts []string
	for _, f := range files {
		if !ours && !slices.Contains(kept, f.Name) {
			continue
		}
		for name := range f.Names {
			if coursetree.LabTest.MatchString(name) {
				parts = append(parts, name[len(name)-2:])
			}
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return slices.Min(parts)
}
