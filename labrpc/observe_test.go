package labrpc

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A recorder writes down what it is told, a line each, and calls act (unless nil) with the line.
type recorder struct {
	rn  *Network
	act func(line string)

	mu    sync.Mutex
	lines []string
}

// record observes rn. Every callback takes the network's lock.
func record(rn *Network) *recorder {
	r := &recorder{rn: rn}
	rn.Observe(r)
	return r
}

func (r *recorder) Sent(c CallInfo, args any)      { r.add(c, fmt.Sprintf("sent %v", show(args))) }
func (r *recorder) Handling(c CallInfo, args any)  { r.add(c, fmt.Sprintf("handling %v", show(args))) }
func (r *recorder) Handled(c CallInfo, reply any)  { r.add(c, fmt.Sprintf("handled %v", show(reply))) }
func (r *recorder) Ended(c CallInfo, outcome Fate) { r.add(c, outcome.String()) }

// show formats arguments and replies, with what pointers point to.
func show(v any) string {
	switch v := v.(type) {
	case *string:
		return fmt.Sprintf("*%q", *v)
	case *int:
		return fmt.Sprintf("*%d", *v)
	case []byte:
		return "bytes"
	}
	return fmt.Sprintf("%T %v", v, v)
}

func (r *recorder) add(c CallInfo, what string) {
	r.rn.Connect(c.End, c.Server) // takes the network's lock and the end's
	line := fmt.Sprintf("%d %v>%v %s %s", c.Number, c.End, c.Server, c.Method[strings.Index(c.Method, ".")+1:], what)
	r.mu.Lock()
	r.lines = append(r.lines, line)
	act := r.act
	r.mu.Unlock()
	if act != nil {
		act(line)
	}
}

// expect compares the lines so far and forgets them.
func (r *recorder) expect(t *testing.T, want ...string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.lines, want) {
		t.Errorf("the observer was told\n\t%s\nwant\n\t%s", strings.Join(r.lines, "\n\t"), strings.Join(want, "\n\t"))
	}
	r.lines = nil
}

func TestObserve_delivered(t *testing.T) {
	rn, _ := junkNetwork(t, "junk")
	r := record(rn)
	end := join(rn, "end", "junk")
	mustHandler2(t, end, 111)
	r.expect(t, "1 end>junk Handler2 sent int 111", "1 end>junk Handler2 handling int 111",
		`1 end>junk Handler2 handled *"handler2-111"`, "1 end>junk Handler2 delivered")
	end.Call("JunkServer.Handler4", &JunkArgs{X: 5}, new(JunkReply))
	r.expect(t, "2 end>junk Handler4 sent *labrpc.JunkArgs &{5}", "2 end>junk Handler4 handling *labrpc.JunkArgs &{5}",
		"2 end>junk Handler4 handled *labrpc.JunkReply &{pointer}", "2 end>junk Handler4 delivered")
}

func TestObserve_prompt(t *testing.T) {
	rn, ps, end := promptNetwork(t)
	r := record(rn)
	end.Call("PromptServer.Handle", 7, new(int))
	r.expect(t, "1 end>prompt Handle sent int 7", "1 end>prompt Handle handling int 7",
		"1 end>prompt Handle handled *-7", "1 end>prompt Handle delivered")
	ps.act = func() { rn.DeleteServer("prompt") }
	end.Call("PromptServer.Handle", 8, new(int))
	r.expect(t, "2 end>prompt Handle sent int 8", "2 end>prompt Handle handling int 8",
		"2 end>prompt Handle handled *-8", "2 end>prompt Handle cut off")
}

// A call is cut off at once; its handler goes on.
func TestObserve_cutOff(t *testing.T) {
	for name, cut := range map[string]func(rn *Network){
		"disabled":    func(rn *Network) { rn.Enable("end", false) },
		"end deleted": func(rn *Network) { rn.DeleteEnd("end") },
		"deleted":     func(rn *Network) { rn.DeleteServer("junk") },
		"replaced":    func(rn *Network) { rn.AddServer("junk", MakeServer()) },
		"cleanup":     func(rn *Network) { rn.Cleanup() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rn := MakeNetwork()
				addJunk(rn, "junk")
				r := record(rn)
				end := join(rn, "end", "junk")
				go end.Call("JunkServer.Handler3", 7, new(int))
				synctest.Wait()
				r.expect(t, "1 end>junk Handler3 sent int 7", "1 end>junk Handler3 handling int 7")
				cut(rn)
				synctest.Wait()
				r.expect(t, "1 end>junk Handler3 cut off")
				time.Sleep(handler3Time)
				synctest.Wait()
				r.expect(t, "1 end>junk Handler3 handled *-7")
				if name != "cleanup" {
					rn.Cleanup()
				}
				end.Call("JunkServer.Handler3", 8, new(int))
				r.expect(t) // a call after Cleanup sends nothing
			})
		})
	}
}

func TestObserve_unreachable(t *testing.T) {
	inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
		r := record(rn)
		rn.MakeEnd("loose").Call("JunkServer.Handler2", 1, new(string))
		r.expect(t, "1 loose><nil> Handler2 sent int 1", "1 loose><nil> Handler2 unreachable")
		disabled := join(rn, "disabled", 0)
		rn.Enable("disabled", false)
		disabled.Call("JunkServer.Handler2", 2, new(string))
		r.expect(t, "2 disabled>0 Handler2 sent int 2", "2 disabled>0 Handler2 unreachable")
		join(rn, "nowhere", "nobody").Call("JunkServer.Handler2", 3, new(string))
		r.expect(t, "3 nowhere>nobody Handler2 sent int 3", "3 nowhere>nobody Handler2 unreachable")
		rn.LongDelays(true)
		go disabled.Call("JunkServer.Handler2", 4, new(string))
		synctest.Wait()
		r.expect(t, "4 disabled>0 Handler2 sent int 4")
	}) // and Cleanup
}

// Cleanup cuts off the calls that wait for a timer.
func TestObserve_cleanupWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rn := MakeNetwork()
		r := record(rn)
		rn.LongDelays(true)
		go rn.MakeEnd("loose").Call("JunkServer.Handler2", 1, new(string))
		synctest.Wait()
		rn.Cleanup()
		synctest.Wait()
		r.expect(t, "1 loose><nil> Handler2 sent int 1", "1 loose><nil> Handler2 cut off")
	})
}

// On an unreliable network with late replies, what is told fits together, and with what Call returns.
func TestObserve_unreliable(t *testing.T) {
	inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
		r := record(rn)
		rn.Reliable(false)
		rn.LongReordering(true)
		seen := map[string]int{}
		for n := 1; n <= 400; n++ {
			prefix := func(what string) string { return fmt.Sprintf("%d end>0 Handler2 %s", n, what) }
			lines := []string{prefix(fmt.Sprint("sent int ", n))}
			var ok bool
			took := elapsed(func() { ok = handler2(t, end, n) })
			r.mu.Lock()
			fate := strings.TrimPrefix(r.lines[len(r.lines)-1], prefix(""))
			r.mu.Unlock()
			seen[fate]++
			if fate != "request lost" {
				lines = append(lines, prefix(fmt.Sprint("handling int ", n)), prefix(fmt.Sprintf(`handled *"handler2-%d"`, n)))
			}
			r.expect(t, append(lines, prefix(fate))...)
			if ok != (fate == "delivered" || fate == "late") || (fate == "late") != (took >= 200*time.Millisecond) {
				t.Errorf("call %d returned %v after %v, but was %s", n, ok, took, fate)
			}
		}
		if len(seen) != 4 || seen["request lost"] == 0 || seen["reply lost"] == 0 || seen["late"] == 0 || seen["delivered"] == 0 {
			t.Errorf("the calls were %v", seen)
		}
	})
}

// The network of the tests' process is told about the calls of the others, in bytes.
func TestObserve_processes(t *testing.T) {
	rn := MakeNetwork()
	defer rn.Cleanup()
	remotes := makeRemotes(rn, 2)
	r := record(rn)
	remotes[0].end.Call("JunkServer.Handler2", 1, new(string))
	r.expect(t, "1 0>1 Handler2 sent bytes", "1 0>1 Handler2 handling bytes",
		"1 0>1 Handler2 handled bytes", "1 0>1 Handler2 delivered")
	mustHandler2(t, join(rn, "clerk", 0), 2)
	r.expect(t, "2 clerk>0 Handler2 sent int 2", "2 clerk>0 Handler2 handling bytes",
		"2 clerk>0 Handler2 handled bytes", "2 clerk>0 Handler2 delivered")
	addJunk(rn, 1)
	remotes[0].end.Call("JunkServer.Handler2", 3, new(string))
	r.expect(t, "3 0>1 Handler2 sent bytes", "3 0>1 Handler2 handling int 3",
		`3 0>1 Handler2 handled *"handler2-3"`, "3 0>1 Handler2 delivered")
	gone := MakeServer()
	gone.SetDispatch(func(string, []byte) ([]byte, bool) { return nil, false })
	rn.AddServer(1, gone)
	remotes[0].end.Call("JunkServer.Handler2", 4, new(string))
	r.expect(t, "4 0>1 Handler2 sent bytes", "4 0>1 Handler2 handling bytes", "4 0>1 Handler2 reply lost")
}

// An observer may change the network at any moment of a call. The request leaves after Sent has returned.
func TestObserve_changesTheNetwork(t *testing.T) {
	inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
		r := record(rn)
		r.act = func(line string) {
			if strings.Contains(line, "sent int 1") {
				rn.Enable("end", false)
			}
			if strings.Contains(line, "handling int 2") {
				rn.DeleteServer(0)
			}
		}
		end.Call("JunkServer.Handler2", 1, new(string))
		r.expect(t, "1 end>0 Handler2 sent int 1", "1 end>0 Handler2 unreachable")
		rn.Enable("end", true)
		end.Call("JunkServer.Handler2", 2, new(string))
		synctest.Wait()
		slices.Sort(r.lines)
		r.expect(t, "2 end>0 Handler2 cut off", `2 end>0 Handler2 handled *"handler2-2"`,
			"2 end>0 Handler2 handling int 2", "2 end>0 Handler2 sent int 2")
	})
}
