// Package polling waits in loops that never block. The goroutine that they wait for sleeps first. With go test each of them
// ends at once.
package polling

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const nap = 20 * time.Millisecond

func TestMutex(t *testing.T) {
	var mu sync.Mutex
	ok := false
	go func() {
		time.Sleep(nap)
		mu.Lock()
		ok = true
		mu.Unlock()
	}()
	for {
		mu.Lock()
		if ok {
			mu.Unlock()
			return
		}
		mu.Unlock()
	}
}

type server struct {
	mu              sync.Mutex
	commit, applied int
}

func (s *server) ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commit > s.applied
}

func TestMethod(t *testing.T) {
	s := new(server)
	go func() {
		time.Sleep(nap)
		s.mu.Lock()
		s.commit = 1
		s.mu.Unlock()
	}()
	for !s.ready() {
	}
}

func TestSelect(t *testing.T) {
	c := make(chan int)
	go func() { time.Sleep(nap); c <- 1 }()
	for {
		select {
		case <-c:
			return
		default:
		}
	}
}

func TestAtomic(t *testing.T) {
	var done atomic.Bool
	go func() { time.Sleep(nap); done.Store(true) }()
	for !done.Load() {
	}
}

func TestGoto(t *testing.T) {
	var done atomic.Bool
	go func() { time.Sleep(nap); done.Store(true) }()
again:
	if !done.Load() {
		goto again
	}
}

func TestClock(t *testing.T) {
	woke := false
	go func() { time.Sleep(nap); woke = true }()
	for start := time.Now(); time.Since(start) < 2*nap; {
	}
	if !woke {
		t.Error("a sleeping goroutine has not woken")
	}
}

func TestGosched(t *testing.T) {
	var done atomic.Bool
	go func() { time.Sleep(nap); done.Store(true) }()
	for !done.Load() {
		runtime.Gosched()
	}
}

// TestTwo has two goroutines that poll for a third.
func TestTwo(t *testing.T) {
	var done atomic.Bool
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for !done.Load() {
			}
		})
	}
	time.Sleep(nap)
	done.Store(true)
	wg.Wait()
}

var sink uint64

// TestNoCalls computes for a long time. Others run meanwhile.
func TestNoCalls(t *testing.T) {
	var turns atomic.Int64
	var stop atomic.Bool
	go func() {
		for !stop.Load() {
			turns.Add(1)
			runtime.Gosched()
		}
	}()
	x := uint64(1)
	for range 2_000_000 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	sink = x
	stop.Store(true)
	if turns.Load() < 200 {
		t.Errorf("the other goroutine ran %d times", turns.Load())
	}
}

// TestGeneric has a generic function with a loop in the package.
func TestGeneric(t *testing.T) {
	var done atomic.Bool
	go func() { time.Sleep(nap); done.Store(true) }()
	wait(&done)
}

func wait[T interface{ Load() bool }](v T) {
	for !v.Load() {
	}
}
