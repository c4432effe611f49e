package main

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	harness "6.824/cmd/overlay"
)

// Tests that do not record what they do are built with an overlay in which their networks do, with and without -picture, so
// that both are the same run.

// watched compiles the tests that t describes with such an overlay. It returns nil if they need none, or cannot be built
// with one; t then says why.
func (g *goCommand) watched(t *target, opts *options) (*target, error) {
	switch {
	case slices.ContainsFunc(t.Packages, func(p string) bool { return isRecorder(p) && strings.HasSuffix(p, "picture") }):
		return nil, nil // they record what they do
	case t.labrpc == nil:
		t.NotWatched = "the tests use no package labrpc"
		return nil, nil
	case t.labrpc.name() == t.ImportPath || path.Base(t.ImportPath) == "labgob":
		t.NotWatched = "the network itself is under test"
		return nil, nil
	}
	o := replacements{map[string]string{}}
	lab := harness.Lab{Dir: g.pkgDir(t), Name: t.name, Labrpc: t.labrpc.name(), LabrpcDir: t.labrpc.Dir}
	replaced, err := lab.Watch(g.scratch, o.Replace)
	if err != nil {
		t.NotWatched = "this repository's labrpc cannot take the place of theirs: " + err.Error()
		return nil, nil
	}
	if err := o.read(g.overlay); err != nil {
		return nil, err
	}
	w := *g
	w.scratch, w.overlay = filepath.Join(g.scratch, "watched"), filepath.Join(g.scratch, "watched.json")
	if err := os.Mkdir(w.scratch, 0o700); err != nil {
		return nil, err
	}
	w.flags = append(slices.Clone(g.flags), "-overlay="+w.overlay)
	if err := o.write(w.overlay); err != nil {
		return nil, err
	}
	found, err := w.describe()
	if err == nil {
		err = w.compile(found, opts)
	}
	if err != nil {
		t.NotWatched = "the tests do not build with this repository's labrpc in place of theirs: " + firstLines(err)
		return nil, nil
	}
	found.Watched, found.Replaced = true, replaced
	return found, nil
}

// firstLines returns the beginning of the message of an error of the build in one line.
func firstLines(err error) string {
	lines := strings.SplitN(err.Error(), "\n", 4)
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines[:min(len(lines), 3)], " ")
}
