package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"6.824/cmd/cli/clitest"
)

func TestMain(m *testing.M) { clitest.Main(m, main) }

func TestStyle(t *testing.T) {
	clitest.Style(t, "raft-demo", []string{"-servers", "five"}, []string{"-time", "1h"}, "leads in term")
}

func TestOutput(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("a\nb\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, _ := clitest.Run(t, "-input", text, "-servers", "1", "-faults=false", "-time", "0")
	if code != 0 || !strings.Contains(stdout, "verdict: correct. 1 server applied the same 2 lines") {
		t.Errorf("exit code %d, stdout %q", code, stdout)
	}
	code, stdout, stderr := clitest.Run(t, "-input", text+"-missing")
	if code != 2 || stdout != "" || !strings.HasPrefix(stderr, "raft-demo: cannot read the text: ") {
		t.Errorf("without a text: exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestParseOptions(t *testing.T) {
	for _, c := range []struct{ args, problem string }{ // problem: how the error begins, or "" for none
		{"", ""},
		{"-servers 1 -faults=false -unreliable -seed 7 -time 0 -snapshot 5", ""},
		{"-servers 15", ""},
		{"-servers 0", "-servers must be"},
		{"-servers 16", "-servers must be"},
		{"-servers five", "invalid value"},
		{"-time -1s", "-time must not be negative"},
		{"-snapshot -1", "-snapshot must not be negative"},
		{"file.txt", "unexpected argument"},
		{"-nosuch", "flag provided but not defined"},
	} {
		o, err := parseOptions(strings.Fields(c.args))
		if (err == nil) != (c.problem == "") || err != nil && !strings.HasPrefix(err.Error(), c.problem) {
			t.Errorf("%q: error %v, want %q", c.args, err, c.problem)
		}
		if err == nil && o.seed == 0 {
			t.Errorf("%q: no seed was chosen", c.args)
		}
	}
}

func TestReadLines(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	stdin, err := os.Open(file("stdin", "from stdin\n"))
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()

	for _, c := range []struct {
		name  string
		stdin *os.File
		want  []string // nil: an error
	}{
		{file("plain", "a\n\nb\n"), stdin, []string{"a", "", "b"}},
		{file("no newline at the end", "a\nb"), null, []string{"a", "b"}},
		{file("only newlines", "\n\n"), null, []string{"", ""}},
		{file("empty", ""), null, nil},
		{filepath.Join(dir, "missing"), null, nil},
		{dir, null, nil},
		{"-", null, nil},
		{"", stdin, []string{"from stdin"}},
		{"", null, splitLines(story)},
	} {
		got, err := readLines(c.name, c.stdin, io.Discard)
		if (err != nil) != (c.want == nil) || !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, %v, want %q", c.name, got, err, c.want)
		}
	}
}
