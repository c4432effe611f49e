package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

func TestReadFinding(t *testing.T) {
	for _, c := range []struct{ output, want string }{
		{"=== RUN   TestExplore\n  explore: found after 346931 states, a trace of 14 actions: election safety: server 1 leads\n",
			"found after 346931 states, a trace of 14 actions: election safety"},
		{"explore: found after 120 walks of 3400 actions, a trace of 9 actions: commit rule (§5.4.2): in term 2\r\n",
			"found after 120 walks of 3400 actions, a trace of 9 actions: commit rule (§5.4.2)"},
		{"    explore_test.go:81: explore: found after 1 state, a trace of 1 action: no panic\n",
			"found after 1 state, a trace of 1 action: no panic"},
		{"explore: found after 2 states, a trace of 3 actions: first: a\nexplore: found after 9 states, a trace of 9 actions: second: b\n",
			"found after 2 states, a trace of 3 actions: first"},
		{"explore: 3400 states, nothing yet\nPASS\n", ""},
		{"it says \"explore: found after 2 states, a trace of 3 actions: first: a\"\n", ""},
		{"explore: found after 2 states, a trace of 99999999999999999999 actions: first: a\n", ""},
		{"explore: found after 2 states, a trace of 3 actions:\n", ""},
		{"", ""},
	} {
		got := ""
		if f := readFinding([]byte(c.output)); f != nil {
			got = f.String()
		}
		if got != c.want {
			t.Errorf("%q: %q, want %q", c.output, got, c.want)
		}
	}
}

func TestJudge(t *testing.T) {
	const line = "explore: found after 2 states, a trace of 3 actions: first: a\n"
	status := errors.New("exit status 1")
	for _, c := range []struct {
		output string
		failed error
		want   string
	}{
		{"PASS\n", nil, "<nil> <nil> <nil>"},
		{line, status, "found after 2 states, a trace of 3 actions: first <nil> <nil>"},
		{line, nil, `<nil> <nil> TestExplore passed, but says "found after 2 states, a trace of 3 actions: first"`},
		{"testing: warning: no tests to run\nPASS\n", nil, "<nil> <nil> package raft has no TestExplore"},
		{"=== RUN   TestExplore\npanic: oh\n", status, "<nil> TestExplore: oh <nil>"},
		{"flag provided but not defined: -explore\n", status,
			"<nil> <nil> the explorer ended without a failed test: exit status 1\nflag provided but not defined: -explore\n"},
	} {
		found, killed, err := judge([]byte(c.output), c.failed)
		if got := fmt.Sprintf("%v %v %v", orNil(found), orNil(killed), err); got != c.want {
			t.Errorf("%q, %v: got %s\nwant %s", c.output, c.failed, got, c.want)
		}
	}
}

// orNil returns p, or a nil interface for a nil pointer, which prints as <nil>.
func orNil[T any](p *T) any {
	if p == nil {
		return nil
	}
	return p
}

func TestExplorerVerdicts(t *testing.T) {
	l := toy(t, options{explore: true, timeout: time.Second, limit: time.Second})
	for _, c := range []struct {
		mutant mutant
		want   string
	}{
		{planted("return n"), "found after 12 states, a trace of 3 actions: doubling"},
		{planted("panic(n)"), "NOT FOUND, but fails: TestExplore: 5"},
		{planted("for { }"), "NOT FOUND, but fails: TestExplore: hangs"},
		{mutant{name: "healthy"}, "NOT FOUND"},
		{planted("return unknown"), "mutant planted does not compile"},
	} {
		r := l.try(context.Background(), c.mutant, time.Second)
		got := r.explorerVerdict()
		if r.err != nil {
			got, _, _ = strings.Cut(r.err.Error(), ":")
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.mutant.name, got, c.want)
		}
		wantEmpty(t, l)
	}
	if err := l.checkHealthy(context.Background(), nil); err != nil {
		t.Error(err)
	}
}

func TestExplorerReport(t *testing.T) {
	results := []result{
		{mutant: mutant{name: "deep", wrong: "this"}, explored: true, found: &finding{"election safety", "346931 states", 14}, after: 3210 * time.Millisecond},
		{mutant: mutant{name: "hidden", wrong: "that"}, explored: true, after: time.Minute},
		{mutant: mutant{name: "loud", wrong: "it"}, explored: true, killed: &failure{"TestExplore", "oh", 1}},
		{mutant: mutant{name: "odd", wrong: "what"}, explored: true, err: errors.New("mutant odd does not fit")},
	}
	var out strings.Builder
	o := options{explore: true}
	if bad := o.print(&out, results, 90*time.Second); !bad {
		t.Error("the summary overlooks mutants that were not found")
	}
	const want = `MUTANT  WHAT IS WRONG  EXPLORE                                AFTER          TRACE  SECONDS
deep    this           election safety                        346931 states  14     3.2
hidden  that           NOT FOUND                              -              -      60.0
loud    it             NOT FOUND, but fails: TestExplore: oh  -              -      0.0
odd     what           NOT TESTED                             -              -      -

4 mutants: 1 found by the explorer, 2 not found, 1 not tested; 1m30s

mutant odd does not fit
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	if bad := o.print(io.Discard, results[:1], 0); bad {
		t.Error("a mutant that was found counts as not found")
	}
	if got, want := results[0].String(), "deep found after 346931 states, a trace of 14 actions: election safety (3.2 s)"; got != want {
		t.Errorf("progress: %q, want %q", got, want)
	}
}
