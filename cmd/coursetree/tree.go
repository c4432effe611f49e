// Package coursetree recognizes the course trees of 6.824 and 6.5840, of 2018 and 2020 to 2026, and tells the files of the
// course from those of the student.
package coursetree

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Tree is what Recognize finds out about a course tree.
type Tree struct {
	Dir     string // the tree's src, absolute and without symbolic links
	Raft    string // the directory of package raft: "raft" or "raft1"
	Prefix  string // what precedes "labrpc" in import paths: "6.5840/", "../" or nothing
	Own     string // what precedes "raft" in import paths; it differs from Prefix if labrpc is this repository's
	Module  string // the module's path; empty without a go.mod
	GoMinor int    // 22 if go.mod says "go 1.22"; 0 without a go.mod
	Split   bool   // Persister and ApplyMsg belong to tester1 and raftapi, as from 2025 on
	Daemons bool   // each server is a process, as in 2026
	Years   string
}

// Abs returns dir as an absolute path without symbolic links.
func Abs(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(real); err != nil || !info.IsDir() {
		return "", fmt.Errorf("%s is not a directory", dir)
	}
	return real, nil
}

// Recognize returns the tree in dir, or an error that says why it is no course tree.
func Recognize(dir string) (*Tree, error) {
	t := &Tree{Dir: dir}
	switch {
	case hasPackages(dir, "raft1", "raftapi", "tester1", "labrpc", "labgob"):
		t.Raft, t.Split = "raft1", true
		t.Daemons = IsDir(filepath.Join(dir, "tester1", "sockrpc")) || isFile(filepath.Join(dir, "main", "raft1d.go"))
	case hasPackages(dir, "raft", "labrpc", "labgob"):
		t.Raft = "raft"
	default:
		return nil, noTree(dir)
	}
	for _, name := range []string{t.Raft, "labrpc", "labgob"} {
		if info, err := os.Lstat(filepath.Join(dir, name)); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("%s is a symbolic link: this command changes only files inside of DIR", filepath.Join(dir, name))
		}
	}
	files, err := ReadPackage(dir, t.Raft)
	if err != nil {
		return nil, err
	}
	if !HasClause(files, "raft") {
		return nil, fmt.Errorf("%s has no file of package raft", filepath.Join(dir, t.Raft))
	}
	above := t.readModule()
	if t.Prefix, err = importPrefix(files, t.Module, above); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, t.Raft), err)
	}
	t.Own = t.Prefix
	t.Years = t.guessYears(files)
	return t, nil
}

// RecognizeStudent is like Recognize, but also takes a directory whose package raft imports labrpc from this repository.
func RecognizeStudent(dir string) (*Tree, error) {
	if t := recognizeModule(dir); t != nil {
		return t, nil
	}
	if parent := filepath.Dir(dir); recognizeModule(parent) != nil {
		return nil, fmt.Errorf("%s is no course tree, but %s may be one", dir, parent)
	}
	return Recognize(dir)
}

// recognizeModule returns the tree in dir if its package raft imports labrpc from this repository, and otherwise nil.
func recognizeModule(dir string) *Tree {
	files, err := ReadPackage(dir, "raft")
	if err != nil || !HasClause(files, "raft") {
		return nil
	}
	t := &Tree{Dir: dir, Raft: "raft", Prefix: LibraryModule + "/"}
	above := t.readModule()
	t.Own = path.Join(t.Module, above) + "/"
	imports := slices.ContainsFunc(files, func(f *File) bool { return f.HasImport(t.Prefix + "labrpc") })
	if !imports || t.Module == "" || t.Own == t.Prefix {
		return nil
	}
	return t
}

// noTree says why dir is no course tree, and which directory may be meant.
func noTree(dir string) error {
	for _, other := range []string{filepath.Join(dir, "src"), filepath.Dir(dir), filepath.Dir(filepath.Dir(dir))} {
		if hasPackages(other, "labrpc", "labgob") && (hasPackages(other, "raft") || hasPackages(other, "raft1")) {
			return fmt.Errorf("%s is no course tree, but %s may be one", dir, other)
		}
	}
	var missing []string
	for _, name := range []string{"labrpc", "labgob", "raft"} {
		if !hasPackages(dir, name) && (name != "raft" || !hasPackages(dir, "raft1")) {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		missing = []string{"raft, or raft1 with raftapi and tester1"}
	}
	return fmt.Errorf("%s is no course tree: there are no Go files in %s", dir, strings.Join(missing, ", "))
}

// hasPackages reports whether all of these directories have Go files.
func hasPackages(dir string, names ...string) bool {
	for _, name := range names {
		if files, _ := GoFiles(filepath.Join(dir, name)); len(files) == 0 {
			return false
		}
	}
	return true
}

// IsDir reports whether there is a directory of this name.
func IsDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

var (
	moduleLine = regexp.MustCompile(`(?m)^module\s+"?([^\s"]+)"?\s*(?://.*)?$`)
	goLine     = regexp.MustCompile(`(?m)^go\s+1\.(\d+)`)
)

// readModule looks for go.mod in the tree and the directories above it. It sets t.module and t.goMinor, and returns the
// path of the tree's directory within the module.
func (t *Tree) readModule() (above string) {
	for dir := t.Dir; ; dir = filepath.Dir(dir) {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		text = []byte(strings.ReplaceAll(string(text), "\r", ""))
		if m := moduleLine.FindSubmatch(text); err == nil && m != nil {
			t.Module, t.GoMinor = string(m[1]), 16 // a go.mod without a go line has the rules of Go 1.16
			if m := goLine.FindSubmatch(text); m != nil {
				t.GoMinor, _ = strconv.Atoi(string(m[1]))
			}
			rel, _ := filepath.Rel(dir, t.Dir)
			return filepath.ToSlash(rel)
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

// importPrefix returns what precedes "labrpc" in the imports of package raft, or in the module if no file imports it.
func importPrefix(files []*File, module, above string) (string, error) {
	count := map[string]int{}
	best := ""
	for _, f := range files {
		for _, imported := range f.Imports {
			if path.Base(imported.Path) == "labrpc" {
				prefix := strings.TrimSuffix(imported.Path, "labrpc")
				if count[prefix]++; count[prefix] > count[best] {
					best = prefix
				}
			}
		}
	}
	switch {
	case len(count) > 0:
		return best, nil
	case module != "":
		return path.Join(module, above) + "/", nil
	}
	return "", errors.New("no file imports labrpc, and there is no go.mod, so the import paths are unknown")
}

// guessYears names the years whose layout the tree has.
func (t *Tree) guessYears(files []*File) string {
	old := Declares(files, "Persister.SaveStateAndSnapshot")
	switch {
	case t.Daemons:
		return "2026"
	case t.Split:
		return "2025"
	case strings.HasPrefix(t.Prefix, "."):
		return "2020"
	case t.Prefix == "":
		return "2018 or 2019"
	case old:
		return "2021 or 2022"
	case IsDir(filepath.Join(t.Dir, "kvsrv")):
		return "2024"
	case Declares(files, "Persister.Save"):
		return "2023 or 2024"
	}
	return "2021 to 2024"
}

// IsLibrary reports whether the tree is a clone of this repository.
func (t *Tree) IsLibrary() bool { return IsDir(filepath.Join(t.Dir, "cmd", "use-in-course")) }
