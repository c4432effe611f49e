package kvraft

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"6.824/kvraft/history"
	"6.824/kvraft/internal/labtest"
	"6.824/labrpc"
)

var (
	chaosSeed  = flag.Int64("chaos.seed", 1, "first seed of TestChaos")
	chaosSeeds = flag.Int("chaos.seeds", 20, "number of seeds of TestChaos")
)

// TestChaos runs clusters of random size with random clients, snapshots and faults, all drawn from a seed: crashes,
// partitions, lost messages and reordered replies. The history must be linearizable. In the end all servers must have the
// same state. The seed determines the faults, but not how goroutines interleave. It always uses the virtual clock.
func TestChaos(t *testing.T) {
	t.Parallel()
	for k := range *chaosSeeds {
		seed := *chaosSeed + int64(k)
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			s := scenarioOf(seed)
			again := fmt.Sprintf("go test -run TestChaos . -chaos.seed=%d -chaos.seeds=1 # the same faults, %+v", seed, s)
			rec := labtest.Record(t, history.Values, s.servers, again)
			defer rec.Judge()
			synctest.Test(t, func(t *testing.T) { s.play(t, rec) })
		})
	}
}

// A scenario is what a seed stands for.
type scenario struct {
	seed                   int64
	servers, clients, keys int
	maxraftstate           int
	think                  time.Duration // a client waits up to this long after each operation
	trouble                time.Duration // how long faults happen
	puts                   bool          // not only appends
}

func scenarioOf(seed int64) scenario {
	r := rand.New(rand.NewSource(seed))
	s := scenario{
		seed:         seed,
		servers:      []int{1, 3, 3, 3, 5, 5}[r.Intn(6)],
		clients:      1 + r.Intn(6),
		keys:         1 + r.Intn(4),
		maxraftstate: []int{-1, 100, 300, 1000}[r.Intn(4)],
		think:        time.Duration(5+r.Intn(60)) * time.Millisecond,
		trouble:      time.Duration(2+r.Intn(5)) * time.Second,
		puts:         r.Intn(2) == 0,
	}
	// With Puts the order of the writes is not known, and porcupine cannot decide if many clients share a key.
	s.puts = s.puts && s.clients <= 1+s.keys
	return s
}

// play runs the scenario in a bubble.
func (s scenario) play(t *testing.T, rec *labtest.Recorded) {
	r := rand.New(rand.NewSource(s.seed))
	rec.Begin()
	net := labrpc.MakeNetwork()
	net.Observe(rec)
	cfg := newConfig(t, rec, net, s.servers, s.maxraftstate)
	defer cfg.Close()
	ctx, cancel := context.WithTimeout(t.Context(), s.trouble)
	defer cancel()
	var all sync.WaitGroup
	for id := range s.clients {
		cl, choose := cfg.newClient(id, cfg.All()), rand.New(rand.NewSource(r.Int63()))
		all.Go(func() { s.work(ctx, cl, choose) })
	}
	cfg.Disturb(ctx, r, 500*time.Millisecond, rec.Step)
	all.Wait()
	ck := cfg.newClient(s.clients, cfg.All())
	for k := range s.keys {
		ck.get(fmt.Sprint(k))
	}
	ck.put("last", "") // commits what is left of earlier terms
	cfg.checkSizes()
	s.checkSame(cfg)
}

// work is what a client does until ctx is done.
func (s scenario) work(ctx context.Context, cl *client, choose *rand.Rand) {
	for n := 0; ctx.Err() == nil; n++ {
		key := fmt.Sprint(choose.Intn(s.keys))
		switch kind := choose.Intn(10); {
		case kind < 4:
			cl.get(key)
		case kind < 5 && s.puts:
			cl.put(key, element(cl.id, n))
		default:
			cl.append(key, element(cl.id, n))
		}
		time.Sleep(time.Duration(choose.Int63n(int64(s.think))))
	}
}

// checkSame fails the test unless all servers soon have the same state.
func (s scenario) checkSame(cfg *config) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := cfg.WaitApplied(ctx, cfg.Applied()); err != nil {
		cfg.t.Error(err)
		return
	}
	synctest.Wait() // for readers that have more to do
	var first []byte
	for i := range cfg.n {
		kv, _ := cfg.Server(i)
		if state := kv.dump(); i == 0 {
			first = state
		} else if !bytes.Equal(state, first) {
			cfg.t.Errorf("server %d has another state than server 0:\n%s\n%s", i, state, first)
		}
	}
}

// dump returns the state as text, sorted. The server must have nothing to do.
func (kv *KVServer) dump() []byte {
	var lines []string
	s := kv.store
	for key, v := range s.values.Capture().All {
		lines = append(lines, fmt.Sprintf("%q=%q", key, v.text))
	}
	for client, last := range s.requests.Capture().All {
		lines = append(lines, fmt.Sprintf("%d: %d", client, last))
	}
	slices.Sort(lines)
	return []byte(strings.Join(lines, "\n"))
}
