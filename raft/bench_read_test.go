package raft

import (
	"fmt"
	"sync"
	"testing"
)

// BenchmarkReadIndex measures reads, with one caller and with many.
func BenchmarkReadIndex(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("servers=3/callers=%d", callers), func(b *testing.B) {
			c := newBenchCluster(b, 3, 0)
			c.start(1) // a leader needs an entry of its term
			<-c.applied
			c.measure(b, func() {
				var done sync.WaitGroup
				for caller := range callers {
					done.Go(func() {
						for n := caller; n < b.N; n += callers {
							if _, err := c.leader.ReadIndex(b.Context()); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				done.Wait()
			})
		})
	}
}
