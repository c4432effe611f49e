package labrpc

import (
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// inBubble runs f with a network in virtual time, then calls Cleanup. The test fails if a goroutine remains.
func inBubble(t *testing.T, f func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd)) {
	synctest.Test(t, func(t *testing.T) {
		rn, js := junkNetwork(t, 0)
		f(t, rn, js, join(rn, "end", 0))
		time.Sleep(handler3Time) // until the handlers of abandoned calls have returned
	})
}

// elapsed returns how long f takes in virtual time.
func elapsed(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

// slowCall makes a call whose handler takes handler3Time, and calls act after 3 s. It returns the result of the call and the
// time that it took.
func slowCall(end *ClientEnd, act func()) (ok bool, took time.Duration) {
	time.AfterFunc(3*time.Second, act)
	took = elapsed(func() { ok = end.Call("JunkServer.Handler3", 7, new(int)) })
	return ok, took
}

func TestCall_returnsAtOnceWhenCutOff(t *testing.T) {
	for name, act := range map[string]func(rn *Network){
		"DeleteServer":    func(rn *Network) { rn.DeleteServer(0) },
		"replaced server": func(rn *Network) { addJunk(rn, 0) },
		"AddServer nil":   func(rn *Network) { rn.AddServer(0, nil) },
		"disabled end":    func(rn *Network) { rn.Enable("end", false) },
		"briefly disabled end": func(rn *Network) {
			rn.Enable("end", false)
			rn.Enable("end", true)
		},
		"DeleteEnd": func(rn *Network) { rn.DeleteEnd("end") },
		"DeleteServer after Connect elsewhere": func(rn *Network) {
			rn.Connect("end", 1)
			rn.DeleteServer(0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
				ok, took := slowCall(end, func() { act(rn) })
				if ok || took != 3*time.Second {
					t.Errorf("Call returned %v after %v, want false after 3s", ok, took)
				}
			})
		})
	}
}

func TestCall_isNotAffectedByOtherChanges(t *testing.T) {
	for name, act := range map[string]func(rn *Network){
		"Connect elsewhere": func(rn *Network) { rn.Connect("end", 1) },
		"same server again": func(rn *Network) { rn.AddServer(0, rn.hosts[0].server.Load()) },
		"enabled again":     func(rn *Network) { rn.Enable("end", true) },
		"other server":      func(rn *Network) { addJunk(rn, 1); rn.DeleteServer(1) },
		"other end":         func(rn *Network) { join(rn, "other", 0); rn.DeleteEnd("other") },
		"unknown end":       func(rn *Network) { rn.Connect("?", 0); rn.Enable("?", false) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
				ok, took := slowCall(end, func() { act(rn) })
				if !ok || took != handler3Time {
					t.Errorf("Call returned %v after %v, want true after %v", ok, took, handler3Time)
				}
			})
		})
	}
}

// The memory of an abandoned call is not used for another call while its handler runs.
func TestCall_abandonedHandlerDoesNotAffectOthers(t *testing.T) {
	inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
		for range 5 {
			slowCall(end, func() { rn.Enable("end", false) })
			rn.Enable("end", true)
			bytes := rn.GetTotalBytes()
			var callers sync.WaitGroup
			for i := range 10 {
				callers.Go(func() {
					for range 100 {
						mustHandler2(t, end, i)
						time.Sleep(time.Second)
					}
				})
			}
			callers.Wait()
			// 1000 ints of 4 bytes and 1000 strings of 10 + 4.
			if more := rn.GetTotalBytes() - bytes; more != 1000*(4+14) {
				t.Errorf("1000 calls added %d bytes", more)
			}
		}
	})
}

func TestCleanup_endsEveryCall(t *testing.T) {
	for name, test := range map[string]struct {
		method  string
		prepare func(rn *Network)
	}{
		"handler":         {"Handler3", func(rn *Network) {}},
		"disabled":        {"Handler2", func(rn *Network) { rn.LongDelays(true); rn.Enable("end", false) }},
		"no server":       {"Handler2", func(rn *Network) { rn.LongDelays(true); rn.DeleteServer(0) }},
		"deleted end":     {"Handler2", func(rn *Network) { rn.LongDelays(true); rn.DeleteEnd("end") }},
		"short delay":     {"Handler2", func(rn *Network) { rn.Reliable(false) }},
		"long reordering": {"Handler2", func(rn *Network) { rn.LongReordering(true) }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rn := MakeNetwork()
				addJunk(rn, 0)
				end := join(rn, "end", 0)
				test.prepare(rn)
				waiting, late := callsAcrossCleanup(rn, end, "JunkServer."+test.method)
				if waiting == 0 || late != 0 {
					t.Errorf("%d calls were in progress, and %d of them did not return false at once", waiting, late)
				}
				if len(rn.waiting) != 0 || len(end.inFlight) != 0 {
					t.Errorf("%d timers and %d calls in flight remain", len(rn.waiting), len(end.inFlight))
				}
				time.Sleep(handler3Time)
			})
		})
	}
}

// callsAcrossCleanup starts 100 calls and calls Cleanup. It returns how many calls were in progress then, and how many of
// these did not return false at once.
func callsAcrossCleanup(rn *Network, end *ClientEnd, svcMeth string) (waiting, late int) {
	const n = 100
	results := make(chan bool, n)
	for range n {
		go func() {
			var reply interface{} // never used, because no reply is delivered after Cleanup
			if svcMeth == "JunkServer.Handler2" {
				reply = new(string)
			}
			results <- end.Call(svcMeth, 1, reply)
		}()
	}
	synctest.Wait()
	waiting = n - len(results)
	for len(results) > 0 {
		<-results
	}
	rn.Cleanup()
	synctest.Wait() // virtual time does not advance
	late = waiting - len(results)
	for len(results) > 0 {
		if <-results {
			late++
		}
	}
	return waiting, late
}

func TestCleanup_endsAllGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	rn := MakeNetwork()
	addJunk(rn, 0)
	var callers sync.WaitGroup
	for i, mode := range []func(){
		func() {}, func() { rn.Reliable(false) }, func() { rn.LongReordering(true) },
		func() { rn.LongDelays(true); rn.DeleteServer(0) },
	} {
		mode()
		for j := range 50 {
			callers.Go(func() { handler2(t, join(rn, 100*i+j, 0), j) })
		}
		time.Sleep(time.Millisecond)
	}
	rn.Cleanup()
	callers.Wait()
	for wait := time.Duration(1); runtime.NumGoroutine() > before; wait *= 2 {
		if wait > time.Second {
			buf := make([]byte, 1<<16)
			t.Fatalf("goroutines remain:\n%s", buf[:runtime.Stack(buf, true)])
		}
		time.Sleep(wait)
	}
}

// workers counts the worker goroutines of this bubble. runtime.NumGoroutine is not exact and includes other tests.
func workers() (n int) {
	buf := make([]byte, 1<<20)
	stacks := strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n")
	_, bubble, _ := strings.Cut(stacks[0], "synctest bubble ") // the calling goroutine comes first
	bubble, _, _ = strings.Cut(bubble, "]")
	for _, stack := range stacks {
		if strings.Contains(stack, "synctest bubble "+bubble+"]") && strings.Contains(stack, ".worker.run(") {
			n++
		}
	}
	return n
}

// Successive calls use the same worker.
func TestWorkers_areUsedAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
		for n := range 100 {
			handler2(t, end, n)
			synctest.Wait()
		}
		if n := workers(); n != 1 {
			t.Errorf("%d workers for successive calls, want 1", n)
		}
	})
}

// After a burst of calls, maxIdle workers stay idle. A disabled end has no idle workers.
func TestWorkers_fewAreIdle(t *testing.T) {
	inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
		for range 3 {
			var callers sync.WaitGroup
			for range 10 * maxIdle {
				callers.Go(func() { end.Call("JunkServer.Handler3", 7, new(int)) })
			}
			callers.Wait()
			synctest.Wait()
			if n := workers(); n != maxIdle || len(end.idle) != maxIdle {
				t.Errorf("%d workers and %d of them idle, want %d", n, len(end.idle), maxIdle)
			}
		}
		go end.Call("JunkServer.Handler3", 7, new(int))
		synctest.Wait()
		rn.Enable("end", false)
		synctest.Wait()
		if n := workers(); n != 1 {
			t.Errorf("%d workers after the end was disabled, want only the busy one", n)
		}
		time.Sleep(time.Minute)
		if n := workers(); n != 0 {
			t.Errorf("%d workers of a disabled end, want 0", n)
		}
	})
}

func TestCleanup_afterwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rn := MakeNetwork()
		js := addJunk(rn, 0)
		end := join(rn, "end", 0)
		rn.Cleanup()
		rn.Enable("end", true)
		if took := elapsed(func() { handler2(t, end, 1) }); took != 0 {
			t.Errorf("a call after Cleanup took %v", took)
		}
		if js.served() != 0 || rn.GetTotalCount() != 0 || rn.GetTotalBytes() != 0 {
			t.Error("a call after Cleanup was counted or handled")
		}
		defer func() {
			if recover() == nil {
				t.Error("a second Cleanup did not panic")
			}
		}()
		rn.Cleanup()
	})
}

func TestUnreachableServer_delaysAndCounts(t *testing.T) {
	for _, test := range []struct {
		name string
		long bool
		cut  func(rn *Network)
	}{
		{"disabled", false, func(rn *Network) { rn.Enable("end", false) }},
		{"deleted server", false, func(rn *Network) { rn.DeleteServer(0) }},
		{"unknown server", true, func(rn *Network) { rn.Connect("end", "nobody") }},
		{"connected to nil", false, func(rn *Network) { rn.Connect("end", nil) }},
		{"deleted end", true, func(rn *Network) { rn.DeleteEnd("end"); rn.Enable("end", true) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
				limit := 100 * time.Millisecond
				if rn.LongDelays(test.long); test.long {
					limit = LONGDELAY * time.Millisecond
				}
				test.cut(rn)
				const n = 500
				var sum, longest time.Duration
				for i := range n {
					took := elapsed(func() {
						if handler2(t, end, i%50) {
							t.Error("the call succeeded")
						}
					})
					sum, longest = sum+took, max(longest, took)
				}
				if mean := sum / n; mean < limit*4/10 || mean > limit*6/10 || longest >= limit {
					t.Errorf("delays of %v on average, %v at most, want about %v and below %v",
						mean, longest, limit/2, limit)
				}
				if count, bytes := rn.GetTotalCount(), rn.GetTotalBytes(); count != n || bytes != 4*n {
					t.Errorf("counted %d requests with %d bytes, want %d with %d", count, bytes, n, 4*n)
				}
				if js.served() != 0 {
					t.Error("a request reached the server")
				}
			})
		})
	}
}

func TestUnreliable_probabilities(t *testing.T) {
	inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
		rn.Reliable(false)
		if rn.IsReliable() || rn.IsLongDelays() {
			t.Error("IsReliable or IsLongDelays returns another setting")
		}
		const n = 5000
		succeeded := 0
		var sum, longest time.Duration
		for range n {
			took := elapsed(func() {
				if handler2(t, end, 1) {
					succeeded++
				}
			})
			sum, longest = sum+took, max(longest, took)
		}
		// Standard deviations: 21 requests lost, 28 calls lost, 0.11 ms of the mean.
		if served := rn.GetCount(0); served < 4350 || served > 4650 || served != js.served() {
			t.Errorf("%d of %d requests were counted and %d were handled, want about 4500", served, n, js.served())
		}
		if succeeded < 3900 || succeeded > 4200 {
			t.Errorf("%d of %d calls succeeded, want about 4050", succeeded, n)
		}
		if mean := sum / n; mean < 12*time.Millisecond || mean > 14*time.Millisecond ||
			longest != (SHORTDELAY-1)*time.Millisecond {
			t.Errorf("delays of %v on average, %v at most, want about 13ms and 26ms", mean, longest)
		}
		// A request has 4 bytes, a delivered reply 14. Lost replies do not count.
		if bytes := rn.GetTotalBytes(); bytes != int64(4*n+14*succeeded) {
			t.Errorf("%d bytes, want %d", bytes, 4*n+14*succeeded)
		}
	})
}

func TestLongReordering_probabilities(t *testing.T) {
	inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
		rn.LongReordering(true)
		const n = 3000
		late := 0
		var sum time.Duration
		for range n {
			took := elapsed(func() { mustHandler2(t, end, 1) })
			if took == 0 {
				continue
			}
			if took < 200*time.Millisecond || took >= 2200*time.Millisecond {
				t.Errorf("a late reply took %v", took)
			}
			late++
			sum += took
		}
		if late < 1850 || late > 2150 {
			t.Errorf("%d of %d replies were late, want about 2000", late, n)
		}
		// The mean of a number below a number below 2000 is 500.
		if mean := sum / time.Duration(late); mean < 650*time.Millisecond || mean > 750*time.Millisecond {
			t.Errorf("late replies took %v on average, want about 700ms", mean)
		}
	})
}

func TestLongReordering_lateRepliesAfterDisabling(t *testing.T) {
	inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
		rn.LongReordering(true)
		const n = 60
		var calls sync.WaitGroup
		for range n {
			calls.Go(func() { mustHandler2(t, end, 1) })
		}
		synctest.Wait() // until all handlers have returned, and all replies except the late ones are delivered
		rn.Enable("end", false)
		rn.DeleteServer(0)
		if bytes := rn.GetTotalBytes(); bytes >= n*(4+14) {
			t.Errorf("%d bytes were counted before the late replies were delivered", bytes)
		}
		calls.Wait()
		if bytes := rn.GetTotalBytes(); bytes != n*(4+14) {
			t.Errorf("%d bytes, want %d", bytes, n*(4+14))
		}
	})
}

func TestShortDelay_handlersOfAbandonedCallsRun(t *testing.T) {
	inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
		rn.Reliable(false)
		const n = 1000
		var calls sync.WaitGroup
		succeeded := make(chan bool, n)
		for range n {
			calls.Go(func() { succeeded <- handler2(t, end, 1) })
		}
		synctest.Wait()
		before := js.served() // those with a delay of 0 ms
		took := elapsed(func() { rn.Enable("end", false); calls.Wait() })
		if took != 0 {
			t.Errorf("the calls returned %v after the end was disabled", took)
		}
		time.Sleep(SHORTDELAY * time.Millisecond)
		if served := js.served(); before > 150 || served < 820 || served > 970 {
			t.Errorf("%d requests were handled before the end was disabled and %d in all, want at most 150 and about 900", before, served)
		}
	})
}

func TestServer_valuesAreCopied(t *testing.T) {
	inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
		keeper := new(Keeper)
		server := MakeServer()
		server.AddService(MakeService(keeper))
		rn.AddServer(0, server)
		args := &KeptArgs{[]int{1, 2}, &JunkArgs{3}}
		var reply KeptArgs
		if !end.Call("Keeper.Keep", args, &reply) {
			t.Fatal("the call failed")
		}
		args.S[0], args.P.X, reply.S[1], reply.P.X = 9, 9, 8, 8
		if kept := keeper.kept; kept.S[0] != 1 || kept.S[1] != 2 || kept.P.X != 3 {
			t.Errorf("client and server share memory: the server has %v %v", kept.S, kept.P)
		}
	})
}

type KeptArgs struct {
	S []int
	P *JunkArgs
}

type Keeper struct{ kept *KeptArgs }

func (k *Keeper) Keep(args *KeptArgs, reply *KeptArgs) { k.kept, *reply = args, *args }

func TestReply_intoAnotherType(t *testing.T) {
	type narrow struct{ S []int64 }
	inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
		server := MakeServer()
		server.AddService(MakeService(new(Keeper)))
		rn.AddServer(0, server)
		var reply narrow
		if !end.Call("Keeper.Keep", &KeptArgs{S: []int{1, 2}}, &reply) || len(reply.S) != 2 || reply.S[1] != 2 {
			t.Errorf("decoded %v", reply)
		}
	})
}

// junkStandIn has a handler of JunkServer with another reply.
type junkStandIn struct{}

func (junkStandIn) Handler6(args string, reply *int) { *reply = -1 }

func TestAddService_again(t *testing.T) {
	type JunkServer struct{ junkStandIn }
	rn, _ := junkNetwork(t, 0)
	end := join(rn, "end", 0)
	server := rn.hosts[0].server.Load()
	server.AddService(MakeService(Odd{}))
	server.AddService(MakeService(JunkServer{}))
	number, text := 0, ""
	if !end.Call("JunkServer.Handler6", "four", &number) || number != -1 {
		t.Errorf("the new service replied %d, want -1", number)
	}
	if !end.Call("Odd.Value", "text", &text) || text != "TEXT" {
		t.Errorf("another service replied %q", text)
	}
	if h := (*server.handlers.Load())["JunkServer.Handler2"]; h != nil {
		t.Error("a handler of the replaced service remains")
	}
}

// The course's harness and graders depend on these numbers.
func TestDelays_areTheCourses(t *testing.T) {
	if SHORTDELAY != 27 || LONGDELAY != 7000 || MAXDELAY != 7100 {
		t.Errorf("%d, %d and %d ms", SHORTDELAY, LONGDELAY, MAXDELAY)
	}
}

func TestSettings_areReported(t *testing.T) {
	rn := MakeNetwork()
	defer rn.Cleanup()
	if !rn.IsReliable() || rn.IsLongDelays() {
		t.Error("a new network is unreliable or has long delays")
	}
	for _, yes := range []bool{true, false, true} {
		rn.Reliable(yes)
		rn.LongDelays(!yes)
		if rn.IsReliable() != yes || rn.IsLongDelays() == yes {
			t.Errorf("reliable %v, long delays %v", rn.IsReliable(), rn.IsLongDelays())
		}
	}
}

// Odd has methods with many kinds of signatures. Only Pointer and Value are handlers.
type Odd struct{}

func (Odd) Pointer(args *int, reply *int)         { *reply = *args }
func (Odd) Value(args interface{}, reply *string) { *reply = strings.ToUpper(args.(string)) }
func (Odd) NoPointer(args int, reply int)         {}
func (Odd) Result(args int, reply *int) error     { return nil }
func (Odd) One(reply *int)                        {}
func (Odd) Three(a, b int, reply *int)            {}

func TestMakeService_picksHandlers(t *testing.T) {
	svc := MakeService(Odd{})
	if svc.name != "Odd" || len(svc.handlers) != 2 || svc.handlers["Pointer"] == nil || svc.handlers["Value"] == nil {
		t.Errorf("service %q with handlers %v", svc.name, svc.handlers)
	}
	if svc := MakeService(&Odd{}); svc.name != "Odd" || len(svc.handlers) != 2 {
		t.Errorf("service of a pointer: %q with handlers %v", svc.name, svc.handlers)
	}
	rn, _ := junkNetwork(t, 0)
	end := join(rn, "end", 1)
	server := MakeServer()
	server.AddService(MakeService(Odd{}))
	server.AddService(MakeService(new(JunkServer)))
	rn.AddServer(1, server)
	five, number, text := 5, 0, ""
	if !end.Call("Odd.Pointer", &five, &number) || number != 5 {
		t.Errorf("Odd.Pointer replied %d", number)
	}
	if !end.Call("Odd.Value", "text", &text) || text != "TEXT" {
		t.Errorf("Odd.Value replied %q", text)
	}
	mustHandler2(t, end, 1)
	if n := server.GetCount(); n != 3 {
		t.Errorf("the server counted %d requests, want 3", n)
	}
}

// Changes of all kinds are made to the network during calls. This test is for the race detector.
func TestConcurrentChanges(t *testing.T) {
	rn, _ := junkNetwork(t, 0)
	stop := make(chan struct{})
	var running sync.WaitGroup
	repeat := func(f func(i int)) {
		running.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					f(i)
					runtime.Gosched()
				}
			}
		})
	}
	stable := join(rn, "stable", "stable")
	addJunk(rn, "stable")
	for range 4 {
		repeat(func(i int) { mustHandler2(t, stable, i) })
	}
	flapping := join(rn, "flapping", 0)
	for range 4 {
		repeat(func(i int) { handler2(t, flapping, i) })
	}
	repeat(func(i int) { rn.Enable("flapping", i%2 == 0) })
	repeat(func(i int) { rn.Connect("flapping", i%2) })
	repeat(func(i int) { addJunk(rn, i%2); rn.DeleteServer(i % 3) })
	repeat(func(i int) {
		end := join(rn, "short-lived", 0)
		running.Go(func() { handler2(t, end, i) })
		rn.DeleteEnd("short-lived")
	})
	repeat(func(i int) { rn.LongReordering(false); rn.LongDelays(false); rn.GetTotalBytes(); rn.GetCount("stable") })
	time.Sleep(200 * time.Millisecond)
	close(stop)
	running.Wait()
}
