package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParseOptions(t *testing.T) {
	for _, c := range []struct {
		args, problem string // the problem's beginning, or "" for none
		status        int
	}{
		{"", "", exitCorrect},
		{"-servers 1 -faults=false -unreliable -seed 7 -time 0 -snapshot 5", "", exitCorrect},
		{"-servers 15", "", exitCorrect},
		{"-servers 0", "raft-demo: -servers must be", exitUsage},
		{"-servers 16", "raft-demo: -servers must be", exitUsage},
		{"-servers five", "invalid value", exitUsage},
		{"-time -1s", "raft-demo: -time must not be negative", exitUsage},
		{"-snapshot -1", "raft-demo: -snapshot must not be negative", exitUsage},
		{"file.txt", "raft-demo: unexpected argument", exitUsage},
		{"-nosuch", "flag provided but not defined", exitUsage},
		{"-h", "usage: raft-demo", exitCorrect},
	} {
		var said strings.Builder
		o, err := parseOptions(strings.Fields(c.args), &said)
		if (err == nil) != (c.problem == "") || !strings.HasPrefix(said.String(), c.problem) {
			t.Errorf("%q: error %v, said %q, want %q", c.args, err, said.String(), c.problem)
		}
		if err == nil && o.seed == 0 {
			t.Errorf("%q: no seed was chosen", c.args)
		}
		if err != nil && usageStatus(err) != c.status {
			t.Errorf("%q: exit status %d, want %d", c.args, usageStatus(err), c.status)
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

func TestReporter(t *testing.T) {
	for _, live := range []bool{false, true} {
		var out strings.Builder
		r := newReporter(&out, live, 2)
		r.event("server %d crashed", 1)
		r.progress(2)
		r.close()
		if !strings.Contains(out.String(), "server 1 crashed\n") || !strings.Contains(out.String(), "2 of 2 lines applied (100%)") {
			t.Errorf("live %v: the reporter wrote %q", live, out.String())
		}
		if live != strings.Contains(out.String(), eraseLine) {
			t.Errorf("live %v: the reporter erases lines where there is no terminal, or does not: %q", live, out.String())
		}
	}
}
