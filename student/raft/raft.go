// Package raft is a Raft as a student writes it: plain Figure 2 of the extended paper, with snapshots (§7) and the faster
// backup of nextIndex that §5.3 describes. It has only the course's interface, and shares no code with this repository's
// library. The tests of use-in-course -harness run on it.
//
// The files follow the paper: raft.go has the state and the rules for all servers, election.go §5.2 and §5.4.1, append.go §5.3,
// commit.go §5.3 and §5.4.2, snapshot.go §7. The environment variable MISTAKE makes one of the mistakes in mistakes.go.
package raft

import (
	"math/rand"
	"sync"
	"sync/atomic"
	"time"

	"6.824/labrpc"
)

// ApplyMsg is a committed command, or a snapshot that replaces all commands up to SnapshotIndex.
type ApplyMsg struct {
	CommandValid bool
	Command      interface{}
	CommandIndex int

	SnapshotValid bool
	Snapshot      []byte
	SnapshotTerm  int
	SnapshotIndex int
}

// Entry is one entry of the log.
type Entry struct {
	Term    int
	Command interface{}
}

type role int

const (
	follower role = iota
	candidate
	leader
)

const (
	heartbeatInterval  = 100 * time.Millisecond
	minElectionTimeout = 300 * time.Millisecond
	tick               = 10 * time.Millisecond
)

// Raft is one server. The lock mu guards all fields below it.
type Raft struct {
	peers     []*labrpc.ClientEnd
	persister *Persister
	me        int
	applyCh   chan ApplyMsg
	dead      int32

	mu        sync.Mutex
	applyCond *sync.Cond // more is committed, or the server is killed

	// Figure 2: persistent state.
	currentTerm int
	votedFor    int     // -1: none
	log         []Entry // log[0] stands for the entry at lastIncludedIndex; its command is not used

	// §7: persistent state of the snapshot.
	lastIncludedIndex int
	snapshot          []byte

	// Figure 2: volatile state.
	commitIndex int
	lastApplied int

	// Figure 2: volatile state on leaders.
	nextIndex  []int
	matchIndex []int

	role      role
	votes     int       // on candidates
	deadline  time.Time // an election begins then
	heartbeat time.Time // on leaders: when the next heartbeat is due
	installed *ApplyMsg // a snapshot that the service has not got yet
}

// Make starts a server.
func Make(peers []*labrpc.ClientEnd, me int, persister *Persister, applyCh chan ApplyMsg) *Raft {
	rf := &Raft{peers: peers, persister: persister, me: me, applyCh: applyCh, votedFor: -1, log: make([]Entry, 1)}
	rf.applyCond = sync.NewCond(&rf.mu)
	rf.readPersist()
	rf.commitIndex, rf.lastApplied = rf.lastIncludedIndex, rf.lastIncludedIndex
	rf.resetElectionTimer()
	go rf.ticker()
	go rf.applier()
	return rf
}

// GetState returns the current term, and whether this server believes that it is the leader.
func (rf *Raft) GetState() (int, bool) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	return rf.currentTerm, rf.role == leader
}

// Start appends a command to the log if this server is the leader.
func (rf *Raft) Start(command interface{}) (index, term int, isLeader bool) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	if rf.killed() || rf.role != leader {
		return -1, rf.currentTerm, false
	}
	rf.log = append(rf.log, Entry{rf.currentTerm, command})
	rf.persist()
	rf.broadcast()
	return rf.lastIndex(), rf.currentTerm, true
}

// Kill ends the server.
func (rf *Raft) Kill() {
	atomic.StoreInt32(&rf.dead, 1)
	rf.mu.Lock()
	defer rf.mu.Unlock()
	rf.applyCond.Broadcast()
}

func (rf *Raft) killed() bool {
	return atomic.LoadInt32(&rf.dead) == 1 && !mistaken(killIgnored)
}

// ticker starts elections and sends heartbeats (Figure 2, Rules for Servers).
func (rf *Raft) ticker() {
	for !rf.killed() {
		rf.mu.Lock()
		switch now := time.Now(); {
		case rf.role == leader && now.After(rf.heartbeat):
			rf.broadcast()
		case rf.role != leader && now.After(rf.deadline):
			rf.startElection()
		}
		rf.mu.Unlock()
		if !mistaken(busyLoop) {
			time.Sleep(tick)
		}
	}
}

func (rf *Raft) resetElectionTimer() {
	rf.deadline = time.Now().Add(minElectionTimeout + time.Duration(rand.Int63n(int64(minElectionTimeout))))
}

// seeTerm adopts a higher term and becomes a follower (Figure 2, All Servers; §5.1).
func (rf *Raft) seeTerm(term int) {
	if term <= rf.currentTerm {
		return
	}
	rf.currentTerm = term
	rf.role = follower
	if !mistaken(voteKept) {
		rf.votedFor = -1
	}
	rf.persist()
}

// call sends an RPC to a peer. The caller has locked rf.mu, which is free during the call.
func (rf *Raft) call(peer int, method string, args, reply interface{}) bool {
	if mistaken(lockHeld) {
		return rf.peers[peer].Call(method, args, reply)
	}
	rf.mu.Unlock()
	defer rf.mu.Lock()
	return rf.peers[peer].Call(method, args, reply)
}

// The log. Indices are the paper's; the first entry has index 1.

func (rf *Raft) lastIndex() int { return rf.lastIncludedIndex + len(rf.log) - 1 }

func (rf *Raft) termAt(index int) int { return rf.log[index-rf.lastIncludedIndex].Term }
