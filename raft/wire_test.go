package raft

// Package wire finds nothing wrong with this Raft. It reads fields of the paper's names, but the entries of
// AppendEntriesArgs are records; so the servers send messages with plain entries beside the true ones.

import (
	"flag"
	"fmt"
	"math/rand"
	"sync/atomic"
	"testing"
	"time"

	"6.824/labrpc"
	wirecheck "6.824/wire"
)

var wireRuns = flag.Int("wireruns", 20, "random runs of TestWire on the virtual clock")

type plainEntry struct {
	Term    int
	Command []byte
}

type plainAppend struct {
	Term, PrevLogIndex, PrevLogTerm, LeaderCommit int
	Entries                                       []plainEntry
	True                                          AppendEntriesArgs
}

// plainRaft has the handlers of a server whose messages wire can read.
type plainRaft struct{ rf *Raft }

func (p *plainRaft) RequestVote(args *RequestVoteArgs, reply *RequestVoteReply) {
	p.rf.RequestVote(args, reply)
}

func (p *plainRaft) InstallSnapshot(args *InstallSnapshotArgs, reply *InstallSnapshotReply) {
	p.rf.InstallSnapshot(args, reply)
}

// AppendEntries does not say which messages had come early: wire cannot know that their entries are acknowledged, too.
func (p *plainRaft) AppendEntries(args *plainAppend, reply *AppendEntriesReply) {
	p.rf.AppendEntries(&args.True, reply)
	reply.Beyond, reply.Checksum = 0, 0
}

// sendPlain sends m so that wire can read it.
func sendPlain(end *labrpc.ClientEnd, m Message) Reply {
	svcMeth, reply := m.rpc()
	var args any = m
	if m, ok := m.(*AppendEntriesArgs); ok {
		plain := &plainAppend{m.Term, m.PrevLogIndex, m.PrevLogTerm, m.LeaderCommit, nil, *m}
		for _, piece := range m.Entries {
			for rest := []byte(piece); len(rest) > 0; {
				var e plainEntry
				var err error
				if e.Term, e.Command, rest, err = readRecord(rest); err != nil {
					panic(err)
				}
				plain.Entries = append(plain.Entries, e)
			}
		}
		args = plain
	}
	if !end.Call("plainRaft"+svcMeth[len("Raft"):], args, reply) {
		return nil
	}
	return reply
}

// A wireCluster is a cluster of plainRafts that wire checks. Only the test's goroutine changes it.
type wireCluster struct {
	random  *rand.Rand
	net     *labrpc.Network
	checker *wirecheck.Checker
	rafts   []*Raft // nil: crashed
	disks   []*Persister
	ends    [][]any
	cut     []bool
	made    int
	applied atomic.Int64 // commands, on all servers
}

func newWireCluster(seed int64) *wireCluster {
	random := rand.New(rand.NewSource(seed))
	n := 3 + 2*random.Intn(2)
	begun := time.Now()
	c := &wireCluster{
		random: random, net: labrpc.MakeNetwork(), rafts: make([]*Raft, n), disks: make([]*Persister, n),
		ends: make([][]any, n), cut: make([]bool, n),
		checker: wirecheck.New(n, func() time.Duration { return time.Since(begun) }),
	}
	c.net.Observe(c.checker)
	for i := range n {
		c.disks[i] = MakePersister()
		c.start(i)
	}
	return c
}

func (c *wireCluster) start(i int) {
	c.ends[i] = nil
	ends := make([]*labrpc.ClientEnd, len(c.rafts))
	for j := range ends {
		c.made++
		name := fmt.Sprint(i, " to ", j, ", ", c.made)
		c.ends[i] = append(c.ends[i], name)
		ends[j] = c.net.MakeEnd(name)
		c.net.Connect(name, j)
	}
	c.checker.Started(i, c.ends[i])
	applyCh := make(chan ApplyMsg)
	rf := Make(ends, i, c.disks[i], applyCh, WithCloseOnKill(), WithVotePolicy(VoteSelfFirst),
		WithTransport(func(peer int, m Message) Reply { return sendPlain(ends[peer], m) }))
	c.rafts[i] = rf
	go func() {
		for m := range applyCh {
			if !m.CommandValid {
				continue
			}
			c.applied.Add(1)
			c.checker.Applied(i, m.CommandIndex)
			if m.CommandIndex%10 == 0 {
				c.checker.Snapshot(i, m.CommandIndex)
				rf.Snapshot(m.CommandIndex, []byte{1})
			}
		}
	}()
	server := labrpc.MakeServer()
	server.AddService(labrpc.MakeService(&plainRaft{rf}))
	c.net.AddServer(i, server)
	c.connect()
}

func (c *wireCluster) crash(i int) {
	c.checker.Crashed(i)
	rf := c.rafts[i]
	c.rafts[i] = nil
	c.connect()
	c.net.DeleteServer(i)
	c.disks[i] = c.disks[i].Copy()
	rf.Kill()
}

// connect enables the ends between servers that run and are not cut off.
func (c *wireCluster) connect() {
	for i, ends := range c.ends {
		for j, end := range ends {
			c.net.Enable(end, c.rafts[i] != nil && !c.cut[i] && !c.cut[j])
		}
	}
}

func (c *wireCluster) fault() {
	i := c.random.Intn(len(c.rafts))
	switch kind := c.random.Intn(9); {
	case kind == 0:
		c.cut[i] = true
	case kind <= 2:
		clear(c.cut)
	case kind <= 5 && c.rafts[i] == nil:
		c.start(i)
	case kind == 3:
		c.crash(i)
	case kind == 4:
		c.crash(i)
		c.start(i)
	case kind == 6:
		c.net.Reliable(c.random.Intn(2) == 0)
	case kind == 7:
		c.net.LongReordering(c.random.Intn(2) == 0)
	}
	c.connect()
}

// propose asks each running server for its state, and starts a few commands on each leader.
func (c *wireCluster) propose() {
	for i, rf := range c.rafts {
		if rf == nil {
			continue
		}
		if _, leads := c.checker.GetState(i, rf.GetState); leads {
			for range c.random.Intn(4) {
				rf.Start(c.random.Int())
			}
		}
	}
}

// recover ends all faults and lets the servers agree.
func (c *wireCluster) recover() {
	c.net.Reliable(true)
	c.net.LongReordering(false)
	clear(c.cut)
	for i, rf := range c.rafts {
		if rf == nil {
			c.start(i)
		}
	}
	c.connect()
	for range 50 {
		c.propose()
		time.Sleep(100 * time.Millisecond)
	}
}

func (c *wireCluster) end() {
	for i, rf := range c.rafts {
		if rf != nil {
			c.crash(i)
		}
	}
	c.net.Cleanup()
}

func TestWire(t *testing.T) {
	runs := *wireRuns
	if !virtualClock() {
		runs = min(runs, 2)
	}
	for seed := range runs {
		lab(t, func(t *testing.T) {
			c := newWireCluster(int64(seed))
			defer c.end()
			for range 60 {
				c.fault()
				c.propose()
				time.Sleep(time.Duration(c.random.Intn(1+c.random.Intn(250))) * time.Millisecond)
			}
			c.recover()
			if err := c.checker.Err(); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if off := c.checker.Off(); len(off) > 0 || c.applied.Load() < 10 {
				t.Errorf("seed %d: %d commands were applied; off: %q", seed, c.applied.Load(), off)
			}
		})
	}
}
