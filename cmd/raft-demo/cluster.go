package main

import (
	"fmt"
	"sync"

	"6.824/labrpc"
	"6.824/raft"
)

// cluster is a network with its servers, of which some are crashed or cut off.
type cluster struct {
	net     *labrpc.Network
	history *history
	every   int       // lines between two snapshots
	changed chan bool // gets a value, if it has room, after a server has applied a command

	recording *recording // may be nil

	mu    sync.Mutex // guards what follows
	slots []slot
}

// slot is a server's place in the cluster. A server begins a new life with each restart.
type slot struct {
	server    *server         // nil: crashed
	disk      *raft.Persister // of the current life, or for the next one
	ends      []string        // names of its ends, one for each server that it sends to
	connected bool
	lives     int
	skipped   int // by the machines of earlier lives
}

func newCluster(n, every int, r *recording) *cluster {
	c := &cluster{
		net:     labrpc.MakeNetwork(),
		history: newHistory(),
		every:   every,
		changed: make(chan bool, 1),
		slots:   make([]slot, n),

		recording: r,
	}
	r.observe(c.net)
	for id := range c.slots {
		c.slots[id].disk = raft.MakePersister()
		c.start(id)
		c.connect(id)
	}
	return c
}

func (c *cluster) notify() {
	select {
	case c.changed <- true:
	default:
	}
}

// start starts a server that does not run. The server is cut off until connect. start returns the number of lines in
// the server's snapshot.
func (c *cluster) start(id int) int {
	c.mu.Lock()
	sl := &c.slots[id]
	sl.lives++
	ends := make([]*labrpc.ClientEnd, len(c.slots))
	sl.ends = make([]string, len(c.slots))
	for to := range ends {
		sl.ends[to] = fmt.Sprintf("%d to %d, life %d", id, to, sl.lives)
		ends[to] = c.net.MakeEnd(sl.ends[to])
		c.net.Connect(sl.ends[to], to)
	}
	disk := sl.disk
	c.mu.Unlock()

	s := newServer(id, disk.ReadSnapshot(), c.history, c.every, c.notify)
	applyCh := make(chan raft.ApplyMsg, 64)
	options := append(c.recording.start(id, sl.ends), raft.WithCloseOnKill())
	s.rf = raft.Make(ends, id, disk, applyCh, options...)
	restored := len(s.machine.lines)
	go s.serve(applyCh)
	rpcs := labrpc.MakeServer()
	rpcs.AddService(labrpc.MakeService(s.rf))
	c.net.AddServer(id, rpcs)

	c.mu.Lock()
	defer c.mu.Unlock()
	sl.server = s
	return restored
}

// crash ends a server's life. Nothing that the server does after this call began reaches its disk or other servers: crash
// first removes the server from the network, then copies the disk for the next life, and then kills the server.
func (c *cluster) crash(id int) {
	c.recording.crash(id)
	c.disconnect(id)
	c.net.DeleteServer(id)
	c.mu.Lock()
	sl := &c.slots[id]
	sl.disk = sl.disk.Copy()
	s := sl.server
	sl.server = nil
	sl.skipped += s.look().skipped
	c.mu.Unlock()
	s.rf.Kill()
	<-s.done
}

func (c *cluster) connect(id int)    { c.enable(id, true) }
func (c *cluster) disconnect(id int) { c.enable(id, false) }

// enable connects a server with all connected servers, or cuts it off from all.
func (c *cluster) enable(id int, yes bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slots[id].connected = yes
	for other := range c.slots {
		both := yes && c.slots[other].connected
		for _, way := range [][2]int{{id, other}, {other, id}} {
			if ends := c.slots[way[0]].ends; ends != nil {
				c.net.Enable(ends[way[1]], both)
			}
		}
	}
}

// running returns the servers that run, connected or not, in order.
func (c *cluster) running() []*server {
	return c.pick(func(sl slot) bool { return sl.server != nil })
}

// reachable returns the running servers that a client can reach.
func (c *cluster) reachable() []*server {
	return c.pick(func(sl slot) bool { return sl.server != nil && sl.connected })
}

func (c *cluster) pick(wanted func(slot) bool) []*server {
	c.mu.Lock()
	defer c.mu.Unlock()
	var servers []*server
	for _, sl := range c.slots {
		if wanted(sl) {
			servers = append(servers, sl.server)
		}
	}
	return servers
}

// leader returns the reachable leader with the highest term, and that term. It returns nil if there is no leader.
func (c *cluster) leader() (leader *server, term int) {
	for _, s := range c.reachable() {
		if t, leads := s.rf.GetState(); leads && t > term {
			leader, term = s, t
		}
	}
	return leader, term
}

// progress returns the largest number of lines that a server has applied.
func (c *cluster) progress() int {
	most := 0
	for _, s := range c.running() {
		most = max(most, len(s.look().lines))
	}
	return most
}

// rows returns a row of the table for each server.
func (c *cluster) rows() []row {
	var rows []row
	for _, s := range c.running() {
		m := s.look()
		c.mu.Lock()
		sl := c.slots[s.id]
		c.mu.Unlock()
		rows = append(rows, row{
			id: s.id, status: s.rf.Status(), applied: m.applied, lines: m.lines,
			skipped: sl.skipped + m.skipped, crashes: sl.lives - 1,
		})
	}
	return rows
}

// stop ends every server and the network.
func (c *cluster) stop() {
	for _, s := range c.running() {
		c.crash(s.id)
	}
	c.net.Cleanup()
}
