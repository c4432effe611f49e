package kvraft

// The lab's tests, with the names of 2023. In 2024 they end in 4A and 4B.

import (
	"fmt"
	"math/rand"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"6.824/kvraft/internal/labtest"
)

// A generic is the lab's generic test: clients append and get while faults happen, and in the end each finds what it has
// appended, once and in order.
type generic struct {
	part                          string
	clients, servers              int
	unreliable, crash, partitions bool
	maxraftstate                  int
	randomKeys                    bool
}

func (g generic) title() string {
	title := "Test: "
	for _, word := range []struct {
		yes  bool
		text string
	}{
		{g.unreliable, "unreliable net, "},
		{g.crash, "restarts, "},
		{g.partitions, "partitions, "},
		{g.maxraftstate != -1, "snapshots, "},
		{g.randomKeys, "random keys, "},
		{g.clients > 1, "many clients"},
		{g.clients <= 1, "one client"},
	} {
		if word.yes {
			title += word.text
		}
	}
	return title + " (" + g.part + ")"
}

func (g generic) run(t *testing.T) {
	t.Helper()
	lab(t, g.servers, g.unreliable, g.maxraftstate, func(cfg *config) {
		cfg.begin(g.title())
		ck := cfg.newClient(g.clients, cfg.All())
		for range 3 {
			g.iterate(cfg, ck)
		}
		cfg.end()
	})
}

// iterate is one of the test's three iterations.
func (g generic) iterate(cfg *config, ck *client) {
	cfg.t.Helper()
	var done atomic.Bool
	counts := make([]int, g.clients)
	wait := cfg.spawn(g.clients, func(cl *client, id int) { counts[id] = g.work(cl, id, &done) })
	stop, stopped := make(chan struct{}), make(chan struct{})
	if g.partitions {
		time.Sleep(time.Second)
		go func() {
			defer close(stopped)
			cfg.partitioner(stop)
		}()
	}
	time.Sleep(5 * time.Second)
	done.Store(true)
	close(stop)
	if g.partitions {
		<-stopped
		cfg.connectAll()
		time.Sleep(electionTimeout)
	}
	if g.crash {
		for i := range cfg.n {
			cfg.Crash(i)
		}
		time.Sleep(electionTimeout)
		for i := range cfg.n {
			cfg.Restart(i)
		}
		cfg.connectAll()
	}
	wait()
	for id, count := range counts {
		value := ck.get(fmt.Sprint(id))
		if !g.randomKeys {
			checkAppends(cfg.t, id, value, count)
		}
	}
	cfg.checkSizes()
}

// work is what a client does until done. It returns the number of its appends.
func (g generic) work(cl *client, id int, done *atomic.Bool) (count int) {
	var last strings.Builder // what it has appended
	key := fmt.Sprint(id)
	if !g.randomKeys {
		cl.put(key, "")
	}
	for ; !done.Load(); labtest.Rest() {
		if g.randomKeys {
			key = fmt.Sprint(rand.Intn(g.clients))
		}
		switch nv := element(id, count); {
		case rand.Intn(1000) < 500:
			cl.append(key, nv)
			last.WriteString(nv)
			count++
		case g.randomKeys && rand.Intn(1000) < 100:
			cl.put(key, nv)
			count++
		default:
			if v := cl.get(key); !g.randomKeys && v != last.String() {
				cl.cfg.t.Errorf("get wrong value, key %v, wanted:\n%v\n, got\n%v", key, last.String(), v)
				return count
			}
		}
	}
	return count
}

// genericSpeed makes a thousand appends, one after the other, which must take a third of a heartbeat interval each at most.
func genericSpeed(t *testing.T, part string, maxraftstate int) {
	t.Helper()
	const (
		ops     = 1000
		longest = 100 * time.Millisecond / 3
	)
	lab(t, 3, false, maxraftstate, func(cfg *config) {
		ck := cfg.newClient(0, cfg.All()).ck
		cfg.begin(fmt.Sprintf("Test: ops complete fast enough (%s)", part))
		ck.Get("x")
		start := time.Now()
		for i := range ops {
			ck.Append("x", element(0, i))
		}
		took := time.Since(start)
		checkAppends(cfg.t, 0, ck.Get("x"), ops)
		if took > ops*longest {
			cfg.t.Fatalf("Operations completed too slowly %v/op > %v/op", took/ops, longest)
		}
		if !labtest.Virtual() {
			cfg.t.Logf("%d operations took %v", ops, took)
		}
		cfg.end()
	})
}

func TestBasic3A(t *testing.T) { generic{part: "3A", clients: 1, servers: 5, maxraftstate: -1}.run(t) }

func TestSpeed3A(t *testing.T) { genericSpeed(t, "3A", -1) }

func TestConcurrent3A(t *testing.T) {
	generic{part: "3A", clients: 5, servers: 5, maxraftstate: -1}.run(t)
}

func TestUnreliable3A(t *testing.T) {
	generic{part: "3A", clients: 5, servers: 5, unreliable: true, maxraftstate: -1}.run(t)
}

func TestUnreliableOneKey3A(t *testing.T) {
	lab(t, 3, true, -1, func(cfg *config) {
		const clients, each = 5, 10
		ck := cfg.newClient(clients, cfg.All())
		cfg.begin("Test: concurrent append to same key, unreliable (3A)")
		ck.put("k", "")
		cfg.spawn(clients, func(cl *client, id int) {
			for n := range each {
				cl.append("k", element(id, n))
			}
		})()
		value := ck.get("k")
		for id := range clients {
			checkAppends(cfg.t, id, value, each)
		}
		cfg.end()
	})
}

func TestOnePartition3A(t *testing.T) {
	lab(t, 5, false, -1, func(cfg *config) {
		ck := cfg.newClient(0, cfg.All())
		ck.put("1", "13")

		cfg.begin("Test: progress in majority (3A)")
		p1, p2 := cfg.halves()
		cfg.Partition(p1, p2)
		ckp1, ckp2a, ckp2b := cfg.newClient(1, p1), cfg.newClient(2, p2), cfg.newClient(3, p2)
		ckp1.put("1", "14")
		ckp1.check("1", "14")
		cfg.end()

		cfg.begin("Test: no progress in minority (3A)")
		put, got := make(chan bool, 1), make(chan bool, 1)
		go func() {
			ckp2a.put("1", "15")
			put <- true
		}()
		go func() {
			ckp2b.get("1")
			got <- true
		}()
		select {
		case <-put:
			cfg.t.Fatal("Put in minority completed")
		case <-got:
			cfg.t.Fatal("Get in minority completed")
		case <-time.After(time.Second):
		}
		ckp1.check("1", "14")
		ckp1.put("1", "16")
		ckp1.check("1", "16")
		cfg.end()

		cfg.begin("Test: completion after heal (3A)")
		cfg.connectAll()
		ckp2a.Connect(cfg.All())
		ckp2b.Connect(cfg.All())
		time.Sleep(electionTimeout)
		for what, ch := range map[string]chan bool{"Put": put, "Get": got} {
			select {
			case <-ch:
			case <-time.After(3 * time.Second): // the course looks at the Get once, and does not mind
				cfg.t.Fatal(what + " did not complete")
			}
		}
		ck.check("1", "15")
		cfg.end()
	})
}

func TestManyPartitionsOneClient3A(t *testing.T) {
	generic{part: "3A", clients: 1, servers: 5, partitions: true, maxraftstate: -1}.run(t)
}

func TestManyPartitionsManyClients3A(t *testing.T) {
	generic{part: "3A", clients: 5, servers: 5, partitions: true, maxraftstate: -1}.run(t)
}

func TestPersistOneClient3A(t *testing.T) {
	generic{part: "3A", clients: 1, servers: 5, crash: true, maxraftstate: -1}.run(t)
}

func TestPersistConcurrent3A(t *testing.T) {
	generic{part: "3A", clients: 5, servers: 5, crash: true, maxraftstate: -1}.run(t)
}

func TestPersistConcurrentUnreliable3A(t *testing.T) {
	generic{part: "3A", clients: 5, servers: 5, unreliable: true, crash: true, maxraftstate: -1}.run(t)
}

func TestPersistPartition3A(t *testing.T) {
	generic{part: "3A", clients: 5, servers: 5, crash: true, partitions: true, maxraftstate: -1}.run(t)
}

func TestPersistPartitionUnreliable3A(t *testing.T) {
	generic{part: "3A", clients: 5, servers: 5, unreliable: true, crash: true, partitions: true, maxraftstate: -1}.run(t)
}

func TestPersistPartitionUnreliableLinearizable3A(t *testing.T) {
	generic{part: "3A", clients: 15, servers: 7, unreliable: true, crash: true, partitions: true, maxraftstate: -1, randomKeys: true}.run(t)
}

func TestSnapshotRPC3B(t *testing.T) {
	lab(t, 3, false, 1000, func(cfg *config) {
		ck := cfg.newClient(0, cfg.All())
		cfg.begin("Test: InstallSnapshot RPC (3B)")
		ck.put("a", "A")
		ck.check("a", "A")

		cfg.Partition([]int{0, 1}, []int{2})
		ck1 := cfg.newClient(1, []int{0, 1})
		for i := range 50 {
			ck1.put(fmt.Sprint(i), fmt.Sprint(i))
		}
		time.Sleep(electionTimeout)
		ck1.put("b", "B")
		cfg.checkSizes()

		cfg.Partition([]int{0, 2}, []int{1})
		ck2 := cfg.newClient(2, []int{0, 2})
		ck2.put("c", "C")
		ck2.put("d", "D")
		for _, want := range []struct{ key, value string }{{"a", "A"}, {"b", "B"}, {"1", "1"}, {"49", "49"}} {
			ck2.check(want.key, want.value)
		}

		cfg.connectAll()
		ck.put("e", "E")
		ck.check("c", "C")
		ck.check("e", "E")
		ck.check("1", "1")
		cfg.end()
	})
}

func TestSnapshotSize3B(t *testing.T) {
	lab(t, 3, false, 1000, func(cfg *config) {
		const maxSnapshot = 500
		ck := cfg.newClient(0, cfg.All())
		cfg.begin("Test: snapshot size is reasonable (3B)")
		for range 200 {
			for _, value := range []string{"0", "1"} {
				ck.put("x", value)
				ck.check("x", value)
			}
		}
		cfg.checkSizes()
		if size := cfg.snapshotSize(); size > maxSnapshot {
			cfg.t.Fatalf("snapshot too large (%v > %v)", size, maxSnapshot)
		}
		cfg.end()
	})
}

func TestSpeed3B(t *testing.T) { genericSpeed(t, "3B", 1000) }

func TestSnapshotRecover3B(t *testing.T) {
	generic{part: "3B", clients: 1, servers: 5, crash: true, maxraftstate: 1000}.run(t)
}

func TestSnapshotRecoverManyClients3B(t *testing.T) {
	generic{part: "3B", clients: 20, servers: 5, crash: true, maxraftstate: 1000}.run(t)
}

func TestSnapshotUnreliable3B(t *testing.T) {
	generic{part: "3B", clients: 5, servers: 5, unreliable: true, maxraftstate: 1000}.run(t)
}

func TestSnapshotUnreliableRecover3B(t *testing.T) {
	generic{part: "3B", clients: 5, servers: 5, unreliable: true, crash: true, maxraftstate: 1000}.run(t)
}

func TestSnapshotUnreliableRecoverConcurrentPartition3B(t *testing.T) {
	generic{part: "3B", clients: 5, servers: 5, unreliable: true, crash: true, partitions: true, maxraftstate: 1000}.run(t)
}

func TestSnapshotUnreliableRecoverConcurrentPartitionLinearizable3B(t *testing.T) {
	generic{part: "3B", clients: 15, servers: 7, unreliable: true, crash: true, partitions: true, maxraftstate: 1000, randomKeys: true}.run(t)
}
