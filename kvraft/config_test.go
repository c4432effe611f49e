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

// checkLimit is how long the check of a history may take, in real time.
const checkLimit = 20 * time.Second

// config is a cluster in a test.
type config struct {
	*cluster.Cluster[*KVServer]
	t            *testing.T
	n            int
	maxraftstate int
	report       *labtest.Report
	rec          *history.Recorder
	ops          atomic.Int64
}

// lab runs a test on the chosen clock, with a cluster, and then checks the history.
func lab(t *testing.T, n int, unreliable bool, maxraftstate int, body func(cfg *config)) {
	t.Helper()
	var rec history.Recorder
	labtest.Run(t, func(t *testing.T) {
		net := labtest.NewNetwork(true)
		cfg := &config{t: t, n: n, maxraftstate: maxraftstate, report: labtest.NewReport(net, n), rec: &rec}
		cfg.Cluster = cluster.NewOn(net, n, func(peers []*labrpc.ClientEnd, me int, disk *raft.Persister) *KVServer {
			return StartKVServer(peers, me, disk, maxraftstate)
		})
		defer cfg.report.CheckTime(t)
		defer cfg.Close()
		net.Reliable(!unreliable)
		body(cfg)
	})
	checkHistory(t, rec.History())
}

// checkHistory runs outside of the bubble, where its time is real.
func checkHistory(t *testing.T, ops []history.Operation) {
	t.Helper()
	err := history.Check(history.Values, ops, checkLimit)
	if err == nil {
		return
	}
	t.Error(err)
	if e, ok := err.(*history.Error); ok {
		page, err := e.WritePage()
		t.Logf("a page shows it: %s (error %v)", page, err)
	}
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
	ends := cl.Ends()
	rand.Shuffle(len(ends), func(i, j int) { ends[i], ends[j] = ends[j], ends[i] })
	return &client{cl, cfg, MakeClerk(ends), id}
}

func (cl *client) get(key string) string {
	op := history.Operation{Client: cl.id, Kind: history.Get, Key: key, Call: cl.cfg.rec.Begin()}
	op.Value = cl.ck.Get(key)
	cl.end(op)
	return op.Value
}

func (cl *client) put(key, value string) {
	op := history.Operation{Client: cl.id, Kind: history.Put, Key: key, Value: value, Call: cl.cfg.rec.Begin()}
	cl.ck.Put(key, value)
	cl.end(op)
}

func (cl *client) append(key, value string) {
	op := history.Operation{Client: cl.id, Kind: history.Append, Key: key, Value: value, Call: cl.cfg.rec.Begin()}
	cl.ck.Append(key, value)
	cl.end(op)
}

func (cl *client) end(op history.Operation) {
	cl.cfg.rec.End(op)
	cl.cfg.ops.Add(1)
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
func checkAppends(t *testing.T, client int, value string, count int) {
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
