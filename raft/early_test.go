package raft

import (
	"testing"

	"6.824/labgob"
)

type earlyA struct{ A []int }
type earlyB struct{ B []int }

// Entries that were kept bring the type definitions that they need.
func TestEarlyDefinitions(t *testing.T) {
	labgob.Register(earlyA{})
	labgob.Register(earlyB{})
	rf := newFollower(t, 3, 1, nil)
	message := func(prev, prevTerm int, command any) *AppendEntriesArgs {
		data, c, err := encodeCommand(nil, command)
		if err != nil || c == nil {
			t.Fatal("no definition", err)
		}
		args := &AppendEntriesArgs{Term: 1, LeaderID: 1, PrevLogIndex: prev, PrevLogTerm: prevTerm, LeaderCommit: 2}
		args.carry(entry{1, data})
		args.Definitions = [][]byte{c.definition}
		return args
	}
	mustEqual(t, "the second is accepted", granted(deliver(t, rf, message(1, 1, earlyB{[]int{2}}))), false)
	mustEqual(t, "the first is accepted", granted(deliver(t, rf, message(0, 0, earlyA{[]int{1}}))), true)
	mustEqual(t, "lastIndex", rf.log.lastIndex(), 2)
	if _, err := newDecoder(&rf.definitions).decode(rf.log.at(2).data); err != nil {
		t.Error(err)
	}
	restored(t, rf)
}
