package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"6.824/cmd/cli"
	"6.824/raft"
)

// row is what the table shows of a server.
type row struct {
	id      int
	status  raft.Status
	applied int      // index of the last command that its machine was given
	lines   []string // its machine's state
	skipped int      // commands that its machine skipped, in all its lives
	crashes int
}

// tableNotes explains the columns whose names do not.
const tableNotes = "saved: bytes of Raft state on disk; skipped: commands that were sent twice or came too early (-h explains all columns)"

func printTable(w io.Writer, rows []row) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "server\tterm\trole\tlast index\tcommitted\tapplied\tsnapshot\tsaved\tlines\tskipped\tcrashes\t")
	for _, r := range rows {
		s := r.status
		fmt.Fprintf(t, "%d\t%d\t%v\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", r.id, s.Term, s.Role, s.LastIndex,
			s.CommitIndex, r.applied, s.SnapshotIndex, s.StateBytes, len(r.lines), r.skipped, r.crashes)
	}
	t.Flush()
}

// judge returns the problems of the servers' lines. There are none if there are as many rows as servers, and each row
// holds exactly the lines of the input, in order.
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

// compare describes the first difference between the applied lines and the input. It returns "" if there is none.
func compare(applied, input []string) string {
	for i, line := range applied {
		if i == len(input) {
			return fmt.Sprintf("applied %d more lines than the text has, the first is %q", len(applied)-i, line)
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

// maxProblems bounds the list of problems under a verdict.
const maxProblems = 10

// printVerdict prints the verdict. It reports whether there are no problems.
func printVerdict(w io.Writer, problems []string, servers, lines int) bool {
	if len(problems) == 0 {
		fmt.Fprintf(w, "\nverdict: correct. %s applied the same %s in the same order, each exactly once.\n",
			cli.Count(servers, "server"), cli.Count(lines, "line"))
		return true
	}
	fmt.Fprintf(w, "\nverdict: WRONG. %s found:\n", cli.Count(len(problems), "problem"))
	for i, p := range problems {
		if i == maxProblems {
			fmt.Fprintf(w, "  and %d more\n", len(problems)-i)
			break
		}
		fmt.Fprintf(w, "  %s\n", p)
	}
	return false
}
