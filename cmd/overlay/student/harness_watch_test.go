//go:build student

package raft_test

// The watch of a student's cluster. It sees the messages on the network and what the servers tell the harness.

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"6.824/cmd/overlay/guard"
	"6.824/labrpc"
	student "6.824/raft"
	"6.824/wire"
)

// A watch watches one cluster.
type watch struct {
	wire   *wire.Checker // checks the rules of Raft by what the servers send
	rec    *recording    // nil if the test is not recorded
	broken chan struct{} // closed at the first violation
	ended  chan struct{} // closed when the test has ended

	mu        sync.Mutex
	err       error
	observing bool
	explained bool
	rafts     []*Raft // by server: the last one that was started
	byChannel map[applyChannel]*Raft
	calls     map[int64]lockedCall // by number: calls in flight by a goroutine that holds a lock
	warnings  []string
}

// A lockedCall is a call by a goroutine that holds a lock.
type lockedCall struct {
	goroutine int
	text      string
}

// current is the watch of the running test.
var current atomic.Pointer[watch]

func newWatch(servers int) *watch {
	begun := time.Now()
	w := &watch{
		wire:      wire.New(servers, func() time.Duration { return time.Since(begun) }),
		broken:    make(chan struct{}),
		ended:     make(chan struct{}),
		rafts:     make([]*Raft, servers),
		byChannel: make(map[applyChannel]*Raft),
		calls:     make(map[int64]lockedCall),
	}
	current.Store(w)
	guard.Start()
	go w.beat()
	go w.awaitViolation()
	return w
}

// awaitViolation ends the test at the first violation of a rule of Raft.
func (w *watch) awaitViolation() {
	select {
	case <-w.wire.Broken():
		w.recordViolation()
		w.fail(w.wire.Err().Error())
	case <-w.ended:
	}
}

// violation returns the first violation, or nil.
func (w *watch) violation() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// fail records a violation and ends the test. It ignores all but the first.
func (w *watch) fail(text string) {
	w.mu.Lock()
	first := w.err == nil
	if first {
		w.err = errors.New(text)
		close(w.broken)
	}
	w.mu.Unlock()
	if first {
		w.rec.failure(firstLine(text))
		w.explain()
	}
}

// warn keeps a warning for the end of the test.
func (w *watch) warn(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Contains(w.warnings, text) {
		w.warnings = append(w.warnings, text)
	}
}

// begin observes the network of a cluster before its first server starts.
func (w *watch) begin(net *labrpc.Network) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.observing && !guard.Racing {
		w.observing = true
		net.Observe(w)
	}
}

// starting registers a server before Make. ends are the names of its ends.
func (w *watch) starting(rf *Raft, ends []string) {
	names := make([]any, len(ends))
	for i, name := range ends {
		names[i] = name
	}
	w.wire.Started(rf.server, names)
	if w.rec != nil {
		w.rec.Started(rf.server, names)
		rf.told = w.rec.Server(rf.server)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rafts[rf.server] = rf
	w.byChannel[rf.applyCh] = rf
}

func (w *watch) raftOf(applyCh applyChannel) *Raft {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.byChannel[applyCh]
}

// crashing is called before server i is cut off, if it runs.
func (w *watch) crashing(i int) {
	w.mu.Lock()
	rf := w.rafts[i]
	w.mu.Unlock()
	if rf != nil && !rf.isKilled() {
		w.wire.Crashed(i)
		w.rec.crashing(i)
	}
}

// takeDisk returns a copy of server i's disk, for the restart.
func (w *watch) takeDisk(i int, ps *Persister) *Persister { return ps.Copy() }

// getState asks a server for its state, and lets wire check the answer. wire would order the servers' goroutines and so hide
// races, so it is not used under the race detector.
func (w *watch) getState(rf *Raft) (term int, leads bool) {
	if guard.Racing {
		return rf.student.GetState()
	}
	return w.wire.GetState(rf.server, rf.student.GetState)
}

// longHeld is how long a lock may be held before it may be the reason for a failure.
const longHeld = 100 * time.Millisecond

// explain prints the last events of the servers and the locks for which a goroutine waits, once.
func (w *watch) explain() {
	holdings := guard.Holdings()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.explained {
		return
	}
	w.explained = true
	if w.wire.Err() == nil { // a violation has the picture
		fmt.Printf("the last events of each server:\n%s\n", w.wire.Picture())
	}
	stacks := goroutines()
	for _, h := range holdings {
		held := time.Since(h.Since)
		if len(h.Waiting) == 0 || held < longHeld {
			continue
		}
		text := fmt.Sprintf("%s%s, is held for %v", w.ownerLocked(h), h.Lock, held.Round(time.Millisecond))
		text += w.holderLocked(h.Goroutine, stacks)
		fmt.Printf("lock: %s; waiting for it: %s\n", text, strings.Join(folded(h.Waiting), ", "))
	}
}

// holderLocked says what the goroutine that holds a lock is doing.
func (w *watch) holderLocked(goroutine int, stacks map[string]string) string {
	for _, call := range w.calls {
		if call.goroutine == goroutine {
			return ", during " + call.text
		}
	}
	stack, found := stacks[fmt.Sprint("goroutine ", goroutine)]
	m := stackState.FindStringSubmatch(stack)
	if !found || m == nil {
		return "; its holder has returned without Unlock"
	}
	state, _, _ := strings.Cut(m[1], " (durable")
	if strings.Contains(stack, ".(*lock).acquire(") {
		state = "waits for a lock"
	}
	return fmt.Sprintf("; its holder is at %s [%s]", placeOf(stack), state)
}

// ownerLocked names the server that a lock belongs to.
func (w *watch) ownerLocked(h guard.Holding) string {
	for i, rf := range w.rafts {
		if rf != nil && rf.student != nil && h.In(unsafe.Pointer(rf.student), unsafe.Sizeof(student.Raft{})) {
			return fmt.Sprintf("server %d: ", i)
		}
	}
	return ""
}

// folded returns the texts in order, each once, with the number of times that it came.
func folded(texts []string) (all []string) {
	count := map[string]int{}
	for _, text := range texts {
		count[text]++
	}
	for text, n := range count {
		if n > 1 {
			text = fmt.Sprintf("%s (%d times)", text, n)
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return all
}
