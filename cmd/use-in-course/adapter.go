package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"

	"6.824/cmd/coursetree"
)

// generated begins each file that this command writes itself.
const generated = "//go:build go1.25\n\n// Written by use-in-course; use-in-course -undo removes it.\n\n"

// timersFile returns a test file that selects today's timers. With the timers that old Go versions had, which Go chooses
// without a go.mod or for an old one, tests in virtual time cannot run.
func timersFile(name string) []byte {
	return []byte(generated + "//go:debug asynctimerchan=0\n\npackage " + name + "\n")
}

const adapterTypes = `import (
	"PREFIXraftapi"
	tester "PREFIXtester1"
)

type (
	Persister = tester.Persister
	ApplyMsg  = raftapi.ApplyMsg
)

// hasEvents is false because the tree's ApplyMsg has no field for an event.
const hasEvents = false

func newCommandMsg(command any, index, term int) ApplyMsg {
	return ApplyMsg{CommandValid: true, Command: command, CommandIndex: indexTERM}
}

func newSnapshotMsg(s *snapshot) ApplyMsg {
	data := append([]byte{}, s.data...)
	return ApplyMsg{SnapshotValid: true, Snapshot: data, SnapshotTerm: s.term, SnapshotIndex: s.index}
}

func newEventMsg(Event) ApplyMsg { panic("raft: the tree's ApplyMsg has no field for an event") }
`

// adapter returns the file that connects the library with the types of other packages, and with what the kept files of
// package raft use and no file declares any more. It is nil if there is nothing to connect.
func adapter(t *coursetree.Tree, kept []*coursetree.File) ([]byte, error) {
	var b strings.Builder
	if t.Split {
		term, err := termField(t)
		if err != nil {
			return nil, err
		}
		b.WriteString(strings.NewReplacer("PREFIX", t.Prefix, "TERM", term).Replace(adapterTypes))
	}
	lost := func(name string) bool {
		return !coursetree.Declares(kept, name) && slices.ContainsFunc(kept, func(f *coursetree.File) bool { return f.Uses[name] })
	}
	if lost("Debug") {
		b.WriteString("\n// Debug is the course's switch for DPrintf.\nconst Debug = false\n")
	}
	if lost("DPrintf") {
		b.WriteString("\n// DPrintf prints nothing.\nfunc DPrintf(format string, a ...interface{}) {}\n")
	}
	if b.Len() == 0 {
		return nil, nil
	}
	return []byte(generated + "package raft\n\n" + strings.TrimLeft(b.String(), "\n")), nil
}

// termField returns what sets the field CommandTerm, if the tree's ApplyMsg has that field.
func termField(t *coursetree.Tree) (string, error) {
	fields, err := apiFields(t, "ApplyMsg")
	if slices.Contains(fields, "CommandTerm") {
		return ", CommandTerm: term", err
	}
	return "", err
}

// apiFields returns the fields of a struct, or the methods of an interface, that package raftapi declares.
func apiFields(t *coursetree.Tree, name string) (fields []string, err error) {
	files, err := coursetree.ReadPackage(t.Dir, "raftapi")
	for _, f := range files {
		parsed, _ := parser.ParseFile(token.NewFileSet(), f.Name, f.Text, parser.SkipObjectResolution)
		if parsed == nil {
			continue
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.Name == name {
				fields = append(fields, fieldsOf(spec.Type)...)
			}
			return true
		})
	}
	return fields, err
}

// fieldsOf returns the names of a struct's fields or an interface's methods, except for embedded ones.
func fieldsOf(e ast.Expr) (names []string) {
	var list *ast.FieldList
	switch e := e.(type) {
	case *ast.StructType:
		list = e.Fields
	case *ast.InterfaceType:
		list = e.Methods
	default:
		return nil
	}
	for _, f := range list.List {
		for _, id := range f.Names {
			names = append(names, id.Name)
		}
	}
	return names
}
