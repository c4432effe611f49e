// Command compare measures this project's Raft beside go.etcd.io/raft and github.com/hashicorp/raft in one process, with
// one workload driver and one way of counting. README.md describes the workloads and the tuning of each engine.
package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"6.824/cmd/cli"
)

func main() { cli.Main(&command, parseOptions, run) }

// run measures and prints the figures that o asks for.
func run(ctx context.Context, o options, out, progress io.Writer) error {
	r := report{Environment: currentEnvironment()}
	if o.flat {
		flat, err := measureFlat(ctx, o.plan, o.flatOptions, progress)
		if err != nil {
			return err
		}
		if r.Ours = &flat; !o.json {
			return flat.print(out)
		}
		return printJSON(out, r)
	}
	samples, err := measure(ctx, o.plan, progress)
	if err != nil {
		return err
	}
	r.Samples, r.Rows = samples, summarize(o.plan, samples)
	if o.json {
		return printJSON(out, r)
	}
	fmt.Fprintln(out, r.Environment)
	return printTable(out, o.plan, r.Rows)
}

// environment describes where the figures were measured.
type environment struct {
	Go       string            `json:"go"`
	Platform string            `json:"platform"`
	CPUs     int               `json:"cpus"`
	Modules  map[string]string `json:"modules"`
}

func currentEnvironment() environment {
	e := environment{
		Go:       runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
		CPUs:     runtime.GOMAXPROCS(0),
		Modules:  map[string]string{},
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "go.etcd.io/raft/v3" || m.Path == "github.com/hashicorp/raft" {
				e.Modules[m.Path] = m.Version
			}
		}
	}
	return e
}

func (e environment) String() string {
	return fmt.Sprintf("%s %s, %d CPUs; go.etcd.io/raft/v3 %s, github.com/hashicorp/raft %s",
		e.Go, e.Platform, e.CPUs, e.Modules["go.etcd.io/raft/v3"], e.Modules["github.com/hashicorp/raft"])
}
