//go:build go1.25

package record

import (
	"fmt"
	"slices"
	"sync"

	"6.824/labrpc"
	"6.824/picture"
	"6.824/wire"
)

// A Cluster records one cluster. Any number of goroutines may use it. They may hold locks of their own, which the Cluster never
// takes. New and Watch make one.
type Cluster struct {
	rec      *picture.Recorder
	readings readings

	mu       sync.Mutex // guards what follows; only the locks of readings and of the Recorder are taken under it
	servers  []*server  // by lane; clients have one, too
	ends     map[any]link
	calls    map[int64]*Message // messages of a network that are not over, by number
	byHand   int64              // messages of Message
	infos    map[any]labrpc.EndInfo
	links    map[[2]int]*linkState
	settings labrpc.Settings
	from0    bool     // LastLogIndex counts from 0, since it has been -1
	foreign  *foreign // unless the harness tells when servers start and crash
	cutOff   []int64  // calls that were cut off and whose handlers have not returned
}

// A link is what an end is for.
type link struct{ from, to, life int }

// A server is what is known of one server.
type server struct {
	name     string
	client   bool
	life     int // counts starts
	up       bool
	tells    bool // the server tells its state itself
	term     int
	role     picture.Role
	leader   int // its lane in this term, or picture.NoLane
	votedFor int // in votedIn, or -1
	votedIn  int
	commit   int
	log      log
}

// New returns a Cluster for servers that are numbered from 0, and gives each a lane of rec.
func New(rec *picture.Recorder, servers int) *Cluster {
	c := newCluster(rec)
	for i := range servers {
		c.addLane(fmt.Sprintf("server %d", i), false)
	}
	return c
}

func newCluster(rec *picture.Recorder) *Cluster {
	return &Cluster{
		rec: rec, readings: readings{known: map[string]*reading{}, reader: wire.NewReader()}, ends: map[any]link{}, calls: map[int64]*Message{},
		infos: map[any]labrpc.EndInfo{}, links: map[[2]int]*linkState{}, settings: labrpc.Settings{Reliable: true},
	}
}

// addLane adds a server or a client, and returns its lane.
func (c *Cluster) addLane(name string, client bool) int {
	c.servers = append(c.servers, &server{name: name, client: client, up: client, leader: picture.NoLane, votedFor: -1})
	return c.rec.Lane(name, client)
}

// Started says that a server starts, for the first time or from what it has saved. ends[j] is the name of its end to
// server j in a labrpc network; nil if there is none. It must be called before the server can send or receive.
func (c *Cluster) Started(server int, ends []any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.startLocked(server)
	for to, end := range ends {
		c.ends[end] = link{server, to, c.servers[server].life}
		c.linkLocked(end)
	}
}

// Client adds a lane for a client, unless there is one of that name, which then has further ends. ends[j] is the name of its
// end to server j in a labrpc network; nil if there is none.
func (c *Cluster) Client(name string, ends []any) (lane int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	lane = slices.IndexFunc(c.servers, func(s *server) bool { return s.client && s.name == name })
	if lane < 0 {
		lane = c.addLane(name, true)
	}
	for to, end := range ends {
		c.ends[end] = link{lane, to, 0}
		c.linkLocked(end)
	}
	return lane
}

// Crashed says that a server stops. What it does later is not recorded. It must be called before the server is cut off and
// killed. It does nothing if the server is not running.
func (c *Cluster) Crashed(server int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.crashLocked(server)
}

// nameLocked returns the name of a lane, which others may have told wrongly.
func (c *Cluster) nameLocked(lane int) string {
	if lane < 0 || lane >= len(c.servers) {
		return fmt.Sprintf("server %d", lane)
	}
	return c.servers[lane].name
}

func (c *Cluster) startLocked(lane int) {
	s := c.servers[lane]
	s.life++
	s.up, s.role, s.leader, s.commit = true, picture.NoRole, picture.NoLane, 0
	c.rec.Add(picture.Event{Kind: picture.Start, Lane: lane})
	c.restoreLocked(lane)
}

func (c *Cluster) crashLocked(lane int) {
	if s := c.servers[lane]; s.up {
		s.up = false
		c.rec.Add(picture.Event{Kind: picture.Crash, Lane: lane})
	}
}

// Violation records that a rule was broken.
func (c *Cluster) Violation(v wire.Violation) {
	c.rec.Add(picture.Event{Kind: picture.Violation, Name: v.Rule, Text: v.Text, Lane: v.Server, Term: v.Term, Index: v.Index, Call: v.Call})
}
