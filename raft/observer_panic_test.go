package raft

// The watch reports panics, and shows a cluster of which the test hangs.

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"6.824/labrpc"
)

// panicked records a panic in one of a server's goroutines or handlers, or in its reader, as a violation. It prints the
// panic at once.
func (w *watch) panicked(rf *Raft, reason any) {
	if debugged() {
		panic(reason)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.panicShown {
		return // the same mistake, most likely
	}
	w.panicShown = true
	err, picture := fmt.Errorf("server %d: panic: %v", rf.me, reason), ""
	if w.err == nil {
		w.err, picture = err, w.picture()
		w.recording.violation("panic", rf.me, 0, 0, fmt.Sprint(reason))
		defer close(w.broken)
	}
	w.show(fmt.Sprintf("%s: %v\n%s\n%s", currentTest(), err, picture, debug.Stack()))
}

// showCluster returns the picture, unless a goroutine that hangs holds the watch's lock.
func (w *watch) showCluster() string {
	if !w.lockSoon() {
		return "(a goroutine holds the lock of the watch)"
	}
	defer w.mu.Unlock()
	if w.order == 0 {
		return ""
	}
	return w.picture()
}

// lockSoon takes the lock, but does not wait for a goroutine that keeps it. It reports whether it did.
func (w *watch) lockSoon() bool {
	for range 1000 {
		if w.mu.TryLock() {
			return true
		}
		runtime.Gosched()
	}
	return false
}

// killServers kills the servers and does not wait for them.
func (w *watch) killServers() {
	if w.lockSoon() {
		defer w.mu.Unlock()
		for _, s := range w.servers {
			if s.life != nil {
				go s.life.Kill()
			}
		}
	}
}

// lockName returns the name of the lock at an address, or "".
func (w *watch) lockName(address string) string {
	if !w.lockSoon() {
		return ""
	}
	defer w.mu.Unlock()
	for _, s := range w.servers {
		if s.life != nil && fmt.Sprintf("%p", &s.life.mu) == address {
			return fmt.Sprintf("Raft.mu of server %d", s.id)
		}
	}
	return ""
}

// handlers are the RPC handlers of a server in a test. A panic in one ends the test, not the process, and the reply is
// empty.
type handlers struct{ rf *Raft }

func (h handlers) RequestVote(args *RequestVoteArgs, reply *RequestVoteReply) {
	defer h.rf.observePanic()
	h.rf.RequestVote(args, reply)
}

func (h handlers) AppendEntries(args *AppendEntriesArgs, reply *AppendEntriesReply) {
	defer h.rf.observePanic()
	h.rf.AppendEntries(args, reply)
}

func (h handlers) InstallSnapshot(args *InstallSnapshotArgs, reply *InstallSnapshotReply) {
	defer h.rf.observePanic()
	h.rf.InstallSnapshot(args, reply)
}

// serviceOf returns the labrpc service of a server.
func serviceOf(rf *Raft) *labrpc.Service {
	type Raft struct { // labrpc names a service after its type
		_ struct{} `labrpc:"prompt"`
		handlers
	}
	return labrpc.MakeService(&Raft{handlers: handlers{rf}})
}
