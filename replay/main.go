// Replay runs a package's tests from a seed.
//
// It builds the tests for GOOS=wasip1 GOARCH=wasm with the Go tool and runs them in a host, on wazero. A Go program in
// wasm has one thread and reaches the outside only through a few host calls. Its run is a function of their results, and
// this host derives these from the seed:
//
//   - clocks (host.go): each reading moves the time by a small random step. When every goroutine sleeps, the time jumps to
//     the next timer.
//   - randomness (host.go): math/rand, crypto/rand, the order of maps and the choices of select start from random bytes of
//     the host.
//   - scheduling (preempt.go): the host asks the running goroutine to yield at random entries of functions of the packages
//     under test, and in their loops (loops.go), as the runtime does by itself on other platforms.
//   - everything else (run.go): arguments, environment and directory names are fixed. The package's files are read-only.
//     There is no network and no other process.
//
// So the same tests, toolchain, flags and seed give the same run, byte for byte. The host can show more of it without changing
// it: the logs of passed tests (testoutput.go), and calls with their arguments (trace.go).
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"6.824/cmd/cli"
)

func main() {
	workIfChild()
	cli.Main(&command, parseOptions, replay)
}

// replay builds and runs the tests that opts name. The tests' output goes to stdout, replay's own messages go to stderr.
func replay(ctx context.Context, opts *options, stdout, stderr io.Writer) error {
	if opts.trace != "" {
		if err := checkTrace(opts.trace); err != nil {
			return cli.Unusable(err)
		}
	}
	if opts.picture != "" {
		if err := checkPicture(opts.picture); err != nil {
			return cli.Unusable(err)
		}
	}
	scratch, err := os.MkdirTemp("", "replay-")
	if err != nil {
		return cli.Unusable(err)
	}
	defer os.RemoveAll(scratch)
	start := time.Now()
	t, err := build(ctx, opts, scratch)
	if err != nil {
		return cli.Unusable(err)
	}
	p := newPlan(t, opts, cacheDir(scratch), scratch)
	if err := compile(ctx, p); err != nil {
		return cli.Unusable(err)
	}
	fmt.Fprintf(stderr, "replay: built %s in %v\n", t.ImportPath, time.Since(start).Round(time.Millisecond))
	if t.Replaced {
		fmt.Fprintf(stderr, "replay: the tests are built with this repository's labrpc and labgob in place of theirs, to record messages\n")
	}
	r := &runner{opts: opts, plan: p, stdout: stdout, stderr: stderr}
	if opts.single {
		return r.one(ctx)
	}
	return r.all(ctx)
}
