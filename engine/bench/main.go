// Bench measures package engine and kvd beside others, with separate processes, side by side.
//
//	main.go      what is run
//	options.go   flags
//	loops.go     package engine beside the loop of etcd's example
//	services.go  kvd (kvd.go, http.go) beside etcd (etcd.go)
//	table.go     the tables
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
	p, err := newProcesses(ctx, o.dir)
	if err != nil {
		return cli.Unusable(err)
	}
	defer p.end()
	if o.etcd {
		return measureServices(p, o, stdout, stderr)
	}
	_, err = measureLoops(p, o, stdout, stderr)
	return err
}
