package main

import (
	"fmt"
	"math/rand"
	"time"

	"6.824/cmd/cli"
)

const (
	maxServers = 9
	maxClients = 9
)

// options are the values of the flags.
type options struct {
	servers  int
	clients  int
	duration time.Duration // how long the clients work
	faults   bool
	seed     int64
	snapshot int    // maxraftstate
	picture  string // file of the run's page; "" for none
	command  string // that repeats the run, as far as that is possible
}

var command = cli.Command{
	Name:    "kv-demo",
	Summary: "Kv-demo shows clients of a replicated key/value service whose servers fail.",
	Usage:   "[flags]",
	About: `The servers run on a simulated network. All clients append to the shared keys red,
green and blue, each puts values under a key of its own, and all of them get the
values of all keys. Meanwhile the demo crashes servers and restarts them from what
they have saved, divides them into groups that cannot reach each other, cuts the
leader off, and loses messages. At the end it repairs all faults and gets the value
of each key.

The verdict says whether the history is linearizable: whether one server that carries
out one operation after the other, each between its call and its return, could have
given the clients the same results. It also says whether each acknowledged write is
in the final values, exactly once.

The progress tells how many operations were acknowledged, which servers run (* leads,
- is down), and how many clients have waited for more than 100 ms.

With -picture, open the file in a browser: it shows the operations of each client, each
message, each server's log and state at any time, and the faults. Without -picture the
demo writes such a page if the verdict is bad, and prints its name.

Progress goes to standard error, the tables and the verdict go to standard output.

Columns of the tables:
  applied     index of the last command that the server has carried out
  snapshot    index of the last command that the server's snapshot covers
  saved       bytes of Raft state on the server's disk, without the snapshot
  crashes     how often the server crashed
  longest     the longest time that an operation of the client took`,
	Examples: `go run ./cmd/kv-demo
go run ./cmd/kv-demo -servers 3 -clients 8 -time 30s -seed 7
go run ./cmd/kv-demo -picture run.html`,
	OK:       `the verdict is "linearizable"`,
	Failed:   `the verdict is "WRONG"`,
	Unusable: "wrong usage, or no place for the page",
}

// parseOptions parses the command line. If there is no -seed, it chooses one.
func parseOptions(args []string) (options, error) {
	var o options
	f := command.Flags()
	f.IntVar(&o.servers, "servers", 5, fmt.Sprintf("`number` of servers, from 1 to %d", maxServers))
	f.IntVar(&o.clients, "clients", 4, fmt.Sprintf("`number` of clients, from 1 to %d", maxClients))
	f.DurationVar(&o.duration, "time", 8*time.Second, "how long the clients work: a `duration`")
	f.BoolVar(&o.faults, "faults", true, "cause faults; -faults=false causes none")
	f.Int64Var(&o.seed, "seed", 0, "`number` that chooses the faults and the operations, but not their exact times; 0 means a random seed")
	f.IntVar(&o.snapshot, "snapshot", 4000, "take a snapshot when the saved Raft state has about this `number` of bytes; -1 means never")
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
	o.command = cli.CommandLine("go run ./cmd/kv-demo", f, "picture")
	return o, o.check(others)
}

func (o options) check(others []string) error {
	switch {
	case len(others) > 0:
		return cli.Usagef("unexpected argument %q", others[0])
	case o.servers < 1 || o.servers > maxServers:
		return cli.Usagef("-servers must be from 1 to %d, not %d", maxServers, o.servers)
	case o.clients < 1 || o.clients > maxClients:
		return cli.Usagef("-clients must be from 1 to %d, not %d", maxClients, o.clients)
	case o.duration <= 0:
		return cli.Usagef("-time must be positive, not %v", o.duration)
	case o.snapshot < 1 && o.snapshot != -1:
		return cli.Usagef("-snapshot must be positive or -1, not %d", o.snapshot)
	}
	return nil
}
