// Package guard takes the place of package sync in a student's Raft, so that a test can run on a virtual clock and can say
// which lock or loop stops the servers. The overlay replaces the student's import of sync by this package, and adds a call
// to each loop. Package overlay says more.
//
// In a bubble of testing/synctest, time passes only while every goroutine is durably blocked. A goroutine that waits for a
// sync.Mutex is not, nor is one that polls. Here a goroutine that waits for a Mutex waits on a channel, and a goroutine
// that polls sleeps now and then.
package guard

import "sync"

// The other types of package sync are the same. Those that block do so durably.
type (
	Cond      = sync.Cond
	Locker    = sync.Locker
	Map       = sync.Map
	Once      = sync.Once
	Pool      = sync.Pool
	WaitGroup = sync.WaitGroup
)

// NewCond is sync.NewCond.
func NewCond(l Locker) *Cond { return sync.NewCond(l) }

// OnceFunc is sync.OnceFunc.
func OnceFunc(f func()) func() { return sync.OnceFunc(f) }

// OnceValue is sync.OnceValue.
func OnceValue[T any](f func() T) func() T { return sync.OnceValue(f) }

// OnceValues is sync.OnceValues.
func OnceValues[T1, T2 any](f func() (T1, T2)) func() (T1, T2) { return sync.OnceValues(f) }

// A Mutex is a sync.Mutex that knows its holder. A waiting goroutine is durably blocked, and goroutines get the lock in the
// order in which they have asked for it.
type Mutex struct{ lock lock }

// Lock locks m.
func (m *Mutex) Lock() { m.lock.acquire(false) }

// TryLock tries to lock m and reports whether it succeeded.
func (m *Mutex) TryLock() bool { return m.lock.tryAcquire(false) }

// Unlock unlocks m. It panics if m is not locked.
func (m *Mutex) Unlock() { m.lock.release(false) }

// An RWMutex is a sync.RWMutex that knows its holders. It waits as Mutex does.
type RWMutex struct{ lock lock }

// Lock locks m for writing.
func (m *RWMutex) Lock() { m.lock.acquire(false) }

// TryLock tries to lock m for writing and reports whether it succeeded.
func (m *RWMutex) TryLock() bool { return m.lock.tryAcquire(false) }

// Unlock unlocks m, which must be locked for writing.
func (m *RWMutex) Unlock() { m.lock.release(false) }

// RLock locks m for reading.
func (m *RWMutex) RLock() { m.lock.acquire(true) }

// TryRLock tries to lock m for reading and reports whether it succeeded.
func (m *RWMutex) TryRLock() bool { return m.lock.tryAcquire(true) }

// RUnlock undoes one RLock.
func (m *RWMutex) RUnlock() { m.lock.release(true) }

// RLocker returns a Locker whose Lock and Unlock are m's RLock and RUnlock.
func (m *RWMutex) RLocker() Locker { return (*reader)(m) }

type reader RWMutex

func (r *reader) Lock()   { (*RWMutex)(r).RLock() }
func (r *reader) Unlock() { (*RWMutex)(r).RUnlock() }
