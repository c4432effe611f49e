package cluster

import (
	"context"
	"fmt"
	"math/rand"
	"time"
)

// Disturb causes random faults until ctx is done, with random pauses from a tenth of the longest one up to that. Then it repairs
// all: every server runs, they reach each other, and the network is reliable. The faults depend on r alone, except for which
// server leads. Report, if it is not nil, is told of each.
func (c *Cluster[S]) Disturb(ctx context.Context, r *rand.Rand, longest time.Duration, report func(fault string)) {
	if report == nil {
		report = func(string) {}
	}
	for sleep(ctx, longest/10+time.Duration(r.Int63n(int64(longest-longest/10)))) == nil {
		f := faults[r.Intn(len(faults))]
		if what := f(c, r); what != "" {
			report(what)
		}
	}
	c.Repair()
	report("all is repaired")
}

// Repair restarts the servers that are down, lets all servers reach each other, and makes the network reliable and fast.
func (c *Cluster[S]) Repair() {
	c.net.Reliable(true)
	c.net.LongReordering(false)
	c.net.LongDelays(false)
	c.Heal()
	for i := range c.members {
		if _, up := c.Server(i); !up {
			c.Restart(i)
		}
	}
}

// A victim is a Cluster whose service does not matter.
type victim interface {
	All() []int
	Leader() int
	Crash(i int)
	Restart(i int)
	Partition(groups ...[]int)
	Repair()
	setNetwork(reliable, reorder bool)
}

func (c *Cluster[S]) setNetwork(reliable, reorder bool) {
	c.net.Reliable(reliable)
	c.net.LongReordering(reorder)
}

// faults are what Disturb does. Each returns a description, or "" if it has done nothing.
var faults = []func(c victim, r *rand.Rand) string{
	crashOne, crashOne, crashLeader, crashAll, divide, divide, isolateLeader, heal, heal, spoilNetwork,
}

func crashOne(c victim, r *rand.Rand) string {
	i := r.Intn(len(c.All()))
	return restartOrNot(c, r, i)
}

func crashLeader(c victim, r *rand.Rand) string {
	i := c.Leader()
	if i < 0 {
		return ""
	}
	return restartOrNot(c, r, i)
}

// restartOrNot crashes a server, and restarts it at once or leaves it to a later fault.
func restartOrNot(c victim, r *rand.Rand, i int) string {
	if r.Intn(2) == 0 {
		c.Crash(i)
		return fmt.Sprintf("server %d crashes", i)
	}
	c.Restart(i)
	return fmt.Sprintf("server %d restarts", i)
}

func crashAll(c victim, r *rand.Rand) string {
	for _, i := range c.All() {
		c.Crash(i)
	}
	for _, i := range c.All() {
		c.Restart(i)
	}
	return "all servers crash and restart"
}

func divide(c victim, r *rand.Rand) string {
	var a, b []int
	for _, i := range c.All() {
		if r.Intn(2) == 0 {
			a = append(a, i)
		} else {
			b = append(b, i)
		}
	}
	c.Partition(a, b)
	return fmt.Sprintf("a partition: %v and %v", a, b)
}

func isolateLeader(c victim, r *rand.Rand) string {
	leader := c.Leader()
	if leader < 0 {
		return ""
	}
	var others []int
	for _, i := range c.All() {
		if i != leader {
			others = append(others, i)
		}
	}
	c.Partition(others)
	return fmt.Sprintf("server %d, the leader, is cut off", leader)
}

func heal(c victim, r *rand.Rand) string {
	c.Repair()
	return "all is repaired"
}

func spoilNetwork(c victim, r *rand.Rand) string {
	reorder := r.Intn(3) == 0
	c.setNetwork(false, reorder)
	if reorder {
		return "the network loses messages and reorders replies"
	}
	return "the network loses messages"
}
