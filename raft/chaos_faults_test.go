package raft

// How the cluster of TestChaos injects faults.

import (
	"context"
	"fmt"
	"time"
)

// inject injects a fault, or nothing if the fault does not apply, and sleeps for the fault's pause.
func (c *chaos) inject(f fault) {
	if max(f.server, f.to) < c.servers {
		c.recording.step("%s", f.goLiteral())
		c.injectNow(f)
	}
	time.Sleep(f.pause)
}

// injectNow injects a fault whose servers exist.
func (c *chaos) injectNow(f fault) {
	i, up := f.server, c.rafts[f.server] != nil
	switch f.kind {
	case letTimePass:
	case startCommands:
		c.load(f.commands)
	case readEverywhere:
		c.readEverywhere()
	case crashServer:
		if up {
			c.crash(i)
		}
	case crashAtMessage:
		if up && c.endpoints[i].setDoomed(true) {
			c.crash(i)
		}
	case crashAll:
		c.crashAll()
	case restartServer:
		if up && c.endpoints[i].isDead() {
			c.crash(i)
		}
		if c.rafts[i] == nil {
			c.options[i] = f.options
			c.restart(i)
		}
	default:
		c.changeNetwork(f)
	}
}

// changeNetwork injects a fault of the network.
func (c *chaos) changeNetwork(f fault) {
	switch f.kind {
	case cutLink, restoreLink:
		c.link(f.server, f.to, f.kind == restoreLink)
	case restoreLinks:
		c.linkAll()
	case isolateServer:
		c.isolate(f.server)
	case isolateLeader:
		c.isolate(c.lastLeader())
	case unreliableNetwork, reliableNetwork:
		c.net.Reliable(f.kind == reliableNetwork)
	case reorderReplies, orderReplies:
		c.net.LongReordering(f.kind == reorderReplies)
	default:
		panic(fmt.Sprintf("unknown kind of fault: %q", f.kind))
	}
}

func (c *chaos) isolate(i int) {
	for j := range c.servers {
		c.link(i, j, false)
		c.link(j, i, false)
	}
}

func (c *chaos) link(i, j int, up bool) {
	c.links[i][j] = up
	c.net.Enable(c.ends[i][j], up && c.rafts[i] != nil)
}

func (c *chaos) linkAll() {
	for i := range c.servers {
		for j := range c.servers {
			c.link(i, j, true)
		}
	}
}

func (c *chaos) restart(i int) {
	c.start(i)
	for j := range c.servers {
		c.link(i, j, c.links[i][j])
	}
}

func (c *chaos) crashAll() {
	for i, rf := range c.rafts {
		if rf != nil {
			c.crash(i)
		}
	}
}

func (c *chaos) restartAll() {
	for i, rf := range c.rafts {
		if rf == nil {
			c.restart(i)
		}
	}
}

// load starts one command for each letter on every running server.
func (c *chaos) load(letters string) {
	for _, rf := range c.rafts {
		for k := range len(letters) {
			c.named++
			if rf != nil {
				rf.Start(chaosCommand(letters[k], c.named))
			}
		}
	}
}

// readEverywhere begins a read on every running server. It does not wait for it.
func (c *chaos) readEverywhere() {
	for _, rf := range c.rafts {
		if rf != nil {
			c.reads.Go(func() {
				defer rf.observePanic()
				c.readIndex(rf)
			})
		}
	}
}

// readIndex calls ReadIndex on a server. It reports whether that succeeded within a second.
func (c *chaos) readIndex(rf *Raft) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, err := c.watch.readIndex(ctx, rf)
	return err == nil
}

func (c *chaos) heal() {
	for i, rf := range c.rafts {
		if rf != nil && c.endpoints[i].setDoomed(false) {
			c.crash(i)
		}
	}
	c.restartAll()
	c.net.Reliable(true)
	c.net.LongReordering(false)
	c.linkAll()
}
