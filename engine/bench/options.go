package main

import (
	"time"

	"6.824/cmd/cli"
)

type options struct {
	etcd   bool
	dir    string
	rounds int
	time   time.Duration
}

var command = cli.Command{
	Name:    "bench",
	Summary: "Bench measures package engine beside the loop of etcd's example, or kvd beside etcd.",
	Usage:   "[flags]",
	About: `It starts three servers of each kind as processes on this machine, and measures them in turn, several rounds. It prints
a table in Markdown, with the medians of the rounds.

Without -etcd, the kinds are package engine and a program with the loop that etcd's documentation and its example show:
save, send, apply, one after the other. Both use the same write-ahead log and transport. With -etcd, they are kvd and
etcd, which must be installed (Debian and Ubuntu: apt-get install etcd-server).

Run it on a machine that does nothing else. The directory must be on the disk that you want to measure.`,
	Examples: "go run ./bench\ngo run ./bench -etcd -dir /var/tmp -rounds 3",
	OK:       "measured",
	Failed:   "a server has failed",
	Unusable: "wrong usage, or a server cannot be started",
}

func parseOptions(args []string) (o options, err error) {
	flags := command.Flags()
	flags.BoolVar(&o.etcd, "etcd", false, "measure kvd beside etcd")
	flags.StringVar(&o.dir, "dir", "", "`directory` for the data, which is removed at the end; by default the one for temporary files")
	flags.IntVar(&o.rounds, "rounds", 5, "number of rounds")
	flags.DurationVar(&o.time, "time", time.Second, "time for each measurement")
	others, err := command.Parse(flags, args)
	switch {
	case err != nil:
	case len(others) > 0:
		err = cli.Usagef("unexpected argument '%s'", others[0])
	case o.rounds < 1 || o.time < 10*time.Millisecond:
		err = cli.Usagef("-rounds must be 1 or more, and -time 10ms or more")
	}
	return o, err
}
