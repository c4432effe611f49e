package main

import (
	"go/ast"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"6.824/cmd/coursetree"
)

// missing returns the exported names and methods that files of the package in dir declare, that there do not declare, and
// that other packages of the tree mention.
func missing(t *coursetree.Tree, files, there []*coursetree.File, dir string) (names []string, err error) {
	for _, f := range files {
		for name := range f.Names {
			short := name[strings.LastIndex(name, ".")+1:]
			if !f.IsTest() && ast.IsExported(short) && !coursetree.Declares(there, name) && !slices.Contains(names, short) {
				names = append(names, short)
			}
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	slices.Sort(names)
	used := map[string]bool{}
	word := regexp.MustCompile(`\.(` + strings.Join(names, "|") + `)\b`)
	err = filepath.WalkDir(t.Dir, func(name string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(t.Dir, name)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (rel == dir || rel != "." && strings.HasPrefix(d.Name(), ".")):
			return filepath.SkipDir
		case !d.Type().IsRegular() || filepath.Ext(name) != ".go":
			return nil
		}
		text, err := os.ReadFile(name)
		if err == nil && strings.Contains(string(text), dir+`"`) { // it imports the package
			for _, m := range word.FindAllSubmatch(text, -1) {
				used[string(m[1])] = true
			}
		}
		return err
	})
	return slices.DeleteFunc(names, func(n string) bool { return !used[n] }), err
}

// warnOfUses warns of names of package raft that other packages of the tree use, and of methods that raftapi.Raft has, and
// that are gone after the installation.
func (p *plan) warnOfUses(files []*coursetree.File) error {
	var there []*coursetree.File
	for _, f := range files {
		if slices.Contains(p.kept, f.Name) {
			there = append(there, f)
		}
	}
	for name, text := range p.written {
		if f := coursetree.Parse(name, text); path.Dir(name) == p.tree.Raft && !f.IsTest() {
			there = append(there, f)
		}
	}
	if p.tree.Split {
		methods, err := apiFields(p.tree, "Raft")
		if err != nil {
			return err
		}
		methods = slices.DeleteFunc(methods, func(m string) bool { return coursetree.Declares(there, "Raft."+m) })
		if len(methods) > 0 {
			p.warnings = append(p.warnings, "raftapi.Raft has "+strings.Join(methods, ", ")+
				", which the library's Raft does not have: it will not compile")
		}
	}
	names, err := missing(p.tree, files, there, p.tree.Raft)
	if len(names) > 0 {
		p.warnings = append(p.warnings, "other packages use "+strings.Join(names, ", ")+
			", which package raft then does not have: see docs/course-trees.md")
	}
	return err
}
