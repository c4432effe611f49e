package labrpc

import (
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A PromptServer is prompt. Its handler calls act first, unless that is nil.
type PromptServer struct {
	_     struct{} `labrpc:"prompt"`
	mu    sync.Mutex
	act   func()
	calls []string // for each call, what ran the handler: "Call" or "worker"
}

func (ps *PromptServer) Handle(args int, reply *int) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if ps.act != nil {
		ps.act()
	}
	by := "worker"
	if stack := ownStack(); strings.Contains(stack, "ClientEnd).Call") {
		by = "Call"
	}
	ps.calls = append(ps.calls, by)
	*reply = -args
}

// promptNetwork returns a network with a PromptServer named "prompt", and an end named "end" that is connected to it.
func promptNetwork(t *testing.T) (*Network, *PromptServer, *ClientEnd) {
	rn, ps := MakeNetwork(), new(PromptServer)
	t.Cleanup(rn.Cleanup)
	server := MakeServer()
	server.AddService(MakeService(ps))
	rn.AddServer("prompt", server)
	return rn, ps, join(rn, "end", "prompt")
}

// Call runs a prompt handler in its own goroutine only on a reliable network.
func TestPrompt_goroutineOfTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rn, ps, end := promptNetwork(t)
		var reply int
		if !end.Call("PromptServer.Handle", 7, &reply) || reply != -7 {
			t.Errorf("reply %d", reply)
		}
		rn.LongReordering(true)
		for range 20 {
			if reply = 0; !end.Call("PromptServer.Handle", 8, &reply) || reply != -8 {
				t.Errorf("reply %d while replies are reordered", reply)
			}
		}
		rn.LongReordering(false)
		rn.Reliable(false)
		for range 20 {
			end.Call("PromptServer.Handle", 9, new(int))
		}
		for k, by := range ps.calls {
			if want := map[bool]string{true: "Call", false: "worker"}[k < 21]; by != want {
				t.Errorf("call %d was run by %s, want %s", k, by, want)
			}
		}
		if n := rn.GetCount("prompt"); n != len(ps.calls) || n < 30 {
			t.Errorf("%d requests were counted, but %d were handled", n, len(ps.calls))
		}
	})
}

// A call that is cut off while its prompt handler runs returns false. The next call works.
func TestPrompt_cutOff(t *testing.T) {
	for name, cut := range map[string]func(rn *Network){
		"disabled": func(rn *Network) { rn.Enable("end", false) },
		"deleted":  func(rn *Network) { rn.DeleteServer("prompt") },
		"replaced": func(rn *Network) { rn.AddServer("prompt", MakeServer()) },
	} {
		t.Run(name, func(t *testing.T) {
			rn, ps, end := promptNetwork(t)
			old := rn.hosts["prompt"].server.Load()
			ps.act = func() { cut(rn) }
			reply := 0
			if end.Call("PromptServer.Handle", 7, &reply) || reply != 0 {
				t.Errorf("the call returned true or changed the reply to %d", reply)
			}
			ps.act = nil
			rn.AddServer("prompt", old)
			rn.Enable("end", true)
			if !end.Call("PromptServer.Handle", 8, &reply) || reply != -8 {
				t.Errorf("the next call failed or replied %d, want -8", reply)
			}
		})
	}
}

// A promptEmbedder embeds a prompt server, as a service may embed its Raft, and has a handler that waits.
type promptEmbedder struct{ *PromptServer }

func (e promptEmbedder) Wait(args int, reply *int) { time.Sleep(time.Hour) }

func TestPrompt_isNotInherited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rn, ps, _ := promptNetwork(t)
		defer time.Sleep(2 * time.Hour) // until the handler has returned
		server := MakeServer()
		server.AddService(MakeService(promptEmbedder{ps}))
		rn.AddServer("embedder", server)
		end := join(rn, "other", "embedder")
		time.AfterFunc(time.Second, func() { rn.DeleteServer("embedder") })
		if took := elapsed(func() { end.Call("promptEmbedder.Wait", 1, new(int)) }); took != time.Second {
			t.Errorf("Call took %v, want 1s: the server was deleted then", took)
		}
	})
}

type promptNumber int

func (promptNumber) Handle(args int, reply *int) {}

// Only the tagged blank field of the receiver's own struct makes a service prompt.
func TestMakeService_isPrompt(t *testing.T) {
	type PromptValue struct {
		_ struct{} `labrpc:"prompt"`
		promptNumber
	}
	type Untagged struct {
		_ struct{}
		promptNumber
	}
	type OtherTag struct {
		_ struct{} `labrpc:"other"`
		promptNumber
	}
	type NamedField struct {
		Field struct{} `labrpc:"prompt"`
		promptNumber
	}
	type Embedder struct{ PromptValue }
	for _, test := range []struct {
		rcvr any
		want bool
	}{
		{PromptValue{}, true},
		{&PromptValue{}, true},
		{new(PromptServer), true},
		{Untagged{}, false},
		{OtherTag{}, false},
		{NamedField{}, false},
		{Embedder{}, false},
		{&Embedder{}, false},
		{promptEmbedder{new(PromptServer)}, false},
		{&promptEmbedder{new(PromptServer)}, false},
		{promptNumber(1), false},
		{new(promptNumber), false},
	} {
		server, svc := MakeServer(), MakeService(test.rcvr)
		server.AddService(svc)
		if got := server.isPrompt(svc.name + ".Handle"); got != test.want || svc.handlers["Handle"] == nil {
			t.Errorf("%T: prompt is %v, want %v", test.rcvr, got, test.want)
		}
	}
}

// Many goroutines may call a prompt handler with one end.
func TestPrompt_manyAtOnce(t *testing.T) {
	rn, _, end := promptNetwork(t)
	var callers sync.WaitGroup
	for n := range 50 {
		callers.Go(func() {
			for range 20 {
				var reply int
				if !end.Call("PromptServer.Handle", n, &reply) || reply != -n {
					t.Errorf("reply %d to %d", reply, n)
				}
			}
		})
	}
	callers.Wait()
	if n := rn.GetCount("prompt"); n != 1000 {
		t.Errorf("%d requests were counted, want 1000", n)
	}
}

// Cleanup does not wait for a prompt handler, and the call returns false.
func TestPrompt_cleanup(t *testing.T) {
	rn, ps := MakeNetwork(), new(PromptServer)
	server := MakeServer()
	server.AddService(MakeService(ps))
	rn.AddServer("prompt", server)
	end := join(rn, "end", "prompt")
	ps.act = func() {
		begun := time.Now()
		rn.Cleanup()
		if took := time.Since(begun); took > time.Second {
			t.Errorf("Cleanup took %v", took)
		}
	}
	if end.Call("PromptServer.Handle", 1, new(int)) {
		t.Error("the call returned true after Cleanup")
	}
}

// ownStack returns the stack trace of the calling goroutine.
func ownStack() string {
	buf := make([]byte, 1<<14)
	return string(buf[:runtime.Stack(buf, false)])
}
