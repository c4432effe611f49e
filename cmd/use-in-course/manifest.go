package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Directories in the tree. The go command ignores them, since their names begin with a dot.
const (
	stateDir   = ".before-6.824-raft"  // files that made way, and the manifest
	changedDir = ".changed-6.824-raft" // files that were changed after the installation
)

// Names in stateDir.
const (
	manifestName = "manifest.json"
	backupName   = "files" // files that made way, by their paths in the tree
	stagingName  = "new"   // files that are still to be installed, by their paths in the tree
)

// A manifest describes an installation. It is written before the first file of the tree is moved, and removed after the
// last one is back. What has been done so far is seen from which files exist.
type manifest struct {
	About     string
	Moved     []entry // files to move aside
	Installed []entry
}

// An entry is a file: its path in the tree, with slashes, and the hash of its contents.
type entry struct {
	Path string
	Hash string
}

const about = "Files of this tree that use-in-course has moved to the directory files beside this manifest. " +
	"use-in-course -undo moves them back."

// newManifest returns the manifest of a plan.
func newManifest(p *plan) (*manifest, error) {
	m := &manifest{About: about}
	for _, name := range p.moved {
		hash, err := hashFile(filepath.Join(p.tree.Dir, filepath.FromSlash(name)))
		if err != nil {
			return nil, err
		}
		m.Moved = append(m.Moved, entry{name, hash})
	}
	for _, name := range p.names() {
		m.Installed = append(m.Installed, entry{name, hashOf(p.written[name])})
	}
	return m, nil
}

// readManifest returns the manifest of the tree in dir, or nil if there is none.
func readManifest(dir string) (*manifest, error) {
	name := filepath.Join(dir, stateDir, manifestName)
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		if left := filesBelow(filepath.Join(dir, stateDir, backupName)); len(left) > 0 {
			return nil, fmt.Errorf("%s is missing, but files are in the directory %s beside it: move them back by hand", name, backupName)
		}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for _, e := range slices.Concat(m.Moved, m.Installed) {
		if !filepath.IsLocal(filepath.FromSlash(e.Path)) {
			return nil, fmt.Errorf("%s: the path %q leads out of the tree", name, e.Path)
		}
	}
	return &m, nil
}

// describe prints what -undo would do.
func (m *manifest) describe(w io.Writer) {
	for _, e := range m.Installed {
		fmt.Fprintf(w, "would remove     %s\n", e.Path)
	}
	for _, e := range m.Moved {
		fmt.Fprintf(w, "would move back  %s\n", e.Path)
	}
	fmt.Fprintln(w, "Nothing was changed (-n).")
}

// hashFile returns the hash of a file's contents, or of a symbolic link's target.
func hashFile(name string) (string, error) {
	info, err := os.Lstat(name)
	if err != nil {
		return "", err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(name)
		return hashOf([]byte("link to " + target)), err
	}
	text, err := os.ReadFile(name)
	return hashOf(text), err
}

func hashOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// filesBelow returns the paths of all files below dir, with slashes.
func filesBelow(dir string) (names []string) {
	filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, name)
			names = append(names, filepath.ToSlash(rel))
		}
		return nil
	})
	return names
}

// exists reports whether there is a file, be it a symbolic link that leads nowhere.
func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}
