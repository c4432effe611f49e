package main

import (
	"context"

	"6.824/cmd/cli"
)

// result is the outcome of a run.
type result struct {
	rows     []row
	problems []string // none: the run was correct
}

// runDemo runs the servers of o on the lines and returns the outcome. r must have begun.
func runDemo(o options, lines []string, r *reporter) result {
	r.event("%s, %s, a snapshot every %s, seed %d", cli.Count(o.servers, "server"), cli.Count(len(lines), "line"),
		cli.Count(o.snapshotEvery(len(lines)), "line"), o.seed)
	c := newCluster(o.servers, o.snapshotEvery(len(lines)), r.recording)
	defer c.stop()
	c.net.Reliable(!o.unreliable)
	client := newClient(c, lines, o.spread, r)
	err := runWithFaults(client, o, r)
	c.net.Reliable(true)
	if err == nil {
		err = client.settle()
	}
	if err == nil {
		r.event("every server has caught up")
	}
	res := result{rows: c.rows(), problems: c.history.found()}
	if err != nil {
		res.problems = append(res.problems, err.Error())
	}
	res.problems = append(res.problems, judge(res.rows, o.servers, lines)...)
	for _, text := range res.problems {
		r.recording.problem(text)
	}
	return res
}

// runWithFaults submits all lines. With o.faults, it causes faults meanwhile and repairs them afterwards.
func runWithFaults(cl *client, o options, r *reporter) error {
	if !o.faults {
		return cl.run()
	}
	f := newFaults(cl.cluster, o.seed, r)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan bool)
	go func() {
		defer close(ended)
		f.run(ctx)
	}()
	err := cl.run()
	cancel()
	<-ended
	r.event("causing no more faults; repairing those that are left")
	f.repairAll()
	return err
}
