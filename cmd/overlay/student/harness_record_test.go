//go:build student

package raft_test

// What the watch hears from the network. It passes everything on to the recording, for the page of the test, and to wire.

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"6.824/cmd/overlay/guard"
	"6.824/labrpc"
)

// recorded reports whether clusters are recorded: not under the race detector, since that would order the servers'
// goroutines and so hide races.
func recorded() bool { return !guard.Racing }

// A trial remembers the recording of the running test. There is one at a time.
type trial struct {
	name  string
	shown atomic.Pointer[recording]
}

var theTrial trial

// enlistRecording makes a failure of the running test show r.
func enlistRecording(_ testing.TB, r *recording) { theTrial.shown.Store(r) }

// begin begins a test.
func (tr *trial) begin(name string) {
	tr.name = name
	tr.shown.Store(nil)
}

// print prints the line with the name of the page before the process ends because of a failure.
func (tr *trial) print(why string) {
	r := tr.shown.Load()
	r.failure(why)
	fmt.Print(r.line(tr.name, true))
}

// recordIn makes the watch record in r.
func (w *watch) recordIn(r *recording) {
	if w.rec = r; r != nil {
		r.rec.Note("What a server saves to its disk is not told, and its term, role and log are derived from its messages.")
	}
}

// recordViolation records the violation of a rule, if there is one.
func (w *watch) recordViolation() {
	if v, broken := w.wire.Violation(); broken && w.rec != nil && w.rec.failed.CompareAndSwap(false, true) {
		w.rec.Violation(v)
	}
}

// runAgain returns the command that runs a test again.
func runAgain(test string) string {
	test, _, _ = strings.Cut(test, "/")
	clock := ""
	if !virtualClock() {
		clock = " -clock real"
	}
	return fmt.Sprintf("./use-in-course.sh -harness%s -v -run %s %s", clock, test, treeDir)
}

// judge records a violation that wire has just found, so that it follows the event that shows it.
func (w *watch) judge() {
	select {
	case <-w.wire.Broken():
		w.recordViolation()
	default:
	}
}

// Sent and the methods below are those of labrpc.LinkObserver. Sent runs on the goroutine that calls.
func (w *watch) Sent(call labrpc.CallInfo, args any) {
	if w.rec != nil {
		w.rec.Sent(call, args)
	}
	w.wire.Sent(call, args)
	w.judge()
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

func (w *watch) Handling(call labrpc.CallInfo, args any) {
	if w.rec != nil {
		w.rec.Handling(call, args)
	}
	w.wire.Handling(call, args)
	w.judge()
}

func (w *watch) Handled(call labrpc.CallInfo, reply any) {
	if w.rec != nil {
		w.rec.Handled(call, reply)
	}
	w.wire.Handled(call, reply)
	w.judge()
}

func (w *watch) Ended(call labrpc.CallInfo, fate labrpc.Fate) {
	if w.rec != nil {
		w.rec.Ended(call, fate)
	}
	w.wire.Ended(call, fate)
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.calls, call.Number)
}

func (w *watch) EndChanged(end labrpc.EndInfo) {
	if w.rec != nil {
		w.rec.EndChanged(end)
	}
}

func (w *watch) ServerChanged(server any, exists bool) {}

func (w *watch) SettingsChanged(now labrpc.Settings) {
	if w.rec != nil {
		w.rec.SettingsChanged(now)
	}
}
