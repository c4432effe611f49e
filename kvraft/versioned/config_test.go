package versioned

// The harness of the course's tests of 2025.

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"6.824/kvraft/cluster"
	"6.824/kvraft/history"
	"6.824/kvraft/internal/labtest"
	"6.824/kvraft/rpc"
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
	reliable     bool
	report       *labtest.Report
	rec          *labtest.Recorded
	ops          atomic.Int64
	clients      atomic.Int64 // that were made
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
func lab(t *testing.T, title string, n int, reliable bool, maxraftstate int, body func(cfg *config)) {
	t.Helper()
	rec := labtest.Record(t, history.Versions, n, labtest.Again(t))
	defer rec.Judge()
	labtest.Run(t, func(t *testing.T) {
		rec.Begin()
		net := labtest.NewNetwork(rec)
		cfg := newConfig(t, rec, net, n, maxraftstate)
		cfg.reliable = reliable
		defer cfg.report.CheckTime(t)
		defer cfg.Close()
		net.Reliable(reliable)
		cfg.begin(title)
		body(cfg)
		cfg.end()
	})
}

func (cfg *config) begin(title string) {
	cfg.ops.Store(0)
	network := "reliable"
	if !cfg.reliable {
		network = "unreliable"
	}
	cfg.report.Begin(fmt.Sprintf("%s (%s network)", title, network))
}

func (cfg *config) end() {
	cfg.t.Helper()
	cfg.report.End(cfg.t, int(cfg.ops.Load()))
}

// A client is a Clerk whose operations are recorded.
type client struct {
	*cluster.Client
	cfg *config
	ck  *Clerk
	id  int
}

// newClient returns a client that reaches only these servers.
func (cfg *config) newClient(to []int) *client {
	cl := cfg.NewClientTo(to)
	id := int(cfg.clients.Add(1))
	cfg.rec.AddClient(id, cl.EndNames())
	return &client{cl, cfg, MakeClerk(cl, cl.Servers()), id}
}

func (cl *client) get(key string) (string, rpc.Tversion, rpc.Err) {
	op := history.Operation{Client: cl.id, Kind: history.Get, Key: key}
	end := cl.begin(op)
	op.Value, op.Version, op.Err = cl.ck.Get(key)
	end(op)
	return op.Value, op.Version, op.Err
}

func (cl *client) put(key, value string, version rpc.Tversion) rpc.Err {
	op := history.Operation{Client: cl.id, Kind: history.Put, Key: key, Value: value, Version: version}
	end := cl.begin(op)
	op.Err = cl.ck.Put(key, value, version)
	end(op)
	return op.Err
}

func (cl *client) begin(op history.Operation) (end func(op history.Operation)) {
	cl.cfg.ops.Add(1)
	return cl.cfg.rec.Start(op)
}

// putAtLeastOnce puts until it has succeeded, which it may have done more than once, and returns the next version.
func (cl *client) putAtLeastOnce(key, value string, version rpc.Tversion) rpc.Tversion {
	for {
		switch err := cl.put(key, value, version); err {
		case rpc.OK:
			return version + 1
		case rpc.ErrMaybe, rpc.ErrVersion:
			version++
		default:
			if version != 0 {
				cl.cfg.t.Errorf("Put %v ver %d err %s", key, version, err)
				return version
			}
		}
	}
}

// checkGet fails the test unless key has the value and the version.
func (cl *client) checkGet(key, value string, version rpc.Tversion) {
	cl.cfg.t.Helper()
	got, v, err := cl.get(key)
	if err != rpc.OK {
		cl.cfg.t.Fatalf("Get(%v) returns error = %s", key, err)
	}
	if got != value || v != version {
		cl.cfg.t.Fatalf("Get(%v) returns (%v, %v) != (%v, %v)", key, got, v, value, version)
	}
}

// An entry is the value that a client puts.
type entry struct {
	ID int
	V  rpc.Tversion
}

func (e entry) String() string {
	data, _ := json.Marshal(e)
	return string(data)
}

// A count says how often a client's Puts have returned OK and ErrMaybe.
type count struct{ ok, maybe int }

// onePut tries to put under key, from version on, until a Put has or may have succeeded.
func (cl *client) onePut(key string, version rpc.Tversion) (next rpc.Tversion, put bool) {
	for {
		mine := entry{cl.id, version}
		err := cl.put(key, mine.String(), version)
		if err != rpc.OK && err != rpc.ErrVersion && err != rpc.ErrMaybe {
			cl.cfg.t.Errorf("Wrong error %v", err)
			return version, false
		}
		value, v, getErr := cl.get(key)
		if getErr != rpc.OK {
			cl.cfg.t.Errorf("%d: Get %q err %v", cl.id, key, getErr)
			return version, false
		}
		labtest.Rest()
		var e entry
		if json.Unmarshal([]byte(value), &e); err == rpc.OK && v == version+1 && e != mine {
			cl.cfg.t.Errorf("Wrong value %v, version %d", e, v)
			return version, false
		}
		if version = v; err != rpc.ErrVersion {
			return version, err == rpc.OK
		}
	}
}

// manyPuts makes Puts until done: under the first key, or under random keys.
func (cl *client) manyPuts(keys []string, randomKeys bool, done *atomic.Bool) (n count) {
	key, versions := keys[0], make(map[string]rpc.Tversion)
	for !done.Load() && !cl.cfg.t.Failed() {
		if randomKeys {
			key = keys[rand.Intn(len(keys))]
		}
		var put bool
		if versions[key], put = cl.onePut(key, versions[key]); put {
			n.ok++
		} else {
			n.maybe++
		}
	}
	return n
}

// checkCount fails the test unless the version of a key fits to the number of Puts.
func (cl *client) checkCount(key string, total count, exact bool) {
	cl.cfg.t.Helper()
	switch _, version, _ := cl.get(key); {
	case exact && int(version) != total.ok:
		cl.cfg.t.Fatalf("Reliable: Wrong number of puts: server %d clnts %+v", version, total)
	case int(version) > total.ok+total.maybe:
		cl.cfg.t.Fatalf("Unreliable: Wrong number of puts: server %d clnts %+v", version, total)
	}
}

// spawn runs clients for a second and adds what they count to total.
func (cfg *config) spawn(clients int, fn func(cl *client, done *atomic.Bool) count) (wait func(total *count)) {
	var all sync.WaitGroup
	var done atomic.Bool
	var mu sync.Mutex
	var sum count
	for range clients {
		cl := cfg.newClient(cfg.All())
		all.Go(func() {
			n := fn(cl, &done)
			mu.Lock()
			defer mu.Unlock()
			sum.ok, sum.maybe = sum.ok+n.ok, sum.maybe+n.maybe
		})
	}
	time.AfterFunc(time.Second, func() { done.Store(true) })
	return func(total *count) {
		all.Wait()
		total.ok, total.maybe = total.ok+sum.ok, total.maybe+sum.maybe
	}
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

// halves returns a majority without the leader, and the other servers, the leader last.
func (cfg *config) halves(leader int) (p1, p2 []int) {
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
	state, snapshot := 0, 0
	for i := range cfg.n {
		state, snapshot = max(state, cfg.Disk(i).RaftStateSize()), max(snapshot, cfg.Disk(i).SnapshotSize())
	}
	switch m := cfg.maxraftstate; {
	case m > 0 && state > 8*m:
		cfg.t.Fatalf("logs were not trimmed (%v > 8*%v)", state, m)
	case m < 0 && snapshot > 0:
		cfg.t.Fatalf("snapshot too large (%v), should not be used when maxraftstate = %d", snapshot, m)
	}
}
