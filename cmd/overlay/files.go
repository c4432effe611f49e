package overlay

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"6.824/cmd/cli"
	"6.824/cmd/coursetree"
)

// addStudent hides the course's harness and all tests in the student's package, and instruments the student's files.
func (o *Overlay) addStudent(opts Options) error {
	files, err := coursetree.ReadPackage(o.Tree.Dir, o.Tree.Raft)
	if err != nil {
		return err
	}
	for _, f := range files {
		if !f.IsTest() {
			o.addEntries(f)
		}
	}
	for _, f := range files {
		switch {
		case f.IsTest() || f.IsHarness():
			o.hide(f.Name)
		case opts.Plain || f.IsCourse(): // such as persister.go, which blocks only for moments
		default:
			text, changed := o.instrument(f)
			if !changed {
				continue
			}
			if err := o.put(f.Name, text); err != nil {
				return err
			}
		}
	}
	if !o.Tree.Split && coursetree.Declares(files, "Persister") && !coursetree.Declares(files, "Persister.Save") {
		return o.put(path.Join(o.Tree.Raft, "raftguard_save.go"), []byte(save))
	}
	return nil
}

// save gives the Persister of the years until 2022 the method that the harness calls.
const save = `//go:build go1.25

package raft

// Save replaces the Raft state and the snapshot.
func (ps *Persister) Save(state, snapshot []byte) { ps.SaveStateAndSnapshot(state, snapshot) }
`

// addNetwork puts this repository's labrpc and labgob in place of the tree's, and from 2025 on a Persister alone in place
// of tester1, whose other files need the course's network.
func (o *Overlay) addNetwork(Options) error {
	if o.Tree.Own != o.Tree.Prefix {
		return nil // the student's package imports ours already
	}
	for _, dir := range []string{"labrpc", "labgob"} {
		if err := o.hidePackage(dir); err != nil {
			return err
		}
		if err := o.putPackage(dir, dir); err != nil {
			return err
		}
	}
	if !o.Tree.Split {
		return nil
	}
	if err := o.hidePackage("tester1"); err != nil {
		return err
	}
	return o.put("tester1/persister.go", []byte(persister))
}

// addGuard adds the packages that the student's files and the harness import.
func (o *Overlay) addGuard(Options) error {
	if err := o.putPackage("cmd/overlay/guard", addedDir("cmd/overlay/guard")); err != nil {
		return err
	}
	return o.addRecord()
}

// addHarness adds the tests. They are a package of their own, so that no name of theirs is one of the student's.
func (o *Overlay) addHarness(Options) error {
	files, err := coursetree.ReadPackage(o.root, "raft")
	if err != nil {
		return err
	}
	for _, f := range files {
		if !slices.Contains(harness, path.Base(f.Name)) {
			continue
		}
		text := strings.Replace(o.fromLibrary(f), "\npackage raft\n", "\npackage raft_test\n", 1)
		if err := o.putTest(path.Base(f.Name), text); err != nil {
			return err
		}
	}
	students, err := coursetree.ReadPackage(o.root, "cmd/overlay/student")
	if err != nil {
		return err
	}
	for _, f := range students {
		text := strings.Replace(o.fromLibrary(f), "//go:build go1.25 && (student)\n", "//go:build go1.25\n", 1)
		if err := o.putTest(path.Base(f.Name), text); err != nil {
			return err
		}
	}
	return o.putTest("harness_types_test.go", o.types())
}

func (o *Overlay) putTest(name, text string) error {
	return o.put(path.Join(o.Tree.Raft, name), []byte(text))
}

// types returns the file that names the types of the tree.
func (o *Overlay) types() string {
	var b strings.Builder
	b.WriteString("//go:build go1.25\n\n")
	if o.Tree.GoMinor < 23 { // with the timers of old versions of Go, time in a bubble does not pass
		b.WriteString("//go:debug asynctimerchan=0\n\n")
	}
	persister, message, imports := "student.", "student.", ""
	if o.Tree.Split {
		persister, message = "tester.", "raftapi."
		imports = fmt.Sprintf("\t%q\n\ttester %q\n", o.Tree.Prefix+"raftapi", o.Tree.Prefix+"tester1")
	}
	fmt.Fprintf(&b, `package raft_test

import (
%s	student %q
	%q
)

type (
	Persister  = %sPersister
	studentMsg = %sApplyMsg
)

func MakePersister() *Persister { return %sMakePersister() }

// newStudent calls Make. From 2025 on it returns an interface.
func newStudent(ends []*labrpc.ClientEnd, me int, p *Persister, applyCh chan studentMsg) *student.Raft {
	return any(student.Make(ends, me, p, applyCh)).(*student.Raft)
}

// treeDir is the student's tree, as a word for the shell.
const treeDir = %s

// lockNames are the locks that the student's calls of Lock lock.
var lockNames = map[string]string{
`, imports, o.importPath("raft"), o.importPath("labrpc"), persister, message, persister, strconv.Quote(cli.Quote(o.Tree.Dir)))
	for _, place := range slices.Sorted(maps.Keys(o.names)) {
		fmt.Fprintf(&b, "\t%q: %q,\n", place, o.names[place])
	}
	b.WriteString("}\n")
	return b.String()
}

// persister is tester1 without its harness.
const persister = `//go:build go1.25

package tester

import (
	"bytes"
	"sync"
)

// A Persister holds what a server saves.
type Persister struct {
	mu              sync.Mutex
	state, snapshot []byte
}

func MakePersister() *Persister { return &Persister{} }

func (ps *Persister) Copy() *Persister {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return &Persister{state: ps.state, snapshot: ps.snapshot}
}

func (ps *Persister) Save(state, snapshot []byte) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.state, ps.snapshot = bytes.Clone(state), bytes.Clone(snapshot)
}

func (ps *Persister) ReadRaftState() []byte {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return bytes.Clone(ps.state)
}

func (ps *Persister) ReadSnapshot() []byte {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return bytes.Clone(ps.snapshot)
}

func (ps *Persister) RaftStateSize() int {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return len(ps.state)
}

func (ps *Persister) SnapshotSize() int {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return len(ps.snapshot)
}
`
