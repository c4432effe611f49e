package main

import (
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	input := []string{"a", "b", "b", ""}
	for _, c := range []struct {
		name, want string
		applied    []string
	}{
		{"same", "", []string{"a", "b", "b", ""}},
		{"nothing", "the last 4 of 4 lines are missing", nil},
		{"cut short", "the last 1 of 4 lines are missing", []string{"a", "b", "b"}},
		{"too long", `applied 1 more lines than the text has, the first is "c"`, []string{"a", "b", "b", "", "c"}},
		{"swapped", `line 1 is "b", not "a"`, []string{"b", "a", "b", ""}},
		{"twice", `line 2 is "a", not "b"`, []string{"a", "a", "b", "b", ""}},
		{"left out", `line 3 is "", not "b"`, []string{"a", "b", ""}},
		{"changed", `line 2 is "B", not "b"`, []string{"a", "B", "b", ""}},
	} {
		if got := compare(c.applied, input); got != c.want {
			t.Errorf("%s: compare says %q, want %q", c.name, got, c.want)
		}
	}
}

func TestVerdict(t *testing.T) {
	input := []string{"a", "b"}
	good, bad := row{lines: []string{"a", "b"}}, row{id: 1, lines: []string{"b", "a"}}
	for _, c := range []struct {
		name, want string
		rows       []row
		servers    int
	}{
		{"all equal", "correct. 2 servers applied the same 2 lines", []row{good, good}, 2},
		{"one differs", "WRONG. 1 problem found:\n  server 1: line 1", []row{good, bad}, 2},
		{"all differ alike", "WRONG. 2 problems found", []row{bad, bad}, 2},
		{"one missing", "WRONG. 1 problem found:\n  1 of 2 servers run", []row{good}, 2},
	} {
		var out strings.Builder
		ok := printVerdict(&out, judge(c.rows, c.servers, input), c.servers, len(input))
		if ok != strings.HasPrefix(c.want, "correct") || !strings.Contains(out.String(), "verdict: "+c.want) {
			t.Errorf("%s: verdict %v %q, want %q", c.name, ok, out.String(), c.want)
		}
	}
}

func TestVerdictListsTheFirstProblems(t *testing.T) {
	var out strings.Builder
	printVerdict(&out, strings.Fields(strings.Repeat("problem ", 25)), 5, 1)
	if lines := strings.Count(out.String(), "  problem\n"); lines != maxProblems || !strings.Contains(out.String(), "and 15 more") {
		t.Errorf("of 25 problems, %d are listed:\n%s", lines, out.String())
	}
}
