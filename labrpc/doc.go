//go:build go1.25

// Package labrpc is a simulated network in one process, for testing distributed programs. Clients call methods of servers;
// arguments and replies are encoded with package labgob, so that client and server share no memory. The network can delay,
// lose and reorder messages, and disconnect clients and servers.
//
// To begin, make a [Network] with [MakeNetwork], a [Server] with the methods of an object ([MakeService]), and a [ClientEnd]
// that is connected to the server and enabled; then [ClientEnd.Call]. The example does that. Call Network.Cleanup at the
// end.
//
// The API, the probabilities and the delays are those of the course's package (MIT 6.824, later 6.5840) of the years 2020 to
// 2026, and fatal errors begin with the same texts. These things differ:
//
//   - A Call returns false as soon as its end is disabled or deleted, its server is replaced or deleted, or Cleanup is
//     called. The course's package checks every 100 ms whether the end is disabled or the server replaced, and its Cleanup
//     does not end calls in progress.
//   - GetTotalBytes is smaller, since messages do not contain descriptions of their types (see labgob.Message).
//   - A method name without a dot, a nil reply and nil arguments have messages of their own, with the name of the method. On
//     these the course's package panics.
//   - Call runs the handlers of some services in its own goroutine (see MakeService).
//   - Within a process, the arguments must have exactly the type that the handler takes, as in the course until
//     2025, and errors of encoding are treated as until then.
//
// Network.Observe tells an [Observer] what happens to each call.
//
// Any number of goroutines may use the package at the same time. It works in a bubble of testing/synctest if the network is
// made in the bubble.
//
// # How a call is carried out
//
// Call encodes the arguments, counts the request and puts the call on its end's list of calls in flight. A worker, a
// goroutine of the end, then delays or loses the request if the network is unreliable, runs the handler, removes the call
// from the list, delays or loses the reply, and wakes Call, which decodes the reply. For a prompt handler on a reliable
// network, Call does all this itself.
//
// Disabling or deleting the end, replacing or deleting the server, and Cleanup also remove calls from the list; their Calls
// then return false. The handlers are not stopped, and their replies are discarded. A call that cannot reach a server, and
// a call with a late reply, wait for a timer instead; only that timer and Cleanup end them.
//
// Each call in flight that is not prompt has a worker. An end keeps up to 64 idle workers for its next calls; they end when
// the end is disabled or deleted, or at Cleanup. Calls of different ends share no lock and no timer unless they are delayed.
package labrpc
