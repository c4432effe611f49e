// Package overlay makes a go command's overlay that puts this repository's Lab 2 tests, harness and network around a
// student's package raft. The student's directory is only read: with -overlay, the go command reads other files in place
// of some, and files that are not there.
//
// docs/student-raft.md describes what the overlay changes, and why.
package overlay

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"6.824/cmd/coursetree"
)

// An Overlay is what the go command needs to build the tests.
type Overlay struct {
	Dir  string   // the directory of the student's package, to run the go command in
	File string   // the overlay, for -overlay
	Env  []string // environment variables of the go command
	Tree *coursetree.Tree

	scratch string
	root    string            // of this repository
	library bool              // the tree's labrpc and other packages are this repository's
	replace map[string]string // by the absolute path of a file: the file to read; "" hides it
	count   int
	names   map[string]string // of locks, by file and line
	entries map[string]bool   // the names of functions that a goroutine begins with
}

// Options change an overlay.
type Options struct {
	Plain bool // leave the student's files as they are: the virtual clock then stops more easily
}

// harness are the files of this repository's package raft that also test a student's Raft.
var harness = []string{"config_test.go", "harness_apply_test.go", "harness_check_test.go", "harness_clock_test.go",
	"harness_picture_test.go", "test_test.go"}

// addedDir returns the directory, in the tree, of a package that only the overlay has.
func addedDir(name string) string { return "raft" + path.Base(name) }

// Make writes an overlay for the package raft of the tree in dir into the directory scratch.
func Make(dir, scratch string, opts Options) (*Overlay, error) {
	abs, err := coursetree.Abs(dir)
	if err != nil {
		return nil, err
	}
	t, err := coursetree.RecognizeStudent(abs)
	if err != nil {
		return nil, err
	}
	if t.IsLibrary() {
		return nil, fmt.Errorf("%s is this library itself: go test ./raft runs its tests", dir)
	}
	root, err := coursetree.LibraryDir()
	if err != nil {
		return nil, err
	}
	o := &Overlay{
		Dir: filepath.Join(t.Dir, t.Raft), Env: goEnv(t), Tree: t,
		scratch: scratch, root: root, replace: map[string]string{}, names: map[string]string{}, entries: map[string]bool{},
	}
	for _, step := range []func(Options) error{o.addStudent, o.addNetwork, o.addGuard, o.addHarness} {
		if err := step(opts); err != nil {
			return nil, err
		}
	}
	return o, o.write()
}

// goEnv returns the variables with which the go command builds packages of the tree.
func goEnv(t *coursetree.Tree) []string {
	env := []string{"GOWORK=off", "GOFLAGS="}
	if t.Module == "" {
		env = append(env, "GO111MODULE=off")
	} else {
		env = append(env, "GO111MODULE=on")
	}
	if t.Prefix == "" {
		env = append(env, "GOPATH="+filepath.Dir(t.Dir))
	}
	if version := coursetree.NewerGo(t.Dir); version != "" {
		env = append(env, "GOTOOLCHAIN="+version)
	}
	return env
}

// path returns the absolute path of a file of the tree.
func (o *Overlay) path(name string) string {
	return filepath.Join(o.Tree.Dir, filepath.FromSlash(name))
}

// hide lets the go command see no file of this name.
func (o *Overlay) hide(name string) { o.replace[o.path(name)] = "" }

// put gives a file of the tree a new text.
func (o *Overlay) put(name string, text []byte) error { return o.putAt(o.path(name), text) }

// putAt does the same with an absolute path.
func (o *Overlay) putAt(name string, text []byte) error {
	o.count++
	file := filepath.Join(o.scratch, fmt.Sprintf("overlay-%d-%s", o.count, filepath.Base(name)))
	o.replace[name] = file
	return os.WriteFile(file, text, 0o644)
}

// write writes the overlay itself.
func (o *Overlay) write() error {
	o.File = filepath.Join(o.scratch, "overlay.json")
	text, err := json.MarshalIndent(map[string]any{"Replace": o.replace}, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(o.File, text, 0o644)
}

// importPath returns the import path in the tree of a package of this repository.
func (o *Overlay) importPath(name string) string {
	t := o.Tree
	switch {
	case o.library:
		return coursetree.LibraryModule + "/" + name
	case name == "raft":
		return t.Own + t.Raft
	case name == "labrpc" || name == "labgob":
		return t.Prefix + name
	}
	return t.Own + addedDir(name)
}

// fromLibrary returns the text of a file of this repository with the tree's import paths.
func (o *Overlay) fromLibrary(f *coursetree.File) string {
	text := f.Rewrite(func(imported string) string {
		if rest, ours := strings.CutPrefix(imported, coursetree.LibraryModule+"/"); ours {
			return o.importPath(rest)
		}
		return imported
	})
	return coursetree.WithVersion(text)
}

// putPackage puts a package of this repository, without its tests, into a directory of the tree.
func (o *Overlay) putPackage(from, to string) error {
	files, err := coursetree.ReadPackage(o.root, from)
	if err != nil {
		return err
	}
	for _, f := range files {
		if f.IsTest() {
			continue
		}
		if err := o.put(path.Join(to, path.Base(f.Name)), []byte(o.fromLibrary(f))); err != nil {
			return err
		}
	}
	return nil
}

// hidePackage hides all files of a package of the tree.
func (o *Overlay) hidePackage(dir string) error {
	names, err := coursetree.GoFiles(o.path(dir))
	for _, name := range names {
		o.hide(path.Join(dir, name))
	}
	return err
}
