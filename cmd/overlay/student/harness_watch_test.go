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
)

// A watch watches one cluster.
type watch struct {
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
	w := &watch{
		broken:    make(chan struct{}),
		ended:     make(chan struct{}),
		rafts:     make([]*Raft, servers),
		byChannel: make(map[applyChannel]*Raft),
		calls:     make(map[int64]lockedCall),
	}
	current.Store(w)
	guard.Start()
	go w.beat()
	return w
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
func (w *watch) begin(cfg *config) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.observing {
		w.observing = true
		cfg.net.Observe(w)
	}
}

func (w *watch) started(rf *Raft) {
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

// takeDisk crashes server i: it returns a copy of its disk, for the restart.
func (w *watch) takeDisk(i int, ps *Persister) *Persister { return ps.Copy() }

func (w *watch) applied(rf *Raft, m ApplyMsg)                    {}
func (w *watch) state(rf *Raft, term int, leads bool)            {}
func (w *watch) snapshot(rf *Raft, index int, snapshot []byte)   {}
func (w *watch) Handling(call labrpc.CallInfo, args interface{}) {}
func (w *watch) Handled(call labrpc.CallInfo, reply interface{}) {}

// Sent runs on the goroutine that calls.
func (w *watch) Sent(call labrpc.CallInfo, args interface{}) {
	holdings := guard.HeldHere()
	if len(holdings) == 0 {
		return
	}
	here := guard.Here()
	for _, h := range holdings {
		w.warn(fmt.Sprintf("%s, is held during the call of %s at %s", h.Lock, call.Method, here))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[call.Number] = lockedCall{holdings[0].Goroutine, fmt.Sprintf("the call of %s to server %v at %s", call.Method, call.Server, here)}
}

func (w *watch) Ended(call labrpc.CallInfo, fate labrpc.Fate) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.calls, call.Number)
}

// explain prints the locks for which a goroutine waits, once.
func (w *watch) explain() {
	holdings := guard.Holdings()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.explained {
		return
	}
	w.explained = true
	for _, h := range holdings {
		if len(h.Waiting) == 0 {
			continue
		}
		text := fmt.Sprintf("%s%s, is held for %v", w.ownerLocked(h), h.Lock, time.Since(h.Since).Round(time.Millisecond))
		for _, call := range w.calls {
			if call.goroutine == h.Goroutine {
				text += ", during " + call.text
			}
		}
		fmt.Printf("lock: %s; waiting for it: %s\n", text, strings.Join(folded(h.Waiting), ", "))
	}
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
