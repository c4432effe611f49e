package raft

import "testing"

// Entries of one leader that overtook others follow these into the log, and the reply tells how far they reach. The follower
// is in term 4 with entries of terms 1, 1, 2.
func TestEarly(t *testing.T) {
	fourth := appendMsg(4, 3, 2, 0, 4)
	for _, c := range []struct {
		name     string
		messages []*AppendEntriesArgs
		beyond   int // in the last reply
		log      string
	}{
		{"the next", []*AppendEntriesArgs{appendMsg(4, 4, 4, 0, 4), fourth}, 5, "[1 1 2 4 4]"},
		{"several, the last first", []*AppendEntriesArgs{appendMsg(4, 6, 4, 0, 4), appendMsg(4, 5, 4, 0, 4), appendMsg(4, 4, 4, 0, 4), fourth}, 7, "[1 1 2 4 4 4 4]"},
		{"with a gap", []*AppendEntriesArgs{appendMsg(4, 6, 4, 0, 4), appendMsg(4, 4, 4, 0, 4), fourth}, 5, "[1 1 2 4 4]"},
		{"with a gap that is filled", []*AppendEntriesArgs{appendMsg(4, 6, 4, 0, 4), fourth, appendMsg(4, 4, 4, 0, 4, 4)}, 7, "[1 1 2 4 4 4 4]"},
		{"some known by then", []*AppendEntriesArgs{appendMsg(4, 4, 4, 0, 4, 4), appendMsg(4, 3, 2, 0, 4, 4)}, 6, "[1 1 2 4 4 4]"},
		{"all known by then", []*AppendEntriesArgs{appendMsg(4, 4, 4, 0, 4), appendMsg(4, 3, 2, 0, 4, 4, 4)}, 0, "[1 1 2 4 4 4]"},
		{"none", []*AppendEntriesArgs{appendMsg(4, 4, 4, 0), fourth}, 0, "[1 1 2 4]"},
		{"after a conflict", []*AppendEntriesArgs{appendMsg(4, 4, 4, 0, 4), appendMsg(4, 1, 1, 0, 4, 4, 4)}, 5, "[1 4 4 4 4]"},
		{"another term before them", []*AppendEntriesArgs{appendMsg(4, 4, 3, 0, 4), fourth}, 0, "[1 1 2 4]"},
		{"of an earlier term", []*AppendEntriesArgs{appendMsg(4, 4, 4, 0, 4), appendMsg(5, 3, 2, 0, 4)}, 0, "[1 1 2 4]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rf := newFollower(t, 3, 4, from(1).terms(1, 1, 2))
			reply := new(AppendEntriesReply)
			for _, args := range c.messages {
				reply = deliver(t, rf, args).(*AppendEntriesReply)
			}
			mustEqual(t, "success", reply.Success, true)
			mustEqual(t, "up to where it has the leader's log", reply.Beyond, c.beyond)
			mustEqual(t, "log", logTerms(t, rf), c.log)
			verify(t, rf)
		})
	}
}

// What is kept has bounds, in messages and in bytes, and what is taken out makes room.
func TestEarlyIsBounded(t *testing.T) {
	small, large := segmentOf(from(1).terms(1)...), segmentOf(entry{1, make([]byte, maxBytesInFlight/4)})
	var e reorderBuffer
	for range 3 { // each time anew
		for prev := range 2 * maxReordered {
			e.keep(prev, 1, batch{small}, nil)
			e.keep(prev, 1, batch{small}, nil) // repeated on its way
		}
		mustEqual(t, "messages", len(e.kept), maxReordered)
		takeAll(&e)
		for prev := range 9 {
			e.keep(prev, 1, batch{large}, nil)
		}
		mustEqual(t, "large messages", len(e.kept), 3)
		takeAll(&e)
	}
	e.keep(7, 1, batch{small}, nil)
	e.keep(7, 1, batch{small, small}, nil)
	e.keep(7, 2, batch{small}, nil)
	mustEqual(t, "longer ones, and another's", len(e.kept), 3)
	e.keep(7, 1, batch{small}, nil)
	mustEqual(t, "known ones", len(e.kept), 3)
}

func takeAll(e *reorderBuffer) {
	for _, ok := e.next(maxNumber); ok; _, ok = e.next(maxNumber) {
	}
}

// Entries that are kept bring the type definitions along that they need.
func TestEarlyKeepsDefinitions(t *testing.T) {
	rf := newFollower(t, 3, 4, from(1).terms(1, 1, 2))
	mustEqual(t, "granted", granted(deliver(t, rf, valueMsg())), false) // it goes behind index 4
	mustEqual(t, "definitions while it waits", rf.definitions.count(), 0)
	reply := deliver(t, rf, appendMsg(4, 3, 2, 4, 2)).(*AppendEntriesReply)
	mustEqual(t, "up to where it has the log", reply.Beyond, 5)
	verify(t, rf)
	command, err := newDecoder(&rf.definitions).decode(rf.log.at(5).data)
	mustEqual(t, "error", err, nil)
	mustEqual(t, "command", command, any(pointCommand{5, 6}))
}

// A leader that learns that entries overtook others sends nothing again while these are on their way, and all that is missing
// when they are lost or given up, whatever else is on its way then.
func TestLeaderAwaitsOvertaken(t *testing.T) {
	for _, lost := range []bool{false, true} {
		rf := newLeader(t, 3, 1, nil, WithLink(LinkPool(3)))
		f, other := rf.followers[1], newPeer(t, 1, 1, nil)
		exchange(t, rf, f, other)
		var calls []*call
		for n := range 3 {
			rf.Start(n)
			calls = append(calls, sendNext(rf, f))
		}
		rf.onReplyLocked(f, calls[1], deliver(t, other, calls[1].message))
		mustEqual(t, "nextIndex, failures", [2]int{f.nextIndex, f.failures}, [2]int{4, 0})
		mustEqual(t, "work", rf.hasWorkLocked(f), false)
		if lost {
			f.remove(calls[0]) // given up; the third is on its way still
			f.heartbeatDue = true
			exchange(t, rf, f, other) // a heartbeat
			mustEqual(t, "nextIndex when the first is not awaited", f.nextIndex, 1)
			continue
		}
		rf.onReplyLocked(f, calls[0], deliver(t, other, calls[0].message))
		mustEqual(t, "matchIndex, nextIndex", [2]int{f.matchIndex, f.nextIndex}, [2]int{2, 4})
		rf.onReplyLocked(f, calls[2], deliver(t, other, calls[2].message))
		mustEqual(t, "matchIndex at the end", f.matchIndex, 3)
		mustEqual(t, "the same log", sameEntries(allEntries(&other.log), allEntries(&rf.log)), true)
	}
}

// What a follower had to drop is sent again as soon as that is known, though more is on its way.
func TestDroppedEntriesAreSentAgain(t *testing.T) {
	rf := newLeader(t, 3, 1, nil, WithLink(LinkPool(4)))
	f, other := rf.followers[1], newPeer(t, 1, 1, nil)
	exchange(t, rf, f, other)
	var calls []*call
	for n := range 4 {
		rf.Start(n)
		calls = append(calls, sendNext(rf, f))
	}
	other.reordered.bytes = maxBytesInFlight // no room
	third := deliver(t, other, calls[2].message)
	for _, c := range calls[:2] {
		rf.onReplyLocked(f, c, deliver(t, other, c.message))
	}
	mustEqual(t, "matchIndex, nextIndex", [2]int{f.matchIndex, f.nextIndex}, [2]int{2, 5})
	rf.onReplyLocked(f, calls[2], third)
	mustEqual(t, "nextIndex", f.nextIndex, 3)
}
