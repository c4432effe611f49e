package main

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"6.824/cmd/cli"
)

func TestSeedRange(t *testing.T) {
	for in, want := range map[string]seedRange{
		"1-1000": {1, 1000}, "7": {7, 7}, "0-0": {0, 0}, "0-18446744073709551615": {0, math.MaxUint64},
	} {
		if got, err := parseSeedRange(in); err != nil || got != want {
			t.Errorf("%q is %v, %v", in, got, err)
		}
	}
	for in, word := range map[string]string{"9-1": "write 1-9", "": "whole", "x": "whole", "1-": "whole", "-3": "whole", "1-2-3": "whole"} {
		if _, err := parseSeedRange(in); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%q: %v", in, err)
		}
	}
	if n := (seedRange{3, 5}).size(); n != 3 {
		t.Errorf("3-5 has %d seeds", n)
	}
}

func parse(t *testing.T, line ...string) *options {
	t.Helper()
	o, err := parseOptions(line)
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return o
}

func TestOptions(t *testing.T) {
	o := parse(t, "-seeds", "2-4", "kvraft", "-run", "A b", "-C", "lab", "-env", "V=1", "-args", "-x", "-v")
	if o.single || o.seeds != (seedRange{2, 4}) || o.pkg != "kvraft" || o.dir != "lab" || o.run != "A b" || o.verbose ||
		!slices.Equal(o.args, []string{"-x", "-v"}) {
		t.Errorf("parsed %+v", o)
	}
	if o := parse(t); !o.single || o.pkg != "../raft" {
		t.Errorf("without arguments: %+v", o)
	}
	for _, line := range []string{"-seed x", "-seed -1", "-seed 1 -seeds 1-2", "-keep-going", "-j 2", "-seeds 1-9 -j 0", "-count 0", "-timeout 0s",
		"a b", "-seeds", "-seeds 9-1", "-frob", "-env X", "-trace f -seeds 1-9",
		"-trace-func x", "-trace f -trace-func ("} {
		if _, err := parseOptions(strings.Fields(line)); err == nil {
			t.Errorf("%s: no error", line)
		}
	}
}

// The command that replays a seed has all options of the run.
func TestCommand(t *testing.T) {
	o := parse(t, "-seeds", "2-9", "kvraft", "-run", "it's|X", "-C", "my lab", "-env", "V=1 2", "-limit", "3m", "-timeout", "9m",
		"-count", "3", "-v", "-overlay", "/o.json", "-tags", "a,b", "-args", "-x", "y z")
	want := ` -seed 5 -run 'it'\''s|X' -v -count 3 -timeout 9m0s -limit 3m0s -env 'V=1 2' -overlay /o.json -tags a,b -C 'my lab' kvraft -args -x 'y z'`
	if got := o.command(5); !strings.HasSuffix(got, want) {
		t.Errorf("got  %s\nwant …%s", got, want)
	}
	defer func(args []string) { os.Args = args }(os.Args)
	os.Args = []string{"/tmp/go-build123/b001/exe/replay"}
	dir, _ := os.Getwd()
	if got := parse(t).command(5); !strings.HasPrefix(got, "go run -C "+cli.Quote(dir)+" . -seed 5 ") {
		t.Errorf("under go run: %s", got)
	}
}
