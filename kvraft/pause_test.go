package kvraft

import (
	"flag"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

var stateFlag = flag.Int("state", 0, "TestPause's state in bytes; 0 skips the test")

// TestPause measures how long an operation waits for snapshots of a large state, on the real clock. It prints the longest
// operations of a client while servers take snapshots, and the memory of the process. Beside the client, a goroutine sleeps a
// millisecond at a time: how late it wakes shows what part of a wait comes from the scheduler and from other processes.
func TestPause(t *testing.T) {
	if *stateFlag == 0 {
		t.Skip("a measurement: -state 100000000 runs it")
	}
	const servers, valueSize, during = 3, 1000, 10 * time.Second
	c := newCluster(servers, *stateFlag/4)
	defer c.Close()
	ck := MakeClerk(c.NewClient().Ends())
	value := strings.Repeat("v", valueSize)
	keys := *stateFlag / valueSize
	for k := range keys {
		ck.Put(fmt.Sprint("key", k), value)
	}
	before := c.Disk(0).SnapshotSize()
	var took []time.Duration
	late := sleeper(during)
	for start := time.Now(); time.Since(start) < during; {
		begun := time.Now()
		ck.Put(fmt.Sprint("key", len(took)%keys), value)
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	overslept := <-late
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("%d MB of state, snapshots of %d and %d MB: %d operations, half of them up to %v, 99.9%% up to %v, all up to %v; a goroutine that sleeps: 99.9%% up to %v late, at most %v; heap %d MB, at most %d MB, in %d servers",
		*stateFlag/1e6, before/1e6, c.Disk(0).SnapshotSize()/1e6, len(took), took[len(took)/2], took[len(took)*999/1000], took[len(took)-1],
		overslept[len(overslept)*999/1000], overslept[len(overslept)-1], m.HeapAlloc/1e6, m.HeapSys/1e6, servers)
}

// sleeper sleeps a millisecond at a time for so long, and sends how late it woke each time, in rising order.
func sleeper(during time.Duration) <-chan []time.Duration {
	late := make(chan []time.Duration, 1)
	go func() {
		var all []time.Duration
		for start := time.Now(); time.Since(start) < during; {
			begun := time.Now()
			time.Sleep(time.Millisecond)
			all = append(all, time.Since(begun)-time.Millisecond)
		}
		slices.Sort(all)
		late <- all
	}()
	return late
}
