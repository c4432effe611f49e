// Package cluster runs a service on Raft in one process: its servers, the simulated network between them, their disks, and
// the faults that one wants to see it survive.
//
//	c := cluster.New(3, func(peers []*labrpc.ClientEnd, me int, disk *raft.Persister) *kvraft.KVServer {
//		return kvraft.StartKVServer(peers, me, disk, -1)
//	})
//	defer c.Close()
//	ck := kvraft.MakeClerk(c.NewClient().Ends())
//	ck.Put("colour", "green")
//	c.Crash(c.Leader())
//	fmt.Println(ck.Get("colour"))
package cluster

import (
	"fmt"
	"slices"
	"sync"

	"6.824/kvraft/rsm"
	"6.824/labrpc"
	"6.824/raft"
)

// A Server is one server of a service. Its exported methods with the form of labrpc's handlers become RPCs, as do those of
// its Raft.
type Server interface {
	Kill()
	Raft() rsm.Raft
	Applied() int // index of the last command that the server has carried out
}

// A Start starts server me of a service. peers lead to its servers, and disk holds what an earlier life of the server has
// saved.
type Start[S Server] func(peers []*labrpc.ClientEnd, me int, disk *raft.Persister) S

// A Cluster is a running service. Its methods are safe for concurrent use, except that only one goroutine at a time may crash
// or restart servers. Those that take the number of a server panic if there is none.
type Cluster[S Server] struct {
	net   *labrpc.Network
	watch Watcher // may be nil
	start Start[S]

	mu      sync.Mutex
	members []*member[S]
	ends    int // that were made, to give each a name
}

// A member is what the cluster knows of one server.
type member[S Server] struct {
	up     bool
	server S
	disk   *raft.Persister
	ends   []string // its ends to all servers, by server
	group  int      // servers reach each other if they are in the same group
}

// A Watcher is told when servers start and crash. A record.Cluster is one.
type Watcher interface {
	Started(server int, ends []any) // it is about to start; ends are the names of its ends in the network, by server
	Crashed(server int)             // it is about to stop
}

// New starts a cluster of n servers that reach each other, on a reliable network.
func New[S Server](n int, start Start[S]) *Cluster[S] {
	return NewOn(labrpc.MakeNetwork(), nil, n, start)
}

// NewOn is like New, on a network of the caller's, which Close cleans up. It tells w, which may be nil, of the servers.
func NewOn[S Server](net *labrpc.Network, w Watcher, n int, start Start[S]) *Cluster[S] {
	c := &Cluster[S]{net: net, watch: w, start: start, members: make([]*member[S], n)}
	for i := range c.members {
		c.members[i] = &member[S]{disk: raft.MakePersister()}
	}
	for i := range c.members {
		c.Restart(i)
	}
	return c
}

// Close kills all servers and cleans up the network.
func (c *Cluster[S]) Close() {
	for i, m := range c.snapshotOfMembers() {
		if m.up {
			c.stopping(i)
			m.server.Kill()
		}
	}
	c.net.Cleanup()
}

// stopping tells the Watcher that server i is about to stop.
func (c *Cluster[S]) stopping(i int) {
	if c.watch != nil {
		c.watch.Crashed(i)
	}
}

// Len returns the number of servers.
func (c *Cluster[S]) Len() int { return len(c.members) }

// Network returns the network, whose faults can be switched: it can be unreliable, slow, or reorder replies.
func (c *Cluster[S]) Network() *labrpc.Network { return c.net }

// All returns the numbers of all servers.
func (c *Cluster[S]) All() []int {
	all := make([]int, len(c.members))
	for i := range all {
		all[i] = i
	}
	return all
}

// Crash stops server i. Its disk keeps what it has saved. Crash does nothing if the server is down.
func (c *Cluster[S]) Crash(i int) {
	c.mu.Lock()
	m := c.members[i]
	if !m.up {
		c.mu.Unlock()
		return
	}
	c.stopping(i)
	c.net.DeleteServer(name(i)) // first, so that the server acknowledges nothing that the disk will lack
	for _, end := range m.ends {
		c.net.DeleteEnd(end)
	}
	m.up, m.ends, m.disk = false, nil, m.disk.Copy()
	server := m.server
	c.mu.Unlock()
	server.Kill()
}

// Restart starts server i with its disk, after a crash if it is running. It is in the group in which it was.
func (c *Cluster[S]) Restart(i int) {
	c.Crash(i)
	c.mu.Lock()
	m := c.members[i]
	peers := make([]*labrpc.ClientEnd, len(c.members))
	m.ends = make([]string, len(c.members))
	for j := range peers {
		m.ends[j], peers[j] = c.newEndLocked(fmt.Sprintf("server %d to %d", i, j), j)
	}
	disk := m.disk
	c.mu.Unlock()
	if c.watch != nil {
		names := make([]any, len(peers))
		for j := range names {
			names[j] = m.ends[j]
		}
		c.watch.Started(i, names)
	}
	server := c.start(peers, i, disk)
	services := labrpc.MakeServer()
	services.AddService(labrpc.MakeService(server))
	services.AddService(labrpc.MakeService(server.Raft()))
	c.mu.Lock()
	defer c.mu.Unlock()
	m.up, m.server = true, server
	c.net.AddServer(name(i), services)
	c.connectLocked()
}

// newEndLocked makes a client end that leads to server i.
func (c *Cluster[S]) newEndLocked(what string, i int) (string, *labrpc.ClientEnd) {
	c.ends++
	endname := fmt.Sprintf("%s, %d", what, c.ends)
	end := c.net.MakeEnd(endname)
	c.net.Connect(endname, name(i))
	return endname, end
}

// name is the name of a server in the network.
func name(i int) string { return fmt.Sprintf("server-%d", i) }

// Partition divides the servers into groups. Servers of the same group reach each other, and no others. A server that is in
// no group reaches nobody. Clients still reach the servers that they did.
func (c *Cluster[S]) Partition(groups ...[]int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, m := range c.members {
		m.group = -1 - i
		for g, group := range groups {
			if slices.Contains(group, i) {
				m.group = g
			}
		}
	}
	c.connectLocked()
}

// Heal lets all servers reach each other.
func (c *Cluster[S]) Heal() { c.Partition(c.All()) }

// connectLocked enables the ends between servers of the same group.
func (c *Cluster[S]) connectLocked() {
	for _, m := range c.members {
		for j, end := range m.ends {
			c.net.Enable(end, m.group == c.members[j].group)
		}
	}
}

// Server returns server i, and false if it is down.
func (c *Cluster[S]) Server(i int) (S, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.members[i].server, c.members[i].up
}

// Disk returns the disk of server i.
func (c *Cluster[S]) Disk(i int) *raft.Persister {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.members[i].disk
}

// snapshotOfMembers returns copies of the members.
func (c *Cluster[S]) snapshotOfMembers() []member[S] {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]member[S], len(c.members))
	for i, m := range c.members {
		all[i] = *m
	}
	return all
}
