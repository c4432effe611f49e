// Package kv is a key/value service on three servers, with the messages of a Raft that has only a few of its rules: server
// 0 asks for votes once, and leads.
package kv

import (
	"sync"

	"course/labrpc"
)

type Entry struct {
	Term    int
	Command interface{}
}

type RequestVoteArgs struct{ Term, CandidateId, LastLogIndex, LastLogTerm int }

type RequestVoteReply struct {
	Term        int
	VoteGranted bool
}

type AppendEntriesArgs struct {
	Term, LeaderId, PrevLogIndex, PrevLogTerm int
	Entries                                   []Entry
	LeaderCommit                              int
}

type AppendEntriesReply struct {
	Term    int
	Success bool
}

type Raft struct {
	me    int
	peers []*labrpc.ClientEnd

	mu     sync.Mutex
	term   int
	leads  bool
	log    []Entry
	commit int
}

func (rf *Raft) RequestVote(args *RequestVoteArgs, reply *RequestVoteReply) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	reply.VoteGranted = args.Term > rf.term
	if reply.VoteGranted {
		rf.term = args.Term
	}
	reply.Term = rf.term
}

func (rf *Raft) AppendEntries(args *AppendEntriesArgs, reply *AppendEntriesReply) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	rf.term = args.Term
	reply.Term = rf.term
	if args.PrevLogIndex > len(rf.log) {
		return
	}
	rf.log = append(rf.log[:args.PrevLogIndex], args.Entries...)
	reply.Success = true
}

// lead makes the server the leader of the next term.
func (rf *Raft) lead() {
	rf.mu.Lock()
	rf.term++
	args := RequestVoteArgs{Term: rf.term, CandidateId: rf.me, LastLogIndex: len(rf.log)}
	rf.mu.Unlock()
	for peer, end := range rf.peers {
		if peer != rf.me {
			end.Call("Raft.RequestVote", &args, new(RequestVoteReply))
		}
	}
	rf.mu.Lock()
	defer rf.mu.Unlock()
	rf.leads = true
}

// replicate stores a command on all servers that can be reached.
func (rf *Raft) replicate(command interface{}) bool {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	if !rf.leads {
		return false
	}
	args := AppendEntriesArgs{Term: rf.term, LeaderId: rf.me, PrevLogIndex: len(rf.log), LeaderCommit: rf.commit}
	if args.PrevLogIndex > 0 {
		args.PrevLogTerm = rf.log[args.PrevLogIndex-1].Term
	}
	args.Entries = []Entry{{rf.term, command}}
	rf.log = append(rf.log, args.Entries...)
	for peer, end := range rf.peers {
		if peer != rf.me {
			end.Call("Raft.AppendEntries", &args, new(AppendEntriesReply))
		}
	}
	rf.commit = len(rf.log)
	return true
}
