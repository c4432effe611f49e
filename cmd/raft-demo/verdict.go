package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"6.824/raft"
)

// row is what the table shows of a server at the end.
type row struct {
	id      int
	status  raft.Status
	applied int      // index of the last command its machine was given
	lines   []string // its machine's state
	repeats int      // commands that its machine left out, in all its lives
	crashes int
}

func printTable(w io.Writer, rows []row) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "server\tterm\trole\tlast index\tcommitted\tapplied\tsnapshot\tbytes saved\tlines\trepeats\tcrashes\t")
	for _, r := range rows {
		s := r.status
		fmt.Fprintf(t, "%d\t%d\t%v\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", r.id, s.Term, s.Role, s.LastIndex,
			s.CommitIndex, r.applied, s.SnapshotIndex, s.StateBytes, len(r.lines), r.repeats, r.crashes)
	}
	t.Flush()
}

// judge returns what is wrong with the servers' lines: nothing, if there are as many rows as servers, and each holds
// exactly the lines of the input, in order.
func judge(rows []row, servers int, input []string) []string {
	var problems []string
	if len(rows) != servers {
		problems = append(problems, fmt.Sprintf("%d of %d servers run at the end", len(rows), servers))
	}
	for _, r := range rows {
		if p := compare(r.lines, input); p != "" {
			problems = append(problems, fmt.Sprintf("server %d: %s", r.id, p))
		}
	}
	return problems
}

// compare describes the first difference between what a server applied and the input, or returns "".
func compare(applied, input []string) string {
	for i, line := range applied {
		if i == len(input) {
			return fmt.Sprintf("applied %d lines too many, the first is %q", len(applied)-i, line)
		}
		if line != input[i] {
			return fmt.Sprintf("line %d is %q, not %q", i+1, line, input[i])
		}
	}
	if missing := len(input) - len(applied); missing > 0 {
		return fmt.Sprintf("the last %d of %d lines are missing", missing, len(input))
	}
	return ""
}

// maxProblems bounds what the verdict lists.
const maxProblems = 10

// printVerdict says whether there are problems, and which; it returns true when there are none.
func printVerdict(w io.Writer, problems []string, servers, lines int) bool {
	if len(problems) == 0 {
		fmt.Fprintf(w, "\nverdict: correct. %s applied the same %s in the same order, each exactly once.\n",
			several(servers, "server"), several(lines, "line"))
		return true
	}
	fmt.Fprintf(w, "\nverdict: WRONG. %s found:\n", several(len(problems), "problem"))
	for i, p := range problems {
		if i == maxProblems {
			fmt.Fprintf(w, "  and %d more\n", len(problems)-i)
			break
		}
		fmt.Fprintf(w, "  %s\n", p)
	}
	return false
}

// several returns a count with its noun, such as "1 line" or "2 lines".
func several(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
