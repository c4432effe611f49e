// Raft-demo is Raft's job to watch: servers on a simulated network agree on the lines of a text while leaders are cut
// off and servers crash, and at the end a verdict says whether all of them hold the same lines in the same order.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Exit statuses, beside 128 plus the signal's number for a run that a signal ended.
const (
	exitCorrect = 0
	exitWrong   = 1
	exitUsage   = 2
)

func main() {
	exitOnSignal()
	o, err := parseOptions(os.Args[1:], os.Stderr)
	if err != nil {
		os.Exit(usageStatus(err))
	}
	lines, err := readLines(o.input, os.Stdin, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "raft-demo:", err)
		os.Exit(exitUsage)
	}
	r := newReporter(os.Stderr, isTerminal(os.Stderr), len(lines))
	result := runDemo(o, lines, r)
	r.close()
	printTable(os.Stdout, result.rows)
	if !printVerdict(os.Stdout, result.problems, len(result.rows), len(lines)) {
		os.Exit(exitWrong)
	}
	os.Exit(exitCorrect)
}

// exitOnSignal makes Ctrl-C end the program at once, whatever it is doing, and not without a word.
func exitOnSignal() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		s := <-signals
		fmt.Fprintf(os.Stderr, "\nraft-demo: stopped before the end (%v); no verdict\n", s)
		status := 128 + int(syscall.SIGTERM)
		if s == os.Interrupt {
			status = 128 + int(syscall.SIGINT)
		}
		os.Exit(status)
	}()
}

// isTerminal reports whether f is a character device, as a terminal is.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
