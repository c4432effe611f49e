package raft

// A test that panics, deadlocks or hangs fails by its name, and the other tests run.

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// clocked runs body on the chosen clock. A panic, a deadlock or a hang of body becomes an error of report.
func clocked(t *testing.T, report testing.TB, body func(t *testing.T)) {
	t.Helper()
	tr := &trial{name: t.Name(), ending: make(chan string, 1)}
	if report == testing.TB(t) {
		defer func() { tr.recording().show(t) }()
	}
	if debugged() {
		onClock(t, func(t *testing.T) {
			defer tr.enter()()
			body(t)
		})
		return
	}
	ended, returned := make(chan struct{}), false
	go func() {
		defer close(ended)
		defer tr.catch(report)
		ok := false
		onClock(t, func(t *testing.T) {
			defer tr.begin()()
			defer tr.catch(report)
			body(t)
			ok = true
		})
		returned = ok
	}()
	if why := tr.wait(ended); why != "" {
		tr.abandon()
		tr.recording().failure(firstLine(why))
		report.Error(why)
	} else if returned {
		return
	}
	switch { // the body's goroutine has ended; the test's must end, too
	case t.Failed():
		t.FailNow()
	case t.Skipped():
		t.SkipNow()
	}
}

// onClock runs body on the chosen clock.
func onClock(t *testing.T, body func(t *testing.T)) {
	if virtualClock() {
		synctest.Test(t, body)
	} else {
		body(t)
	}
}

// debugged reports whether tests may take any time (-timeout=0), as under a debugger. Then no panic is caught.
func debugged() bool { return flag.Lookup("test.timeout").Value.String() == "0s" }

var (
	// hangLimit is longer than the lab allows a test to take, which is 120 s. A bubble's clock may stand still as long in real
	// time.
	hangLimit = 180 * time.Second
	// lookEvery is how often, in real time, a test on the virtual clock is checked for goroutines that all wait.
	lookEvery = 5 * time.Second
)

// A trial is one run of a test's body. If the body hangs, its goroutines stay behind.
type trial struct {
	name      string      // of the test
	ending    chan string // of capacity 1; receives an error that ends the test without its body
	abandoned atomic.Bool // the test has ended without its body

	beats atomic.Int64 // seconds that the bubble's clock has advanced

	mu      sync.Mutex
	over    bool        // the body has ended
	beating *time.Timer // calls beat
	bubble  string      // its name; "" on the real clock
	last    clusterView // that the test has made, or nil
	shown   *recording  // whose page a failure shows: the first one with a violation, or else the last one; may be nil
}

// A clusterView shows the cluster of a failing test. Its methods must not wait for a lock that a server may hold.
type clusterView interface {
	showCluster() string
	killServers()                   // does not wait for them
	lockName(address string) string // of the lock at this address, or ""
}

// trials holds the trials whose bodies run, by the name of their bubble.
var trials sync.Map

// forever is a channel that is never closed. It belongs to no bubble: the clock of a bubble in which a goroutine waits
// for it stands still.
var forever = make(chan struct{})

// begin is called by the body's goroutine, and calls end when the body ends.
func (tr *trial) begin() (end func()) {
	leave := tr.enter()
	timer := time.AfterFunc(hangLimit, func() {
		tr.end(tr.describe(fmt.Sprintf("it hangs: it has not ended after %v", hangLimit), tr.stacks()))
	})
	if virtualClock() {
		tr.beat()
	}
	return func() {
		timer.Stop()
		tr.stopBeat()
		leave()
		tr.park()
	}
}

// enter makes tr the trial of the caller's bubble, until leave is called.
func (tr *trial) enter() (leave func()) {
	bubble := ownBubble()
	tr.mu.Lock()
	tr.bubble = bubble
	tr.mu.Unlock()
	trials.Store(bubble, tr)
	return func() { trials.CompareAndDelete(bubble, tr) }
}

// beat shows, every second of the bubble's clock, that a body which takes long does not hang.
func (tr *trial) beat() {
	tr.beats.Add(1)
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if !tr.over {
		tr.beating = time.AfterFunc(time.Second, tr.beat)
	}
}

func (tr *trial) stopBeat() {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.over = true
	if tr.beating != nil {
		tr.beating.Stop()
	}
}

// end ends the test with an error, without its body. It never returns.
func (tr *trial) end(why string) {
	select {
	case tr.ending <- why:
	default: // an earlier error ends the test
	}
	<-forever
}

// endTestOnPanic is deferred by goroutines of a test. If one panics, it ends the test, since the body may wait for it.
func endTestOnPanic() {
	if reason := recover(); reason != nil {
		tr := currentTrial()
		if tr == nil || debugged() {
			panic(reason)
		}
		tr.end(tr.describe(fmt.Sprintf("panic in a goroutine of the test: %v", reason), []string{string(debug.Stack())}))
	}
}

// park never returns if the test has ended: the testing package panics if a body goes on after its test.
func (tr *trial) park() {
	if tr.abandoned.Load() {
		<-forever
	}
}

// abandon ends the test without its body. On the real clock, the servers would disturb other tests.
func (tr *trial) abandon() {
	tr.abandoned.Store(true)
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if tr.last != nil && !virtualClock() {
		tr.last.killServers()
	}
}

// enlist makes c the cluster of the trial in which the caller runs, if any.
func enlist(c clusterView) {
	if tr := currentTrial(); tr != nil {
		tr.mu.Lock()
		defer tr.mu.Unlock()
		tr.last = c
	}
}

// currentTrial returns the trial in which the caller runs, or nil.
func currentTrial() *trial {
	tr, _ := trials.Load(ownBubble())
	found, _ := tr.(*trial)
	return found
}

// currentTest returns the name of the test in which the caller runs, as far as it is known.
func currentTest() string {
	if tr := currentTrial(); tr != nil {
		return tr.name
	}
	return "a test"
}

// catch is deferred by the body's goroutine and by the one that made the bubble.
func (tr *trial) catch(report testing.TB) {
	reason := recover()
	if reason == nil {
		return
	}
	tr.park()
	tr.recording().failure(fmt.Sprintf("panic: %v", reason))
	if err, ok := reason.(error); ok && strings.HasPrefix(err.Error(), "deadlock:") { // synctest's
		report.Error(tr.describe(err.Error(), tr.stacks()))
		return
	}
	report.Error(tr.describe(fmt.Sprintf("panic: %v", reason), []string{string(debug.Stack())}))
}

// describe returns an error of the test, with its cluster and with stacks.
func (tr *trial) describe(why string, stacks []string) string {
	text := tr.name + ": " + why + "\n"
	c := tr.cluster()
	if c != nil {
		text += c.showCluster() + "\n"
	}
	if locks := locksWanted(stacks, c); locks != "" {
		text += locks + "\n"
	}
	return text + strings.Join(grouped(stacks), "\n\n")
}

// record makes r the recording that a failure shows, unless an earlier one has a violation.
func (tr *trial) record(r *recording) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if tr.shown == nil || !tr.shown.hasFailed() {
		tr.shown = r
	}
}

// enlistRecording makes a failure of t's test show r.
func enlistRecording(t testing.TB, r *recording) {
	if tr := currentTrial(); tr != nil {
		tr.record(r)
		return
	}
	if t, ok := t.(*testing.T); ok { // it does not run in lab
		tr, known := unclocked.LoadOrStore(t, &trial{name: t.Name()})
		if tr.(*trial).record(r); !known {
			t.Cleanup(func() {
				unclocked.Delete(t)
				tr.(*trial).recording().show(t)
			})
		}
	}
}

// unclocked holds trials of tests that do not run in lab, by their *testing.T.
var unclocked sync.Map

// recording returns the recording that a failure shows, or nil.
func (tr *trial) recording() *recording {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.shown
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// cluster returns the last cluster that the test has made, or nil.
func (tr *trial) cluster() clusterView {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.last
}

// wait waits until ended is closed, and returns "", or until the test hangs, and returns the error.
func (tr *trial) wait(ended <-chan struct{}) string {
	var look <-chan time.Time
	if virtualClock() {
		ticker := time.NewTicker(lookEvery)
		defer ticker.Stop()
		look = ticker.C
	}
	begun, beats, before := time.Now(), tr.beats.Load(), []string(nil)
	for {
		select {
		case <-ended:
			return ""
		case why := <-tr.ending:
			return why
		case <-look:
		}
		stacks := tr.stacks()
		if stuck(stacks) && slices.Equal(stacks, before) {
			return tr.describe("it hangs: all its goroutines wait, and some wait for a lock, so its clock stands still", stacks)
		}
		before = stacks
		if n := tr.beats.Load(); n != beats { // it may run on a slow machine
			begun, beats = time.Now(), n
		}
		if time.Since(begun) > hangLimit {
			return tr.describe(fmt.Sprintf("it hangs: its clock has not advanced for %v of real time", hangLimit), stacks)
		}
	}
}

// stacks returns the stacks of the trial's goroutines, except the caller's and the one that waits for the whole bubble.
func (tr *trial) stacks() []string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return slices.DeleteFunc(sortedValues(goroutines()), func(stack string) bool {
		return bubbleOf(stack) != tr.bubble || strings.HasPrefix(stateOf(stack), "synctest.Run") ||
			strings.Contains(stack, "(*trial).stacks(")
	})
}

// stuck reports whether none of a bubble's goroutines can run, and one of them keeps the clock from advancing: it waits
// for a lock, or for something outside its bubble.
func stuck(stacks []string) bool {
	holdsClock := false
	for _, stack := range stacks {
		state := stateOf(stack)
		switch {
		case strings.HasSuffix(state, "(durable)"):
		case strings.HasPrefix(state, "sync."), strings.HasPrefix(state, "chan "), strings.HasPrefix(state, "select"):
			holdsClock = true
		default:
			return false
		}
	}
	return holdsClock
}

// stateOf returns the state of a stack's goroutine, such as "chan receive".
func stateOf(stack string) string {
	_, rest, _ := strings.Cut(stack, "[")
	state, _, _ := strings.Cut(rest, "]")
	state, _, _ = strings.Cut(state, ",")
	return state
}

// locksWanted lists the locks for which goroutines wait, with the functions that wait, a line for each lock.
func locksWanted(stacks []string, c clusterView) string {
	wanted := make(map[string][]string)
	for _, stack := range stacks {
		if lock := lockOf(stack); lock != "" {
			if c != nil {
				lock = cmp.Or(c.lockName(lock), lock)
			}
			wanted[lock] = append(wanted[lock], topFunction(stack))
		}
	}
	text := ""
	for _, lock := range slices.Sorted(maps.Keys(wanted)) {
		slices.Sort(wanted[lock])
		text += fmt.Sprintf("waiting for %s: %s\n", lock, strings.Join(slices.Compact(wanted[lock]), ", "))
	}
	return text
}

var lockCall = regexp.MustCompile(`(?m)^(?:internal/)?sync\.\(\*(?:Mutex\)\.lockSlow|RWMutex\)\.R?Lock)\((0x[0-9a-f]+)?`)

// lockOf returns the address of the lock for which a stack's goroutine waits, or "" if it waits for none.
func lockOf(stack string) string {
	if state := stateOf(stack); !strings.Contains(state, "Mutex") {
		return ""
	}
	if m := lockCall.FindStringSubmatch(stack); m != nil && m[1] != "" {
		return m[1]
	}
	return "a lock"
}

var stackDetails = regexp.MustCompile(`\(?(?:0x[0-9a-f]+\??|\{0x.*)\)?|in goroutine \d+`)

// grouped returns one of each group of stacks that differ only in addresses and arguments, with their number.
func grouped(stacks []string) (all []string) {
	count := make(map[string]int)
	key := func(stack string) string {
		_, calls, _ := strings.Cut(stack, "\n")
		return stateOf(stack) + stackDetails.ReplaceAllString(calls, "")
	}
	for _, stack := range stacks {
		count[key(stack)]++
	}
	for _, stack := range stacks {
		k := key(stack)
		if n := count[k]; n > 1 {
			stack = fmt.Sprintf("%d goroutines like this one:\n%s", n, stack)
		}
		if count[k] > 0 {
			all = append(all, stack)
		}
		count[k] = 0
	}
	return all
}
