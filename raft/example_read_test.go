package raft_test

import (
	"context"
	"fmt"
	"time"

	"6.824/labrpc"
	"6.824/raft"
)

// A leader answers a read from its own state, without an entry in the log: it asks for an index, waits until it has applied
// that index, and then reads.
func ExampleRaft_ReadIndex() {
	const n = 3
	servers := make([]*raft.Raft, n)
	ready := make(chan struct{})
	send := func(peer int, m raft.Message) raft.Reply { // a message is a function call here
		<-ready
		return servers[peer].OnMessage(m)
	}
	applied := make([]chan raft.ApplyMsg, n)
	for i := range servers {
		applied[i] = make(chan raft.ApplyMsg, 10)
		servers[i] = raft.Make(make([]*labrpc.ClientEnd, n), i, raft.MakePersister(), applied[i], raft.WithTransport(send))
		defer servers[i].Kill()
	}
	close(ready)

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	written := false
	for i := 0; ; i = (i + 1) % n {
		if !written {
			_, _, written = servers[i].Start("green")
		}
		index, err := servers[i].ReadIndex(ctx)
		switch err {
		case nil:
			colour, last := "", 0 // what the service has applied
			for last < index {
				m := <-applied[i]
				colour, last = m.Command.(string), m.CommandIndex
			}
			fmt.Println("the colour is", colour)
			return
		case raft.ErrNotLeader, raft.ErrNotReady, raft.ErrDeposed: // try another server, or the same one later
			time.Sleep(10 * time.Millisecond)
		default: // ctx is done
			fmt.Println(err)
			return
		}
	}
	// Output: the colour is green
}
