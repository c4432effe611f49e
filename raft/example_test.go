package raft_test

import (
	"fmt"
	"time"

	"6.824/labrpc"
	"6.824/raft"
)

// Two servers agree without labrpc. A message is a function call here; a transport over a network would encode the
// message, call OnMessage at the other end, and return the reply.
func ExampleWithTransport() {
	const n = 2
	servers := make([]*raft.Raft, n)
	applied := make([]chan raft.ApplyMsg, n)
	ready := make(chan struct{})
	send := func(peer int, m raft.Message) raft.Reply {
		<-ready
		return servers[peer].OnMessage(m)
	}
	for i := range servers {
		applied[i] = make(chan raft.ApplyMsg)
		servers[i] = raft.Make(make([]*labrpc.ClientEnd, n), i, raft.MakePersister(), applied[i], raft.WithTransport(send))
		defer servers[i].Kill()
	}
	close(ready)

	leader := -1
	for leader < 0 {
		time.Sleep(10 * time.Millisecond)
		for i, rf := range servers {
			if _, leads := rf.GetState(); leads {
				leader = i
			}
		}
	}
	for _, command := range []string{"one", "two", "three"} {
		servers[leader].Start(command)
	}
	for i := range servers {
		for range 3 {
			m := <-applied[i]
			fmt.Printf("server %d: command %d is %q\n", i, m.CommandIndex, m.Command)
		}
	}
	// Output:
	// server 0: command 1 is "one"
	// server 0: command 2 is "two"
	// server 0: command 3 is "three"
	// server 1: command 1 is "one"
	// server 1: command 2 is "two"
	// server 1: command 3 is "three"
}

// A server refuses a message that was damaged in transit, and accepts the undamaged one.
func ExampleRaft_OnMessage() {
	asked := make(chan raft.RequestVoteArgs, 1)
	start := func(me int, opts ...raft.Option) *raft.Raft {
		return raft.Make(make([]*labrpc.ClientEnd, 2), me, raft.MakePersister(), make(chan raft.ApplyMsg), opts...)
	}
	candidate := start(0, raft.WithTransport(func(_ int, m raft.Message) raft.Reply {
		if m, ok := m.(*raft.RequestVoteArgs); ok {
			select {
			case asked <- *m:
			default:
			}
		}
		return nil // this network loses every message; the example delivers one itself
	}))
	defer candidate.Kill()
	voter := start(1, raft.WithTransport(func(int, raft.Message) raft.Reply { return nil }),
		raft.WithElectionTimeout(time.Hour, time.Hour))
	defer voter.Kill()

	m := <-asked
	damaged := m
	damaged.Term += 4
	reply := voter.OnMessage(&damaged).(*raft.RequestVoteReply)
	fmt.Printf("damaged: voted %v, in term %d\n", reply.VoteGranted, reply.Term)
	reply = voter.OnMessage(&m).(*raft.RequestVoteReply)
	fmt.Printf("whole: voted %v, in term %d\n", reply.VoteGranted, reply.Term)
	// Output:
	// damaged: voted false, in term 0
	// whole: voted true, in term 1
}

// A service learns on applyCh that its server was elected, in order with its commands, and asks Raft for its state at a
// point of the log.
func Example_service() {
	applied := make(chan raft.ApplyMsg)
	rf := raft.Make(make([]*labrpc.ClientEnd, 1), 0, raft.MakePersister(), applied, raft.WithEvents())
	defer rf.Kill()
	for m := range applied {
		switch command := m.Command.(type) {
		case string:
			fmt.Printf("%d: %s\n", m.CommandIndex, command)
		case raft.RaftState:
			fmt.Printf("%d: server %d is the %v of term %d and holds %d entries\n",
				m.CommandIndex, command.Leader, command.Role, command.Term, command.LogInfo.Entries)
			return
		}
		if m.EventValid {
			fmt.Println(m.Event.Kind, "in term", m.Event.Term)
			if m.Event.Kind == raft.BecameLeader {
				rf.Start("hello")
				rf.Start(raft.RaftState{})
			}
		}
	}
	// Output:
	// NewTerm in term 1
	// BecameLeader in term 1
	// 1: hello
	// 2: server 0 is the leader of term 1 and holds 2 entries
}
