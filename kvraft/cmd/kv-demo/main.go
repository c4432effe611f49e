// Kv-demo shows the key/value service of package kvraft at work. Clients put, append and get values while servers crash, are cut
// off from each other and lose messages. At the end a verdict says whether the clients could have seen all that of one server
// that never fails, and whether all that was acknowledged is there.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"6.824/cmd/cli"
	"6.824/kvraft/history"
	"6.824/kvraft/internal/recording"
)

func main() { cli.Main(&command, parseOptions, run) }

// run runs the demo until it is done or ctx ends. In the latter case, the servers and the network end with the process.
func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	if o.picture != "" {
		if err := cli.CheckFile("picture", o.picture); err != nil {
			return err
		}
	}
	d := newDemo(o, stderr)
	done := make(chan error, 1)
	go func() { done <- d.run(stdout, stderr) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		d.Close()
		err := ctx.Err()
		if o.picture != "" && d.Begun() {
			d.record.Step("interrupted")
			err = errors.Join(err, d.draw(o.picture, stderr))
		}
		return err
	}
}

func newDemo(o options, stderr io.Writer) *demo {
	return &demo{
		options:  o,
		Reporter: cli.Reporter{W: stderr, Live: cli.IsTerminal(stderr)},
		record:   recording.New(history.Values, o.servers, "kv-demo", o.command),
	}
}

// draw writes the page of the run to a file.
func (d *demo) draw(file string, stderr io.Writer) error {
	if err := d.record.WriteFile(file); err != nil {
		return err
	}
	fmt.Fprintf(stderr, "picture: %s\n", file)
	return nil
}

// drawFailure writes the page of a run with a bad verdict, and porcupine's page of the history if that was refused.
func (d *demo) drawFailure(refused *history.Error, stderr io.Writer) error {
	dir, file := cmp.Or(os.Getenv("PICTURES"), os.TempDir()), d.picture
	if refused != nil {
		page, err := refused.WritePage(dir)
		if err != nil {
			return err
		}
		fmt.Fprintf(stderr, "history of key %q: %s\n", refused.Key, page)
	}
	if file == "" {
		f, err := os.CreateTemp(dir, "kv-demo-*.html")
		if err != nil {
			return err
		}
		f.Close()
		file = f.Name()
	}
	return d.draw(file, stderr)
}
