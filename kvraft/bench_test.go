package kvraft

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"6.824/kvraft/cluster"
	"6.824/labrpc"
	"6.824/raft"
)

func newCluster(n, maxraftstate int) *cluster.Cluster[*KVServer] {
	return cluster.New(n, func(peers []*labrpc.ClientEnd, me int, disk *raft.Persister) *KVServer {
		return StartKVServer(peers, me, disk, maxraftstate)
	})
}

// BenchmarkOneClient is one client's Puts, one after the other.
func BenchmarkOneClient(b *testing.B) {
	c := newCluster(3, -1)
	defer c.Close()
	ck := MakeClerk(c.NewClient().Ends())
	ck.Put("k", "")
	for b.Loop() {
		ck.Put("k", "some value")
	}
}

// BenchmarkSpeed is the course's TestSpeed: a thousand appends to one key.
func BenchmarkSpeed(b *testing.B) {
	c := newCluster(3, -1)
	defer c.Close()
	ck := MakeClerk(c.NewClient().Ends())
	ck.Get("x")
	for n := 0; b.Loop(); n++ {
		key := fmt.Sprint("x", n)
		for i := range 1000 {
			ck.Append(key, fmt.Sprintf("x 0 %d y", i))
		}
	}
}

// BenchmarkClients is many clients at once.
func BenchmarkClients(b *testing.B) {
	for _, clients := range []int{64} {
		for _, what := range []string{"put", "get"} {
			b.Run(fmt.Sprintf("%d/%s", clients, what), func(b *testing.B) {
				c := newCluster(3, -1)
				defer c.Close()
				value := strings.Repeat("v", 10)
				each := b.N/clients + 1
				clerks := make([]*Clerk, clients)
				for k := range clerks {
					clerks[k] = MakeClerk(c.NewClient().Ends())
					clerks[k].Put(fmt.Sprint("k", k), value)
				}
				b.ResetTimer()
				var all sync.WaitGroup
				for k, ck := range clerks {
					all.Go(func() {
						key := fmt.Sprint("k", k)
						for range each {
							if what == "put" {
								ck.Put(key, value)
							} else {
								ck.Get(key)
							}
						}
					})
				}
				all.Wait()
				b.ReportMetric(float64(each*clients)/b.Elapsed().Seconds(), "ops/s")
			})
		}
	}
}
