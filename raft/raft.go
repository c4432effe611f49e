//go:build go1.25

// Package raft is the Raft of MIT 6.824's Lab 2 (6.5840's Lab 3 from 2024 on). A server and its peers agree on a log of
// commands. The interface is the lab's: Make, Start, GetState, Snapshot and Kill.
//
// The package follows the extended Raft paper (Ongaro and Ousterhout, "In Search of an Understandable Consensus
// Algorithm"); § stands for its sections. Each file holds one subject:
//
//	raft.go         the state of Figure 2, and the lab's interface
//	role.go         follower, candidate, leader: the only changes of role and term   §5.1, §5.2
//	ticker.go       the goroutine that watches the election timeout                  §5.2
//	timer.go        the election timer: a pause of this process does not end it      §5.2
//	election.go     campaigns: PreVote, then RequestVote to all peers                §5.2
//	vote.go         the RequestVote handler                                          §5.2, §5.4.1
//	propose.go      from Start to the leader's log; crowd.go lets other calls join   §5.3
//	follower.go     what a leader knows of a peer, and what is in flight to it       §5.3
//	link.go         replicators: what a leader sends, and when                       §5.3
//	heartbeat.go    a leader's ticker: heartbeats, timeouts of calls, lost majority  §5.2
//	replication.go  AppendEntries: sender, handler, replies                          §5.3
//	backup.go       how a leader finds where a follower's log begins to differ       §5.3
//	reorder.go      entries that overtook earlier ones
//	commit.go       the commit rule, and how followers learn of it                   §5.3, §5.4.2
//	read.go         ReadIndex: reads without log entries                             §8
//	snapshot.go     Snapshot, InstallSnapshot                                        §7
//	apply.go        the applier; applymsg.go has ApplyMsg                            §5.3
//	message.go      arguments and replies of the RPCs, and OnMessage; checksum.go    Fig. 2, Fig. 13
//	log.go          the log as pure data; accepted.go has values of commands         §5.3, §7
//	segment.go      how entries lie in memory, on disk and in messages
//	command.go      how a command is encoded and decoded; codec.go, definition.go, identity.go and register.go help
//	persist.go      reads the saved state; store.go saves it; persister.go: disk     Fig. 2
//	control.go      RaftState; status.go has Status; events.go has Event
//	options.go      the options of Make; options_link.go has those for links and for backing up
//	observer.go     Observer: what a server does, as it happens; observe.go has the hooks of the tests
//
// # The path of a command
//
// Start appends a command to the leader's log, saves it and wakes the replicators. If several Starts run at once, the first
// appends for all (propose.go). There is one replicator for each peer: a goroutine that sends the entries that the peer
// lacks, in batches, and handles the replies. When a majority has an entry, the commit rule raises commitIndex and wakes the
// applier, the goroutine that sends commands on applyCh in log order. The ticker, one more goroutine, starts elections and
// tells the replicators when heartbeats are due.
//
// Start encodes a command once. The log, the disk and messages hold it in that form, and share the memory of large ones
// (segment.go). Each server decodes the command before it applies it. The server that accepted the command still has its
// value, and applies that one if encoding does not change values of its type (identity.go).
//
// # Locking
//
// One mutex, Raft.mu, guards all fields declared below it in Raft. The entry points (Start, GetState, Snapshot, Kill,
// OnMessage, …) take it, and so does each goroutine at the top of its loop. It is never held across an RPC, a channel send
// that can block, or a sleep. A function whose name ends in Locked needs the mutex and keeps it. A function whose name ends
// in Unlocked needs the mutex, releases it and takes it again before it returns.
//
// # Departures from the paper
//
//   - A new leader appends no no-op entry (§8), since indices belong to the user (lab rule); see Event.
//   - A server asks whether it would win before it raises its term (PreVote, §9.6 of Ongaro's dissertation), so that a
//     server that was cut off does not depose a working leader.
//   - A leader steps down when it has had no answers from a majority for a while (§6.2 there). Otherwise PreVote could keep
//     the other servers from electing a new one.
//   - A candidate votes for itself only when its own vote completes a majority (WithVotePolicy).
//   - A leader that is deposed while a majority answers it starts an election early (WithStandSoon).
//   - A server waits longer before its next election if no peer answers, or after several failed elections.
//   - Entries of older terms also commit when every server has them (advanceCommitLocked).
//   - Snapshots are sent whole. Repeated commands (§8) are left to the service.
//
// docs/design.md says why each is safe. Each file states its language version, for course trees with an older go.mod.
package raft

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"6.824/labrpc"
)

// Raft is one server of a cluster. Its methods are safe for concurrent use.
type Raft struct {
	_ struct{} `labrpc:"prompt"` // the handlers wait only for mu, which is never held for long; see labrpc.MakeService

	peers   []*labrpc.ClientEnd
	me      int // this server's index in peers
	applyCh chan<- ApplyMsg
	options options

	proposals   proposals     // commands between Start and the log
	definitions definitions   // type definitions that the log's entries need
	wakeTicker  chan struct{} // wakes the ticker before its timer does
	done        chan struct{} // closed by Kill
	applierDone chan struct{} // closed when the applier has ended

	mu     sync.Mutex
	killed bool

	// Persistent state on all servers (Figure 2): on stable storage before anything that depends on it leaves the server.
	currentTerm int
	votedFor    int // candidate that received our vote in currentTerm, or nobody
	log         raftLog
	snapshot    snapshot // what precedes the log (§7)
	store       store    // saves the four above

	// Volatile state on all servers (Figure 2).
	commitIndex int // index of the highest entry known to be committed; never falls
	lastApplied int // index of the highest entry sent on applyCh; never falls

	applyCond   sync.Cond // signalled when commitIndex rises or an event comes, and by Kill
	events      eventQueue
	reordered   reorderBuffer // entries of the leader that overtook earlier ones
	backlogFull bool          // the service is so far behind that we accept no entries

	role             Role
	leader           int           // the server known to lead in currentTerm, or nobody
	lastHeard        time.Time     // when the leader's last message came
	electionTimer    electionTimer // §5.2; on a leader, it runs while no majority replies
	nextTick         time.Time     // when the ticker runs next
	campaign         campaign      // votes received, or PreVotes granted
	electionsStarted int           // elections started since a leader was last known

	// Volatile state on leaders (Figure 2), reinitialized after election.
	followers      []*follower // by peer; nil for ourselves
	commitNoticeAt time.Time   // when the ticker must announce commitIndex to followers; zero if it need not
	spare          *queue      // empty; the next proposals.queue
	reads          reads       // calls of ReadIndex that wait
}

// Make starts server me of a cluster. peers[i] leads to server i, which must be registered there as the labrpc service
// "Raft". The server continues from the state saved in persister, and saves to it. It sends each committed command on
// applyCh. After a restart it begins after the saved snapshot: unless WithSnapshotFirst is given, the service must read that
// from persister itself. Make does not wait for a peer or for a reader of applyCh.
//
// Make panics if me is out of range, persister or applyCh is nil, an option is invalid, or the saved state cannot be
// trusted because it was cut short, altered or written in another format.
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

// newRaft returns a server whose goroutines have not started.
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
		options:     labDefaults(),
		wakeTicker:  make(chan struct{}, 1),
		done:        make(chan struct{}),
		applierDone: make(chan struct{}),
		votedFor:    nobody,
		leader:      nobody,
		store:       newStore(persister),
	}
	rf.applyCond.L = &rf.mu
	rf.proposals.queue, rf.spare = new(queue), new(queue)
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
	if rf.options.snapshotFirst {
		rf.lastApplied = 0 // the applier finds a snapshot to send
	}
	rf.proposals.committed.Store(int64(rf.commitIndex))
	rf.proposals.yielding = make(chan struct{}, maxYielding)
	rf.events.term = rf.currentTerm
	rf.followers = rf.newFollowers()
	rf.resetElectionTimerLocked()
	rf.observeStart()
	return rf, nil
}

// Start asks for agreement on command. On the leader it appends the command to the log, saves it and returns without
// waiting for a peer: the index that the command will have if it is ever committed, the current term, and true. The
// command may still be lost if the leader loses its lead. On any other server, and on a killed one, Start does nothing
// and returns index -1 and false.
//
// If another Start is in progress, that call may append and save this command too, and this call may return first. Start
// yields the processor when other Starts may join it. While 4096 or more commands wait to be committed, callers take turns,
// so that they do not keep the processor from the replicators.
//
// Start encodes the command, which the caller may change afterwards. Every service, the leader's own included, receives
// the decoded value: in a struct, for example, an empty slice becomes nil and an unexported field zero.
//
// The command's type must be registered with labgob.Register, unless it is a basic type. Start panics if the command cannot
// be encoded or takes more than 1 GB encoded. RaftState is the one command that Raft itself answers.
func (rf *Raft) Start(command any) (index int, term int, isLeader bool) {
	if rf.proposals.leading.Load() {
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

// GetState returns the current term and reports whether this server believes that it is the leader. It may be mistaken (§8).
func (rf *Raft) GetState() (term int, isLeader bool) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	return rf.currentTerm, rf.role == Leader
}

// PersistBytes is the lab's name for Status.StateBytes: the length of the saved Raft state in bytes, without the snapshot.
func (rf *Raft) PersistBytes() int {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	return rf.store.persister.RaftStateSize()
}

// Kill stops the server. After it returns, the server saves nothing and sends nothing on applyCh. Each of its goroutines
// ends when the RPC that it waits for returns, even if applyCh is never read. The other methods may still be called; they
// do nothing. Kill may be called more than once.
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
