//go:build !race

package guard_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"6.824/cmd/overlay/guard"
)

type server struct{ mu guard.Mutex }

func (s *server) lockIt() { s.mu.Lock() }

// Holdings name the lock, the place and who waits.
func TestHoldings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		guard.Start()
		servers := make([]server, 2)
		s := &servers[1]
		s.lockIt()
		go func() {
			lockAndUnlock(&s.mu)
		}()
		time.Sleep(time.Minute)
		all := guard.Holdings()
		if here := guard.HeldHere(); len(all) != 1 || len(here) != 1 || here[0].Lock != all[0].Lock {
			t.Fatalf("all %v, here %v", all, here)
		}
		h := all[0]
		if !strings.HasPrefix(h.Lock, "a lock, locked at holdings_test.go:") || !strings.Contains(h.Lock, " in lockIt, called at holdings_test.go:") ||
			!strings.HasSuffix(h.Lock, " in TestHoldings") {
			t.Errorf("the lock is %q", h.Lock)
		}
		if len(h.Waiting) != 1 || !strings.HasSuffix(h.Waiting[0], " in TestHoldings") || time.Since(h.Since) != time.Minute {
			t.Errorf("waiting %q, held for %v", h.Waiting, time.Since(h.Since))
		}
		for i := range servers {
			if in := h.In(unsafe.Pointer(&servers[i]), unsafe.Sizeof(server{})); in != (i == 1) {
				t.Errorf("in server %d: %v", i, in)
			}
		}
		line, _, _ := strings.Cut(strings.TrimPrefix(h.Lock, "a lock, locked at "), " ")
		guard.Names = map[string]string{line: "s.mu"}
		defer func() { guard.Names = nil }()
		if h := guard.Holdings()[0]; !strings.HasPrefix(h.Lock, "s.mu, locked at ") {
			t.Errorf("the lock is %q", h.Lock)
		}
		go func() {
			if here := guard.HeldHere(); len(here) > 0 {
				t.Errorf("another goroutine holds %v", here)
			}
		}()
		synctest.Wait()
		s.mu.Unlock()
		synctest.Wait()
		if all := guard.Holdings(); len(all) > 0 {
			t.Errorf("after Unlock: %v", all)
		}
	})
}
