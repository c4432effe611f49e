package labrpc

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// These tests check, in real time, what the course's tests of labrpc check.

type JunkArgs struct {
	X int
}

type JunkReply struct {
	X string
}

type JunkServer struct {
	mu   sync.Mutex
	log1 []string
	log2 []int
}

func (js *JunkServer) Handler1(args string, reply *int) {
	js.mu.Lock()
	defer js.mu.Unlock()
	js.log1 = append(js.log1, args)
	*reply, _ = strconv.Atoi(args)
}

func (js *JunkServer) Handler2(args int, reply *string) {
	js.mu.Lock()
	defer js.mu.Unlock()
	js.log2 = append(js.log2, args)
	*reply = "handler2-" + strconv.Itoa(args)
}

const handler3Time = 20 * time.Second

func (js *JunkServer) Handler3(args int, reply *int) {
	time.Sleep(handler3Time)
	*reply = -args
}

func (js *JunkServer) Handler4(args *JunkArgs, reply *JunkReply) { reply.X = "pointer" }

func (js *JunkServer) Handler5(args JunkArgs, reply *JunkReply) { reply.X = "no pointer" }

func (js *JunkServer) Handler6(args string, reply *int) { *reply = len(args) }

func (js *JunkServer) Handler7(args int, reply *string) { *reply = strings.Repeat("y", args) }

// served returns how many times Handler2 was called.
func (js *JunkServer) served() int {
	js.mu.Lock()
	defer js.mu.Unlock()
	return len(js.log2)
}

// junkNetwork returns a network with a JunkServer under the given name. Cleanup is called after the test.
func junkNetwork(t testing.TB, servername interface{}) (*Network, *JunkServer) {
	rn := MakeNetwork()
	t.Cleanup(rn.Cleanup)
	return rn, addJunk(rn, servername)
}

// addJunk adds a new JunkServer to the network.
func addJunk(rn *Network, servername interface{}) *JunkServer {
	js := new(JunkServer)
	server := MakeServer()
	server.AddService(MakeService(js))
	rn.AddServer(servername, server)
	return js
}

// join returns a new end that is connected and enabled.
func join(rn *Network, endname, servername interface{}) *ClientEnd {
	end := rn.MakeEnd(endname)
	rn.Connect(endname, servername)
	rn.Enable(endname, true)
	return end
}

// handler2 calls Handler2, checks the reply and reports whether the call succeeded.
func handler2(t testing.TB, end *ClientEnd, n int) bool {
	t.Helper()
	reply := ""
	ok := end.Call("JunkServer.Handler2", n, &reply)
	want := ""
	if ok {
		want = "handler2-" + strconv.Itoa(n)
	}
	if reply != want {
		t.Errorf("Handler2(%d) = %q and %v, want %q", n, reply, ok, want)
	}
	return ok
}

func mustHandler2(t testing.TB, end *ClientEnd, n int) {
	t.Helper()
	if !handler2(t, end, n) {
		t.Errorf("Handler2(%d) failed", n)
	}
}

func mustHandler1(t *testing.T, end *ClientEnd) {
	t.Helper()
	number := 0
	if !end.Call("JunkServer.Handler1", "9099", &number) || number != 9099 {
		t.Errorf("Handler1 replied %d, want 9099", number)
	}
}

func expectCount(t *testing.T, rn *Network, servername interface{}, want int) {
	t.Helper()
	if got := rn.GetCount(servername); got != want {
		t.Errorf("GetCount(%v) = %d, want %d", servername, got, want)
	}
}

func TestBasic(t *testing.T) {
	runtime.GOMAXPROCS(4)
	rn, _ := junkNetwork(t, "server99")
	end := join(rn, "end1-99", "server99")
	mustHandler2(t, end, 111)
	mustHandler1(t, end)
}

func TestTypes(t *testing.T) {
	runtime.GOMAXPROCS(4)
	rn, _ := junkNetwork(t, "server99")
	end := join(rn, "end1-99", "server99")
	var byPointer, byValue JunkReply
	if !end.Call("JunkServer.Handler4", &JunkArgs{}, &byPointer) || byPointer.X != "pointer" {
		t.Errorf("Handler4 replied %q, want pointer", byPointer.X)
	}
	if !end.Call("JunkServer.Handler5", JunkArgs{}, &byValue) || byValue.X != "no pointer" {
		t.Errorf("Handler5 replied %q, want no pointer", byValue.X)
	}
}

func TestDisconnect(t *testing.T) {
	runtime.GOMAXPROCS(4)
	rn, _ := junkNetwork(t, "server99")
	end := rn.MakeEnd("end1-99")
	rn.Connect("end1-99", "server99")
	if handler2(t, end, 111) {
		t.Error("a call from a disabled end succeeded")
	}
	rn.Enable("end1-99", true)
	mustHandler1(t, end)
}

func TestCounts(t *testing.T) {
	runtime.GOMAXPROCS(4)
	rn, _ := junkNetwork(t, 99)
	end := join(rn, "end1-99", 99)
	for i := range 17 {
		mustHandler2(t, end, i)
	}
	expectCount(t, rn, 99, 17)
}

func TestBytes(t *testing.T) {
	runtime.GOMAXPROCS(4)
	rn, _ := junkNetwork(t, 99)
	end := join(rn, "end1-99", 99)
	args := strings.Repeat("x", 284)
	for range 17 {
		if n := 0; !end.Call("JunkServer.Handler6", args, &n) || n != len(args) {
			t.Fatalf("Handler6 replied %d, want %d", n, len(args))
		}
	}
	sent := rn.GetTotalBytes()
	if sent < 4828 || sent > 6000 {
		t.Errorf("%d bytes for 17 long requests, want 4828 to 6000", sent)
	}
	for range 17 {
		if ys := ""; !end.Call("JunkServer.Handler7", 107, &ys) || len(ys) != 107 {
			t.Fatalf("Handler7 replied %d bytes, want 107", len(ys))
		}
	}
	if more := rn.GetTotalBytes() - sent; more < 1800 || more > 2500 {
		t.Errorf("%d bytes for 17 long replies, want 1800 to 2500", more)
	}
}

func TestConcurrentMany(t *testing.T) {
	runtime.GOMAXPROCS(4)
	rn, _ := junkNetwork(t, 1000)
	var clients sync.WaitGroup
	for client := range 20 {
		clients.Go(func() {
			end := join(rn, client, 1000)
			for i := range 10 {
				mustHandler2(t, end, 1000*client+i)
			}
		})
	}
	clients.Wait()
	expectCount(t, rn, 1000, 200)
}

func TestUnreliable(t *testing.T) {
	runtime.GOMAXPROCS(4)
	rn, _ := junkNetwork(t, 1000)
	rn.Reliable(false)
	results := make(chan bool, 300)
	for client := range cap(results) {
		go func() { results <- handler2(t, join(rn, client, 1000), client) }()
	}
	successes := 0
	for range cap(results) {
		if <-results {
			successes++
		}
	}
	if successes == 0 || successes == cap(results) {
		t.Errorf("%d of %d calls succeeded on an unreliable network", successes, cap(results))
	}
}

func TestConcurrentOne(t *testing.T) {
	runtime.GOMAXPROCS(4)
	rn, js := junkNetwork(t, 1000)
	end := join(rn, "c", 1000)
	var calls sync.WaitGroup
	for i := range 20 {
		calls.Go(func() { mustHandler2(t, end, i) })
	}
	calls.Wait()
	if n := js.served(); n != 20 {
		t.Errorf("the server handled %d requests, want 20", n)
	}
	expectCount(t, rn, 1000, 20)
}

func TestRegression1(t *testing.T) {
	runtime.GOMAXPROCS(4)
	rn, js := junkNetwork(t, 1000)
	end := rn.MakeEnd("c")
	rn.Connect("c", 1000)
	var failing sync.WaitGroup
	for i := range 20 {
		failing.Go(func() { handler2(t, end, 1000+i) })
	}
	time.Sleep(100 * time.Millisecond)

	rn.Enable("c", true)
	start := time.Now()
	mustHandler2(t, end, 99)
	if took := time.Since(start); took > 30*time.Millisecond {
		t.Errorf("a call after Enable took %v, want at most 30ms", took)
	}
	failing.Wait()
	if n := js.served(); n != 1 {
		t.Errorf("the server handled %d requests, want 1", n)
	}
	expectCount(t, rn, 1000, 1)
}

func TestKilled(t *testing.T) {
	runtime.GOMAXPROCS(4)
	rn, _ := junkNetwork(t, "server99")
	end := join(rn, "end1-99", "server99")
	done := make(chan bool)
	go func() { done <- end.Call("JunkServer.Handler3", 99, new(int)) }()
	time.Sleep(1000 * time.Millisecond)
	select {
	case <-done:
		t.Fatal("Call returned while its handler slept")
	case <-time.After(100 * time.Millisecond):
	}
	rn.DeleteServer("server99")
	select {
	case ok := <-done:
		if ok {
			t.Error("Call returned true although the server was deleted")
		}
	case <-time.After(100 * time.Millisecond):
		t.Error("Call did not return although the server was deleted")
	}
}

func TestBenchmark(t *testing.T) {
	runtime.GOMAXPROCS(4)
	rn, _ := junkNetwork(t, "server99")
	end := join(rn, "end1-99", "server99")
	const n = 100000
	start := time.Now()
	for range n {
		reply := ""
		if !end.Call("JunkServer.Handler2", 111, &reply) || reply != "handler2-111" {
			t.Fatalf("Handler2 replied %q", reply)
		}
	}
	fmt.Printf("%v for %v\n", time.Since(start), n)
}

func TestLongDelayRace(t *testing.T) {
	runtime.GOMAXPROCS(4)
	rn, _ := junkNetwork(t, "server99")
	end := join(rn, "end1-99", "server99")
	mustHandler2(t, end, 111)
	rn.LongDelays(true)
	rn.DeleteServer("server99")
	done := make(chan bool, 1)
	go func() { done <- handler2(t, end, 111) }()
	rn.LongDelays(true)
	select {
	case ok := <-done:
		if ok {
			t.Error("a call to a deleted server succeeded")
		}
	case <-time.After(200 * time.Millisecond):
	}
	rn.LongDelays(true)
}
