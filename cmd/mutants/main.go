// Mutants tests raft's tests. It plants one classic mistake after another in package raft, runs the tests, and prints
// which test finds the mistake and how soon. A mistake that no test finds shows that a test is missing. With -explore it
// runs only the explorer, on the mistakes that break safety.
package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"6.824/cmd/cli"
)

func main() { cli.Main(&command, parseOptions, test) }

// test tests the chosen mutants and prints the table. When it returns, it has left no process and no file.
func test(ctx context.Context, o options, stdout, stderr io.Writer) error {
	mutants, err := choose(table, o.run, o.explore)
	if err != nil {
		return err
	}
	if o.list {
		printList(stdout, mutants)
		return nil
	}
	start := time.Now()
	l, err := newLaboratory(ctx, o)
	if err != nil {
		return err
	}
	defer l.close()
	subject := "tests"
	if o.explore {
		subject = "explorer"
	}
	fmt.Fprintf(stderr, "mutants: running the %s without a mutant\n", subject)
	if err := l.checkHealthy(ctx, mutants); err != nil {
		return err
	}
	results := l.testAll(ctx, mutants, stderr)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if bad := l.print(stdout, results, time.Since(start)); bad {
		return cli.ErrFailed
	}
	return nil
}
