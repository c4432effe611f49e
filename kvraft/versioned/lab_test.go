package versioned

// The course's tests of 2025, as they are since 15 April 2025.

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"6.824/kvraft/internal/labtest"
	"6.824/kvraft/rpc"
)

// A generic is the course's generic test: clients replace the value of one key or of random keys while faults happen.
type generic struct {
	part              string
	clients, servers  int
	reliable          bool
	crash, partitions bool
	maxraftstate      int
	randomKeys        bool
}

func (g generic) title() string {
	title := "Test: "
	for _, word := range []struct {
		yes  bool
		text string
	}{
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
	lab(t, g.title(), g.servers, g.reliable, g.maxraftstate, func(cfg *config) {
		ck, total := cfg.newClient(cfg.All()), new(count)
		for range 3 {
			g.iterate(cfg, ck, total)
		}
	})
}

// iterate is one of the test's three iterations.
func (g generic) iterate(cfg *config, ck *client, total *count) {
	cfg.t.Helper()
	keys := []string{"k"}
	if g.randomKeys {
		keys = nil
		for i := range 100 {
			keys = append(keys, fmt.Sprint("k", i))
		}
	}
	wait := cfg.spawn(g.clients, func(cl *client, done *atomic.Bool) count { return cl.manyPuts(keys, g.randomKeys, done) })
	stop, stopped := make(chan struct{}), make(chan struct{})
	if g.partitions {
		time.Sleep(time.Second)
		go func() {
			defer close(stopped)
			cfg.partitioner(stop)
		}()
	}
	wait(total)
	if !g.randomKeys {
		ck.checkCount(keys[0], *total, g.reliable && !g.crash && !g.partitions)
	}
	close(stop)
	if g.partitions {
		<-stopped
		cfg.Heal()
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
		cfg.Heal()
	}
	cfg.checkSizes()
}

// genericSpeed makes a thousand Puts, one after the other, which must take a third of a heartbeat interval each at most.
func genericSpeed(t *testing.T, part string, maxraftstate int) {
	t.Helper()
	const (
		ops     = 1000
		longest = 100 * time.Millisecond / 3
	)
	title := generic{part: part, clients: 1, maxraftstate: maxraftstate}.title()
	lab(t, title, 3, true, maxraftstate, func(cfg *config) {
		ck := cfg.newClient(cfg.All()).ck
		ck.Get("x")
		start := time.Now()
		for i := range ops {
			if err := ck.Put("k", fmt.Sprint(i), rpc.Tversion(i)); err != rpc.OK {
				cfg.t.Fatalf("Put err %s", err)
			}
		}
		took := time.Since(start)
		if _, version, err := ck.Get("k"); err != rpc.OK {
			cfg.t.Fatalf("Get err %s", err)
		} else if version != ops {
			cfg.t.Fatalf("Get too few ops %d", version)
		}
		if took > ops*longest {
			cfg.t.Fatalf("Operations completed too slowly %v/op > %v/op", took/ops, longest)
		}
		if !labtest.Virtual() {
			cfg.t.Logf("%d operations took %v", ops, took)
		}
	})
}

func TestBasic4B(t *testing.T) {
	generic{part: "4B basic", clients: 1, servers: 5, reliable: true, maxraftstate: -1}.run(t)
}

func TestSpeed4B(t *testing.T) { genericSpeed(t, "4B speed", -1) }

func TestConcurrent4B(t *testing.T) {
	generic{part: "4B many clients", clients: 5, servers: 5, reliable: true, maxraftstate: -1}.run(t)
}

func TestUnreliable4B(t *testing.T) {
	generic{part: "4B many clients", clients: 5, servers: 5, maxraftstate: -1}.run(t)
}

func TestOnePartition4B(t *testing.T) {
	lab(t, "Test: one client (4B progress in majority)", 5, false, -1, func(cfg *config) {
		ck := cfg.newClient(cfg.All())
		version := ck.putAtLeastOnce("1", "13", 0)
		p1, p2 := cfg.halves(ck.ck.Leader())
		cfg.Partition(p1, p2)
		ckp1, ckp2a, ckp2b := cfg.newClient(p1), cfg.newClient(p2), cfg.newClient(p2)
		version = ckp1.putAtLeastOnce("1", "14", version)
		ckp1.checkGet("1", "14", version)
		cfg.end()

		cfg.begin("Test: no progress in minority (4B)")
		put, got := make(chan rpc.Tversion, 1), make(chan rpc.Tversion, 1)
		go func() { put <- ckp2a.putAtLeastOnce("1", "15", version) }()
		go func() {
			_, v, _ := ckp2b.get("1")
			got <- v
		}()
		select {
		case v := <-put:
			cfg.t.Fatalf("Put in minority completed with version = %d", v)
		case v := <-got:
			cfg.t.Fatalf("Get in minority completed with version = %d", v)
		case <-time.After(time.Second):
		}
		ckp1.checkGet("1", "14", version)
		version = ckp1.putAtLeastOnce("1", "16", version)
		ckp1.checkGet("1", "16", version)
		cfg.end()

		cfg.begin("Test: completion after heal (4B)")
		cfg.Heal()
		ckp2a.Connect(cfg.All())
		ckp2b.Connect(cfg.All())
		time.Sleep(electionTimeout)
		select {
		case version = <-put:
		case <-time.After(3 * time.Second):
			cfg.t.Fatal("Put did not complete")
		}
		select {
		case <-got:
		case <-time.After(3 * time.Second): // the course looks at the Get once, and does not mind
			cfg.t.Fatal("Get did not complete")
		}
		ck.checkGet("1", "15", version)
	})
}

func TestManyPartitionsOneClient4B(t *testing.T) {
	generic{part: "4B partitions, one client", clients: 1, servers: 5, reliable: true, partitions: true, maxraftstate: -1}.run(t)
}

func TestManyPartitionsManyClients4B(t *testing.T) {
	generic{part: "4B partitions, many clients (4B)", clients: 5, servers: 5, reliable: true, partitions: true, maxraftstate: -1}.run(t)
}

func TestPersistOneClient4B(t *testing.T) {
	generic{part: "4B restarts, one client 4B ", clients: 1, servers: 5, reliable: true, crash: true, maxraftstate: -1}.run(t)
}

func TestPersistConcurrent4B(t *testing.T) {
	generic{part: "4B restarts, many clients", clients: 5, servers: 5, reliable: true, crash: true, maxraftstate: -1}.run(t)
}

func TestPersistConcurrentUnreliable4B(t *testing.T) {
	generic{part: "4B restarts, many clients ", clients: 5, servers: 5, crash: true, maxraftstate: -1}.run(t)
}

func TestPersistPartition4B(t *testing.T) {
	generic{part: "4B restarts, partitions, many clients", clients: 5, servers: 5, reliable: true, crash: true, partitions: true, maxraftstate: -1}.run(t)
}

func TestPersistPartitionUnreliable4B(t *testing.T) {
	generic{part: "4B restarts, partitions, many clients", clients: 5, servers: 5, crash: true, partitions: true, maxraftstate: -1}.run(t)
}

func TestPersistPartitionUnreliableLinearizable4B(t *testing.T) {
	generic{part: "4B restarts, partitions, random keys, many clients", clients: 15, servers: 7, crash: true, partitions: true,
		maxraftstate: -1, randomKeys: true}.run(t)
}

func TestSnapshotRPC4C(t *testing.T) {
	lab(t, "Test: snapshots, one client (4C SnapshotsRPC)", 3, true, 1000, func(cfg *config) {
		ck := cfg.newClient(cfg.All())
		cfg.end()
		cfg.begin("Test: InstallSnapshot RPC (4C)")
		version := ck.putAtLeastOnce("a", "A", 0)
		ck.checkGet("a", "A", version)

		cfg.Partition([]int{0, 1}, []int{2})
		ck1 := cfg.newClient([]int{0, 1})
		for i := range 50 {
			ck1.putAtLeastOnce(fmt.Sprint(i), fmt.Sprint(i), 0)
		}
		time.Sleep(electionTimeout)
		b := ck1.putAtLeastOnce("b", "B", 0)
		cfg.checkSizes()

		cfg.Partition([]int{0, 2}, []int{1})
		ck2 := cfg.newClient([]int{0, 2})
		c := ck2.putAtLeastOnce("c", "C", 0)
		ck2.putAtLeastOnce("d", "D", 0)
		ck2.checkGet("a", "A", version)
		ck2.checkGet("b", "B", b)
		ck2.checkGet("1", "1", 1)
		ck2.checkGet("49", "49", 1)

		cfg.Heal()
		e := ck.putAtLeastOnce("e", "E", 0)
		ck.checkGet("c", "C", c)
		ck.checkGet("e", "E", e)
		ck.checkGet("1", "1", 1)
	})
}

func TestSnapshotSize4C(t *testing.T) {
	lab(t, "Test: snapshots, one client (4C snapshot size is reasonable)", 3, true, 1000, func(cfg *config) {
		const maxSnapshot = 500
		ck, version := cfg.newClient(cfg.All()), rpc.Tversion(0)
		for range 200 {
			for _, value := range []string{"0", "1"} {
				version = ck.putAtLeastOnce("x", value, version)
				ck.checkGet("x", value, version)
			}
		}
		cfg.checkSizes()
		for i := range cfg.n {
			if size := cfg.Disk(i).SnapshotSize(); size > maxSnapshot {
				cfg.t.Fatalf("snapshot too large (%v > %v)", size, maxSnapshot)
			}
		}
	})
}

func TestSpeed4C(t *testing.T) { genericSpeed(t, "4C speed", 1000) }

func TestSnapshotRecover4C(t *testing.T) {
	generic{part: "4C restarts, snapshots, one client", clients: 1, servers: 5, reliable: true, crash: true, maxraftstate: 1000}.run(t)
}

func TestSnapshotRecoverManyClients4C(t *testing.T) {
	generic{part: "4C restarts, snapshots, many clients ", clients: 20, servers: 5, reliable: true, crash: true, maxraftstate: 1000}.run(t)
}

func TestSnapshotUnreliable4C(t *testing.T) {
	generic{part: "4C unreliable net, snapshots, many clients", clients: 5, servers: 5, maxraftstate: 1000}.run(t)
}

func TestSnapshotUnreliableRecover4C(t *testing.T) {
	generic{part: "4C unreliable net, restarts, snapshots, many clients", clients: 5, servers: 5, crash: true, maxraftstate: 1000}.run(t)
}

func TestSnapshotUnreliableRecoverConcurrentPartition4C(t *testing.T) {
	generic{part: "4C unreliable net, restarts, partitions, snapshots, many clients", clients: 5, servers: 5, crash: true,
		partitions: true, maxraftstate: 1000}.run(t)
}

func TestSnapshotUnreliableRecoverConcurrentPartitionLinearizable4C(t *testing.T) {
	generic{part: "4C unreliable net, restarts, partitions, snapshots, random keys, many clients", clients: 15, servers: 7,
		crash: true, partitions: true, maxraftstate: 1000, randomKeys: true}.run(t)
}
