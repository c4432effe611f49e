package versioned

import (
	"context"
	"flag"
	"fmt"
	"math/rand"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"6.824/kvraft/cluster"
	"6.824/kvraft/history"
	"6.824/kvraft/internal/labtest"
	"6.824/kvraft/rpc"
	"6.824/labrpc"
	"6.824/raft"
)

var (
	chaosSeed  = flag.Int64("chaos.seed", 1, "first seed of TestChaos")
	chaosSeeds = flag.Int("chaos.seeds", 10, "number of seeds of TestChaos")
)

// TestChaos runs clusters of random size with random clients, snapshots and faults, all drawn from a seed. The history must
// be linearizable. The seed determines the faults, but not how goroutines interleave. It always uses the virtual clock.
func TestChaos(t *testing.T) {
	t.Parallel()
	for k := range *chaosSeeds {
		seed := *chaosSeed + int64(k)
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			var rec history.Recorder
			synctest.Test(t, func(t *testing.T) { chaos(t, seed, &rec) })
			checkHistory(t, rec.History())
			if t.Failed() {
				t.Logf("to repeat the same faults: go test -run TestChaos ./versioned -chaos.seed=%d -chaos.seeds=1", seed)
			}
		})
	}
}

// chaos runs the scenario of a seed in a bubble.
func chaos(t *testing.T, seed int64, rec *history.Recorder) {
	r := rand.New(rand.NewSource(seed))
	n, maxraftstate := []int{1, 3, 3, 3, 5, 5}[r.Intn(6)], []int{-1, 100, 300, 1000}[r.Intn(4)]
	net := labrpc.MakeNetwork()
	cfg := &config{t: t, n: n, maxraftstate: maxraftstate, report: labtest.NewReport(net, n), rec: rec}
	cfg.Cluster = cluster.NewOn(net, nil, n, func(peers []*labrpc.ClientEnd, me int, disk *raft.Persister) *KVServer {
		return StartKVServer(peers, me, disk, maxraftstate)
	})
	defer cfg.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(2+r.Intn(5))*time.Second)
	defer cancel()
	var all sync.WaitGroup
	keys, think := 1+r.Intn(3), time.Duration(1+r.Intn(60))*time.Millisecond
	for range 1 + r.Intn(6) {
		cl, choose := cfg.newClient(cfg.All()), rand.New(rand.NewSource(r.Int63()))
		all.Go(func() { work(ctx, cl, choose, keys, think) })
	}
	var happened []string
	cfg.Disturb(ctx, r, 500*time.Millisecond, func(fault string) { happened = append(happened, fault) })
	all.Wait()
	ck := cfg.newClient(cfg.All())
	for k := range keys {
		ck.get(fmt.Sprint(k))
	}
	cfg.checkSizes()
	if t.Failed() {
		t.Log("faults:\n" + strings.Join(happened, "\n"))
	}
}

// work is what a client does until ctx is done. Its Puts have the version that it has seen last, or another one.
func work(ctx context.Context, cl *client, choose *rand.Rand, keys int, think time.Duration) {
	versions := make(map[string]rpc.Tversion)
	for n := 0; ctx.Err() == nil; n++ {
		key := fmt.Sprint(choose.Intn(keys))
		if choose.Intn(3) == 0 {
			_, versions[key], _ = cl.get(key)
		} else if version := versions[key] + rpc.Tversion(choose.Intn(8)/7); cl.put(key, entry{cl.id, rpc.Tversion(n)}.String(), version) == rpc.OK {
			versions[key] = version + 1
		}
		time.Sleep(time.Duration(choose.Int63n(int64(think))))
	}
}
