//go:build go1.25

package record

import (
	"fmt"
	"slices"
	"strings"

	"6.824/labrpc"
	"6.824/picture"
	"6.824/wire"
)

// foreign is what is known of a cluster whose harness does not say which ends belong to which server, and when servers start
// and crash.
type foreign struct {
	lanes   map[any]int // of servers, by name
	groups  map[any]*group
	open    *group          // the one that was made last
	clients map[any]*client // by what tells them apart
	found   int             // clients, those that have left included
	others  int             // the lane of the clients beyond maxClients
}

// A group is the ends that were made in a row and lead to different servers. They belong to one server or client.
type group struct {
	servers []any
	ends    []any
	lane    int // picture.NoLane if it is unknown
	guess   int // the server that was added to the network next, or picture.NoLane
}

// Watch returns a Cluster for a labrpc network whose harness tells it nothing. It finds out by itself which servers there
// are, when they start and crash, and who sends a message.
func Watch(rec *picture.Recorder) *Cluster {
	c := newCluster(rec)
	c.foreign = &foreign{lanes: map[any]int{}, groups: map[any]*group{}, clients: map[any]*client{}}
	rec.Note("This page is derived from the messages on the network: the code under test has told nothing of itself.")
	rec.Note("A server has crashed when it leaves the network, and has started when it joins the network.")
	return c
}

// laneLocked returns the lane of a server.
func (c *Cluster) laneLocked(server any) int {
	lane, known := c.foreign.lanes[server]
	if !known {
		name := fmt.Sprint(server)
		if _, ok := server.(int); ok {
			name = "server " + name
		}
		lane = c.addLane(name, false)
		c.foreign.lanes[server] = lane
	}
	return lane
}

// groupLocked puts an end that is connected for the first time into a group.
func (c *Cluster) groupLocked(end labrpc.EndInfo) {
	f := c.foreign
	if end.Deleted {
		if g := f.groups[end.Name]; f.clients[g] != nil {
			f.clients[g].finish("no result", false)
			delete(f.clients, g)
		}
		delete(f.groups, end.Name)
		return
	}
	if end.Server == nil || f.groups[end.Name] != nil {
		return
	}
	c.laneLocked(end.Server)
	if f.open == nil || slices.Contains(f.open.servers, end.Server) {
		f.open = &group{lane: picture.NoLane, guess: picture.NoLane}
	}
	g := f.open
	g.servers, g.ends = append(g.servers, end.Server), append(g.ends, end.Name)
	f.groups[end.Name] = g
}

// adoptLocked guesses that the ends that were made last belong to a server that has just been added.
func (c *Cluster) adoptLocked(lane int) {
	if g := c.foreign.open; g != nil {
		g.guess = lane
		c.foreign.open = nil
	}
}

// routeLocked returns who sends a request to whom, and the client if it is one that was found out.
func (c *Cluster) routeLocked(call labrpc.CallInfo, r *reading, args any) (at link, cl *client, known bool) {
	f := c.foreign
	if f == nil {
		at, known = c.ends[call.End]
		return at, nil, known
	}
	g := f.groups[call.End]
	if g == nil {
		return link{}, nil, false
	}
	q, lane := &r.Request, g.lane
	switch {
	case q.Kind != wire.Other && q.Sender >= 0 && q.Sender < len(g.servers):
		lane = f.lanes[g.servers[q.Sender]]
	case lane != picture.NoLane:
	case g.guess != picture.NoLane && (q.Kind != wire.Other || strings.HasPrefix(call.Method, "Raft.")):
		lane = g.guess
	}
	if lane == picture.NoLane || c.servers[lane].client {
		cl = c.clientLocked(g, args) // one end may serve several
		lane = cl.lane
	}
	if lane != g.lane && c.servers[lane].up {
		c.ownLocked(g, lane)
	}
	at, known = c.ends[call.End]
	return at, cl, known
}

// ownLocked records to whom a group belongs.
func (c *Cluster) ownLocked(g *group, lane int) {
	g.lane = lane
	for k, end := range g.ends {
		c.ends[end] = link{lane, c.foreign.lanes[g.servers[k]], c.servers[lane].life}
		c.linkLocked(end)
	}
}
