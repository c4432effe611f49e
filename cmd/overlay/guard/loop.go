package guard

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A loop that takes manyTurns at one instant of the virtual clock polls. From then on it sleeps after fewTurns, so that
// polling costs time, as it does on a real machine.
const (
	manyTurns = 50_000
	fewTurns  = 10
	nap       = time.Millisecond
)

// over is set once the test has ended.
var over atomic.Bool

// busy has the loops that poll, by their place in the source, with their functions.
var busy sync.Map

// Pass ends the calling goroutine if the test is over. It is called at the head of each loop and by Lock: a goroutine that
// outlives Kill then does not outlive its test.
func Pass() {
	if over.Load() {
		runtime.Goexit()
	}
}

// Start begins a test: it forgets the loops and the locks of the one before.
func Start() {
	over.Store(false)
	busy.Clear()
	held.mu.Lock()
	defer held.mu.Unlock()
	clear(held.holds)
}

// End ends a test: goroutines that call Pass end.
func End() { over.Store(true) }

// Over reports whether End was called since the last Start.
func Over() bool { return over.Load() }

// A Loop counts the turns of one execution of a loop.
type Loop struct {
	place string
	limit int
	turns int
	since time.Time // when it began to count
}

// Begin returns the counter of a loop that is about to begin. The place is its file and line.
func Begin(place string) *Loop {
	l := &Loop{place: place, limit: manyTurns}
	if _, known := busy.Load(place); known {
		l.limit = fewTurns
	}
	return l
}

// Turn is called at the head of the loop's body.
func (l *Loop) Turn() {
	Pass()
	if l.polls() {
		time.Sleep(nap)
	}
}

// polls counts a turn, and reports whether the loop has to sleep now.
func (l *Loop) polls() bool {
	if l.turns++; l.turns < l.limit {
		return false
	}
	l.turns = 0
	if now := time.Now(); !now.Equal(l.since) {
		l.since = now
		return false
	}
	if l.limit == manyTurns {
		l.limit = fewTurns
		busy.LoadOrStore(l.place, caller())
	}
	return true
}

// A sharedLoop counts the turns of all executions of a loop.
type sharedLoop struct {
	mu sync.Mutex
	Loop
}

// loops has the counters of all executions, by their place.
var loops sync.Map

// Turn is called at the head of a loop whose init statement leaves no place for a Loop.
func Turn(place string) {
	Pass()
	found, ok := loops.Load(place)
	if !ok {
		found, _ = loops.LoadOrStore(place, &sharedLoop{Loop: *Begin(place)})
	}
	l := found.(*sharedLoop)
	l.mu.Lock()
	polls := l.polls()
	l.mu.Unlock()
	if polls {
		time.Sleep(nap)
	}
}

// caller returns the function of the student that has the loop.
func caller() string {
	var pcs [8]uintptr
	f, found := studentFrame(pcs[:runtime.Callers(2, pcs[:])])
	if !found {
		return ""
	}
	return " in " + shortFunction(f.Function)
}

// Busy describes the loops that have polled.
func Busy() (texts []string) {
	busy.Range(func(place, function any) bool {
		texts = append(texts, fmt.Sprintf("the loop at %s%s polls without sleeping", place, function))
		return true
	})
	slices.Sort(texts)
	return texts
}
