//go:build go1.25

package raft

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
)

// RequestVoteArgs asks for a vote (Figure 2, §5.2). With PreVote it asks whether the receiver would grant one (§9.6 of
// Ongaro's dissertation).
type RequestVoteArgs struct {
	Term         int    // candidate's term; with PreVote, the term after its current one
	CandidateID  int    // candidate requesting vote
	LastLogIndex int    // index of candidate's last log entry (§5.4)
	LastLogTerm  int    // term of candidate's last log entry (§5.4)
	PreVote      bool   // the receiver changes neither its term nor its vote nor its election timer
	Checksum     uint64 // of all other fields
}

// RequestVoteReply answers RequestVoteArgs.
type RequestVoteReply struct {
	Term        int    // the voter's currentTerm, for the candidate to update itself
	VoteGranted bool   // the candidate received the vote; with PreVote, would receive it
	Checksum    uint64 // of all other fields; 0 if there is none
}

// AppendEntriesArgs replicates log entries and serves as heartbeat (Figure 2, §5.2, §5.3).
type AppendEntriesArgs struct {
	Term         int      // leader's term
	LeaderID     int      // the leader, so that followers know it
	PrevLogIndex int      // index of the entry immediately before the new ones
	PrevLogTerm  int      // term of that entry
	LeaderCommit int      // leader's commitIndex
	Entries      []string // new entries as records, one or more in a string of arbitrary bytes; empty for a heartbeat
	Definitions  [][]byte // gob type definitions that the entries need
	Checksum     uint64   // of all other fields
}

// AppendEntriesReply answers AppendEntriesArgs. If a message is refused for another reason than the consistency check of
// §5.3, Success is false, and ConflictTerm and ConflictIndex are 0.
type AppendEntriesReply struct {
	Term          int    // the follower's currentTerm, for the leader to update itself
	Success       bool   // the follower's log matches PrevLogIndex and PrevLogTerm, and now has the new entries
	ConflictTerm  int    // if the check failed, the term of the follower's entry at PrevLogIndex, or 0 if none (§5.3)
	ConflictIndex int    // the first index that the follower has of that term, or the index after its last entry
	Beyond        int    // with Success, index of the last entry taken from messages that had come early; 0 if none
	Full          bool   // the follower takes no entries until its service has caught up (WithMaxBacklog)
	Checksum      uint64 // of all other fields; 0 if there is none
}

// InstallSnapshotArgs sends a follower a whole snapshot, in one message (Figure 13, §7).
type InstallSnapshotArgs struct {
	Term              int    // leader's term
	LeaderID          int    // the leader, so that followers know it
	LastIncludedIndex int    // the snapshot replaces all entries up to and including this index
	LastIncludedTerm  int    // term of the entry at LastIncludedIndex
	Data              []byte // the snapshot
	Checksum          uint64 // of all other fields
}

// InstallSnapshotReply answers InstallSnapshotArgs.
type InstallSnapshotReply struct {
	Term     int    // the follower's currentTerm, for the leader to update itself
	Success  bool   // the follower has everything that the snapshot covers
	Checksum uint64 // of all other fields; 0 if there is none
}

// A Message is a message from one server to another: *RequestVoteArgs, *AppendEntriesArgs or *InstallSnapshotArgs.
type Message interface {
	sender() (id, term int)
	rpc() (svcMeth string, reply Reply) // the name of the method for labrpc, and an empty reply
}

// A Reply answers a Message. It is a *RequestVoteReply, *AppendEntriesReply or *InstallSnapshotReply, as the message was
// a *RequestVoteArgs, *AppendEntriesArgs or *InstallSnapshotArgs.
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

// call sends m to a peer and returns the reply, or nil if there is none or it was damaged. It may block. All messages to
// other servers go through it.
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

// callTransport does the same as call, with WithTransport. expected is a reply of the right type for m.
func (rf *Raft) callTransport(peer int, m Message, expected Reply) Reply {
	if m, ok := m.(*AppendEntriesArgs); ok {
		m.Entries = slices.Clone(m.Entries) // the replicator reuses the slice, but the receiver may keep m
	}
	reply := rf.options.transport(peer, m)
	if reply == nil || reflect.ValueOf(reply).IsNil() {
		return nil
	}
	if reflect.TypeOf(reply) != reflect.TypeOf(expected) {
		panic(fmt.Sprintf("raft: server %d: WithTransport: send returned a %T in reply to a %T, want a %T", rf.me, reply, m, expected))
	}
	return reply
}

// maxNumber bounds the terms and indices in messages, so that the sum of two cannot overflow.
const maxNumber = math.MaxInt / 4

var errMalformed = errors.New("malformed message")

// plausible reports whether all numbers are possible terms or indices.
func plausible(numbers ...int) bool {
	for _, n := range numbers {
		if n < 0 || n > maxNumber {
			return false
		}
	}
	return true
}

// OnMessage handles a message from a peer and returns the reply. All messages from other servers enter here: the three
// labrpc handlers call it, and so does the receiving end of another transport (WithTransport). State that the reply
// depends on has been saved when OnMessage returns. OnMessage panics if m is nil or not one of the three types. It is
// safe for concurrent use. The server keeps parts of m, which must not be modified afterwards.
//
// OnMessage refuses a message if its checksum is wrong, if no correct server can have sent it, or if this server has been
// killed. The reply then grants nothing, no state changes, and nothing of the message is kept. A term is never refused
// for being far from this server's own: only the rules of Figure 2 apply.
//
// Each reply carries a checksum, too. A server drops a reply with a wrong checksum as if it were lost. It accepts
// checksum 0, which stands for none, for programs that make replies by hand. Servers must not lie: Byzantine faults are
// out of scope.
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
		panic(fmt.Sprintf("raft: OnMessage: %T is not a Raft message", m))
	}
	reply.seal()
	rf.observeReply(m, reply)
	return reply
}

// RequestVote handles a candidate's request (§5.2). It is a handler for labrpc; see OnMessage.
func (rf *Raft) RequestVote(args *RequestVoteArgs, reply *RequestVoteReply) {
	*reply = *rf.OnMessage(args).(*RequestVoteReply)
}

// AppendEntries handles a leader's entries and heartbeats (§5.3). It is a handler for labrpc; see OnMessage.
func (rf *Raft) AppendEntries(args *AppendEntriesArgs, reply *AppendEntriesReply) {
	*reply = *rf.OnMessage(args).(*AppendEntriesReply)
}

// InstallSnapshot handles a leader's snapshot (§7). It is a handler for labrpc; see OnMessage.
func (rf *Raft) InstallSnapshot(args *InstallSnapshotArgs, reply *InstallSnapshotReply) {
	*reply = *rf.OnMessage(args).(*InstallSnapshotReply)
}

// admitLocked applies the rules that hold for all messages except PreVotes. It refuses a message if this server has been
// killed, if the term is old, or if the sender is not another server of the cluster. "If RPC request contains term T >
// currentTerm: set currentTerm = T, convert to follower" (§5.1). It reports whether the message is of the current term and
// may be handled.
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

// isPeer reports whether id is another server of the cluster.
func (rf *Raft) isPeer(id int) bool { return id >= 0 && id < len(rf.peers) && id != rf.me }

// admitLeaderLocked applies admitLocked and the rules for messages from a leader. A term has at most one leader (§5.2),
// so a message from a second one is refused. A candidate that hears from the leader of its term returns to follower.
// A leader takes no entries from anyone: it "never overwrites or deletes entries in its log" (Figure 3, §5.3).
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
