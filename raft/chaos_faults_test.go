package raft

// How the cluster of TestChaos carries out faults.

import (
	"fmt"
	"time"
)

// carryOut lets a fault happen, or nothing if the fault does not apply, and pauses.
func (c *chaos) carryOut(f fault) {
	if max(f.server, f.to) < c.servers {
		c.strike(f)
	}
	time.Sleep(f.pause)
}

// strike lets a fault happen.
func (c *chaos) strike(f fault) {
	i, up := f.server, c.rafts[f.server] != nil
	switch f.kind {
	case letTimePass:
	case startCommands:
		c.load(f.commands)
	case crashServer:
		if up {
			c.crash(i)
		}
	case crashAtMessage:
		if up && c.doors[i].doom(true) {
			c.crash(i)
		}
	case crashAll:
		c.crashAll()
	case restartServer:
		if up && c.doors[i].isDead() {
			c.crash(i)
		}
		if c.rafts[i] == nil {
			c.options[i] = f.options
			c.restart(i)
		}
	default:
		c.disturb(f)
	}
}

// disturb lets a fault of the network happen.
func (c *chaos) disturb(f fault) {
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

// load starts commands on every server that runs, one for each letter.
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

func (c *chaos) heal() {
	for i, rf := range c.rafts {
		if rf != nil && c.doors[i].doom(false) {
			c.crash(i)
		}
	}
	c.restartAll()
	c.net.Reliable(true)
	c.net.LongReordering(false)
	c.linkAll()
}
