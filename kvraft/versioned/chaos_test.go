package versioned

import (
	"context"
	"flag"
	"fmt"
	"math/rand"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"6.824/kvraft/history"
	"6.824/kvraft/internal/labtest"
	"6.824/kvraft/rpc"
	"6.824/labrpc"
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
			r := rand.New(rand.NewSource(seed))
			n := []int{1, 3, 3, 3, 5, 5}[r.Intn(6)]
			again := fmt.Sprintf("go test -run TestChaos ./versioned -chaos.seed=%d -chaos.seeds=1 # the same faults", seed)
			rec := labtest.Record(t, history.Versions, n, again)
			defer rec.Judge()
			synctest.Test(t, func(t *testing.T) { chaos(t, r, n, rec) })
		})
	}
}

// chaos runs a random scenario with n servers in a bubble.
func chaos(t *testing.T, r *rand.Rand, n int, rec *labtest.Recorded) {
	maxraftstate := []int{-1, 100, 300, 1000}[r.Intn(4)]
	rec.Begin()
	net := labrpc.MakeNetwork()
	net.Observe(rec)
	cfg := newConfig(t, rec, net, n, maxraftstate)
	defer cfg.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(2+r.Intn(5))*time.Second)
	defer cancel()
	var all sync.WaitGroup
	keys, think := 1+r.Intn(3), time.Duration(1+r.Intn(60))*time.Millisecond
	for range 1 + r.Intn(6) {
		cl, choose := cfg.newClient(cfg.All()), rand.New(rand.NewSource(r.Int63()))
		all.Go(func() { work(ctx, cl, choose, keys, think) })
	}
	cfg.Disturb(ctx, r, 500*time.Millisecond, rec.Step)
	all.Wait()
	ck := cfg.newClient(cfg.All())
	for k := range keys {
		ck.get(fmt.Sprint(k))
	}
	cfg.checkSizes()
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
