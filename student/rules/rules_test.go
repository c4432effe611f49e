// Package rules runs the student's Raft through random faults and lets package wire check the rules of the paper.
package rules

import (
	"flag"
	"fmt"
	"math/rand"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"6.824/labrpc"
	"6.824/student/raft"
	"6.824/wire"
)

var (
	runs  = flag.Int("runs", 30, "random runs of the student's Raft, each of a few seconds on the virtual clock")
	first = flag.Int("first", 0, "seed of the first run")
)

// A correct Raft breaks no rule, and no rule is off.
func TestRules(t *testing.T) {
	for seed := *first; seed < *first+*runs; seed++ {
		synctest.Test(t, func(t *testing.T) {
			c := newCluster(int64(seed))
			c.suffer()
			if err := c.checker.Err(); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if off := c.checker.Off(); len(off) > 0 {
				t.Fatalf("seed %d: off: %q", seed, off)
			}
			if c.most < 3 && os.Getenv("MISTAKE") == "" { // with a mistake, a run may elect nobody; the next one is tried
				t.Errorf("seed %d: only %d commands were applied", seed, c.most)
			}
		})
	}
}

// A cluster is one of the student's servers on a network that observes them.
type cluster struct {
	random  *rand.Rand
	net     *labrpc.Network
	checker *wire.Checker
	n       int
	disks   []*raft.Persister
	ends    [][]any
	cut     []bool
	made    int
	over    chan struct{} // closed when the readers may end

	mu    sync.Mutex
	rafts []*raft.Raft // nil: crashed
	most  int          // highest index applied
}

func newCluster(seed int64) *cluster {
	random := rand.New(rand.NewSource(seed))
	n := 3 + 2*random.Intn(2)
	begun := time.Now()
	c := &cluster{
		random: random, net: labrpc.MakeNetwork(), n: n, disks: make([]*raft.Persister, n), ends: make([][]any, n),
		cut: make([]bool, n), over: make(chan struct{}), rafts: make([]*raft.Raft, n),
		checker: wire.New(n, func() time.Duration { return time.Since(begun) }),
	}
	c.net.Observe(c.checker)
	for i := range n {
		c.disks[i] = raft.MakePersister()
		c.start(i)
	}
	return c
}

func (c *cluster) start(i int) {
	c.ends[i] = nil
	var ends []*labrpc.ClientEnd
	for j := range c.n {
		c.made++
		name := fmt.Sprint(i, " to ", j, ", ", c.made)
		c.ends[i] = append(c.ends[i], name)
		ends = append(ends, c.net.MakeEnd(name))
		c.net.Connect(name, j)
	}
	c.checker.Started(i, c.ends[i])
	applyCh := make(chan raft.ApplyMsg)
	rf := raft.Make(ends, i, c.disks[i], applyCh)
	c.mu.Lock()
	c.rafts[i] = rf
	c.mu.Unlock()
	go c.read(i, rf, applyCh)
	server := labrpc.MakeServer()
	server.AddService(labrpc.MakeService(rf))
	c.net.AddServer(i, server)
	c.connect()
}

// read is the service of a server.
func (c *cluster) read(i int, rf *raft.Raft, applyCh chan raft.ApplyMsg) {
	for {
		select {
		case <-c.over:
			return
		case m := <-applyCh:
			c.mu.Lock()
			running := c.rafts[i] == rf
			c.most = max(c.most, m.CommandIndex)
			c.mu.Unlock()
			if !running || !m.CommandValid {
				continue
			}
			c.checker.Applied(i, m.CommandIndex)
			if m.CommandIndex%10 == 0 {
				c.checker.Snapshot(i, m.CommandIndex)
				rf.Snapshot(m.CommandIndex, []byte{1})
			}
		}
	}
}

func (c *cluster) crash(i int) {
	c.checker.Crashed(i)
	for _, end := range c.ends[i] {
		c.net.Enable(end, false)
	}
	c.net.DeleteServer(i)
	c.disks[i] = c.disks[i].Copy()
	c.mu.Lock()
	rf := c.rafts[i]
	c.rafts[i] = nil
	c.mu.Unlock()
	rf.Kill()
}

// connect enables the ends between servers that are not cut off.
func (c *cluster) connect() {
	for i, ends := range c.ends {
		for j, end := range ends {
			c.net.Enable(end, c.rafts[i] != nil && !c.cut[i] && !c.cut[j])
		}
	}
}

// suffer lets the cluster go through random faults, then recover, and ends it.
func (c *cluster) suffer() {
	for range 60 {
		c.fault()
		time.Sleep(time.Duration(c.random.Intn(1+c.random.Intn(250))) * time.Millisecond)
	}
	c.net.Reliable(true)
	c.net.LongReordering(false)
	clear(c.cut)
	for i, rf := range c.rafts {
		if rf == nil {
			c.start(i)
		}
	}
	c.connect()
	for range 30 {
		c.propose()
		time.Sleep(100 * time.Millisecond)
	}
	for i := range c.rafts {
		c.crash(i)
	}
	c.net.Cleanup()
	time.Sleep(10 * time.Second)
	close(c.over)
}

func (c *cluster) fault() {
	i := c.random.Intn(c.n)
	switch c.random.Intn(10) {
	case 0:
		c.cut[i] = true
		c.connect()
	case 1, 2:
		clear(c.cut)
		c.connect()
	case 3:
		if c.rafts[i] != nil {
			c.crash(i)
		}
	case 4, 5:
		if c.rafts[i] == nil {
			c.start(i)
		}
	case 6:
		c.net.Reliable(c.random.Intn(2) == 0)
	case 7, 8:
		if c.rafts[i] != nil {
			c.crash(i)
			c.start(i)
		}
	case 9:
		c.net.LongReordering(c.random.Intn(2) == 0)
	}
	for range c.random.Intn(4) {
		c.propose()
	}
}

// propose asks each running server for its state, and starts a command on each leader.
func (c *cluster) propose() {
	for i, rf := range c.rafts {
		if rf == nil {
			continue
		}
		if _, leads := c.checker.GetState(i, rf.GetState); leads {
			rf.Start(c.random.Int())
		}
	}
}
