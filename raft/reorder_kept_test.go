package raft

import "testing"

// TestEarly checks that early entries, which overtook the ones before them, are appended when those arrive, and that
// the reply says how far the log reaches then. The follower is in term 4 with entries of terms 1, 1, 2.
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
			mustEqual(t, "how far it has the leader's log", reply.Beyond, c.beyond)
			mustEqual(t, "log", logTerms(t, rf), c.log)
			verify(t, rf)
		})
	}
}

// The reorder buffer is limited in messages and in bytes. Messages that are taken out make room.
func TestEarlyIsBounded(t *testing.T) {
	small, large := segmentOf(from(1).terms(1)...), segmentOf(entry{1, make([]byte, maxBytesInFlight/4)})
	var e reorderBuffer
	for range 3 { // the limits hold again after it was emptied
		for prev := range 2 * maxReordered {
			e.keep(prev, 1, batch{small}, nil)
			e.keep(prev, 1, batch{small}, nil) // a duplicate
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
	mustEqual(t, "messages with a longer one and one of another term", len(e.kept), 3)
	e.keep(7, 1, batch{small}, nil)
	mustEqual(t, "messages after a duplicate", len(e.kept), 3)
}

func takeAll(e *reorderBuffer) {
	for _, ok := e.next(maxNumber); ok; _, ok = e.next(maxNumber) {
	}
}

// Entries that are kept are kept with the type definitions that they need.
func TestEarlyKeepsDefinitions(t *testing.T) {
	rf := newFollower(t, 3, 4, from(1).terms(1, 1, 2))
	mustEqual(t, "granted", granted(deliver(t, rf, valueMsg())), false) // it follows index 4
	mustEqual(t, "definitions while it waits", rf.definitions.count(), 0)
	reply := deliver(t, rf, appendMsg(4, 3, 2, 4, 2)).(*AppendEntriesReply)
	mustEqual(t, "how far it has the log", reply.Beyond, 5)
	verify(t, rf)
	command, err := newDecoder(&rf.definitions).decode(rf.log.at(5).data)
	mustEqual(t, "error", err, nil)
	mustEqual(t, "command", command, any(pointCommand{5, 6}))
}

// A leader that learns that a call's entries overtook others sends nothing again while those are in flight. If they are
// lost or given up, it sends all missing entries again, even if later ones are in flight.
func TestLeaderAwaitsOvertaken(t *testing.T) {
	for _, lost := range []bool{false, true} {
		rf, f, other, calls := commandsInFlight(t, 3, LinkPool(3))
		deliverCall(t, rf, f, other, calls[1])
		mustEqual(t, "nextIndex, failures", [2]int{f.nextIndex, f.failures}, [2]int{4, 0})
		mustEqual(t, "work", rf.hasWorkLocked(f), false)
		if lost {
			f.remove(calls[0]) // given up; the third is still in flight
			f.heartbeatDue = true
			exchange(t, rf, f, other) // a heartbeat
			mustEqual(t, "nextIndex when the first is not awaited", f.nextIndex, 1)
			continue
		}
		deliverCall(t, rf, f, other, calls[0])
		mustEqual(t, "matchIndex, nextIndex", [2]int{f.matchIndex, f.nextIndex}, [2]int{2, 4})
		deliverCall(t, rf, f, other, calls[2])
		mustEqual(t, "matchIndex at the end", f.matchIndex, 3)
		mustEqual(t, "the same log", sameEntries(allEntries(&other.log), allEntries(&rf.log)), true)
	}
}

// Entries that a follower had to drop are sent again as soon as the leader knows, although others are in flight.
func TestDroppedEntriesAreSentAgain(t *testing.T) {
	rf, f, other, calls := commandsInFlight(t, 4, LinkPool(4))
	other.reordered.bytes = maxBytesInFlight // no room
	third := deliver(t, other, calls[2].message)
	for _, c := range calls[:2] {
		deliverCall(t, rf, f, other, c)
	}
	mustEqual(t, "matchIndex, nextIndex", [2]int{f.matchIndex, f.nextIndex}, [2]int{2, 5})
	rf.onReplyLocked(f, calls[2], third)
	mustEqual(t, "nextIndex", f.nextIndex, 3)
}
