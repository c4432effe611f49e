//go:build go1.25

package record

import (
	"fmt"
	"sync"

	"6.824/picture"
)

// A Cluster records one cluster. Any number of goroutines may use it, with any locks held. New makes one.
type Cluster struct {
	rec *picture.Recorder

	mu      sync.Mutex // guards what follows; only the Recorder's lock is taken under it
	servers []*server
	ends    map[any]link
	calls   map[int64]*Message // messages of the network that are not over, by the network's number
	number  int64              // of the last message or operation
}

// A link is what an end is for.
type link struct{ from, to, life int }

// A server is what is known of one server.
type server struct {
	life int // counts starts
	up   bool
	term int
	role picture.Role
}

// New returns a Cluster for servers that are numbered from 0, and gives each a lane of rec.
func New(rec *picture.Recorder, servers int) *Cluster {
	c := &Cluster{rec: rec, ends: map[any]link{}, calls: map[int64]*Message{}}
	for i := range servers {
		rec.Lane(fmt.Sprintf("server %d", i), false)
		c.servers = append(c.servers, &server{})
	}
	return c
}

// Started says that a server starts, for the first time or from what it has saved. ends[j] is the name of its end to
// server j in a labrpc network; nil if there is none. It must be called before the server can send or receive.
func (c *Cluster) Started(server int, ends []any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.servers[server]
	s.life++
	s.up, s.term, s.role = true, 0, picture.NoRole
	for to, end := range ends {
		c.ends[end] = link{server, to, s.life}
	}
	c.rec.Add(picture.Event{Kind: picture.Start, Lane: server})
}

// Crashed says that a server stops. What it still does is not recorded. It must be called before the server is cut off and
// killed. It does nothing if the server is not running.
func (c *Cluster) Crashed(server int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.servers[server]; s.up {
		s.up = false
		c.rec.Add(picture.Event{Kind: picture.Crash, Lane: server})
	}
}
