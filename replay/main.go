// Replay runs a package's tests again, from a seed.
//
// It builds the tests for GOOS=wasip1 GOARCH=wasm with the stock toolchain and runs them on a host
// (wazero) that it owns. A Go program in wasm has one thread and reaches the world through a few
// host calls only, so its run is a function of their answers, and here these are functions of the seed:
//
//   - clocks (host.go): time stands still but for a small seeded step at each reading, and jumps to
//     the next timer when every goroutine sleeps;
//   - randomness (host.go): math/rand, crypto/rand, the order of maps and of select's cases all start
//     from random bytes that the host hands out, a stream drawn from the seed;
//   - scheduling (preempt.go): the runtime's queues are first in, first out; the host breaks them up
//     by asking the running goroutine to yield, as the runtime itself would on another platform, at
//     seeded entries of the functions of the packages under test;
//   - the rest (run.go): arguments, environment and directory names are fixed; package files are
//     read-only; there is no network and no other process.
//
// The same tests, toolchain, flags and seed thus give the same run, byte for byte.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Exit codes.
const (
	exitPass        = 0
	exitFail        = 1   // a test failed, or -check found two different runs of one seed
	exitUsage       = 2   // the flags are wrong, or there is nothing to run: no build, no tests
	exitInterrupted = 130 // as a shell reports Ctrl-C
)

func main() {
	workIfChild()
	opts, err := parseOptions(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(exitPass)
	case err != nil:
		fmt.Fprintf(os.Stderr, "replay: %v\nTry -h.\n", err)
		os.Exit(exitUsage)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGPIPE)
	defer stop()
	code, err := replay(ctx, opts, os.Stdout, os.Stderr)
	if ctx.Err() != nil {
		code, err = exitInterrupted, errors.New("interrupted")
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "replay: %v\n", err)
	}
	os.Exit(code)
}

// replay builds what opts name and runs it. The tests' output goes to stdout, the host's to stderr.
func replay(ctx context.Context, opts *options, stdout, stderr io.Writer) (int, error) {
	scratch, err := os.MkdirTemp("", "replay-")
	if err != nil {
		return exitUsage, err
	}
	defer os.RemoveAll(scratch)
	start := time.Now()
	t, err := build(ctx, opts, scratch)
	if err != nil {
		return exitUsage, err
	}
	p := newPlan(t, opts, cacheDir(scratch), scratch)
	if err := compile(ctx, p); err != nil {
		return exitUsage, err
	}
	fmt.Fprintf(stderr, "replay: built %s in %v\n", t.ImportPath, time.Since(start).Round(time.Millisecond))
	r := &runner{opts: opts, plan: p, stdout: stdout, stderr: stderr}
	if opts.single {
		return r.one(ctx)
	}
	return r.all(ctx)
}
