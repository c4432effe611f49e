package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"sync"
	"time"

	"6.824/cmd/cli"
	"6.824/kvraft"
	"6.824/kvraft/cluster"
	"6.824/kvraft/history"
	"6.824/kvraft/internal/recording"
	"6.824/labrpc"
	"6.824/raft"
)

// startServer starts a server. Tests replace it by one that makes mistakes.
var startServer = func(peers []*labrpc.ClientEnd, me int, disk *raft.Persister, maxraftstate int, o raft.Option) cluster.Server {
	return kvraft.StartKVServer(peers, me, disk, maxraftstate, o)
}

const (
	// patience is how long the demo waits for clients and servers after the repair. An election usually takes less than a second.
	patience = 30 * time.Second
	// longestPause is the longest time between two faults.
	longestPause = 900 * time.Millisecond
	// roundOfFaults is how long faults happen until all is repaired.
	roundOfFaults = 2 * time.Second
	// tick is how often the demo looks at the cluster.
	tick = 20 * time.Millisecond
	// slow is when a client counts as waiting.
	slow = 100 * time.Millisecond
	// checkLimit bounds the time for checking the history.
	checkLimit = 30 * time.Second
)

// demo is one run.
type demo struct {
	options
	cli.Reporter
	record  *recording.Recording
	cluster *cluster.Cluster[cluster.Server]
	clients []*client
	term    int // of the last leader that was told; only watch uses it

	mu     sync.Mutex
	starts []int // by server
}

// Started counts the starts of a server. With Crashed, it makes the demo the cluster's Watcher.
func (d *demo) Started(server int, ends []any) {
	d.mu.Lock()
	d.starts[server]++
	d.mu.Unlock()
	d.record.Started(server, ends)
}

// Crashed records the crash of a server.
func (d *demo) Crashed(server int) { d.record.Crashed(server) }

// run runs the demo and prints the tables and the verdict.
func (d *demo) run(stdout, stderr io.Writer) error {
	d.begin()
	defer d.cluster.Close()
	problems := d.work()
	var final map[string]string
	if len(problems) == 0 {
		final, problems = d.settle()
	}
	d.tell("checking the history")
	for _, p := range problems {
		d.record.Fail(p)
	}
	var refused *history.Error
	if err := d.record.Check(checkLimit); err != nil {
		errors.As(err, &refused)
		problems = append(problems, err.Error())
	}
	if final != nil {
		problems = append(problems, missing(d.clients, final)...)
	}
	d.Close()
	d.printServers(stdout)
	d.printClients(stdout)
	if !d.printVerdict(stdout, problems) {
		return errors.Join(d.drawFailure(refused, stderr), cli.ErrFailed)
	}
	if d.picture != "" {
		return d.draw(d.picture, stderr)
	}
	return nil
}

// begin starts the clocks, the servers and the clients.
func (d *demo) begin() {
	d.starts = make([]int, d.servers)
	d.record.Begin()
	d.Begin("the servers start")
	snapshots := fmt.Sprintf("a snapshot when %d bytes are saved", d.snapshot)
	if d.snapshot < 0 {
		snapshots = "no snapshots"
	}
	d.tell(fmt.Sprintf("%s, %s, %s, seed %d", cli.Count(d.servers, "server"), cli.Count(d.options.clients, "client"), snapshots, d.seed))
	net := labrpc.MakeNetwork()
	net.Observe(d.record)
	d.cluster = cluster.NewOn(net, d, d.servers, func(peers []*labrpc.ClientEnd, me int, disk *raft.Persister) cluster.Server {
		return startServer(peers, me, disk, d.snapshot, d.record.Option(me, kvraft.Describe))
	})
	for id := range d.options.clients {
		d.clients = append(d.clients, newClient(id, d.cluster.NewClient(), d.record, d.seed+int64(id)))
	}
}

// tell prints and records an event.
func (d *demo) tell(text string) {
	d.record.Step(text)
	d.Event(text)
}

// work lets the clients work while faults happen, and waits until they are done. It returns what has gone wrong.
func (d *demo) work() (problems []string) {
	ctx, cancel := context.WithTimeout(context.Background(), d.duration)
	defer cancel()
	var all sync.WaitGroup
	for _, cl := range d.clients {
		all.Go(func() { cl.work(ctx, len(d.clients)) })
	}
	if d.faults {
		all.Go(func() { d.disturb(ctx) })
	}
	done := make(chan bool)
	go func() {
		all.Wait()
		close(done)
	}()
	giveUp := time.After(d.duration + patience)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-done:
			d.watch(true)
			return nil
		case <-ticker.C:
			d.watch(false)
		case <-giveUp:
			for _, cl := range d.clients {
				if _, waiting := cl.done(); waiting > patience/2 {
					problems = append(problems, fmt.Sprintf("%s, %v after the repair", cl.unfinished(), patience))
				}
			}
			return append(problems, "the clients did not come to an end")
		}
	}
}

// disturb causes faults until ctx is done, and now and then repairs all and lets some time pass.
func (d *demo) disturb(ctx context.Context) {
	r, last := rand.New(rand.NewSource(d.seed)), ""
	tell := func(fault string) {
		if fault != last { // else all is repaired twice
			d.tell(fault)
		}
		last = fault
	}
	for ctx.Err() == nil {
		round, cancel := context.WithTimeout(ctx, roundOfFaults)
		d.cluster.Disturb(round, r, longestPause, tell)
		cancel()
		select {
		case <-time.After(longestPause):
		case <-ctx.Done():
		}
	}
}

// settle has the first client write once more and get the value of each key, and waits until all servers have carried out the
// same commands.
func (d *demo) settle() (final map[string]string, problems []string) {
	cl := d.clients[0]
	final = make(map[string]string)
	done := make(chan bool)
	go func() {
		defer close(done)
		cl.do(history.Put, ownKey(cl.id), "end") // it commits what is left of earlier terms
		for _, key := range shared {
			final[key] = cl.do(history.Get, key, "")
		}
		for id := range d.clients {
			final[ownKey(id)] = cl.do(history.Get, ownKey(id), "")
		}
	}()
	select {
	case <-done:
	case <-time.After(patience):
		return nil, []string{cl.unfinished()}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := d.cluster.WaitApplied(ctx, d.cluster.Applied()); err != nil {
		problems = append(problems, err.Error())
	} else {
		d.tell("every server has caught up")
	}
	return final, problems
}
