package guard

import (
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A lock has one exclusive holder or any number of shared ones. The zero value is free.
type lock struct {
	mu      sync.Mutex // held only for moments
	holders []*hold
	queue   []*waiter // in the order of arrival
	name    string    // in the student's source, once it is known
}

// A hold is a goroutine's hold of a lock, or its wish for one.
type hold struct {
	lock      *lock
	shared    bool
	goroutine int
	stack     []uintptr
	since     time.Time // when it was acquired; for a waiter, when it was asked for
}

// A waiter waits until ready is closed. The channel is its own, since a channel belongs to one bubble and a lock need not.
type waiter struct {
	*hold
	ready chan struct{}
}

// held has all holds.
var held struct {
	mu    sync.Mutex
	holds map[*hold]bool
}

func newHold(l *lock, shared bool) *hold {
	h := &hold{lock: l, shared: shared, goroutine: goroutineID(), since: time.Now()}
	var pcs [16]uintptr
	h.stack = slices.Clone(pcs[:runtime.Callers(4, pcs[:])])
	return h
}

func (l *lock) acquire(shared bool) {
	Pass()
	h := newHold(l, shared)
	l.mu.Lock()
	if l.isFree(shared) && (!shared || len(l.queue) == 0) {
		l.grantLocked(h)
		l.mu.Unlock()
		return
	}
	w := &waiter{h, make(chan struct{})}
	l.queue = append(l.queue, w)
	l.mu.Unlock()
	<-w.ready
}

func (l *lock) tryAcquire(shared bool) bool {
	Pass()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.isFree(shared) || len(l.queue) > 0 {
		return false
	}
	l.grantLocked(newHold(l, shared))
	return true
}

// isFree reports whether the lock can have another holder.
func (l *lock) isFree(shared bool) bool {
	return len(l.holders) == 0 || shared && l.holders[0].shared
}

// grantLocked makes h a holder of its lock.
func (l *lock) grantLocked(h *hold) {
	h.since = time.Now()
	l.holders = append(l.holders, h)
	if Racing {
		return
	}
	held.mu.Lock()
	defer held.mu.Unlock()
	if held.holds == nil {
		held.holds = map[*hold]bool{}
	}
	held.holds[h] = true
}

// release ends a hold and passes the lock to the next waiters. A goroutine may release the hold of another one.
func (l *lock) release(shared bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.holders) == 0 || l.holders[0].shared != shared {
		if Over() { // Pass may have ended the goroutine in Lock, and this is a deferred Unlock
			return
		}
		panic("sync: Unlock without Lock, or RUnlock without RLock")
	}
	k := 0
	if len(l.holders) > 1 {
		self := goroutineID()
		k = max(0, slices.IndexFunc(l.holders, func(h *hold) bool { return h.goroutine == self }))
	}
	if !Racing {
		held.mu.Lock()
		delete(held.holds, l.holders[k])
		held.mu.Unlock()
	}
	l.holders = slices.Delete(l.holders, k, k+1)
	for len(l.queue) > 0 && l.isFree(l.queue[0].shared) {
		next := l.queue[0]
		l.queue = slices.Delete(l.queue, 0, 1)
		l.grantLocked(next.hold)
		close(next.ready)
	}
}

// goroutineID returns the number that a stack trace shows for the calling goroutine.
func goroutineID() int {
	var buf [32]byte
	text := string(buf[:runtime.Stack(buf[:], false)])
	text, _, _ = strings.Cut(strings.TrimPrefix(text, "goroutine "), " ")
	id, _ := strconv.Atoi(text)
	return id
}
