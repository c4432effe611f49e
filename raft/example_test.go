package raft_test

import (
	"fmt"
	"time"

	"6.824/labrpc"
	"6.824/raft"
)

// Two servers agree without labrpc: a message is a function call. A transport over a real network would encode it,
// call OnMessage at the other end, and bring back the reply.
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

// A test can play a server itself: here it stands for election and leads, and the other follows.
func ExampleRaft_OnMessage() {
	applied := make(chan raft.ApplyMsg)
	rf := raft.Make(make([]*labrpc.ClientEnd, 2), 0, raft.MakePersister(), applied,
		raft.WithTransport(func(int, raft.Message) raft.Reply { return nil })) // we only listen
	defer rf.Kill()

	vote := rf.OnMessage(&raft.RequestVoteArgs{Term: 7, CandidateID: 1}).(*raft.RequestVoteReply)
	fmt.Println("votes for us:", vote.VoteGranted)
	heartbeat := rf.OnMessage(&raft.AppendEntriesArgs{Term: 7, LeaderID: 1}).(*raft.AppendEntriesReply)
	fmt.Println("follows us:", heartbeat.Success)
	old := rf.OnMessage(&raft.AppendEntriesArgs{Term: 6, LeaderID: 1}).(*raft.AppendEntriesReply)
	fmt.Printf("heeds an older term: %v, its own is %d\n", old.Success, old.Term)
	// Output:
	// votes for us: true
	// follows us: true
	// heeds an older term: false, its own is 7
}

// A service reads Raft's inner state at a point of the log, and hears of elections in order with its commands.
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
