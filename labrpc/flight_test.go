package labrpc

import (
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A request is counted before its handler runs.
func TestCount_whileHandlersRun(t *testing.T) {
	inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
		server := rn.hosts[0].server.Load()
		for n := 1; n <= 3; n++ {
			go end.Call("JunkServer.Handler3", 7, new(int))
			synctest.Wait()
			expectCount(t, rn, 0, n)
			if of, total := server.GetCount(), rn.GetTotalCount(); of != n || total != n {
				t.Errorf("the server counted %d requests and the network %d, want %d", of, total, n)
			}
		}
		time.Sleep(handler3Time + time.Second)
		expectCount(t, rn, 0, 3)
	})
}

// The counts pass 2^31. Where an int has 32 bits, they stay at the largest one.
func TestCount_manyRequests(t *testing.T) {
	rn, _ := junkNetwork(t, 0)
	end, want := join(rn, "end", 0), int64(math.MaxInt32)
	rn.count.Store(math.MaxInt32)
	rn.hosts[0].server.Load().count.Store(math.MaxInt32)
	for range 3 {
		if total, server := rn.GetTotalCount(), rn.GetCount(0); int64(total) != want || int64(server) != want {
			t.Errorf("the network counted %d requests and the server %d, want %d", total, server, want)
		}
		mustHandler2(t, end, 1)
		want = min(want+1, math.MaxInt)
	}
}

func TestCount_whilePromptHandlerRuns(t *testing.T) {
	rn, ps, end := promptNetwork(t)
	counts := 0
	ps.act = func() { counts = rn.GetCount("prompt") }
	end.Call("PromptServer.Handle", 7, new(int))
	if counts != 1 {
		t.Errorf("%d requests were counted while the first handler ran, want 1", counts)
	}
}

// The network counts a request when it is sent. The server counts it after its delay, unless it is lost.
func TestCount_delayedRequests(t *testing.T) {
	inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
		rn.Reliable(false)
		const n = 1000
		for range n {
			go end.Call("JunkServer.Handler3", 7, new(int))
		}
		synctest.Wait()
		if total, here := rn.GetTotalCount(), rn.GetCount(0); total != n || here > 100 {
			t.Errorf("at first the network counted %d requests and the server %d, want %d and about 33", total, here, n)
		}
		time.Sleep(SHORTDELAY * time.Millisecond)
		if here := rn.GetCount(0); here < 820 || here > 970 {
			t.Errorf("%d requests arrived, want about 900", here)
		}
	})
}

// A server that replaces another one starts with a count of 0; the old server keeps its count.
func TestCount_replacedServer(t *testing.T) {
	inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
		old := rn.hosts[0].server.Load()
		go end.Call("JunkServer.Handler3", 7, new(int))
		synctest.Wait()
		mustHandler2(t, end, 1)
		rn.DeleteServer(0)
		addJunk(rn, 0)
		expectCount(t, rn, 0, 0)
		mustHandler2(t, end, 2)
		expectCount(t, rn, 0, 1)
		if n := old.GetCount(); n != 2 {
			t.Errorf("the old server counted %d requests, want 2", n)
		}
	})
}

// An outcome is the result of a call and the time that it took.
type outcome struct {
	ok   bool
	took time.Duration
}

// A callGroup is a group of calls from one end to one server that start at the same time.
type callGroup struct {
	outcomes []outcome
	done     sync.WaitGroup
}

// startCalls starts n calls whose handlers take handler3Time.
func startCalls(end *ClientEnd, n int) *callGroup {
	g := &callGroup{outcomes: make([]outcome, n)}
	for k := range n {
		g.done.Go(func() {
			o := &g.outcomes[k]
			o.took = elapsed(func() { o.ok = end.Call("JunkServer.Handler3", 7, new(int)) })
		})
	}
	synctest.Wait()
	return g
}

// expect waits for the calls to return and checks their outcomes.
func (g *callGroup) expect(t *testing.T, name string, want outcome) {
	t.Helper()
	g.done.Wait()
	for _, got := range g.outcomes {
		if got != want {
			t.Errorf("a call %s returned %v after %v, want %v after %v", name, got.ok, got.took, want.ok, want.took)
		}
	}
}

// When a server is replaced, the calls to it fail at once, from all ends. Other calls are not affected.
func TestReplacedServer_whichCallsFail(t *testing.T) {
	lost, answered := outcome{false, 3 * time.Second}, outcome{true, handler3Time}
	for name, replace := range map[string]func(rn *Network){
		"deleted and added":  func(rn *Network) { rn.DeleteServer(0); addJunk(rn, 0) },
		"added over another": func(rn *Network) { addJunk(rn, 0) },
		"deleted":            func(rn *Network) { rn.DeleteServer(0) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
				addJunk(rn, 1)
				second, other, moving := join(rn, "second", 0), join(rn, "other", 1), join(rn, "moving", 1)
				toReplaced := []*callGroup{startCalls(end, 3), startCalls(second, 2)}
				toOthers := []*callGroup{startCalls(other, 3), startCalls(moving, 2)}
				rn.Connect("moving", 0) // from here on it has calls to both servers in flight
				toReplaced = append(toReplaced, startCalls(moving, 2))
				rn.Connect("moving", 1)
				toOthers = append(toOthers, startCalls(moving, 1))
				rn.Connect("moving", 0)
				toReplaced = append(toReplaced, startCalls(moving, 1))

				time.Sleep(3 * time.Second)
				replace(rn)
				synctest.Wait()
				if name != "deleted" {
					mustHandler2(t, end, 1)
					mustHandler2(t, moving, 2)
				}
				mustHandler2(t, other, 3)
				for _, g := range toReplaced {
					g.expect(t, "to the replaced server", lost)
				}
				for _, g := range toOthers {
					g.expect(t, "to the other server", answered)
				}
			})
		})
	}
}

// Delayed requests to a replaced server are handled by that server, not by the new one.
func TestReplacedServer_delayedRequests(t *testing.T) {
	inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
		rn.Reliable(false)
		const n = 200
		for range n {
			go end.Call("JunkServer.Handler2", 1, new(string))
		}
		synctest.Wait()
		rn.DeleteServer(0)
		fresh := addJunk(rn, 0)
		time.Sleep(SHORTDELAY * time.Millisecond)
		if js.served() < 150 || fresh.served() > 0 {
			t.Errorf("the old server handled %d requests and the new one %d, want about %d and 0", js.served(), fresh.served(), n*9/10)
		}
		expectCount(t, rn, 0, 0)
	})
}

// A call is affected by the settings of the network at the time when its request is sent.
func TestSettings_whenTheRequestIsSent(t *testing.T) {
	inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
		const n = 100
		before := startCalls(end, n)
		rn.Reliable(false)
		rn.LongReordering(true)
		time.Sleep(handler3Time / 2)
		between := startCalls(end, n)
		before.expect(t, "sent while the network was reliable", outcome{true, handler3Time})
		rn.Reliable(true)
		rn.LongReordering(false)
		between.done.Wait()
		lost, late := 0, 0
		for _, o := range between.outcomes {
			if !o.ok {
				lost++
			} else if o.took >= handler3Time+200*time.Millisecond {
				late++
			}
		}
		// About 19 are lost, and 54 late.
		if lost == 0 || lost > 50 || late < 20 || late > 90 {
			t.Errorf("of %d calls sent while the network was unreliable, %d were lost and %d were late", n, lost, late)
		}
	})
}

// An end keeps no call that is over in memory.
func TestEnd_forgetsCalls(t *testing.T) {
	inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
		startCalls(end, 5).done.Wait()
		group := startCalls(end, 5)
		rn.DeleteServer(0)
		group.done.Wait()
		end.mu.Lock()
		defer end.mu.Unlock()
		for _, c := range end.inFlight[:cap(end.inFlight)] {
			if c != nil {
				t.Error("the end still refers to a call that is over")
			}
		}
	})
}

// The set of enabled ends has no end that is disabled or deleted, and is empty after Cleanup.
func TestNetwork_forgetsEnds(t *testing.T) {
	rn := MakeNetwork()
	expect := func(when string, enabled, ends int) {
		t.Helper()
		if len(rn.enabled) != enabled || len(rn.ends) != ends {
			t.Errorf("%s: %d of %d ends are enabled, want %d of %d", when, len(rn.enabled), len(rn.ends), enabled, ends)
		}
	}
	for name := range 3 {
		join(rn, name, 0)
	}
	rn.Enable(0, true)
	expect("at first", 3, 3)
	rn.Enable(1, false)
	expect("one disabled", 2, 3)
	rn.DeleteEnd(0)
	rn.DeleteEnd(1)
	expect("two deleted", 1, 1)
	rn.Cleanup()
	rn.Enable(2, true)
	expect("after Cleanup", 0, 1)
}
