package raft

import (
	"slices"
	"testing"
	"time"

	"6.824/labgob"
)

type earlyA struct{ A []int }
type earlyB struct{ B []int }

// Entries that were kept bring the type definitions that they need into the log.
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

// A new leader knows neither where the follower's log ends nor how long messages take, and has sent it a new entry
// early. While the missing entries are in flight, the leader does not send the new entry again.
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
	rf.followerDutyLocked(f, time.Now().Add(rf.minCallTimeout()), false) // both calls are given up, but are answered later
	deliverCall(t, rf, f, other, heartbeat)
	lacking := next()
	mustEqual(t, "the first entry sent", lacking.last-lacking.entries.length()+1, 96)
	deliverCall(t, rf, f, other, entry) // it is kept
	f.heartbeatDue = true
	heartbeat = next()
	deliverCall(t, rf, f, other, heartbeat)
	if rf.hasWorkLocked(f) {
		c := sendNext(rf, f)
		t.Errorf("entries %d to %d are sent", c.last-c.entries.length()+1, c.last)
	}
	deliverCall(t, rf, f, other, lacking)
	mustEqual(t, "matchIndex, nextIndex", [2]int{f.matchIndex, f.nextIndex}, [2]int{101, 102})
}

// A leader sends entries as a probe. If a heartbeat's reply shows first that the logs agree, the entries are not sent
// again.
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
		deliverCall(t, rf, f, other, probe)
		mustEqual(t, "matchIndex", f.matchIndex, 100)
	}
}

// A rejection arrives after the entries that it lacked were acknowledged, while others are in flight. Nothing is sent
// again.
func TestEarlyRejectionOvertaken(t *testing.T) {
	for _, link := range []Link{LinkPool(4), LinkPerMessage} {
		rf, f, other, calls := commandsInFlight(t, 4, link)
		rejection := deliver(t, other, calls[3].message)
		deliverCall(t, rf, f, other, calls[0])
		rf.onReplyLocked(f, calls[3], rejection)
		mustEqual(t, "nextIndex", f.nextIndex, 5)
		deliverCall(t, rf, f, other, calls[2])
		deliverCall(t, rf, f, other, calls[1])
		mustEqual(t, "matchIndex, nextIndex", [2]int{f.matchIndex, f.nextIndex}, [2]int{4, 5})
	}
}

// One of several messages in flight is lost: only its entries are sent again.
func TestLossOfOneOfMany(t *testing.T) {
	for _, link := range []Link{LinkPool(8), LinkPerMessage} {
		rf, f, other, calls := commandsInFlight(t, 5, link)
		rf.onReplyLocked(f, calls[1], nil)
		again := sendNext(rf, f)
		mustEqual(t, "sent again", [2]int{again.first, again.last}, [2]int{2, 2})
		mustEqual(t, "more to send", rf.hasWorkLocked(f), false)
		for _, c := range []*call{calls[0], calls[2], calls[3], calls[4], again} {
			deliverCall(t, rf, f, other, c)
		}
		mustEqual(t, "matchIndex, nextIndex", [2]int{f.matchIndex, f.nextIndex}, [2]int{5, 6})
	}
}
