package raft_test

import (
	"fmt"
	"sync"
	"time"

	"6.824/labgob"
	"6.824/labrpc"
	"6.824/raft"
)

type Put struct{ Key, Value string } // gob sends exported fields only

func makeService(peers []*labrpc.ClientEnd, me int, disk *raft.Persister, data *sync.Map) *raft.Raft {
	applyCh := make(chan raft.ApplyMsg)
	rf := raft.Make(peers, me, disk, applyCh, raft.WithCloseOnKill())
	go func() {
		for m := range applyCh { // every server gets the same commands in the same order
			put := m.Command.(Put)
			data.Store(put.Key, put.Value)
		}
	}()
	return rf
}

// Three servers keep the same keys and values. A client gives its command to every server in turn until one of them
// leads. A real client also asks again if the leader is deposed before the command is applied.
func Example_keyValue() {
	labgob.Register(Put{})
	const n = 3
	network := labrpc.MakeNetwork()
	defer network.Cleanup()
	servers := make([]*raft.Raft, n)
	stores := make([]sync.Map, n)
	for me := range n {
		peers := make([]*labrpc.ClientEnd, n)
		for peer := range peers {
			name := fmt.Sprint(me, " to ", peer)
			peers[peer] = network.MakeEnd(name)
			network.Connect(name, peer)
			network.Enable(name, true)
		}
		servers[me] = makeService(peers, me, raft.MakePersister(), &stores[me])
		defer servers[me].Kill()
		server := labrpc.MakeServer()
		server.AddService(labrpc.MakeService(servers[me]))
		network.AddServer(me, server)
	}

	for i, leads := 0, false; !leads; i++ {
		_, _, leads = servers[i%n].Start(Put{"colour", "green"})
		time.Sleep(10 * time.Millisecond)
	}
	for i := range stores {
		value, ok := stores[i].Load("colour")
		for ; !ok; value, ok = stores[i].Load("colour") {
			time.Sleep(10 * time.Millisecond)
		}
		fmt.Printf("server %d: colour is %v\n", i, value)
	}
	// Output:
	// server 0: colour is green
	// server 1: colour is green
	// server 2: colour is green
}
