package main

import (
	"fmt"
	"math/rand"
	"time"

	"6.824/cmd/cli"
)

const maxServers = 15

// options are the values of the flags.
type options struct {
	input      string
	servers    int
	faults     bool
	unreliable bool
	seed       int64
	spread     time.Duration // the lines arrive evenly over this time
	snapshot   int           // lines between two snapshots
	picture    string        // file of the run's page; "" for none
	command    string        // that repeats the run, as far as that is possible
}

var command = cli.Command{
	Name:    "raft-demo",
	Summary: "Raft-demo shows servers that agree on the lines of a text through Raft while some of them fail.",
	Usage:   "[flags] [< FILE]",
	About: `The servers run on a simulated network. The demo cuts leaders off from the
others, and crashes servers and restarts them from what they have saved. At the
end it repairs all faults and prints a table with a row for each server. The
verdict says whether every server applied the same lines in the same order, each
exactly once.

With -picture, open the file in a browser: it shows each message, each server's log
and state at any time, the faults and the lines.

The text is -input FILE, or standard input if that is a pipe or a file, or else a
short text of the demo's own. Progress goes to standard error, the table and the
verdict go to standard output.

Columns of the table:
  last index  index of the last entry in the server's log
  committed   index of the last entry that the server knows to be committed
  applied     index of the last entry that the server's state machine was given
  snapshot    index of the last entry that the server's snapshot covers
  saved       bytes of Raft state on the server's disk, without the snapshot
  lines       lines that the state machine holds
  skipped     commands that the state machine did not add to its lines, because
              the client sent the line twice or an earlier line was still missing
  crashes     how often the server crashed`,
	Examples: `go run ./cmd/raft-demo
go run ./cmd/raft-demo -servers 3 -unreliable -seed 7
go run ./cmd/raft-demo -time 0 < README.md
go run ./cmd/raft-demo -picture run.html`,
	OK:       `the verdict is "correct"`,
	Failed:   `the verdict is "WRONG"`,
	Unusable: "wrong usage, a text that is empty or cannot be read, or no place for the page",
}

// parseOptions parses the command line. If there is no -seed, it chooses one.
func parseOptions(args []string) (options, error) {
	var o options
	f := command.Flags()
	f.StringVar(&o.input, "input", "", "read the lines from `FILE`; - is standard input")
	f.IntVar(&o.servers, "servers", 5, fmt.Sprintf("`number` of servers, from 1 to %d", maxServers))
	f.BoolVar(&o.faults, "faults", true, "cut off leaders, crash and restart servers; -faults=false causes no faults")
	f.BoolVar(&o.unreliable, "unreliable", false, "use a network that delays messages and loses one in ten")
	f.Int64Var(&o.seed, "seed", 0, "`number` that chooses the faults, but not their exact times; 0 means a random seed")
	f.DurationVar(&o.spread, "time", 8*time.Second, "submit the lines evenly over this `duration`; 0 means all at once")
	f.IntVar(&o.snapshot, "snapshot", 0,
		"`number` of lines between two snapshots of a server; 0 means a twentieth of the text, but at least 10 lines")
	f.StringVar(&o.picture, "picture", "", "write the run as a page to this `file` (HTML), also when you press Ctrl-C")
	others, err := command.Parse(f, args)
	if err != nil {
		return o, err
	}
	if o.picture == "" && cli.Given(f, "picture") {
		return o, cli.Usagef("-picture is empty")
	}
	if o.seed == 0 {
		o.seed = 1 + rand.Int63n(999_999)
	}
	o.command = cli.CommandLine("go run ./cmd/raft-demo", f, "picture")
	return o, o.check(others)
}

func (o options) check(others []string) error {
	switch {
	case len(others) > 0:
		return cli.Usagef("unexpected argument %q (-input FILE names a text)", others[0])
	case o.servers < 1 || o.servers > maxServers:
		return cli.Usagef("-servers must be from 1 to %d, not %d", maxServers, o.servers)
	case o.spread < 0:
		return cli.Usagef("-time must not be negative: %v", o.spread)
	case o.snapshot < 0:
		return cli.Usagef("-snapshot must not be negative: %d", o.snapshot)
	}
	return nil
}

// snapshotEvery returns the number of lines between two snapshots.
func (o options) snapshotEvery(lines int) int {
	if o.snapshot > 0 {
		return o.snapshot
	}
	return max(10, lines/20)
}
