// Raft-demo shows Raft at work. Servers on a simulated network agree on the lines of a text while leaders are cut off and
// servers crash. At the end a verdict says whether all servers hold the same lines in the same order.
package main

import (
	"context"
	"fmt"
	"os"

	"6.824/cmd/cli"
)

func main() {
	command.Main(func(ctx context.Context, args []string) error {
		o, err := parseOptions(args)
		if err != nil {
			return err
		}
		done := make(chan error, 1)
		r := &reporter{w: os.Stderr, live: cli.IsTerminal(os.Stderr)}
		go func() { done <- demo(o, r) }()
		select {
		case err := <-done:
			return err
		case <-ctx.Done(): // the servers and the network end with the process
			r.close()
			return ctx.Err()
		}
	})
}

// demo runs the demo and prints its table and verdict.
func demo(o options, r *reporter) error {
	lines, err := readLines(o.input, os.Stdin, os.Stderr)
	if err != nil {
		return cli.Unusable(err)
	}
	r.begin(len(lines))
	result := runDemo(o, lines, r)
	r.close()
	printTable(os.Stdout, result.rows)
	fmt.Println(tableNotes)
	if !printVerdict(os.Stdout, result.problems, len(result.rows), len(lines)) {
		return cli.ErrFailed
	}
	return nil
}
