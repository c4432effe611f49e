// Package labtest has what the lab's tests of the services share: the two clocks on which a test can run, the check for
// goroutines left behind, a network on which a client's RPC takes time, and the lines that a test prints.
package labtest

import (
	"flag"
	"fmt"
	"math/rand"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"6.824/labrpc"
)

var (
	clock = flag.String("clock", "virtual", "clock of the lab's tests: virtual (time passes only while all goroutines wait) or real")
	rest  = flag.Duration("rest", 10*time.Millisecond, "interval of Rest on the virtual clock; with 0, clients do not rest")
)

// cost is how long a client's RPC takes at least on the virtual clock.
const cost = 100 * time.Microsecond

// Virtual reports whether the tests run on the virtual clock.
func Virtual() bool { return *clock == "virtual" }

// Run runs the body of a test on the chosen clock. The body, with its deferred calls, must end every goroutine that it
// starts. On the virtual clock other tests may run at the same time.
func Run(t *testing.T, body func(t *testing.T)) {
	t.Helper()
	switch *clock {
	case "virtual":
		t.Parallel()
		synctest.Test(t, body) // a goroutine left behind panics
	case "real":
		before := ours()
		body(t)
		checkLeft(t, before)
	default:
		t.Fatalf("-clock=%s: want virtual or real", *clock)
	}
}

// checkLeft fails the test if goroutines of this library that are not in before do not end within ten seconds, which is longer
// than a call to an unreachable server takes.
func checkLeft(t *testing.T, before map[string]string) {
	t.Helper()
	var left map[string]string
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		left = ours()
		for id := range before {
			delete(left, id)
		}
		if len(left) == 0 || time.Now().After(end) {
			break
		}
	}
	for _, stack := range left {
		t.Errorf("a goroutine is left behind:\n%s", stack)
	}
}

// ours returns the stacks of all goroutines that run code of this library, by id.
func ours() map[string]string {
	buf := make([]byte, 16<<20)
	found := make(map[string]string)
	for _, stack := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if id, _, ok := strings.Cut(stack, " ["); ok && strings.Contains(stack, "6.824/") {
			found[id] = stack
		}
	}
	return found
}

// NewNetwork returns a reliable network that o observes. On the virtual clock, each RPC of a client takes at least 100 µs: a
// reliable call would take none, so that a client that makes one call after the other would not let the clock advance. Calls
// between Raft servers still take none.
func NewNetwork(o labrpc.LinkObserver) *labrpc.Network {
	net := labrpc.MakeNetwork()
	if Virtual() {
		o = costly{o}
	}
	net.Observe(o)
	return net
}

// Rest is what a client calls after each operation, if it makes operations for a given time. On the virtual clock, it sleeps
// every other time on average, until the next multiple of 10 ms. So a client makes some 200 operations a second instead of
// 10,000, and the operations of all clients still overlap, since they all go on at the same moment.
func Rest() {
	if !Virtual() || *rest == 0 || rand.Intn(2) == 0 {
		return
	}
	now := time.Now()
	time.Sleep(now.Truncate(*rest).Add(*rest).Sub(now))
}

// costly makes the calls of clients take time.
type costly struct{ labrpc.LinkObserver }

func (c costly) Sent(call labrpc.CallInfo, args any) {
	c.LinkObserver.Sent(call, args)
	if !strings.HasPrefix(call.Method, "Raft.") {
		time.Sleep(cost)
	}
}

// A Report prints what a test does, in the lab's format.
type Report struct {
	net   *labrpc.Network
	n     int
	made  time.Time
	begun time.Time
	rpcs  int
}

// NewReport begins the report of a test with n servers.
func NewReport(net *labrpc.Network, n int) *Report { return &Report{net: net, n: n, made: time.Now()} }

// Begin begins a part of the test.
func (r *Report) Begin(title string) {
	r.begun, r.rpcs = time.Now(), r.net.GetTotalCount()
	if !testing.Verbose() {
		return
	}
	fmt.Printf("%s ...\n", title)
}

// End ends a part of the test, in which clients have made so many operations: it prints the seconds, the number of servers,
// of RPCs and of operations. As the lab does, it fails a test that has taken more than 120 seconds.
func (r *Report) End(t testing.TB, ops int) {
	t.Helper()
	r.CheckTime(t)
	if testing.Verbose() && !t.Failed() {
		fmt.Printf("  ... Passed --  %4.1f  %d %5d %4d\n", time.Since(r.begun).Seconds(), r.n, r.net.GetTotalCount()-r.rpcs, ops)
	}
}

// CheckTime fails a test that has taken more than 120 seconds.
func (r *Report) CheckTime(t testing.TB) {
	t.Helper()
	if time.Since(r.made) > 120*time.Second {
		t.Error("test took longer than 120 seconds")
	}
}
