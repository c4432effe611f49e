package kvraft

// The harness of the lab's tests.

import (
	"fmt"
	"math/rand"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"6.824/kvraft/cluster"
	"6.824/kvraft/history"
	"6.824/kvraft/internal/labtest"
	"6.824/labrpc"
	"6.824/raft"
)

// electionTimeout is what the lab allows for an election.
const electionTimeout = time.Second

// config is a cluster in a test.
type config struct {
	*cluster.Cluster[*KVServer]
	t            testing.TB
	n            int
	maxraftstate int
	report       *labtest.Report
	rec          *labtest.Recorded
	ops          atomic.Int64
}

// newConfig starts a cluster on a network that the recording observes.
func newConfig(t *testing.T, rec *labtest.Recorded, net *labrpc.Network, n, maxraftstate int) *config {
	cfg := &config{t: rec.T(t), n: n, maxraftstate: maxraftstate, report: labtest.NewReport(net, n), rec: rec}
	cfg.Cluster = cluster.NewOn(net, rec, n, func(peers []*labrpc.ClientEnd, me int, disk *raft.Persister) *KVServer {
		return StartKVServer(peers, me, disk, maxraftstate, rec.Option(me, Describe))
	})
	return cfg
}

// lab runs a test on the chosen clock, with a cluster, and then checks the history.
func lab(t *testing.T, n int, unreliable bool, maxraftstate int, body func(cfg *config)) {
	t.Helper()
	rec := labtest.Record(t, history.Values, n, labtest.Again(t))
	defer rec.Judge()
	labtest.Run(t, func(t *testing.T) {
		rec.Begin()
		net := labtest.NewNetwork(rec)
		cfg := newConfig(t, rec, net, n, maxraftstate)
		defer cfg.report.CheckTime(t)
		defer cfg.Close()
		net.Reliable(!unreliable)
		body(cfg)
	})
}

// A client is a Clerk whose operations are recorded.
type client struct {
	*cluster.Client
	cfg *config
	ck  *Clerk
	id  int
}

// newClient returns a client that reaches only these servers. Its Clerk knows them in a random order.
func (cfg *config) newClient(id int, to []int) *client {
	cl := cfg.NewClientTo(to)
	cfg.rec.AddClient(id, cl.EndNames())
	ends := cl.Ends()
	rand.Shuffle(len(ends), func(i, j int) { ends[i], ends[j] = ends[j], ends[i] })
	return &client{cl, cfg, MakeClerk(ends), id}
}

func (cl *client) get(key string) string {
	op := history.Operation{Client: cl.id, Kind: history.Get, Key: key}
	end := cl.begin(op)
	op.Value = cl.ck.Get(key)
	end(op)
	return op.Value
}

func (cl *client) put(key, value string) {
	op := history.Operation{Client: cl.id, Kind: history.Put, Key: key, Value: value}
	end := cl.begin(op)
	cl.ck.Put(key, value)
	end(op)
}

func (cl *client) append(key, value string) {
	op := history.Operation{Client: cl.id, Kind: history.Append, Key: key, Value: value}
	end := cl.begin(op)
	cl.ck.Append(key, value)
	end(op)
}

func (cl *client) begin(op history.Operation) (end func(op history.Operation)) {
	cl.cfg.ops.Add(1)
	return cl.cfg.rec.Start(op)
}

// check fails the test unless key has the value.
func (cl *client) check(key, value string) {
	cl.cfg.t.Helper()
	if got := cl.get(key); got != value {
		cl.cfg.t.Fatalf("Get(%v): expected:\n%v\nreceived:\n%v", key, value, got)
	}
}

func (cfg *config) begin(title string) {
	cfg.ops.Store(0)
	cfg.report.Begin(title)
}

func (cfg *config) end() {
	cfg.t.Helper()
	cfg.report.End(cfg.t, int(cfg.ops.Load()))
}

// connectAll lets all servers reach each other.
func (cfg *config) connectAll() { cfg.Heal() }

// halves returns a majority without the leader, and the other servers, the leader last.
func (cfg *config) halves() (p1, p2 []int) {
	leader := max(cfg.Leader(), 0)
	for i := range cfg.n {
		switch {
		case i == leader:
		case len(p1) <= cfg.n/2:
			p1 = append(p1, i)
		default:
			p2 = append(p2, i)
		}
	}
	return p1, append(p2, leader)
}

// checkSizes fails the test if the logs were not trimmed, or if there is a snapshot although none may be.
func (cfg *config) checkSizes() {
	cfg.t.Helper()
	if m := cfg.maxraftstate; m > 0 {
		if size := cfg.logSize(); size > 8*m {
			cfg.t.Fatalf("logs were not trimmed (%v > 8*%v)", size, m)
		}
	} else if size := cfg.snapshotSize(); size > 0 {
		cfg.t.Fatalf("snapshot too large (%v), should not be used when maxraftstate = %d", size, m)
	}
}

// logSize returns the size of the largest Raft state on any disk.
func (cfg *config) logSize() (size int) {
	for i := range cfg.n {
		size = max(size, cfg.Disk(i).RaftStateSize())
	}
	return size
}

// snapshotSize returns the size of the largest snapshot on any disk.
func (cfg *config) snapshotSize() (size int) {
	for i := range cfg.n {
		size = max(size, cfg.Disk(i).SnapshotSize())
	}
	return size
}

// element is what a client appends.
func element(client, n int) string { return fmt.Sprintf("x %d %d y", client, n) }

// checkAppends fails the test unless value contains the first count elements of a client, each once and in order. It takes
// linear time, unlike a search for each element in the whole value.
func checkAppends(t testing.TB, client int, value string, count int) {
	t.Helper()
	at := 0
	for n := range count {
		want := element(client, n)
		next := strings.Index(value[at:], want)
		switch {
		case next >= 0:
			at += next + len(want)
		case strings.Contains(value, want):
			t.Fatalf("wrong order for element %v in Append result", want)
		default:
			t.Fatalf("%v missing element %v in Append result %v", client, want, value)
		}
	}
	if n := strings.Count(value, fmt.Sprintf("x %d ", client)); n > count {
		t.Fatalf("duplicate element in Append result: client %d has %d instead of %d", client, n, count)
	}
}

// spawn runs fn for each of the clients and returns a function that waits for all.
func (cfg *config) spawn(clients int, fn func(cl *client, id int)) (wait func()) {
	var all sync.WaitGroup
	for id := range clients {
		cl := cfg.newClient(id, cfg.All())
		all.Go(func() { fn(cl, id) })
	}
	return all.Wait
}

// partitioner divides the servers into two random groups every 1.0 to 1.2 s. It ends after the interval in which stop is
// closed.
func (cfg *config) partitioner(stop <-chan struct{}) {
	for {
		cfg.Partition(cfg.RandomGroups())
		time.Sleep(electionTimeout + time.Duration(rand.Int63n(200))*time.Millisecond)
		select {
		case <-stop:
			return
		default:
		}
	}
}
