// Bench measures package engine and kvd beside others, with separate processes, side by side.
//
//	main.go      what is run
//	options.go   flags
//	loops.go     package engine beside the loop of etcd's example
//	process.go   the servers' processes
//	child.go     such a process
//	ours.go      a server of package engine
//	example.go   a server with the loop of etcd's example
//	delay.go     a slow disk and a slow network
//	load.go      clients
//	floor.go     how long a sync and a round trip take
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"6.824/cmd/cli"
)

func main() {
	if config := os.Getenv(childVariable); config != "" {
		if err := runChild(config); err != nil {
			fmt.Fprintln(os.Stderr, "bench: a server:", err)
			os.Exit(1)
		}
		return
	}
	cli.Main(&command, parseOptions, run)
}

func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	dir, err := os.MkdirTemp(o.dir, "bench")
	if err != nil {
		return cli.Unusable(err)
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if o.etcd {
		return measureServices(ctx, dir, o, stdout, stderr)
	}
	return measureLoops(ctx, dir, o, stdout, stderr)
}
