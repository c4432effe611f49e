//go:build go1.25

package raft

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
)

// RequestVoteArgs asks for a vote (Figure 2, §5.2), or whether one would be given.
type RequestVoteArgs struct {
	Term         int  // candidate's term; with PreVote the term it would stand in
	CandidateID  int  // candidate requesting vote
	LastLogIndex int  // index of candidate's last log entry (§5.4)
	LastLogTerm  int  // term of candidate's last log entry (§5.4)
	PreVote      bool // only a question: nobody's term, vote or timer changes
	Checksum     uint64
}

// RequestVoteReply answers RequestVoteArgs.
type RequestVoteReply struct {
	Term        int  // the voter's currentTerm, for the candidate to update itself
	VoteGranted bool // the candidate received the vote, or with PreVote would receive it
	Checksum    uint64
}

// AppendEntriesArgs replicates log entries and is the heartbeat (Figure 2, §5.2, §5.3).
type AppendEntriesArgs struct {
	Term         int      // leader's term
	LeaderID     int      // so that followers know the leader
	PrevLogIndex int      // index of the entry just before the new ones
	PrevLogTerm  int      // its term
	LeaderCommit int      // leader's commitIndex
	Entries      []string // records of the new entries (segment.go), in pieces: bytes, not text; empty for a heartbeat
	Definitions  [][]byte // gob type definitions that Entries need (definition.go)
	Checksum     uint64
}

// AppendEntriesReply answers AppendEntriesArgs.
type AppendEntriesReply struct {
	Term          int  // the follower's currentTerm, for the leader to update itself
	Success       bool // the follower has an entry that matches PrevLogIndex and PrevLogTerm
	ConflictTerm  int  // otherwise the term of its entry at PrevLogIndex, 0 if it has none there
	ConflictIndex int  // and the first index it has of that term, or the one after its last
	Beyond        int  // with Success, up to where it has the leader's log by entries that it kept, if that is further
	Full          bool // it takes no entries until its service has caught up
	Checksum      uint64
}

// InstallSnapshotArgs brings a follower up to a snapshot, sent whole (Figure 13, §7).
type InstallSnapshotArgs struct {
	Term              int    // leader's term
	LeaderID          int    // so that followers know the leader
	LastIncludedIndex int    // the snapshot replaces all entries up to and including this index
	LastIncludedTerm  int    // its term
	Data              []byte // the snapshot
	Checksum          uint64
}

// InstallSnapshotReply answers InstallSnapshotArgs.
type InstallSnapshotReply struct {
	Term     int  // the follower's currentTerm, for the leader to update itself
	Success  bool // the follower holds all that the snapshot covers
	Checksum uint64
}

// A Message is what one server sends another: *RequestVoteArgs, *AppendEntriesArgs or *InstallSnapshotArgs.
type Message interface {
	sender() (id, term int)
	rpc() (svcMeth string, reply Reply) // labrpc's name for it, and an empty reply
}

// A Reply answers a Message: *RequestVoteReply, *AppendEntriesReply or *InstallSnapshotReply, as the message
// was.
type Reply interface {
	term() int
	seal() // sets Checksum
	intact() bool
}

func (m *RequestVoteArgs) sender() (id, term int)     { return m.CandidateID, m.Term }
func (m *AppendEntriesArgs) sender() (id, term int)   { return m.LeaderID, m.Term }
func (m *InstallSnapshotArgs) sender() (id, term int) { return m.LeaderID, m.Term }

func (m *RequestVoteArgs) rpc() (svcMeth string, reply Reply) {
	return "Raft.RequestVote", new(RequestVoteReply)
}

func (m *AppendEntriesArgs) rpc() (svcMeth string, reply Reply) {
	return "Raft.AppendEntries", new(AppendEntriesReply)
}

func (m *InstallSnapshotArgs) rpc() (svcMeth string, reply Reply) {
	return "Raft.InstallSnapshot", new(InstallSnapshotReply)
}

func (r *RequestVoteReply) term() int     { return r.Term }
func (r *AppendEntriesReply) term() int   { return r.Term }
func (r *InstallSnapshotReply) term() int { return r.Term }

// call takes m to a peer and returns the reply to it, nil if there is none or it was damaged. It is the one door by which
// messages leave.
func (rf *Raft) call(peer int, m Message) Reply {
	rf.observeMessage(m, peer)
	svcMeth, reply := m.rpc()
	if rf.options.transport != nil {
		reply = rf.callTransport(peer, m, reply)
	} else if !rf.peers[peer].Call(svcMeth, m, reply) {
		return nil
	}
	if reply == nil || !reply.intact() {
		return nil
	}
	return reply
}

// callTransport is call with WithTransport. expected is a reply of the type that belongs to m.
func (rf *Raft) callTransport(peer int, m Message, expected Reply) Reply {
	if m, ok := m.(*AppendEntriesArgs); ok {
		m.Entries = slices.Clone(m.Entries) // the replicator uses that slice again; the receiver may keep m
	}
	reply := rf.options.transport(peer, m)
	if reply == nil || reflect.ValueOf(reply).IsNil() {
		return nil
	}
	if reflect.TypeOf(reply) != reflect.TypeOf(expected) {
		panic(fmt.Sprintf("raft: server %d: the transport returned a %T in reply to a %T, want a %T", rf.me, reply, m, expected))
	}
	return reply
}

// maxNumber bounds the terms and indices that a message may name, so that no sum of two can overflow.
const maxNumber = math.MaxInt / 4

var errMalformed = errors.New("malformed message")

func plausible(numbers ...int) bool {
	for _, n := range numbers {
		if n < 0 || n > maxNumber {
			return false
		}
	}
	return true
}

// OnMessage takes a message from a peer and returns the reply to it. It is the one door by which messages
// enter: the three labrpc handlers are adapters to it, and another transport may call it. What the reply
// promises has been saved when it returns. It panics if m is nil or of a foreign type. Safe for concurrent use; the
// server keeps parts of m, which must not be changed afterwards.
//
// Messages and replies may be damaged on their way. Each carries a checksum of all its fields. A message is refused if
// its checksum is wrong, if no correct server can have sent it, or if this server was killed: the reply grants nothing,
// no state changes, and nothing of the message is kept. A reply with a wrong checksum is dropped, as if it were lost; one
// without, which is 0, was made by hand and is taken as it is.
// How far a message's term is from this server's own is no reason to refuse it: Figure 2 alone says what follows from
// terms. Peers do not lie: Byzantine faults are out of scope.
func (rf *Raft) OnMessage(m Message) Reply {
	var reply Reply
	switch m := m.(type) {
	case *RequestVoteArgs:
		reply = rf.onRequestVote(m)
	case *AppendEntriesArgs:
		reply = rf.onAppendEntries(m)
	case *InstallSnapshotArgs:
		reply = rf.onInstallSnapshot(m)
	default:
		panic(fmt.Sprintf("raft: OnMessage(%T): not a message of Raft's", m))
	}
	reply.seal()
	rf.observeReply(m, reply)
	return reply
}

// RequestVote is the labrpc handler of a candidate's request; see OnMessage.
func (rf *Raft) RequestVote(args *RequestVoteArgs, reply *RequestVoteReply) {
	*reply = *rf.OnMessage(args).(*RequestVoteReply)
}

// AppendEntries is the labrpc handler of a leader's entries and heartbeats; see OnMessage.
func (rf *Raft) AppendEntries(args *AppendEntriesArgs, reply *AppendEntriesReply) {
	*reply = *rf.OnMessage(args).(*AppendEntriesReply)
}

// InstallSnapshot is the labrpc handler of a leader's snapshot; see OnMessage.
func (rf *Raft) InstallSnapshot(args *InstallSnapshotArgs, reply *InstallSnapshotReply) {
	*reply = *rf.OnMessage(args).(*InstallSnapshotReply)
}

// admitLocked applies to a message what holds for all of them: a killed server takes none, a sender is another
// server of the cluster, and "if RPC request contains term T > currentTerm: set currentTerm = T, convert to
// follower" (§5.1). It reports whether the message is of the current term and so deserves an answer of its own.
func (rf *Raft) admitLocked(m Message) bool {
	id, term := m.sender()
	if rf.killed || term < rf.currentTerm || !rf.isPeer(id) {
		return false
	}
	if term > rf.currentTerm {
		rf.becomeFollowerLocked(term)
	}
	return true
}

func (rf *Raft) isPeer(id int) bool { return id >= 0 && id < len(rf.peers) && id != rf.me }

// admitLeaderLocked is admitLocked for what only a leader sends. There is one leader a term (§5.2), so whoever
// claims to be another one is refused; a candidate that hears of the leader of its term returns to follower.
func (rf *Raft) admitLeaderLocked(m Message) bool {
	id, term := m.sender()
	if term == rf.currentTerm && (rf.role == Leader || rf.leader >= 0 && rf.leader != id) {
		return false
	}
	if !rf.admitLocked(m) {
		return false
	}
	rf.followLocked(id)
	return true
}
