package raft

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// carry sends a follower its next message through the leader's transport.
func carry(rf *Raft, f *follower, c *call) Reply {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	rf.nextCallLocked(f, c)
	reply := rf.callUnlocked(f, c)
	if reply != nil {
		rf.onReplyLocked(f, c, reply)
	}
	c.clear()
	return reply
}

// A receiver may keep a message: the sender does not change it later.
func TestTransportMayKeepMessages(t *testing.T) {
	rf := newLeader(t, 3, 3, nil)
	var kept []*AppendEntriesArgs
	var contents [][]string
	rf.options.transport = func(peer int, m Message) Reply {
		mustEqual(t, "peer", peer, 1)
		args := m.(*AppendEntriesArgs)
		kept, contents = append(kept, args), append(contents, []string{strings.Clone(args.Entries[0])})
		reply := &AppendEntriesReply{Term: 3, Success: true}
		reply.seal()
		return reply
	}
	var c call
	for _, command := range []string{"the first and longest", "the second", "third"} {
		rf.Start(command)
		carry(rf, rf.followers[1], &c)
	}
	mustEqual(t, "matchIndex", rf.followers[1].matchIndex, 3)
	for k, args := range kept {
		if len(contents[k]) == 0 || !slices.Equal(args.Entries, contents[k]) {
			t.Errorf("message %d had %q, and now has %q", k, contents[k], args.Entries)
		}
	}
}

// A transport returns nil or a nil pointer for no reply. A reply of another message's type is a mistake in the
// transport, and causes a panic.
func TestTransportReplies(t *testing.T) {
	rf := newLeader(t, 3, 3, nil)
	answer := func(r Reply) { rf.options.transport = func(int, Message) Reply { return r } }
	for _, none := range []Reply{nil, (*AppendEntriesReply)(nil), (*RequestVoteReply)(nil)} {
		answer(none)
		if reply := rf.call(1, &AppendEntriesArgs{}); reply != nil {
			t.Errorf("%#v was accepted as a reply", reply)
		}
	}
	good := &InstallSnapshotReply{Term: 3}
	good.seal()
	answer(good)
	if reply := rf.call(1, &InstallSnapshotArgs{}); reply.term() != 3 {
		t.Errorf("the reply is %+v", reply)
	}
	wantPanic(t, func() { rf.call(1, &AppendEntriesArgs{}) }, "server 0", "*raft.InstallSnapshotReply in reply to a *raft.AppendEntriesArgs")
}

// The labrpc handlers give the same replies as OnMessage.
func TestHandlers(t *testing.T) {
	for _, m := range []Message{
		&RequestVoteArgs{Term: 4, CandidateID: 1, LastLogIndex: 5, LastLogTerm: 3},
		appendMsg(4, 5, 3, 0, 4), appendMsg(4, 9, 4, 0), appendMsg(2, 1, 1, 0), &InstallSnapshotArgs{Term: 4, LeaderID: 1, LastIncludedIndex: 9, LastIncludedTerm: 4, Data: []byte("x")},
	} {
		m = sealed(m)
		want, rf := committed(t).OnMessage(m), committed(t)
		var got Reply
		switch m := m.(type) {
		case *RequestVoteArgs:
			reply := new(RequestVoteReply)
			rf.RequestVote(m, reply)
			got = reply
		case *AppendEntriesArgs:
			reply := new(AppendEntriesReply)
			rf.AppendEntries(m, reply)
			got = reply
		case *InstallSnapshotArgs:
			reply := new(InstallSnapshotReply)
			rf.InstallSnapshot(m, reply)
			got = reply
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("the handler of %+v replies %+v, want %+v", m, got, want)
		}
	}
}

// A call that fails in labrpc has no reply, rather than an empty one.
func TestLostCallHasNoReply(t *testing.T) {
	rf := newLeader(t, 3, 3, nil)
	for _, m := range []Message{&RequestVoteArgs{Term: 3}, appendMsg(3, 0, 0, 0), &InstallSnapshotArgs{Term: 3}} {
		if reply := rf.call(1, m); reply != nil {
			t.Errorf("the reply to a lost %T is %+v", m, reply)
		}
	}
}
