// Package busy uses goroutines, timers, locks and channels heavily.
package busy

import (
	"fmt"
	"math/rand"
	"sync"
	"testing"
	"time"
)

func TestHour(t *testing.T) {
	start := time.Now()
	time.Sleep(time.Hour)
	if d := time.Since(start); d < time.Hour || d > time.Hour+time.Second {
		t.Fatalf("an hour took %v", d)
	}
}

func TestTraffic(t *testing.T) {
	const workers, rounds = 50, 200
	var mu sync.Mutex
	cond := sync.NewCond(&mu)
	replies := make(chan int)
	sum := 0
	for w := range workers {
		go func() {
			for range rounds {
				select {
				case <-time.After(time.Duration(rand.Intn(30)) * time.Millisecond):
				case <-time.NewTimer(15 * time.Millisecond).C:
				}
				done := make(chan bool)
				time.AfterFunc(time.Duration(rand.Intn(3000))*time.Microsecond, func() { close(done) })
				<-done
				replies <- w
			}
		}()
	}
	go func() {
		for range workers * rounds {
			w := <-replies
			mu.Lock()
			sum = sum*31%1000003 + w
			mu.Unlock()
			cond.Broadcast()
		}
		mu.Lock()
		sum += 2000000
		mu.Unlock()
		cond.Broadcast()
	}()
	mu.Lock()
	for sum < 2000000 {
		cond.Wait()
	}
	mu.Unlock()
	fmt.Println("order", sum)
}

// deep needs far more stack in each frame than the guard leaves.
//
//go:noinline
func deep(n int, yield func()) int {
	var frame [4096]byte
	frame[n] = byte(n)
	yield()
	if n == 0 {
		return 0
	}
	return deep(n-1, yield) + int(frame[n])
}

// TestDeepStacks grows stacks while goroutines are made to yield.
func TestDeepStacks(t *testing.T) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	calls := 0
	for range 20 {
		wg.Go(func() {
			sum := deep(100, func() {
				mu.Lock()
				defer mu.Unlock()
				calls++
			})
			if sum != 100*101/2 {
				t.Errorf("sum is %d", sum)
			}
		})
	}
	wg.Wait()
	if calls != 20*101 {
		t.Errorf("%d calls", calls)
	}
}
