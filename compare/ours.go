package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"6.824/labgob"
	"6.824/labrpc"
	"6.824/raft"
)

func init() { labgob.Register(kvOp{}) }

// applyBuffer is the capacity of each server's applyCh. A busy service would choose about the same.
const applyBuffer = outstanding

// ourCluster is this project's Raft on its simulated network. As in the lab's harness, each ordered pair of servers has an
// end.
type ourCluster struct {
	kind    kind
	net     *labrpc.Network
	rafts   []*raft.Raft
	lead    int
	readers sync.WaitGroup
}

type endName struct{ from, to int }

func startOurs(ctx context.Context, w workload, machines []*machine) (cluster, error) {
	c := newOurCluster(w.kind, machines)
	if err := c.awaitLeader(ctx, nil); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// newOurCluster starts the servers without waiting for a leader.
func newOurCluster(kind kind, machines []*machine) *ourCluster {
	c := &ourCluster{kind: kind, net: labrpc.MakeNetwork(), rafts: make([]*raft.Raft, len(machines))}
	for i, m := range machines {
		ends := make([]*labrpc.ClientEnd, len(machines))
		for j := range ends {
			ends[j] = c.net.MakeEnd(endName{i, j})
			c.net.Connect(endName{i, j}, j)
			c.net.Enable(endName{i, j}, true)
		}
		applyCh := make(chan raft.ApplyMsg, applyBuffer)
		c.rafts[i] = raft.Make(ends, i, raft.MakePersister(), applyCh, raft.WithCloseOnKill())
		c.readers.Go(func() { read(applyCh, m) })
		server := labrpc.MakeServer()
		server.AddService(labrpc.MakeService(c.rafts[i]))
		c.net.AddServer(i, server)
	}
	return c
}

// read applies the commands of applyCh to m until the server closes the channel.
func read(applyCh <-chan raft.ApplyMsg, m *machine) {
	for msg := range applyCh {
		if msg.CommandValid {
			m.apply(msg.Command)
		}
		if len(applyCh) == 0 {
			m.flush()
		}
	}
}

// awaitLeader waits until a server outside the set cut leads. submit gives commands to that server from then on.
func (c *ourCluster) awaitLeader(ctx context.Context, cut map[int]bool) error {
	for {
		for i, rf := range c.rafts {
			if _, leads := rf.GetState(); leads && !cut[i] {
				c.lead = i
				return nil
			}
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("no leader: %w", context.Cause(ctx))
		}
	}
}

// enable connects server i with all other servers, or cuts it off.
func (c *ourCluster) enable(i int, on bool) {
	for j := range c.rafts {
		c.net.Enable(endName{i, j}, on)
		c.net.Enable(endName{j, i}, on)
	}
}

func (c *ourCluster) leader() int { return c.lead }

var errNotLeader = errors.New("the leader stepped down")

func (c *ourCluster) submit(seq int) error {
	if _, _, leads := c.rafts[c.lead].Start(c.kind.value(seq)); !leads {
		return errNotLeader
	}
	return nil
}

func (c *ourCluster) close() {
	for _, rf := range c.rafts {
		rf.Kill()
	}
	c.readers.Wait()
	c.net.Cleanup()
}
