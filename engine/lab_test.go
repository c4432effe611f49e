package engine

// Lab 3 on real machines: kvraft's service and its Clerk, as they are, with this engine in the place of raft. The scenarios are
// those of kvraft/lab_test.go that need no simulated network. Each server is a process.

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/rpc"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"6.824/kvraft"
	"6.824/kvraft/history"
	"6.824/labrpc"
	lab "6.824/raft"
)

var labTime = flag.Duration("lab.time", 100*time.Millisecond, "how long clients work in each of the three parts of a scenario of TestLab; the lab takes 5s")

// A labService makes the service's handlers ones of package net/rpc.
type labService struct {
	kv   *kvraft.KVServer
	node *Node
}

func (s labService) Get(args kvraft.GetArgs, reply *kvraft.GetReply) error {
	s.kv.Get(&args, reply)
	return nil
}

func (s labService) PutAppend(args kvraft.PutAppendArgs, reply *kvraft.PutAppendReply) error {
	s.kv.PutAppend(&args, reply)
	return nil
}

func (s labService) Status(_ int, reply *Status) error {
	*reply = s.node.Status()
	return nil
}

// serveLab serves kvraft's service, for ever.
func serveLab(cc childConfig, node *Node, applyCh <-chan lab.ApplyMsg) {
	l, err := net.Listen("tcp", cc.Clients)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	server := rpc.NewServer()
	if err := server.RegisterName("KVServer", labService{kvraft.NewKVServer(node, applyCh, nil, cc.MaxState), node}); err != nil {
		panic(err)
	}
	server.Accept(l)
}

// A KVServer stands in the test's process for a server that is another process: it passes calls on.
type KVServer struct {
	address string

	mu   sync.Mutex
	conn *rpc.Client // nil if there is none
}

func (s *KVServer) call(method string, args, reply any) error {
	s.mu.Lock()
	if s.conn == nil {
		s.conn, _ = rpc.Dial("tcp", s.address)
	}
	conn := s.conn
	s.mu.Unlock()
	if conn == nil {
		return errors.New("nobody listens")
	}
	err := conn.Call("KVServer."+method, args, reply)
	if err != nil {
		s.mu.Lock()
		if s.conn == conn {
			conn.Close()
			s.conn = nil
		}
		s.mu.Unlock()
	}
	return err
}

// Get is a handler of package labrpc.
func (s *KVServer) Get(args *kvraft.GetArgs, reply *kvraft.GetReply) {
	if s.call("Get", *args, reply) != nil {
		*reply = kvraft.GetReply{Err: kvraft.ErrMaybe}
	}
}

// PutAppend is a handler of package labrpc.
func (s *KVServer) PutAppend(args *kvraft.PutAppendArgs, reply *kvraft.PutAppendReply) {
	if s.call("PutAppend", *args, reply) != nil {
		*reply = kvraft.PutAppendReply{Err: kvraft.ErrMaybe}
	}
}

// A labCluster is three processes with the service, and the network of their clients.
type labCluster struct {
	*testing.T
	net       *labrpc.Network
	dir       string
	peers     map[int]string
	servers   map[int]*KVServer
	processes map[int]*exec.Cmd
	maxState  int
	ends      atomic.Int64
	record    history.Recorder
}

func newLabCluster(t *testing.T, maxState int) *labCluster {
	c := &labCluster{T: t, net: labrpc.MakeNetwork(), dir: t.TempDir(), maxState: maxState,
		peers: map[int]string{}, servers: map[int]*KVServer{}, processes: map[int]*exec.Cmd{}}
	t.Cleanup(func() {
		for id := range c.peers {
			c.kill(id)
		}
		c.net.Cleanup()
	})
	for id := 1; id <= 3; id++ {
		c.peers[id], c.servers[id] = freeAddress(t), &KVServer{address: freeAddress(t)}
		s := labrpc.MakeServer()
		s.AddService(labrpc.MakeService(c.servers[id]))
		c.net.AddServer(id, s)
	}
	for id := range c.peers {
		c.start(id)
	}
	return c
}

func (c *labCluster) start(id int) {
	config, err := json.Marshal(childConfig{ID: id, Dir: filepath.Join(c.dir, fmt.Sprint(id)), Peers: c.peers,
		Clients: c.servers[id].address, MaxState: c.maxState})
	if err != nil {
		c.Fatal(err)
	}
	p := exec.Command(os.Args[0])
	p.Env = append(os.Environ(), childVariable+"="+string(config))
	p.Stderr = os.Stderr
	if err := p.Start(); err != nil {
		c.Fatal(err)
	}
	c.processes[id] = p
}

// kill kills a process as kill -9 does.
func (c *labCluster) kill(id int) {
	if p := c.processes[id]; p != nil {
		p.Process.Kill()
		p.Wait()
		delete(c.processes, id)
	}
}

// leader returns the number of the leader.
func (c *labCluster) leader() int {
	for deadline := time.Now().Add(testTimeout); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		for id := range c.processes {
			var s Status
			if c.servers[id].call("Status", 0, &s) == nil && s.Role == "Leader" {
				return id
			}
		}
	}
	c.Fatal("there is no leader")
	return 0
}

// A labClient is a Clerk whose operations are recorded.
type labClient struct {
	*labCluster
	id int
	ck *kvraft.Clerk
}

func (c *labCluster) client(id int) *labClient {
	var ends []*labrpc.ClientEnd
	for server := range c.servers {
		name := c.ends.Add(1)
		ends = append(ends, c.net.MakeEnd(name))
		c.net.Connect(name, server)
		c.net.Enable(name, true)
	}
	return &labClient{c, id, kvraft.MakeClerk(ends)}
}

func (cl *labClient) get(key string) string {
	op := history.Operation{Client: cl.id, Kind: history.Get, Key: key, Call: cl.record.Begin()}
	op.Value = cl.ck.Get(key)
	cl.record.End(op)
	return op.Value
}

func (cl *labClient) put(key, value string) {
	op := history.Operation{Client: cl.id, Kind: history.Put, Key: key, Value: value, Call: cl.record.Begin()}
	cl.ck.Put(key, value)
	cl.record.End(op)
}

func (cl *labClient) append(key, value string) {
	op := history.Operation{Client: cl.id, Kind: history.Append, Key: key, Value: value, Call: cl.record.Begin()}
	cl.ck.Append(key, value)
	cl.record.End(op)
}

// work appends and gets until done, ten times at least, and returns what the client's key must then hold.
func (cl *labClient) work(done *atomic.Bool) (value string) {
	key := fmt.Sprint(cl.id)
	cl.put(key, "")
	for n := 0; n < 10 || !done.Load(); n++ {
		element := fmt.Sprintf("x %d %d y", cl.id, n)
		cl.append(key, element)
		value += element
		if n%2 == 0 {
			if got := cl.get(key); got != value {
				cl.Errorf("client %d got %q, want %q", cl.id, got, value)
			}
		}
	}
	return value
}

// A labScenario is the lab's generic test. The faults happen while clients work.
type labScenario struct {
	name     string
	clients  int
	maxState int
	during   func(c *labCluster) // faults
}

func (s labScenario) run(t *testing.T) {
	c := newLabCluster(t, s.maxState)
	for range 3 {
		var done atomic.Bool
		var all sync.WaitGroup
		values := make([]string, s.clients)
		for id := range s.clients {
			cl := c.client(id)
			all.Go(func() { values[id] = cl.work(&done) })
		}
		time.Sleep(*labTime)
		if s.during != nil {
			s.during(c)
			time.Sleep(*labTime)
		}
		done.Store(true)
		all.Wait()
		reader := c.client(s.clients)
		for id, want := range values {
			if got := reader.get(fmt.Sprint(id)); got != want {
				t.Errorf("at the end, key %d has %q, want %q", id, got, want)
			}
		}
		c.checkSizes()
	}
	ops := c.record.History()
	if err := history.Check(history.Values, ops, testTimeout); err != nil {
		t.Error(err)
	}
	t.Logf("%d operations", len(ops))
}

// checkSizes fails the test if a log is not kept small by snapshots, or if there is a snapshot although none may be.
func (c *labCluster) checkSizes() {
	c.Helper()
	for id, server := range c.servers {
		var s Status
		for deadline := time.Now().Add(testTimeout); server.call("Status", 0, &s) != nil || c.maxState > 0 && s.LogBytes > 8*c.maxState; {
			if time.Now().After(deadline) {
				c.Fatalf("server %d does not answer, or its log is not trimmed: %+v", id, s)
			}
			time.Sleep(5 * time.Millisecond)
		}
		if c.maxState < 0 && s.SnapshotIndex > 0 {
			c.Errorf("server %d has a snapshot: %+v", id, s)
		}
	}
}

func TestLab(t *testing.T) {
	t.Parallel()
	restart := func(c *labCluster) {
		for id := range c.peers {
			c.kill(id)
		}
		for id := range c.peers {
			c.start(id)
		}
	}
	newLeader := func(c *labCluster) {
		old := c.leader()
		c.kill(old)
		if now := c.leader(); now == old {
			c.Errorf("server %d leads, and does not run", now)
		}
		c.start(old)
	}
	for _, s := range []labScenario{
		{name: "basic", clients: 1, maxState: -1},
		{name: "concurrent", clients: 5, maxState: -1},
		{name: "restart", clients: 5, maxState: -1, during: restart},
		{name: "snapshots, restart", clients: 5, maxState: 1000, during: restart},
		{name: "snapshots, leader change", clients: 5, maxState: 1000, during: newLeader},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t)
		})
	}
}

// TestLab_oneKey has clients append to the same key.
func TestLab_oneKey(t *testing.T) {
	t.Parallel()
	c := newLabCluster(t, -1)
	const clients, each = 5, 10
	c.client(clients).put("k", "")
	var all sync.WaitGroup
	for id := range clients {
		cl := c.client(id)
		all.Go(func() {
			for n := range each {
				cl.append("k", fmt.Sprintf("x %d %d y", id, n))
			}
		})
	}
	all.Wait()
	value := c.client(clients).get("k")
	for id := range clients {
		at := 0
		for n := range each {
			element := fmt.Sprintf("x %d %d y", id, n)
			next := strings.Index(value[at:], element)
			if next < 0 || strings.Count(value, element) != 1 {
				t.Fatalf("%q is not once and in order in %q", element, value)
			}
			at += next
		}
	}
	if err := history.Check(history.Values, c.record.History(), testTimeout); err != nil {
		t.Error(err)
	}
}

// TestLab_lagging restarts a server that has missed what a snapshot covers, and then needs it.
func TestLab_lagging(t *testing.T) {
	t.Parallel()
	c := newLabCluster(t, 1000)
	cl := c.client(0)
	cl.put("a", "A")
	away := c.leader()%3 + 1
	c.kill(away)
	value := strings.Repeat("v", 500)
	for n := range 100 {
		cl.put(fmt.Sprint(n%50), fmt.Sprint(value, n))
	}
	other := c.leader()
	c.start(away)
	cl.put("b", "B")
	for id := range c.processes { // only the server that was away and one of those that were not are left
		if id != away && id != other {
			c.kill(id)
		}
	}
	cl.put("c", "C")
	for key, want := range map[string]string{"a": "A", "b": "B", "c": "C", "1": value + "51", "49": value + "99"} {
		if got := cl.get(key); got != want {
			t.Errorf("key %q has %q, want %q", key, got, want)
		}
	}
	if err := history.Check(history.Values, c.record.History(), testTimeout); err != nil {
		t.Error(err)
	}
}
