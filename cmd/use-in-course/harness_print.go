package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"6.824/cmd/cli"
	"6.824/cmd/coursetree"
)

func (h *harness) printTitle() {
	t := h.overlay.Tree
	found := "a tree like that of " + t.Years
	if t.Years == "" {
		found = "a package raft that uses this repository's labrpc"
	}
	fmt.Fprintf(h.stdout, "found in %s: %s; nothing in it is changed\n", t.Dir, found)
	if h.plain {
		fmt.Fprintln(h.stdout, "The package compiles only without our locks and loop counters: a test may make the virtual clock stand still.")
	}
}

// maxLocks bounds the locks that are printed for a failure.
const maxLocks = 3

// lockLines breaks the line about a lock.
var lockLines = strings.NewReplacer(", during ", "\n            during ", "; its holder ", "\n            its holder ", "; waiting ", "\n            waiting ")

// printResult prints a test's line, and below it what it needs.
func (h *harness) printResult(r *result) {
	if r.failed() {
		fmt.Fprintf(h.stdout, "FAIL    %-32s %s\n", r.test, r.why)
	} else {
		fmt.Fprintf(h.stdout, "passed  %-32s %5.1f s %6d RPCs\n", r.test, r.seconds, r.rpcs)
	}
	for k, lock := range r.locks {
		if k == maxLocks {
			fmt.Fprintf(h.stdout, "          %d more in %s\n", len(r.locks)-k, r.log)
			break
		}
		fmt.Fprintf(h.stdout, "          %s\n", lockLines.Replace(lock))
	}
	if r.failed() && r.page != "" {
		fmt.Fprintf(h.stdout, "          picture: %s\n", r.page)
	}
	if r.frozen != "" {
		fmt.Fprintf(h.stdout, "          This result is from the real clock, since %s\n", r.frozen)
	}
}

// printSummary prints the warnings of all tests, each once, and what to do next. The parts in rest were not run.
func (h *harness) printSummary(rest []string) {
	h.printWarnings()
	var failures []*result
	for _, r := range h.results {
		if r.failed() {
			failures = append(failures, r)
		}
	}
	fmt.Fprintf(h.stdout, "%d of %s passed.\n", len(h.results)-len(failures), cli.Count(len(h.results), "test"))
	if len(rest) > 0 {
		fmt.Fprintf(h.stdout, "%s not run: first make %s pass. -keep-going runs all.\n", wereNot(rest), partOf(failures[0].test))
	}
	if len(failures) == 0 {
		if h.logDir != "" {
			fmt.Fprintf(h.stdout, "The logs are in %s.\n", h.logs)
		}
		return
	}
	fmt.Fprintf(h.stdout, "The logs are in %s.\n\nTo run the first failure again:\n", h.logs)
	dir, first := cli.Quote(h.overlay.Tree.Dir), failures[0].test
	flags := ""
	if h.race {
		flags = " -race"
	}
	if failures[0].clock == "real" {
		flags += " -clock real"
	}
	fmt.Fprintf(h.stdout, "  ./use-in-course.sh -harness%s -v -run %s %s\n", flags, first, dir)
	if root, err := coursetree.LibraryDir(); err == nil && !strings.HasPrefix(failures[0].why, "data race") {
		fmt.Fprintf(h.stdout, "To find a seed with which it fails every time:\n  go run -C %s . -harness -C %s -seeds 1-1000 -run %s\n",
			cli.Quote(filepath.Join(root, "replay")), dir, first)
	}
}

// wereNot is the beginning of a sentence about these parts.
func wereNot(parts []string) string {
	if len(parts) == 1 {
		return parts[0] + " was"
	}
	last := len(parts) - 1
	return strings.Join(parts[:last], ", ") + " and " + parts[last] + " were"
}

// printWarnings prints each warning once, with the number of tests that have it.
func (h *harness) printWarnings() {
	var texts []string
	tests := map[string]int{}
	for _, r := range h.results {
		for _, text := range r.warnings {
			if tests[text]++; !slices.Contains(texts, text) {
				texts = append(texts, text)
			}
		}
	}
	for _, text := range texts {
		fmt.Fprintf(h.stdout, "warning in %s: %s\n", cli.Count(tests[text], "test"), text)
	}
}
