package raft

import (
	"slices"
	"testing"
	"time"

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

// A new leader knows neither the log of a follower that lacks a few entries nor how long messages to it take, and has sent it
// new entries behind them. While what it lacks is on its way, nothing that it has is sent again.
func TestEarlyOfUnknownFollower(t *testing.T) {
	rf := newLeader(t, 3, 2, from(1).terms(slices.Repeat([]int{1}, 100)...), WithLink(LinkPool(4)))
	f, other := rf.followers[1], newPeer(t, 1, 1, from(1).terms(slices.Repeat([]int{1}, 95)...))
	next := func() *call {
		t.Helper()
		mustEqual(t, "something to send", rf.hasWorkLocked(f), true)
		return sendNext(rf, f)
	}
	heartbeat := next()
	rf.Start("new")
	entry := next()
	rf.followerDutyLocked(f, time.Now().Add(rf.minCallTimeout()), false) // both are given up; they take longer
	rf.onReplyLocked(f, heartbeat, deliver(t, other, heartbeat.message))
	lacking := next()
	mustEqual(t, "the first entry sent", lacking.last-lacking.entries.length()+1, 96)
	rf.onReplyLocked(f, entry, deliver(t, other, entry.message)) // it is kept
	f.heartbeatDue = true
	heartbeat = next()
	rf.onReplyLocked(f, heartbeat, deliver(t, other, heartbeat.message))
	if rf.hasWorkLocked(f) {
		c := sendNext(rf, f)
		t.Errorf("entries %d to %d are sent", c.last-c.entries.length()+1, c.last)
	}
	rf.onReplyLocked(f, lacking, deliver(t, other, lacking.message))
	mustEqual(t, "matchIndex, nextIndex", [2]int{f.matchIndex, f.nextIndex}, [2]int{101, 102})
}

// A heartbeat's answer may tell where the logs agree before that of the entries which were sent to find out. These are not sent again.
func TestHeartbeatDuringProbe(t *testing.T) {
	for _, link := range []Link{LinkPool(1), LinkPool(4), LinkPerMessage} {
		rf := newLeader(t, 3, 2, from(1).terms(slices.Repeat([]int{1}, 100)...), WithLink(link))
		f, other := rf.followers[1], newPeer(t, 1, 1, from(1).terms(slices.Repeat([]int{1}, 95)...))
		exchange(t, rf, f, other)
		probe := sendNext(rf, f)
		mustEqual(t, "the probe's entries", probe.entries.length(), 5)
		f.heartbeatDue = true
		exchange(t, rf, f, other)
		mustEqual(t, "matchIndex", f.matchIndex, 95)
		mustEqual(t, "more to send", rf.hasWorkLocked(f), false)
		rf.onReplyLocked(f, probe, deliver(t, other, probe.message))
		mustEqual(t, "matchIndex", f.matchIndex, 100)
	}
}

// A rejection may be overtaken by the success of what it waited for, while more of that is on its way. Nothing is sent again then.
func TestEarlyRejectionOvertaken(t *testing.T) {
	for _, link := range []Link{LinkPool(4), LinkPerMessage} {
		rf := newLeader(t, 3, 1, nil, WithLink(link))
		f, other := rf.followers[1], newPeer(t, 1, 1, nil)
		exchange(t, rf, f, other)
		var calls []*call
		for n := range 4 {
			rf.Start(n)
			calls = append(calls, sendNext(rf, f))
		}
		rejection := deliver(t, other, calls[3].message)
		rf.onReplyLocked(f, calls[0], deliver(t, other, calls[0].message))
		rf.onReplyLocked(f, calls[3], rejection)
		mustEqual(t, "nextIndex", f.nextIndex, 5)
		rf.onReplyLocked(f, calls[2], deliver(t, other, calls[2].message))
		rf.onReplyLocked(f, calls[1], deliver(t, other, calls[1].message))
		mustEqual(t, "matchIndex, nextIndex", [2]int{f.matchIndex, f.nextIndex}, [2]int{4, 5})
	}
}

// Of several messages on their way one is lost: what it brought goes out again, and nothing that follows it.
func TestLossOfOneOfMany(t *testing.T) {
	for _, link := range []Link{LinkPool(8), LinkPerMessage} {
		rf := newLeader(t, 3, 1, nil, WithLink(link))
		f, other := rf.followers[1], newPeer(t, 1, 1, nil)
		exchange(t, rf, f, other)
		var calls []*call
		for n := range 5 {
			rf.Start(n)
			calls = append(calls, sendNext(rf, f))
		}
		rf.onReplyLocked(f, calls[1], nil)
		again := sendNext(rf, f)
		mustEqual(t, "sent again", [2]int{again.first, again.last}, [2]int{2, 2})
		mustEqual(t, "more to send", rf.hasWorkLocked(f), false)
		for _, c := range []*call{calls[0], calls[2], calls[3], calls[4], again} {
			rf.onReplyLocked(f, c, deliver(t, other, c.message))
		}
		mustEqual(t, "matchIndex, nextIndex", [2]int{f.matchIndex, f.nextIndex}, [2]int{5, 6})
	}
}
