//go:build go1.25

// Package wire checks the rules of Raft by what a cluster sends over labrpc. It knows no type of the Raft under test: it
// reads arguments and replies by reflection, under the names of Figure 2 of the paper and common variations of them. A rule
// whose fields are missing is off, and Off says so.
//
// A Checker is the observer of a network, and learns from the test harness when servers start and crash, what they apply
// and what GetState returns:
//
//	c := wire.New(servers, func() time.Duration { return time.Since(begun) })
//	network.Observe(c)
//	c.Started(i, ends)               // before Make and AddServer; ends[j] is the name of i's end to server j
//	c.Crashed(i)                     // before the server is disconnected, deleted from the network or killed
//	term, leads := c.GetState(i, rf.GetState)
//	c.Applied(i, m.CommandIndex)     // when the service receives it
//	c.Snapshot(i, index)             // before the service calls Snapshot
//
// Err returns the first violation, with the last events of each server.
//
// # What is concluded
//
// A correct Raft causes no violation, however its goroutines are scheduled. This is what the checks rely on:
//
//   - A request is built before it is told as sent, but maybe long before. So requests of one server have no order.
//   - A handler runs between Handling and Handled, and its reply leaves after Handled. So if one handler of a server has ended
//     before another one begins, the second one finds the state that the first one has left.
//   - What a reply depends on is saved before the reply leaves (Figure 2), so it survives a crash that is told after Handled.
//   - A handler may run on a server that has already crashed, or on its previous start. Only if the server has not crashed or
//     started between Sent and Handled is the handler held against the server. Otherwise it counts where it excuses
//     something: as a vote for a leader, as an acknowledgement, as a message that may have changed the log.
//   - A candidate asks another server for its vote within half a second of voting for itself, unless it enters a later term in
//     the first half of that time. Only the rule on refused votes relies on this.
//
// Two variations of Raft are safe and still cause a violation, since Figure 2 says otherwise: a candidate that grants its vote
// to another server in the term of its own election, and a follower that rejects AppendEntries because they come late.
package wire
