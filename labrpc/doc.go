//go:build go1.25

// Package labrpc is a network inside one process. It calls methods of remote objects, with arguments
// and replies that pass through gob (package labgob), and it can delay, lose and reorder messages and
// cut off clients and servers, so that a program can be tested against all that.
//
//	net := labrpc.MakeNetwork()
//	defer net.Cleanup()
//	srv := labrpc.MakeServer()
//	srv.AddService(labrpc.MakeService(&Raft{}))
//	net.AddServer("server0", srv)
//	end := net.MakeEnd("client0")
//	net.Connect("client0", "server0")
//	net.Enable("client0", true)
//	ok := end.Call("Raft.RequestVote", &args, &reply)
//
// The files: network.go has the Network, which knows all names and states and decides on delays and
// losses; end.go the ClientEnd and Call; call.go one call's way; server.go Server, Service and the
// calling of handlers.
//
// # The life of a call
//
// Call encodes the arguments, counts the request and puts the call on its end's list of calls in flight.
// A goroutine of the end's, its carrier, delays or loses the request if the network is unreliable, runs
// the handler, takes the call off the list, delays or loses the reply, and wakes Call, which decodes. On
// a reliable network Call does all that itself for a handler that never waits (see MakeService).
//
// Disabling or deleting the end, replacing or deleting the server, and Cleanup take calls off the lists
// too, and wake their Calls with a false; the carrier finds its call gone when its handler is done. A
// call that reaches no server, and a reply that is to come late, wait for a timer in a set of the
// network's, where only that timer and Cleanup reach them.
//
// There is one carrier at most for each request under way, and each end keeps up to 64 of them for its
// next calls, until it is disabled or deleted, or Cleanup. There is no timer and no lock that calls of
// different ends share, unless a message is delayed. All works in a bubble of testing/synctest, if the
// network is made in it.
package labrpc
