package main

import (
	"context"
	"fmt"
	"math/rand"
	"time"
)

// faults causes faults in a cluster and repairs them.
type faults struct {
	cluster *cluster
	report  *reporter
	rand    *rand.Rand
	next    int     // index in kinds
	broken  []fault // not repaired yet, oldest first
}

// fault is a fault of one server.
type fault struct {
	id      int
	crashed bool // false: cut off
}

// kinds are the kinds of faults, in the order in which they are caused.
var kinds = []struct{ leader, crash bool }{
	{leader: true, crash: false},
	{leader: false, crash: true},
	{leader: true, crash: true},
	{leader: false, crash: false},
}

func newFaults(c *cluster, seed int64, r *reporter) *faults {
	return &faults{cluster: c, report: r, rand: rand.New(rand.NewSource(seed))}
}

// run causes and repairs faults until ctx ends. At most a minority of the servers is broken at a time, or one server of
// a cluster of one or two.
func (f *faults) run(ctx context.Context) {
	n := len(f.cluster.slots)
	most := max(1, (n-1)/2)
	for {
		pause := time.Duration(400+f.rand.Intn(500)) * time.Millisecond
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		if len(f.broken) == 0 || len(f.broken) < most && f.rand.Intn(2) == 0 {
			f.breakOne()
		} else {
			f.repairOne()
		}
	}
}

// breakOne crashes or cuts off the leader or another server. It crashes the server of a cluster of one.
func (f *faults) breakOne() {
	kind := kinds[f.next%len(kinds)]
	leader, term := f.cluster.leader()
	if leader == nil {
		return // wait for the election
	}
	f.next++
	id, what := leader.id, fmt.Sprintf("server %d (leader, term %d)", leader.id, term)
	if !kind.leader {
		if others := f.others(leader.id); len(others) > 0 {
			id = others[f.rand.Intn(len(others))]
			what = fmt.Sprintf("server %d", id)
		}
	}
	if kind.crash || len(f.cluster.slots) == 1 {
		f.report.event("%s crashed", what)
		f.cluster.crash(id)
		f.broken = append(f.broken, fault{id, true})
		return
	}
	f.report.event("%s cut off", what)
	f.cluster.disconnect(id)
	f.broken = append(f.broken, fault{id, false})
}

// others returns the reachable servers except the server but.
func (f *faults) others(but int) []int {
	var ids []int
	for _, s := range f.cluster.reachable() {
		if s.id != but {
			ids = append(ids, s.id)
		}
	}
	return ids
}

// repairOne repairs the oldest fault.
func (f *faults) repairOne() {
	b := f.broken[0]
	f.broken = f.broken[1:]
	if !b.crashed {
		f.report.event("server %d rejoined", b.id)
	} else if lines := f.cluster.start(b.id); lines > 0 {
		f.report.event("server %d restarted from its snapshot at line %d", b.id, lines)
	} else {
		f.report.event("server %d restarted from its log: it has no snapshot", b.id)
	}
	f.cluster.connect(b.id)
}

// repairAll repairs all faults.
func (f *faults) repairAll() {
	for len(f.broken) > 0 {
		f.repairOne()
	}
}
