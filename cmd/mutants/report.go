package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"6.824/cmd/cli"
)

// String describes the outcome on one line.
func (r *result) String() string {
	if r.err != nil {
		return r.err.Error()
	}
	verdict := "SURVIVED all tests"
	switch {
	case r.explored:
		verdict = r.explorerVerdict()
	case r.killed != nil:
		verdict = fmt.Sprintf("killed by %v", r.killed)
	}
	if r.labRuns > 0 {
		verdict += "; the lab's tests alone: " + r.labVerdict()
	}
	return fmt.Sprintf("%s %s (%.1f s)", r.mutant.name, verdict, r.after.Seconds())
}

// printList prints a line for each mutant.
func printList(w io.Writer, mutants []mutant) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, m := range mutants {
		fmt.Fprintf(t, "%s\t%s\n", m.name, m.wrong)
	}
	t.Flush()
}

// print prints the table and the summary. It reports whether a mutant survived, was not found or could not be tested.
func (o options) print(w io.Writer, results []result, took time.Duration) (bad bool) {
	if o.explore {
		printExplored(w, results)
		return printExploredSummary(w, results, took)
	}
	printTable(w, results, o.lab)
	return printSummary(w, results, o.lab, took)
}

// printTable prints a row for each mutant. With lab > 0, a row also shows the outcome of the lab's own tests.
func printTable(w io.Writer, results []result, lab int) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "MUTANT\tWHAT IS WRONG\tKILLED BY\tAFTER")
	if lab > 0 {
		fmt.Fprintf(t, "\tTHE LAB'S 28 TESTS ALONE, %s", strings.ToUpper(cli.Count(lab, "run")))
	}
	fmt.Fprintln(t)
	for _, r := range results {
		killer, after := "NOTHING", fmt.Sprintf("%.1f s", r.after.Seconds())
		switch {
		case r.err != nil:
			killer, after = "NOT TESTED", "-"
		case r.killed != nil:
			killer = r.killed.test
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s", r.mutant.name, r.mutant.wrong, killer, after)
		if lab > 0 {
			fmt.Fprintf(t, "\t%s", r.labVerdict())
		}
		fmt.Fprintln(t)
	}
	t.Flush()
}

// labVerdict describes the outcome of the lab's own tests.
func (r *result) labVerdict() string {
	switch {
	case r.err != nil:
		return "-"
	case r.lab == nil:
		return "PASS"
	}
	return fmt.Sprintf("run %d: %s", r.lab.round, r.lab.test)
}

// printSummary prints how many mutants had which outcome. It reports whether one survived or could not be tested.
func printSummary(w io.Writer, results []result, lab int, took time.Duration) (bad bool) {
	killed, survived, failed, passed := 0, 0, 0, 0
	for _, r := range results {
		switch {
		case r.err != nil:
			failed++
			continue
		case r.killed != nil:
			killed++
		default:
			survived++
		}
		if r.lab == nil {
			passed++
		}
	}
	fmt.Fprintf(w, "\n%s: %d killed, %d survived, %d not tested", cli.Count(len(results), "mutant"), killed, survived, failed)
	if lab > 0 {
		fmt.Fprintf(w, "; %d passed the lab's 28 tests %s", passed, cli.Count(lab, "time"))
	}
	fmt.Fprintf(w, "; %v\n", took.Round(time.Second))
	printErrors(w, results)
	return survived+failed > 0
}

func printErrors(w io.Writer, results []result) {
	for _, r := range results {
		if r.err != nil {
			fmt.Fprintf(w, "\n%v\n", r.err)
		}
	}
}
