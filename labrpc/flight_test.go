package labrpc

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A request is counted when it reaches the server, so while its handler runs it counts already.
func TestCount_whileHandlersRun(t *testing.T) {
	inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
		server := rn.hosts[0].server.Load()
		for n := 1; n <= 3; n++ {
			go end.Call("JunkServer.Handler3", 7, new(int))
			synctest.Wait()
			expectCount(t, rn, 0, n)
			if of, total := server.GetCount(), rn.GetTotalCount(); of != n || total != n {
				t.Errorf("the server counts %d, the network %d in all, want %d", of, total, n)
			}
		}
		time.Sleep(handler3Time + time.Second)
		expectCount(t, rn, 0, 3)
	})
}

func TestCount_whilePromptHandlerRuns(t *testing.T) {
	rn, ps, end := promptNetwork(t)
	counts := 0
	ps.act = func() { counts = rn.GetCount("prompt") }
	end.Call("PromptServer.Handle", 7, new(int))
	if counts != 1 {
		t.Errorf("the handler saw %d requests counted, want its own", counts)
	}
}

// A request is counted by the network when it is sent, and by the server when its delay is over, unless it is lost.
func TestCount_delayedRequests(t *testing.T) {
	inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
		rn.Reliable(false)
		const n = 1000
		for range n {
			go end.Call("JunkServer.Handler3", 7, new(int))
		}
		synctest.Wait()
		if total, here := rn.GetTotalCount(), rn.GetCount(0); total != n || here > 100 {
			t.Errorf("at once %d were counted as sent and %d as there, want %d and about 33", total, here, n)
		}
		time.Sleep(SHORTDELAY * time.Millisecond)
		if here := rn.GetCount(0); here < 820 || here > 970 {
			t.Errorf("%d requests arrived, want about 900", here)
		}
	})
}

// The requests that a server had stay with it when another one takes its name.
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
			t.Errorf("the old server counts %d requests, want 2", n)
		}
	})
}

// An outcome is how a call ended, and when.
type outcome struct {
	ok   bool
	took time.Duration
}

// A flight is calls of one end to one server, which all start together.
type flight struct {
	outcomes []outcome
	landed   sync.WaitGroup
}

// depart starts n calls that their server would answer after handler3Time.
func depart(end *ClientEnd, n int) *flight {
	f := &flight{outcomes: make([]outcome, n)}
	for k := range n {
		f.landed.Go(func() {
			o := &f.outcomes[k]
			o.took = elapsed(func() { o.ok = end.Call("JunkServer.Handler3", 7, new(int)) })
		})
	}
	synctest.Wait()
	return f
}

func (f *flight) expect(t *testing.T, name string, want outcome) {
	t.Helper()
	f.landed.Wait()
	for _, got := range f.outcomes {
		if got != want {
			t.Errorf("a call %s returned %v after %v, want %v after %v", name, got.ok, got.took, want.ok, want.took)
		}
	}
}

// When a server is replaced, its calls fail at once, from whatever end they came, and no other call does.
func TestReplacedServer_othersGoOn(t *testing.T) {
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
				toReplaced := []*flight{depart(end, 3), depart(second, 2)}
				toOthers := []*flight{depart(other, 3), depart(moving, 2)}
				rn.Connect("moving", 0) // its calls are to both servers now, in turn
				toReplaced = append(toReplaced, depart(moving, 2))
				rn.Connect("moving", 1)
				toOthers = append(toOthers, depart(moving, 1))
				rn.Connect("moving", 0)
				toReplaced = append(toReplaced, depart(moving, 1))

				time.Sleep(3 * time.Second)
				replace(rn)
				synctest.Wait()
				if name != "deleted" {
					mustHandler2(t, end, 1)
					mustHandler2(t, moving, 2)
				}
				mustHandler2(t, other, 3)
				for _, f := range toReplaced {
					f.expect(t, "to the replaced server", lost)
				}
				for _, f := range toOthers {
					f.expect(t, "to the other server", answered)
				}
			})
		})
	}
}

// The handlers of a replaced server go on, unknown to the clients of the new one.
func TestReplacedServer_oldHandlersGoOn(t *testing.T) {
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
			t.Errorf("the old server carried out %d requests, the new one %d, want about %d and none", js.served(), fresh.served(), n*9/10)
		}
		expectCount(t, rn, 0, 0)
	})
}

// What befalls a call is decided by how the network is when its request is sent.
func TestFlags_whenTheRequestIsSent(t *testing.T) {
	inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
		const n = 100
		before := depart(end, n)
		rn.Reliable(false)
		rn.LongReordering(true)
		time.Sleep(handler3Time / 2)
		between := depart(end, n)
		before.expect(t, "sent while the network was reliable", outcome{true, handler3Time})
		rn.Reliable(true)
		rn.LongReordering(false)
		between.landed.Wait()
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
			t.Errorf("of %d calls sent while it was not, %d were lost and %d late", n, lost, late)
		}
	})
}

// No call keeps another one, or its request, in memory when it is over.
func TestEnd_forgetsCalls(t *testing.T) {
	inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
		depart(end, 5).landed.Wait()
		flight := depart(end, 5)
		rn.DeleteServer(0)
		flight.landed.Wait()
		end.mu.Lock()
		defer end.mu.Unlock()
		for _, c := range end.inFlight[:cap(end.inFlight)] {
			if c != nil {
				t.Error("the end holds a call that is over")
			}
		}
	})
}

// The network remembers no end that is closed or deleted, and none at all after Cleanup.
func TestNetwork_forgetsEnds(t *testing.T) {
	rn := MakeNetwork()
	expect := func(when string, enabled, ends int) {
		t.Helper()
		if len(rn.enabled) != enabled || len(rn.ends) != ends {
			t.Errorf("%s: %d ends are enabled of %d, want %d of %d", when, len(rn.enabled), len(rn.ends), enabled, ends)
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
