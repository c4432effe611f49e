// Raft-demo shows Raft at work. Servers on a simulated network agree on the lines of a text while leaders are cut off and
// servers crash. At the end a verdict says whether all servers hold the same lines in the same order.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"6.824/cmd/cli"
)

func main() { cli.Main(&command, parseOptions, run) }

// run runs the demo until it is done or ctx ends. In the latter case, the servers and the network end with the process.
func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	if o.picture != "" {
		if err := cli.CheckFile("picture", o.picture); err != nil {
			return err
		}
	}
	done := make(chan error, 1)
	r := &reporter{Reporter: cli.Reporter{W: stderr, Live: cli.IsTerminal(stderr)}, recording: newRecording(o.picture, o.command, o.servers)}
	go func() { done <- demo(o, r, stdout, stderr) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		r.Close()
		r.recording.step("interrupted")
		err = ctx.Err()
	}
	if o.picture == "" || !r.Begun() {
		return err
	}
	if failed := r.recording.write(); failed != nil {
		return errors.Join(err, failed)
	}
	fmt.Fprintf(stderr, "picture: %s\n", o.picture)
	return err
}

// demo runs the demo and prints the table and the verdict.
func demo(o options, r *reporter, stdout, stderr io.Writer) error {
	lines, err := readLines(o.input, os.Stdin, stderr)
	if err != nil {
		return cli.Unusable(err)
	}
	r.begin(len(lines))
	result := runDemo(o, lines, r)
	r.Close()
	printTable(stdout, result.rows)
	fmt.Fprintln(stdout, tableNotes)
	if !printVerdict(stdout, result.problems, len(result.rows), len(lines)) {
		return cli.ErrFailed
	}
	return nil
}
