package rsm_test

// The harness of the course's tests of rsm (2025), on a state machine that counts.

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"6.824/kvraft/cluster"
	"6.824/kvraft/history"
	"6.824/kvraft/internal/labtest"
	"6.824/kvraft/rpc"
	"6.824/kvraft/rsm"
	"6.824/labgob"
	"6.824/labrpc"
	"6.824/raft"
)

// The operations and their results.
type (
	Inc     struct{}
	IncRep  struct{ N int }
	Null    struct{}
	NullRep struct{}
	Dec     struct{} // never carried out
)

func init() {
	labgob.Register(Inc{})
	labgob.Register(Null{})
	labgob.Register(Dec{})
}

const (
	servers = 3
	patient = 10 * time.Second // how long onePartition tries
)

// A counter is a server of the test service, and its state machine.
type counter struct {
	*rsm.RSM
	t testing.TB
	n atomic.Int64
}

func (c *counter) DoOp(req any) any {
	switch req.(type) {
	case Inc:
		return IncRep{int(c.n.Add(1))}
	case Null:
		return NullRep{}
	}
	c.t.Errorf("DoOp should execute only Inc and not %T", req)
	return nil
}

func (c *counter) Snapshot() []byte {
	var b bytes.Buffer
	if err := labgob.NewEncoder(&b).Encode(int(c.n.Load())); err != nil {
		c.t.Error(err)
	}
	return b.Bytes()
}

func (c *counter) Restore(data []byte) {
	var n int
	if err := labgob.NewDecoder(bytes.NewBuffer(data)).Decode(&n); err != nil {
		c.t.Errorf("couldn't decode counter: %v", err)
	}
	c.n.Store(int64(n))
}

// describe describes a command: the type of its operation.
func describe(command any) string {
	var req any
	if err := labgob.NewDecoder(strings.NewReader(command.(rsm.Op).Request)).Decode(&req); err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%T", req)
}

// A way is a way to make an RSM and to stop it.
type way struct {
	name  string
	start func(c *counter, peers []*labrpc.ClientEnd, me int, disk *raft.Persister, maxraftstate int, o raft.Option) *rsm.RSM
	kill  func(c *counter)
}

// plain is a Raft of this library that has only the methods and the behaviour that the lab asks for.
type plain struct{ rf *raft.Raft }

func (p plain) Start(command any) (int, int, bool)  { return p.rf.Start(command) }
func (p plain) GetState() (int, bool)               { return p.rf.GetState() }
func (p plain) Snapshot(index int, snapshot []byte) { p.rf.Snapshot(index, snapshot) }
func (p plain) PersistBytes() int                   { return p.rf.PersistBytes() }

func (p plain) RequestVote(args *raft.RequestVoteArgs, reply *raft.RequestVoteReply) {
	p.rf.RequestVote(args, reply)
}

func (p plain) AppendEntries(args *raft.AppendEntriesArgs, reply *raft.AppendEntriesReply) {
	p.rf.AppendEntries(args, reply)
}

func (p plain) InstallSnapshot(args *raft.InstallSnapshotArgs, reply *raft.InstallSnapshotReply) {
	p.rf.InstallSnapshot(args, reply)
}

var ways = []way{
	{
		name: "MakeRSM", // as in the course: only Raft is killed
		start: func(c *counter, peers []*labrpc.ClientEnd, me int, disk *raft.Persister, maxraftstate int, o raft.Option) *rsm.RSM {
			return rsm.MakeRSM(peers, me, disk, maxraftstate, c, o)
		},
		kill: func(c *counter) { c.Raft().(*raft.Raft).Kill() },
	},
	{
		name: "any Raft", // no events, and a channel that stays open
		start: func(c *counter, peers []*labrpc.ClientEnd, me int, disk *raft.Persister, maxraftstate int, o raft.Option) *rsm.RSM {
			applyCh := make(chan raft.ApplyMsg)
			return rsm.New(plain{raft.Make(peers, me, disk, applyCh, o)}, applyCh, disk.ReadSnapshot(), maxraftstate, c)
		},
		kill: func(c *counter) {
			c.Kill()
			c.Raft().(plain).rf.Kill()
		},
	},
}

// A server of the cluster. It hides methods of counter that must not become RPCs.
type server struct {
	*counter
	way way
}

func (s server) Kill() { s.way.kill(s.counter) }

// Raft returns the Raft with its handlers.
func (s server) Raft() rsm.Raft {
	if p, ok := s.counter.Raft().(plain); ok {
		return p.rf
	}
	return s.counter.Raft()
}

// A test is a running test.
type test struct {
	*cluster.Cluster[server]
	t      testing.TB
	report *labtest.Report

	mu        sync.Mutex
	leader    int          // last known
	connected map[int]bool // by server
}

// run runs a test on a new cluster, for each way.
func run(t *testing.T, title string, maxraftstate int, body func(ts *test)) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			rec := labtest.Record(t, history.Values, servers, labtest.Again(t))
			defer rec.Judge() // of a history without operations
			labtest.Run(t, func(t *testing.T) {
				rec.Begin()
				net := labtest.NewNetwork(rec)
				ts := &test{t: rec.T(t), report: labtest.NewReport(net, servers), connected: map[int]bool{0: true, 1: true, 2: true}}
				ts.Cluster = cluster.NewOn(net, rec, servers, func(peers []*labrpc.ClientEnd, me int, disk *raft.Persister) server {
					c := &counter{t: ts.t}
					c.RSM = w.start(c, peers, me, disk, maxraftstate, rec.Option(me, describe))
					return server{c, w}
				})
				defer ts.Close()
				ts.report.Begin(title)
				body(ts)
				ts.report.End(t, 0)
			})
		})
	}
}

// onePartition submits an operation to the servers of p, or to all if p is nil, until one has carried it out. It gives up
// after ten seconds, and returns nil.
func (ts *test) onePartition(p []int, req any) any {
	ts.mu.Lock()
	leader := ts.leader
	ts.mu.Unlock()
	for start := time.Now(); time.Since(start) < patient; time.Sleep(50 * time.Millisecond) {
		for range servers {
			if s, up := ts.Server(leader); up && ts.reaches(leader, p) {
				if err, rep := s.Submit(req); err == rpc.OK {
					ts.mu.Lock()
					ts.leader = leader
					ts.mu.Unlock()
					return rep
				}
			}
			leader = (leader + 1) % servers
		}
	}
	return nil
}

// reaches reports whether server i is connected and in p, if p is not nil.
func (ts *test) reaches(i int, p []int) bool {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	in := p == nil
	for _, j := range p {
		in = in || i == j
	}
	return in && ts.connected[i]
}

func (ts *test) oneInc() IncRep {
	rep, _ := ts.onePartition(nil, Inc{}).(IncRep)
	return rep
}

// checkCounter fails the test unless at least n servers soon have the value.
func (ts *test) checkCounter(value, n int) {
	ts.t.Helper()
	got := 0
	for round, nap := 0, 10*time.Millisecond; round < 30; round++ {
		got = 0
		for i := range servers {
			if s, up := ts.Server(i); up && int(s.n.Load()) == value {
				got++
			}
		}
		if got >= n {
			return
		}
		time.Sleep(nap)
		if nap < time.Second {
			nap *= 2
		}
	}
	ts.t.Fatalf("checkCounter: only %d srvs have %d instead of %d", got, value, n)
}

// connect reconnects server i, and disconnect cuts it off. At most one is cut off at a time.
func (ts *test) connect(i int)    { ts.setConnected(i, true) }
func (ts *test) disconnect(i int) { ts.setConnected(i, false) }

func (ts *test) setConnected(i int, yes bool) {
	ts.mu.Lock()
	ts.connected[i] = yes
	var group []int
	for j := range servers {
		if ts.connected[j] {
			group = append(group, j)
		}
	}
	ts.mu.Unlock()
	ts.Partition(group)
}

// lastLeader returns the last known leader.
func (ts *test) lastLeader() int {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	return ts.leader
}

func (ts *test) shutdown() {
	for _, i := range ts.All() {
		ts.Crash(i)
	}
}

func (ts *test) startAll() {
	for _, i := range ts.All() {
		ts.Restart(i)
	}
}

// maxState returns the size of the largest Raft state.
func (ts *test) maxState() (size int) {
	for _, i := range ts.All() {
		size = max(size, ts.Disk(i).RaftStateSize())
	}
	return size
}

// submitted is what a goroutine of concurrently has got.
type submitted struct {
	err rpc.Err
	rep any
}

func (s submitted) String() string { return fmt.Sprintf("%v %v", s.err, s.rep) }
