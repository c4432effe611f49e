package main

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"6.824/cmd/cli/clitest"
)

func TestMain(m *testing.M) { clitest.Main(m, main) }

func TestStyle(t *testing.T) {
	clitest.Style(t, "mutants", []string{"-run", "no-such-mutant"}, nil, "running the tests without a mutant")
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		args string
		want string // in the error; "" for none
	}{
		{"", ""},
		{"-run vote -lab 10 -timeout 30s -parallel 1", ""},
		{"vote", `unexpected argument "vote"`},
		{"-lab -1", "-lab must not be negative: -1"},
		{"-timeout 1ms", "-timeout must be at least 1s"},
		{"-parallel 0", "-parallel must be at least 1: 0"},
		{"-explore -explore.limit 30s -timeout 30s", ""},
		{"-explore -explore.limit 0", "-explore.limit must be at least 1s: 0s"},
		{"-explore -lab 3", "-lab and -explore exclude each other"},
		{"-explore.limit 30s", "-explore.limit needs -explore"},
		{"-seed 1", "not defined: -seed"},
	} {
		_, err := parseOptions(strings.Fields(c.args))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("mutants %s: error %v, want %q", c.args, err, c.want)
		}
	}
}

// One explorer keeps all processors busy.
func TestOptionsParallel(t *testing.T) {
	for args, want := range map[string]int{"": runtime.GOMAXPROCS(0), "-explore": 1, "-explore -parallel 3": 3} {
		if o, err := parseOptions(strings.Fields(args)); err != nil || o.parallel != want {
			t.Errorf("mutants %s: %d at once, error %v; want %d", args, o.parallel, err, want)
		}
	}
}

func TestChoose(t *testing.T) {
	all := []mutant{{name: "vote"}, {name: "vote-not-saved", safety: true}, {name: "term-not-saved", safety: true}}
	for _, c := range []struct {
		run    string
		safety bool
		want   string
	}{
		{"", false, "vote vote-not-saved term-not-saved"},
		{"vote", false, "vote"},
		{"saved$", false, "vote-not-saved term-not-saved"},
		{"^vote", false, "vote vote-not-saved"},
		{"none", false, `error: -run: no mutant's name matches "none"; -list shows them`},
		{"(", false, "error: -run: error parsing regexp: missing closing ): `(`"},
		{"", true, "vote-not-saved term-not-saved"},
		{"^vote", true, "vote-not-saved"},
		{"vote", true, `error: -run: "vote" matches no mutant that breaks safety; -explore -list shows them`},
		{"none", true, `error: -run: no mutant's name matches "none"; -list shows them`},
	} {
		chosen, err := choose(all, c.run, c.safety)
		names := make([]string, len(chosen))
		for k, m := range chosen {
			names[k] = m.name
		}
		got := strings.Join(names, " ")
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != c.want {
			t.Errorf("-run %q, safety %v: %q, want %q", c.run, c.safety, got, c.want)
		}
	}
}

func TestList(t *testing.T) {
	var out strings.Builder
	err := test(context.Background(), options{list: true, run: "vote-not-saved"}, &out, io.Discard)
	if err != nil || out.String() != "vote-not-saved  a server grants its vote but does not save it\n" {
		t.Errorf("error %v, output %q", err, out.String())
	}
}

func TestReport(t *testing.T) {
	results := []result{
		{mutant: mutant{name: "dead", wrong: "this"}, killed: &failure{"TestA", "no", 1}, after: 1500 * time.Millisecond, labRuns: 10},
		{mutant: mutant{name: "alive", wrong: "that"}, labRuns: 10, lab: &failure{"TestB2A", "why", 7}},
		{mutant: mutant{name: "odd", wrong: "what"}, err: errors.New("mutant odd does not fit")},
	}
	var out strings.Builder
	printTable(&out, results, 10)
	if bad := printSummary(&out, results, 10, 90*time.Second); !bad {
		t.Error("the summary overlooks a mutant that survived")
	}
	const want = `MUTANT  WHAT IS WRONG  KILLED BY   AFTER  THE LAB'S 28 TESTS ALONE, 10 RUNS
dead    this           TestA       1.5 s  PASS
alive   that           NOTHING     0.0 s  run 7: TestB2A
odd     what           NOT TESTED  -      -

3 mutants: 1 killed, 1 survived, 1 not tested; 1 passed the lab's 28 tests 10 times; 1m30s

mutant odd does not fit
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	if bad := printSummary(io.Discard, results[:1], 10, 0); bad {
		t.Error("a killed mutant counts as one that survived")
	}
}
