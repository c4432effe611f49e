package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// story is the default text.
//
//go:embed story.txt
var story string

// readLines returns the lines of the named file. The name "-" stands for stdin; the name "" stands for stdin if that is
// a pipe or a regular file, and otherwise for the story. It tells w that it reads from stdin.
func readLines(name string, stdin *os.File, w io.Writer) ([]string, error) {
	text, source := []byte(story), "the demo's own text"
	var err error
	switch {
	case name == "-" || name == "" && isPiped(stdin):
		source = "standard input"
		fmt.Fprintln(w, "raft-demo: reading the lines from standard input")
		text, err = io.ReadAll(stdin)
	case name != "":
		source = name
		text, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the text: %w", err)
	}
	if len(text) == 0 {
		return nil, errors.New("there are no lines in " + source)
	}
	return splitLines(string(text)), nil
}

// isPiped reports whether f is a pipe or a regular file, and not a terminal or /dev/null.
func isPiped(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && (info.Mode()&os.ModeNamedPipe != 0 || info.Mode().IsRegular())
}

// splitLines splits the text at newlines. The last line need not end with one.
func splitLines(text string) []string {
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}
