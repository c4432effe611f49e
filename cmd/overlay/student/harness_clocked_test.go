//go:build student

package raft_test

// The clock of a test of a student's Raft. The test is alone in its process, so a panic may end that.

import (
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// clocked runs body on the chosen clock, and ends the process if body hangs. A deadlock becomes an error of report.
func clocked(t *testing.T, report testing.TB, body func(t *testing.T)) {
	t.Helper()
	theTrial.begin(t.Name())
	defer func() { theTrial.shown.Load().show(t) }()
	_, limited := t.Deadline()
	watch := func() (stop func()) {
		if !limited { // -timeout=0, for a debugger
			return func() {}
		}
		return watchHang(t.Name())
	}
	defer watch()()
	guarded := func(t *testing.T) {
		defer watch()()
		body(t)
	}
	if !virtualClock() {
		guarded(t)
		return
	}
	defer reportDeadlock(report)
	synctest.Test(t, guarded)
}

// bubbleStacks returns the stacks of all goroutines in bubbles.
func bubbleStacks() []string {
	return slices.DeleteFunc(sortedValues(goroutines()), func(stack string) bool { return bubbleOf(stack) == "" })
}

// hangLimit is long, since a student's Raft that saves its whole log at each command takes minutes under the race detector.
const hangLimit = 10 * time.Minute

// watchHang ends the process and prints all goroutines' stacks, unless stop is called within hangLimit. A test needs
// one on each clock: while a server waits for a mutex the virtual clock stands still; while all wait for a message it
// runs.
func watchHang(name string) (stop func()) {
	timer := time.AfterFunc(hangLimit, func() {
		debug.SetTraceback("all")
		why := fmt.Sprintf("%s hangs: no end after %v", name, hangLimit)
		theTrial.print(why)
		panic(why)
	})
	return func() { timer.Stop() }
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// observePanic and endTestOnPanic do nothing.
func (rf *Raft) observePanic() {}
func endTestOnPanic()          {}
