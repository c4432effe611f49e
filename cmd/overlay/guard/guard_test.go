package guard_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"6.824/cmd/overlay/guard"
)

func init() { guard.Package = "6.824/cmd/overlay/guard_test" }

func lockAndUnlock(m *guard.Mutex) {
	m.Lock()
	defer m.Unlock()
}

// A goroutine that waits for a lock lets time pass, and goroutines get the lock in order.
func TestMutexInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m guard.Mutex
		var order []int
		m.Lock()
		for i := range 5 {
			time.Sleep(time.Second)
			go func() {
				m.Lock()
				defer m.Unlock()
				order = append(order, i)
			}()
		}
		time.Sleep(time.Second)
		if m.TryLock() {
			t.Error("TryLock has locked a locked mutex")
		}
		m.Unlock()
		synctest.Wait()
		if !slices.Equal(order, []int{0, 1, 2, 3, 4}) {
			t.Errorf("the order is %v", order)
		}
		if !m.TryLock() {
			t.Error("TryLock has not locked a free mutex")
		}
	})
}

// A lock outlives its bubble.
func TestMutexInTwoBubbles(t *testing.T) {
	var m guard.Mutex
	for range 2 {
		synctest.Test(t, func(t *testing.T) {
			m.Lock()
			go func() {
				lockAndUnlock(&m)
			}()
			time.Sleep(time.Second)
			m.Unlock()
		})
	}
}

// Readers share the lock. A writer that waits comes before later readers.
func TestRWMutex(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m guard.RWMutex
		m.RLock()
		m.RLocker().Lock()
		if m.TryLock() {
			t.Error("a writer has locked a mutex with readers")
		}
		var order []string
		go func() {
			m.Lock()
			order = append(order, "writer")
			m.Unlock()
		}()
		synctest.Wait()
		if m.TryRLock() {
			t.Error("a reader has passed a waiting writer")
		}
		go func() {
			m.RLock()
			order = append(order, "reader")
			m.RUnlock()
		}()
		synctest.Wait()
		m.RLocker().Unlock()
		m.RUnlock()
		synctest.Wait()
		if !slices.Equal(order, []string{"writer", "reader"}) {
			t.Errorf("the order is %q", order)
		}
		for range 2 {
			if !m.TryRLock() || m.TryLock() {
				t.Error("the lock is not free for readers alone")
			}
		}
	})
}

func TestUnlockOfUnlocked(t *testing.T) {
	for name, unlock := range map[string]func(){
		"Mutex":          func() { new(guard.Mutex).Unlock() },
		"RUnlock":        func() { new(guard.RWMutex).RUnlock() },
		"RUnlock, write": func() { m := new(guard.RWMutex); m.Lock(); m.RUnlock() },
		"Unlock, read":   func() { m := new(guard.RWMutex); m.RLock(); m.Unlock() },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			unlock()
		}()
	}
}

func TestCond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m guard.Mutex
		c := guard.NewCond(&m)
		ready := false
		go func() {
			time.Sleep(time.Second)
			m.Lock()
			defer m.Unlock()
			ready = true
			c.Broadcast()
		}()
		m.Lock()
		defer m.Unlock()
		for !ready {
			c.Wait()
		}
	})
}

// A loop that polls sleeps, and is named. One that works does not.
func TestLoops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		guard.Start()
		begun := time.Now()
		for l, n := guard.Begin("work.go:1"), 0; n < 40_000; n++ {
			l.Turn()
		}
		for l, n := guard.Begin("sleep.go:1"), 0; n < 200_000; n++ {
			l.Turn()
			if n%20_000 == 0 {
				time.Sleep(time.Nanosecond)
			}
		}
		if spent := time.Since(begun); spent >= time.Millisecond || guard.Busy() != nil {
			t.Errorf("loops that work: %v, %q", spent, guard.Busy())
		}
		var ready atomic.Bool
		time.AfterFunc(time.Second, func() { ready.Store(true) })
		for l := guard.Begin("poll.go:7"); !ready.Load(); {
			l.Turn()
		}
		time.AfterFunc(time.Second, func() { ready.Store(false) })
		for begun := time.Now(); ready.Load(); {
			guard.Turn("since.go:9")
			_ = begun
		}
		if want := []string{
			"the loop at poll.go:7 in TestLoops polls without sleeping",
			"the loop at since.go:9 in TestLoops polls without sleeping",
		}; !slices.Equal(guard.Busy(), want) {
			t.Errorf("%q", guard.Busy())
		}
		guard.Start()
		if guard.Busy() != nil {
			t.Error("Start does not forget busy loops")
		}
	})
}

// After End, goroutines end at the next loop or lock.
func TestEnd(t *testing.T) {
	for name, body := range map[string]func(m *guard.Mutex){
		"loop": func(*guard.Mutex) {
			for l := guard.Begin("a.go:1"); ; {
				l.Turn()
				time.Sleep(time.Second)
			}
		},
		"shared": func(*guard.Mutex) {
			for {
				guard.Turn("a.go:2")
				time.Sleep(time.Second)
			}
		},
		"deferred": func(m *guard.Mutex) { // Lock ends the goroutine, and then Unlock is called
			m.Lock()
			defer m.Unlock()
			for {
				func() {
					m.Unlock()
					defer m.Lock()
					time.Sleep(time.Second)
				}()
			}
		},
		"lock": func(m *guard.Mutex) {
			for {
				time.Sleep(time.Second)
				lockAndUnlock(m)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // which waits until body ends
				guard.Start()
				defer guard.Start()
				var m guard.Mutex
				deferred := false
				go func() {
					defer func() { deferred = true }()
					body(&m)
				}()
				time.Sleep(time.Minute)
				if deferred || guard.Over() {
					t.Fatal("it has ended")
				}
				guard.End()
				time.Sleep(time.Second)
				synctest.Wait()
				if !deferred || !guard.Over() {
					t.Error("it has not ended")
				}
			})
		})
	}
}
