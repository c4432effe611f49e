package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// A mutant is a mistake that is planted in package raft.
type mutant struct {
	name   string
	wrong  string // the mistake in one clause, for users
	safety bool   // it breaks safety in some schedule: see table
	edits  []edit
	race   bool // only the race detector can find it
}

// An edit replaces a snippet with another. The old snippet must occur once in the file, but its white space may differ in
// kind and length.
type edit struct {
	file     string // in package raft
	old, new string
}

// apply returns the edited source.
func (e edit) apply(source string) (string, error) {
	words := strings.Fields(e.old)
	for i := range words {
		words[i] = regexp.QuoteMeta(words[i])
	}
	places := regexp.MustCompile(strings.Join(words, `\s+`)).FindAllStringIndex(source, -1)
	if len(places) != 1 {
		return "", fmt.Errorf("the snippet occurs %d times, not once", len(places))
	}
	return source[:places[0][0]] + e.new + source[places[0][1]:], nil
}

// mutate returns the changed contents of the files of directory dir that the mutant edits, by name.
func (m mutant) mutate(dir string) (map[string]string, error) {
	files := make(map[string]string)
	for _, e := range m.edits {
		source, ok := files[e.file]
		if !ok {
			data, err := os.ReadFile(filepath.Join(dir, e.file))
			if err != nil {
				return nil, fmt.Errorf("mutant %s does not fit: %w", m.name, err)
			}
			source = string(data)
		}
		changed, err := e.apply(source)
		if err != nil {
			return nil, fmt.Errorf("mutant %s does not fit %s: %w:\n%s", m.name, e.file, err, e.old)
		}
		files[e.file] = changed
	}
	return files, nil
}
