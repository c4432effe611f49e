package labrpc

import (
	"fmt"
	"testing"
)

// A remote is a server in a process of its own, which shares only byte slices with the tests' process: see process.go.
type remote struct {
	server *Server    // with the services
	end    *ClientEnd // leads to the tests' network
}

// makeRemotes connects n remotes through the network. Server i has the end i, which is connected to server i+1.
func makeRemotes(rn *Network, n int) []*remote {
	remotes := make([]*remote, n)
	for i := range remotes {
		r := &remote{server: MakeServer()}
		r.server.AddService(MakeService(&JunkServer{}))
		name := fmt.Sprint(i)
		r.end = MakeNetwork().MakeEnd(name)
		r.end.SetCall(func(endname, svcMeth string, args []byte) ([]byte, bool) {
			return rn.LookupEnd(endname).Forward(svcMeth, args)
		})
		server := MakeServer()
		server.SetDispatch(func(svcMeth string, args []byte) ([]byte, bool) {
			return r.server.Dispatch("server"+name, svcMeth, "client", args)
		})
		rn.AddServer(i, server)
		rn.MakeEnd(name)
		rn.Connect(name, (i+1)%n)
		rn.Enable(name, true)
		remotes[i] = r
	}
	return remotes
}

func TestProcesses(t *testing.T) {
	rn := MakeNetwork()
	defer rn.Cleanup()
	remotes := makeRemotes(rn, 3)
	for i, r := range remotes {
		text := ""
		if ok := r.end.Call("JunkServer.Handler2", 10+i, &text); !ok || text != fmt.Sprintf("handler2-%d", 10+i) {
			t.Errorf("process %d: ok %v, reply %q", i, ok, text)
		}
		var reply JunkReply
		if ok := r.end.Call("JunkServer.Handler4", &JunkArgs{X: i}, &reply); !ok || reply.X != "pointer" {
			t.Errorf("process %d: ok %v, reply %q", i, ok, reply.X)
		}
		// The handler's type counts: it takes a value.
		reply = JunkReply{}
		if ok := r.end.Call("JunkServer.Handler5", &JunkArgs{X: i}, &reply); !ok || reply.X != "no pointer" {
			t.Errorf("process %d, pointer for a value: ok %v, reply %q", i, ok, reply.X)
		}
	}
	if n := rn.GetCount(0); n != 3 {
		t.Errorf("server 0 has counted %d requests", n)
	}
	if n := rn.GetTotalCount(); n != 9 {
		t.Errorf("the network has counted %d requests", n)
	}
	rn.Enable("0", false)
	if text := "old"; remotes[0].end.Call("JunkServer.Handler2", 1, &text) || text != "old" {
		t.Errorf("a disabled end has got the reply %q", text)
	}
}

// A client in the tests' process calls a server in another process.
func TestCallAnotherProcess(t *testing.T) {
	rn := MakeNetwork()
	defer rn.Cleanup()
	makeRemotes(rn, 1)
	end := rn.MakeEnd("clerk")
	rn.Connect("clerk", 0)
	rn.Enable("clerk", true)
	for i := range 10 {
		text := ""
		if ok := end.Call("JunkServer.Handler2", i, &text); !ok || text != fmt.Sprintf("handler2-%d", i) {
			t.Errorf("ok %v, reply %q", ok, text)
		}
	}
	server := MakeServer()
	server.SetDispatch(func(string, []byte) ([]byte, bool) { return nil, false })
	rn.AddServer(0, server)
	if end.Call("JunkServer.Handler2", 1, new(string)) {
		t.Error("a call has got a reply from a process that is gone")
	}
}

// A process that forwards a request does not need the other process: a server in the tests' process answers, too.
func TestForwardWithinProcess(t *testing.T) {
	rn := MakeNetwork()
	server := MakeServer()
	server.AddService(MakeService(&JunkServer{}))
	rn.AddServer("server", server)
	end := rn.MakeEnd("end")
	rn.Connect("end", "server")
	rn.Enable("end", true)
	b, ok := end.Forward("JunkServer.Handler2", Marshall(111))
	text := ""
	if Unmarshall(b, &text); !ok || text != "handler2-111" {
		t.Errorf("ok %v, reply %q", ok, text)
	}
	rn.Cleanup()
	if b, ok := end.Forward("JunkServer.Handler2", Marshall(111)); ok || b != nil {
		t.Errorf("after Cleanup: ok %v, reply %q", ok, b)
	}
}
