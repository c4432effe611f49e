//go:build go1.25

// Package raft is the Raft of MIT 6.824's Lab 2: a server among peers that agree on a log of commands, behind
// the lab's interface of Make, Start, GetState, Snapshot and Kill.
//
// It follows the extended Raft paper (Ongaro and Ousterhout, "In Search of an Understandable Consensus
// Algorithm"); § stands for its sections. Each file holds one of them:
//
//	raft.go         the state of Figure 2, and the lab's interface
//	propose.go      how many Starts at once get into the log
//	message.go      arguments and replies of the three RPCs, and OnMessage, the one door they enter by
//	checksum.go     their checksums
//	election.go     roles, terms, the ticker, candidates                         §5.1, §5.2
//	vote.go         RequestVote                                                  §5.2, §5.4.1
//	silence.go      how a server tells that others are silent from that it did not run
//	follower.go     what a leader knows of a peer, and what is on its way to it  §5.3
//	link.go         replicators: what is sent, and when                          §5.3
//	tend.go         what the ticker sees to on a leader                          §5.2
//	replication.go  AppendEntries                                                §5.3
//	backup.go       how a leader finds where logs begin to differ                §5.3
//	early.go        entries that have overtaken others
//	commit.go       the commit rule, and how followers learn of it               §5.3, §5.4.2
//	snapshot.go     Snapshot, InstallSnapshot                                    §7
//	apply.go        the applier                                                  §5.3
//	applymsg.go     ApplyMsg, what it sends
//	control.go      control commands: RaftState
//	status.go       Status, a picture of a server
//	events.go       events, for WithEvents
//	log.go          the log as pure data                                         §5.3, §7
//	accepted.go     commands of its entries that the leader need not decode
//	segment.go      how its entries lie in memory, on the disk and in messages
//	command.go      how a command is encoded
//	definition.go   type definitions, which encoded commands need
//	identity.go     which commands encoding does not change
//	register.go     what to say of a command whose type is not registered
//	persist.go      what is saved and how it is encoded
//	persister.go    Persister, the disk
//	store.go        what of it is new
//	options.go      the options of Make
//	options_link.go ways to send to a peer, and to find where logs differ
//	observe.go      what the tests watch a server by
//
// # The way of a command
//
// Start appends a command to the leader's log, saves it and wakes the replicators; of several Starts at once, the
// first does so for all (propose.go). The replicator of a peer is a goroutine that sends it whatever it lacks, in
// batches, as long as there is something to send, and handles the answers. When a majority has an entry, the commit
// rule moves commitIndex and wakes the applier, a goroutine that hands commands to applyCh in the order of the log. A
// further goroutine, the ticker, starts elections and keeps heartbeats going.
//
// A command is encoded once, by Start. Log, disk and messages have it in that form, and share the memory of what is large
// (segment.go). It is decoded where it is applied. Only the server that accepted it, which still has the value, hands that over
// if it is of a type that encoding does not change (identity.go).
//
// # Locking
//
// One mutex, Raft.mu, guards all that is declared below it in Raft. It is taken by the doors (Start, GetState,
// Snapshot, Kill, OnMessage, …) and by each goroutine at the top of its loop, and is never held across an RPC,
// a send on a channel or a sleep. A function whose name ends in Locked needs it and keeps it; one that ends in
// Unlocked needs it, lets go of it meanwhile and has it again when it returns.
//
// # Departures from the paper
//
// There are no no-op entries, since indices belong to the user (lab rule). A server asks whether it would be
// elected before it raises its term (PreVote, §9.6 of Ongaro's dissertation), so that one that was cut off
// disturbs nobody; so that it cannot keep others from it in vain, a leader that a majority has not answered for a
// while resigns (§6.2 there). A candidate's own vote is free until the others' make a majority with it
// (WithVotePolicy), and a leader that is deposed while a majority is with it stands soon (WithStandSoon). A server
// that nobody answers waits longer for its next election, and so does one that failed a few times in a row. Entries
// of older terms also commit when every server has them, since then no later leader can lack them
// (advanceCommitLocked). Snapshots are sent whole.
//
// Each file states the version of the language that it is written in, so that it also builds in a course tree whose
// go.mod names an old one.
package raft

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"6.824/labrpc"
)

// Raft is one server of a cluster. Its methods may be called from any goroutine at any time.
type Raft struct {
	_ struct{} `labrpc:"prompt"` // the handlers wait only for mu, which is never held for long; see labrpc.MakeService

	peers   []*labrpc.ClientEnd
	me      int // this server's index in peers
	applyCh chan<- ApplyMsg
	options options

	proposals   proposals     // commands on their way from Start to the log
	definitions definitions   // type definitions that our log's entries need
	wake        chan struct{} // tells the ticker that its next duty is earlier than it believes
	done        chan struct{} // closed by Kill
	applierDone chan struct{} // closed when the applier has ended

	mu     sync.Mutex
	killed bool

	// Persistent state on all servers (Figure 2): saved before anything that depends on it leaves the server.
	currentTerm int
	votedFor    int // candidate that received our vote in currentTerm, or nobody
	log         raftLog
	snapshot    snapshot // what precedes the log (§7)
	store       store    // where they are saved

	// Volatile state on all servers.
	commitIndex int       // index of the highest entry known to be committed; never falls
	lastApplied int       // index of the highest entry handed over to applyCh; never falls
	applyCond   sync.Cond // the applier waits for work; signalled when commitIndex or snapshot advance
	events      eventQueue

	early early // entries of the leader that came before their turn
	full  bool  // the service lags so far behind that no entries are taken

	role     Role
	leader   int       // the server known to lead in currentTerm, or nobody
	heard    time.Time // when the leader was heard last
	silence            // of the leader, until we stand for election; of a majority, until we resign
	nextTick time.Time // when the ticker will look again

	canvass  canvass // a candidate's votes, or before that the answers to its PreVote
	attempts int     // elections that we stood for in vain since there was a leader

	// State on leaders, made anew at each election.
	followers  []*follower // by peer; nil for ourselves
	commitTold time.Time   // when followers are to learn of a new commitIndex at the latest; zero if they did

	emptied *queue // to be the next queue of proposals
}

// nobody stands for no server where a server's index is expected.
const nobody = -1

// Role is what a server is in its current term (Figure 4).
type Role int

// The roles. Every server begins as a follower.
const (
	Follower Role = iota
	Candidate
	Leader
)

func (r Role) String() string {
	return [...]string{"follower", "candidate", "leader"}[r]
}

// Make starts a server of the cluster peers, the one with index me: peers[i] leads to server i, where it is
// registered as the labrpc service "Raft". The server continues from what persister has saved, saves to it, and
// sends what is committed on applyCh: after a restart what follows the saved snapshot, which the service reads from
// persister by itself (but see WithSnapshotFirst). Make returns before anything is sent to a peer or to applyCh.
//
// It panics if me is out of range, persister or applyCh is nil, options are impossible, or the saved state cannot be
// trusted: a server never starts from state that was cut short, altered or written in another format.
func Make(peers []*labrpc.ClientEnd, me int, persister *Persister, applyCh chan ApplyMsg, opts ...Option) *Raft {
	rf, err := newRaft(peers, me, persister, applyCh, opts)
	if err != nil {
		panic(fmt.Sprintf("raft: Make: server %d: %v", me, err))
	}
	for _, f := range rf.followers {
		if f != nil {
			go rf.replicator(f)
		}
	}
	go rf.ticker()
	go rf.applier()
	return rf
}

// newRaft returns a server as it is before its goroutines start.
func newRaft(peers []*labrpc.ClientEnd, me int, persister *Persister, applyCh chan ApplyMsg, opts []Option) (*Raft, error) {
	switch {
	case me < 0 || me >= len(peers):
		return nil, fmt.Errorf("there is no such server in a cluster of %d", len(peers))
	case persister == nil:
		return nil, errors.New("there is no Persister to save to")
	case applyCh == nil:
		return nil, errors.New("there is no applyCh")
	}
	rf := &Raft{
		peers:       peers,
		me:          me,
		applyCh:     applyCh,
		options:     courseRules(),
		wake:        make(chan struct{}, 1),
		done:        make(chan struct{}),
		applierDone: make(chan struct{}),
		votedFor:    nobody,
		leader:      nobody,
		store:       newStore(persister),
	}
	rf.applyCond.L = &rf.mu
	rf.proposals.queue, rf.emptied = new(queue), new(queue)
	for _, option := range opts {
		option(&rf.options)
	}
	if err := rf.options.check(); err != nil {
		return nil, err
	}
	if err := rf.restore(persister.ReadRaftState(), persister.ReadSnapshot()); err != nil {
		return nil, fmt.Errorf("its saved state cannot be trusted: %w", err)
	}
	rf.commitIndex, rf.lastApplied = rf.snapshot.index, rf.snapshot.index
	if rf.options.snapFirst {
		rf.lastApplied = 0 // the applier finds a snapshot that is not handed over
	}
	rf.proposals.committed.Store(int64(rf.commitIndex))
	rf.proposals.yielding = make(chan struct{}, maxYielding)
	rf.events.term = rf.currentTerm
	rf.followers = rf.newFollowers()
	rf.postponeElectionLocked()
	rf.observeStart()
	return rf, nil
}

// Start asks for agreement on command. On the leader it appends the command to the log, saves it, and returns at
// once: the index that the command will have if it is ever committed, the current term, and true. There is no
// promise that it will be: the leader may lose an election first. Beside a Start that is under way already, it leaves
// appending and saving to that one, and may return before. It yields the processor when other Starts may join it, and
// also when four thousand commands wait to be committed: then callers take turns, and wait for each other, but never for a
// peer. On any other server, and on a killed one, it does nothing and returns index -1 and false.
//
// Start encodes the command, which the caller may change afterwards. Every service, the leader's own too, receives what gob
// makes of it: in a struct, for example, an empty slice becomes nil and a lower-case field zero.
//
// The command's type must be registered with labgob.Register, unless it is one that gob knows by itself. Start
// panics if the command cannot be encoded, or takes more than a gigabyte. A RaftState is a question to Raft itself, which
// each server answers when the turn of its index comes.
func (rf *Raft) Start(command any) (index int, term int, isLeader bool) {
	if rf.proposals.welcome.Load() {
		var err error
		if index, term, err = rf.propose(command); err != nil {
			panic(fmt.Sprintf("raft: Start on server %d: cannot encode a command of type %T: %v", rf.me, command, err))
		}
		if term > 0 {
			return index, term, true
		}
	}
	term, _ = rf.GetState()
	return -1, term, false
}

// GetState returns the current term and whether this server believes that it is the leader.
func (rf *Raft) GetState() (term int, isLeader bool) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	return rf.currentTerm, rf.role == Leader
}

// PersistBytes returns the length of the saved Raft state in bytes, without the snapshot: Status.StateBytes.
func (rf *Raft) PersistBytes() int {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	return rf.store.persister.RaftStateSize()
}

// Kill stops the server. When it returns, nothing is saved or sent on applyCh any more, and every goroutine of the
// server ends by itself as soon as the RPC it waits for is over, whether or not anybody reads applyCh. The other
// methods may still be called; they do nothing. Kill may be called more than once.
func (rf *Raft) Kill() {
	rf.mu.Lock()
	if !rf.killed {
		rf.killed = true
		rf.becomeKilledLocked()
		close(rf.done)
	}
	rf.mu.Unlock()
	<-rf.applierDone
}
