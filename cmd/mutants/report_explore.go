package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"6.824/cmd/cli"
)

// explorerVerdict describes the explorer's outcome on a mutant that could be tested.
func (r *result) explorerVerdict() string {
	switch {
	case r.found != nil:
		return r.found.String()
	case r.killed != nil:
		return fmt.Sprintf("NOT FOUND, but fails: %v", r.killed)
	}
	return "NOT FOUND"
}

// printExplored prints a row for each mutant: the violated property, and how soon the explorer found the violation.
func printExplored(w io.Writer, results []result) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "MUTANT\tWHAT IS WRONG\tEXPLORE\tAFTER\tTRACE\tSECONDS")
	for _, r := range results {
		verdict, after, trace, seconds := "NOT TESTED", "-", "-", "-"
		if r.err == nil {
			verdict, seconds = r.explorerVerdict(), fmt.Sprintf("%.1f", r.after.Seconds())
		}
		if r.found != nil {
			verdict, after, trace = r.found.property, r.found.after, fmt.Sprint(r.found.trace)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", r.mutant.name, r.mutant.wrong, verdict, after, trace, seconds)
	}
	t.Flush()
}

// printExploredSummary prints how many mutants had which outcome. It reports whether one was not found or could not be
// tested.
func printExploredSummary(w io.Writer, results []result, took time.Duration) (bad bool) {
	var found, failed int
	for _, r := range results {
		switch {
		case r.err != nil:
			failed++
		case r.found != nil:
			found++
		}
	}
	fmt.Fprintf(w, "\n%s: %d found by the explorer, %d not found, %d not tested; %v\n",
		cli.Count(len(results), "mutant"), found, len(results)-found-failed, failed, took.Round(time.Second))
	printErrors(w, results)
	return found < len(results)
}
