package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand"
	"time"
)

const maxServers = 15

// options are what the command line chooses.
type options struct {
	input      string
	servers    int
	faults     bool
	unreliable bool
	seed       int64
	spread     time.Duration // the lines come in evenly over this time
	snapshot   int           // lines from one snapshot to the next
}

const usageText = `usage: raft-demo [flags] [< FILE]

Servers agree on the lines of a text through Raft, over a simulated network.
Meanwhile leaders are cut off from the others, and servers crash and restart
from what they saved. At the end all faults are repaired; a table shows each
server, and a verdict says whether every server applied the same lines in the
same order, each exactly once.

The text is -input FILE, or what is piped in, or a short text of the demo's own.
Progress goes to standard error, the table and the verdict to standard output.

Exit status: 0 when the verdict is "correct", 1 when it is "WRONG", 2 for wrong
usage or an unreadable text, 130 after Ctrl-C, 143 after SIGTERM.

flags:
`

// parseOptions reads the command line. On an error, or after -h, which is flag.ErrHelp, it has written to w what
// there is to say.
func parseOptions(args []string, w io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("raft-demo", flag.ContinueOnError)
	f.SetOutput(w)
	f.Usage = func() {
		fmt.Fprint(w, usageText)
		f.PrintDefaults()
	}
	f.StringVar(&o.input, "input", "", "read the lines from `FILE`; - is standard input")
	f.IntVar(&o.servers, "servers", 5, fmt.Sprintf("`number` of servers, 1 to %d", maxServers))
	f.BoolVar(&o.faults, "faults", true, "cut off leaders, crash and restart servers")
	f.BoolVar(&o.unreliable, "unreliable", false, "the network delays messages and loses one in ten")
	f.Int64Var(&o.seed, "seed", 0, "`number` that chooses the faults (the timing is the machine's); 0 is a random one")
	f.DurationVar(&o.spread, "time", 8*time.Second, "the lines come in evenly over this `duration`; 0 is all at once")
	f.IntVar(&o.snapshot, "snapshot", 0, "`lines` from one snapshot to the next; 0 is a twentieth of the text, at least 10")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if err := o.check(f.Args()); err != nil {
		fmt.Fprintf(w, "raft-demo: %v\nTry 'raft-demo -h'.\n", err)
		return o, err
	}
	if o.seed == 0 {
		o.seed = 1 + rand.Int63n(999_999)
	}
	return o, nil
}

func (o options) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q (a text is given with -input FILE)", rest[0])
	case o.servers < 1 || o.servers > maxServers:
		return fmt.Errorf("-servers must be from 1 to %d, not %d", maxServers, o.servers)
	case o.spread < 0:
		return fmt.Errorf("-time must not be negative: %v", o.spread)
	case o.snapshot < 0:
		return fmt.Errorf("-snapshot must not be negative: %d", o.snapshot)
	}
	return nil
}

// snapshotEvery returns the number of lines from one snapshot to the next.
func (o options) snapshotEvery(lines int) int {
	if o.snapshot > 0 {
		return o.snapshot
	}
	return max(10, lines/20)
}

func usageStatus(err error) int {
	if errors.Is(err, flag.ErrHelp) {
		return exitCorrect
	}
	return exitUsage
}
