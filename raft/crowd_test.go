package raft

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// end ends the replicators of a quiet server.
func (c *readCluster) end() {
	c.locked(func() { c.killed = true; c.becomeKilledLocked() })
}

// Reads that are ready to run at the same time share messages, although messages take no time. They start no further
// replicators.
func TestReadIndexGathers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const callers, rounds = 6, 100
	var messages, goroutines atomic.Int64
	most := int64(runtime.NumGoroutine() + callers + 2)
	var c *readCluster
	c = newReadCluster(t, 3, WithTransport(func(peer int, m Message) Reply {
		messages.Add(1)
		goroutines.Store(max(goroutines.Load(), int64(runtime.NumGoroutine())))
		return c.peers[peer].OnMessage(m)
	}))
	for _, f := range c.followers[1:] {
		startReplicator(c.Raft, f)
		for waits := false; !waits; c.locked(func() { waits = f.waiting }) {
			runtime.Gosched()
		}
	}
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for range rounds {
				if _, err := c.ReadIndex(context.Background()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := messages.Load(); n > callers*rounds*2/3 { // every read for itself needs callers*rounds
		t.Errorf("%d messages to two peers for %d reads, %d at a time", n, callers*rounds, callers)
	}
	if n := goroutines.Load(); n > most {
		t.Errorf("%d goroutines, want at most %d", n, most)
	}
	c.end()
}

// A leader that is deposed while its reads let others join sends nothing.
func TestReadIndexGathersAndIsDeposed(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for range yields {
		c := newReadCluster(t, 3, WithTransport(func(peer int, m Message) Reply {
			if _, term := m.sender(); term == 5 {
				t.Errorf("it sends %v to %d in a term in which it does not lead", m, peer)
			}
			return nil
		}))
		r := begun(t, c.Raft)
		var ended sync.WaitGroup
		ended.Go(func() { c.locked(func() { c.becomeFollowerLocked(5) }) })
		startReplicator(c.Raft, c.followers[1]) // runs before the other goroutine
		ended.Wait()
		for range 2 * maxYields {
			runtime.Gosched() // the replicator looks for work
		}
		mustEnd(t, r, ErrDeposed)
		c.end()
	}
}
