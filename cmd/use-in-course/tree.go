package main

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// A tree is what recognize finds out about a course tree.
type tree struct {
	dir     string // the tree's src, absolute and without symbolic links
	raft    string // the directory of package raft: "raft" or "raft1"
	prefix  string // what precedes "labrpc" in import paths: "6.5840/", "../" or nothing
	module  string // the module's path; empty without a go.mod
	goMinor int    // 22 if go.mod says "go 1.22"; 0 without a go.mod
	split   bool   // Persister and ApplyMsg belong to tester1 and raftapi, as from 2025 on
	daemons bool   // each server is a process, as in 2026
	years   string
}

// treeDir returns dir as an absolute path without symbolic links.
func treeDir(dir string) (string, error) {
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

// recognize returns the tree in dir, or an error that says why it is no course tree.
func recognize(dir string) (*tree, error) {
	t := &tree{dir: dir}
	switch {
	case hasPackages(dir, "raft1", "raftapi", "tester1", "labrpc", "labgob"):
		t.raft, t.split = "raft1", true
		t.daemons = isDir(filepath.Join(dir, "tester1", "sockrpc")) || isFile(filepath.Join(dir, "main", "raft1d.go"))
	case hasPackages(dir, "raft", "labrpc", "labgob"):
		t.raft = "raft"
	default:
		return nil, noTree(dir)
	}
	for _, name := range []string{t.raft, "labrpc", "labgob"} {
		if info, err := os.Lstat(filepath.Join(dir, name)); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("%s is a symbolic link: this command changes only files inside of DIR", filepath.Join(dir, name))
		}
	}
	files, err := readPackage(dir, t.raft)
	if err != nil {
		return nil, err
	}
	if !hasClause(files, "raft") {
		return nil, fmt.Errorf("%s has no file of package raft", filepath.Join(dir, t.raft))
	}
	above := t.readModule()
	if t.prefix, err = importPrefix(files, t.module, above); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, t.raft), err)
	}
	t.years = t.guessYears(files)
	return t, nil
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
		if files, _ := goFiles(filepath.Join(dir, name)); len(files) == 0 {
			return false
		}
	}
	return true
}

func isDir(name string) bool {
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
func (t *tree) readModule() (above string) {
	for dir := t.dir; ; dir = filepath.Dir(dir) {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		text = []byte(strings.ReplaceAll(string(text), "\r", ""))
		if m := moduleLine.FindSubmatch(text); err == nil && m != nil {
			t.module, t.goMinor = string(m[1]), 16 // a go.mod without a go line has the rules of Go 1.16
			if m := goLine.FindSubmatch(text); m != nil {
				t.goMinor, _ = strconv.Atoi(string(m[1]))
			}
			rel, _ := filepath.Rel(dir, t.dir)
			return filepath.ToSlash(rel)
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

// importPrefix returns what precedes "labrpc" in the imports of package raft, or in the module if no file imports it.
func importPrefix(files []*goFile, module, above string) (string, error) {
	count := map[string]int{}
	best := ""
	for _, f := range files {
		for _, imported := range f.imports {
			if path.Base(imported.path) == "labrpc" {
				prefix := strings.TrimSuffix(imported.path, "labrpc")
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
func (t *tree) guessYears(files []*goFile) string {
	old := declares(files, "Persister.SaveStateAndSnapshot")
	switch {
	case t.daemons:
		return "2026"
	case t.split:
		return "2025"
	case strings.HasPrefix(t.prefix, "."):
		return "2020"
	case t.prefix == "":
		return "2018 or 2019"
	case old:
		return "2021 or 2022"
	case isDir(filepath.Join(t.dir, "kvsrv")):
		return "2024"
	case declares(files, "Persister.Save"):
		return "2023 or 2024"
	}
	return "2021 to 2024"
}

// isLibrary reports whether the tree is a clone of this repository.
func (t *tree) isLibrary() bool { return isDir(filepath.Join(t.dir, "cmd", command.Name)) }
