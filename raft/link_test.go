package raft

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// exchange delivers the leader's next message to the follower, takes the reply, and returns the message.
func exchange(t testing.TB, leader *Raft, f *follower, other *Raft) Message {
	t.Helper()
	c := sendNext(leader, f)
	leader.mu.Lock()
	defer leader.mu.Unlock()
	deliverCall(t, leader, f, other, c)
	return c.message
}

// deliverCall delivers the message of a call to the follower, and takes the reply.
func deliverCall(t testing.TB, leader *Raft, f *follower, other *Raft, c *call) {
	t.Helper()
	leader.onReplyLocked(f, c, deliver(t, other, c.message))
}

// commandsInFlight returns a leader of term 1, its follower 1 with an empty log, and calls in flight to that follower, each
// with one of the leader's first commands.
func commandsInFlight(t testing.TB, commands int, link Link) (rf *Raft, f *follower, other *Raft, calls []*call) {
	t.Helper()
	rf = newLeader(t, 3, 1, nil, WithLink(link))
	f, other = rf.followers[1], newPeer(t, 1, 1, nil)
	exchange(t, rf, f, other)
	for n := range commands {
		rf.Start(n)
		calls = append(calls, sendNext(rf, f))
	}
	return rf, f, other, calls
}

// sendNext returns the leader's next call to a follower, with its message.
func sendNext(leader *Raft, f *follower) *call {
	leader.mu.Lock()
	defer leader.mu.Unlock()
	c := new(call)
	leader.nextCallLocked(f, c)
	if m, ok := c.message.(*AppendEntriesArgs); ok && len(c.entries) > 0 {
		m.carry(entriesOf(c.entries)...)
	}
	return c
}

// A message carries at most maxEntries entries, even if they are small.
func TestMaxEntries(t *testing.T) {
	parallel(t)
	rf := newLeader(t, 3, 2, from(1).terms(slices.Repeat([]int{1}, maxEntries+5)...))
	other := newPeer(t, 1, 1, nil)
	for _, want := range []int{0, maxEntries, 5} { // at first the leader does not know that the follower has nothing
		b, _, err := other.readEntries(sealed(exchange(t, rf, rf.followers[1], other).(*AppendEntriesArgs)))
		mustEqual(t, "error", err, nil)
		mustEqual(t, "entries", b.length(), want)
	}
	mustEqual(t, "lastIndex", other.log.lastIndex(), maxEntries+5)
}

// TestLinkRoom checks how many calls are in flight after five commands, and whether a heartbeat may then be sent.
func TestLinkRoom(t *testing.T) {
	for _, c := range []struct {
		name      string
		link      Link
		sent      int // of five commands
		heartbeat bool
	}{
		{"ordered", LinkOrdered, 1, false},
		{"per message", LinkPerMessage, 5, true},
		{"pool of 1", LinkPool(1), 1, true},
		{"pool of 3", LinkPool(3), 3, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			rf := newLeader(t, 3, 1, nil, WithLink(c.link))
			f := rf.followers[1]
			exchange(t, rf, f, newPeer(t, 1, 1, nil))
			var calls []*call
			for n := range 5 {
				rf.Start(n)
				if rf.hasWorkLocked(f) {
					calls = append(calls, sendNext(rf, f))
				}
			}
			mustEqual(t, "messages in flight", len(calls), c.sent)
			for _, call := range calls {
				mustEqual(t, "entries in each", call.entries.length(), 1)
			}
			f.heartbeatDue = true
			mustEqual(t, "a heartbeat may go", rf.hasWorkLocked(f), c.heartbeat)
			if c.link == LinkPerMessage {
				return
			}
			f.heartbeatDue = false
			rf.followerDutyLocked(f, time.Now().Add(rf.minCallTimeout()), false)
			mustEqual(t, "messages in flight after a timeout", len(f.calls), 0)
		})
	}
}

// newPeer returns the quiet follower me of three, in this term, with these entries.
func newPeer(t testing.TB, me, term int, entries []entry) *Raft {
	t.Helper()
	rf := newFollower(t, 3, term, entries)
	rf.me = me
	return rf
}

// Messages and replies may arrive in any order. Early entries are kept, and need not be sent again. An ordered link
// drops a reply that was overtaken, unless it has a newer term; other links use it.
func TestLinkOutOfOrder(t *testing.T) {
	for _, c := range []struct {
		link  Link
		match int // after the first message's reply came after the second's
	}{
		{LinkOrdered, 0}, {LinkPool(1), 2}, {LinkPool(2), 2}, {LinkPerMessage, 2},
	} {
		rf := newLeader(t, 3, 1, nil, WithLink(c.link))
		f, other := rf.followers[1], newPeer(t, 1, 1, nil)
		exchange(t, rf, f, other)
		rf.Start("first")
		first := sendNext(rf, f)
		rf.followerDutyLocked(f, time.Now().Add(rf.minCallTimeout()), false)
		rf.Start("second")
		second := sendNext(rf, f)

		reply := deliver(t, other, second.message)
		mustEqual(t, "the second is accepted", granted(reply), false)
		rf.onReplyLocked(f, second, reply)
		mustEqual(t, "nextIndex", f.nextIndex, 1)
		reply = deliver(t, other, first.message)
		mustEqual(t, "the first is accepted", granted(reply), true)
		rf.onReplyLocked(f, first, reply)
		mustEqual(t, "matchIndex", f.matchIndex, c.match)

		exchange(t, rf, f, other)
		mustEqual(t, "matchIndex, commitIndex", [2]int{f.matchIndex, rf.commitIndex}, [2]int{2, 2})
		rf.onReplyLocked(f, first, reply)
		mustEqual(t, "both after the same reply again", [2]int{f.matchIndex, rf.commitIndex}, [2]int{2, 2})
		rf.onReplyLocked(f, first, &AppendEntriesReply{Term: 9})
		mustEqual(t, "term", rf.currentTerm, 9)
	}
}

// While a leader probes where two logs agree, it sends one message at a time.
func TestLinkProbesOneByOne(t *testing.T) {
	rf := newLeader(t, 3, 3, from(1).terms(1, 1, 2, 2), WithLink(LinkPerMessage))
	f, other := rf.followers[1], newPeer(t, 1, 2, from(1).terms(1, 1, 1, 1, 1))
	exchange(t, rf, f, other)
	mustEqual(t, "nextIndex after a conflict", f.nextIndex, 3)
	probe := sendNext(rf, f)
	mustEqual(t, "entries of the probe", probe.entries.length(), 2)
	rf.Start("more")
	mustEqual(t, "nextIndex while the probe is in flight", f.nextIndex, 3)
	mustEqual(t, "more to send", rf.hasWorkLocked(f), false)
	deliverCall(t, rf, f, other, probe)
	mustEqual(t, "more to send after the answer", rf.hasWorkLocked(f), true)
	exchange(t, rf, f, other)
	mustEqual(t, "matchIndex", f.matchIndex, 5)
}

// divergingTerms returns the terms of two logs that differ from the first entry on, in n terms of three entries each.
func divergingTerms(n int) (ours, theirs []int) {
	for k := range n {
		ours = append(ours, 2*k+1, 2*k+1, 2*k+1)
		theirs = append(theirs, 2*k+2, 2*k+2, 2*k+2)
	}
	return ours, theirs
}

// TestBackupCost counts the messages that each way of backing up takes on logs that differ in forty terms of three
// entries each.
func TestBackupCost(t *testing.T) {
	parallel(t)
	ours, theirs := divergingTerms(40)
	for _, c := range []struct {
		backup   Backup
		messages int
	}{
		{BackupByTerm, 41}, // one for each term, and the one that is accepted
		{BackupByHalf, 8},  // 120, 60, 30, ... 1, 0
		{BackupByOne, 121},
		{BackupBy(7), 19}, // 120, 113, ... 1, 0
		{BackupBy(500), 2},
	} {
		t.Run(fmt.Sprint(c.backup), func(t *testing.T) {
			rf := newLeader(t, 3, 300, from(1).terms(ours...), WithBackup(c.backup))
			f, other := rf.followers[1], newPeer(t, 1, 250, from(1).terms(theirs...))
			messages := 0
			for ; f.matchIndex < 120 && messages <= 200; messages++ {
				exchange(t, rf, f, other)
			}
			mustEqual(t, "messages", messages, c.messages)
			mustEqual(t, "the same log", sameEntries(allEntries(&other.log), allEntries(&rf.log)), true)
		})
	}
}

// Every way of backing up goes to the end of a shorter log at once.
func TestBackupToEndOfLog(t *testing.T) {
	for _, backup := range []Backup{BackupByTerm, BackupByHalf, BackupByOne} {
		terms := slices.Repeat([]int{1}, 100)
		rf := newLeader(t, 3, 3, from(1).terms(terms...), WithBackup(backup))
		f, other := rf.followers[1], newPeer(t, 1, 1, from(1).terms(1, 1))
		exchange(t, rf, f, other)
		mustEqual(t, "nextIndex", f.nextIndex, 3)
		exchange(t, rf, f, other)
		mustEqual(t, "matchIndex", f.matchIndex, 100)
	}
}

// A leader sends its snapshot when backing up reaches the beginning of its log.
func TestBackupToSnapshot(t *testing.T) {
	for _, backup := range []Backup{BackupByTerm, BackupByHalf, BackupByOne, BackupBy(4)} {
		rf := newLeader(t, 3, 5, from(1).terms(1, 2, 2, 3, 3, 3), WithBackup(backup))
		setMatch(rf, []int{0, 6})
		rf.commitIndex = 4
		rf.Snapshot(4, []byte("service"))
		f, other := rf.followers[1], newPeer(t, 1, 4, from(1).terms(1, 1, 1, 4, 4, 4, 4, 4))
		messages := 0
		for ; f.matchIndex < 6 && messages < 10; messages++ {
			exchange(t, rf, f, other)
		}
		mustEqual(t, "matchIndex", f.matchIndex, 6)
		mustEqual(t, "the follower's snapshot", other.snapshot.index, 4)
		mustEqual(t, "log", logTerms(t, other), "[3 3]")
	}
}

// With WithTrailingLog, a server keeps entries that its snapshot covers, also across a restart. A follower that is
// slightly behind gets them instead of the snapshot.
func TestTrailingLog(t *testing.T) {
	for _, c := range []struct {
		trailing, base int
	}{
		{0, 6}, {1, 5}, {4, 2}, {6, 0}, {100, 0},
	} {
		rf := newLeader(t, 3, 3, from(1).terms(1, 1, 1, 2, 2, 2, 3, 3), WithTrailingLog(c.trailing))
		setMatch(rf, []int{8, 0})
		rf.Snapshot(6, []byte("service"))
		mustEqual(t, "base", rf.log.base, c.base)
		verify(t, rf)
		mustEqual(t, "a restart's base, snapshot", [2]int{restored(t, rf).base, restored(t, rf).snapshotIndex}, [2]int{c.base, 6})
		for have := range 6 {
			f, other := rf.followers[2], newPeer(t, 2, 2, from(1).terms(1, 1, 1, 2, 2, 2)[:have])
			f.nextIndex, f.matchIndex = 9, 0
			for k := 0; f.matchIndex < 8 && k < 4; k++ {
				exchange(t, rf, f, other)
			}
			mustEqual(t, "matchIndex", f.matchIndex, 8)
			mustEqual(t, "a snapshot came", other.snapshot.index == 6, have < c.base)
		}
		rf.Snapshot(8, []byte("service, later"))
		mustEqual(t, "base after another", rf.log.base, max(0, 8-c.trailing))
		verify(t, rf)
	}
}

// A received snapshot leaves the entries that it covers in the log only if they agree with it.
func TestTrailingLogOfReceivedSnapshot(t *testing.T) {
	for _, c := range []struct {
		name string
		term int // of the snapshot's last entry
		log  string
		base int
	}{
		{"it agrees", 2, "[1 1 2 2]", 0},
		{"it conflicts", 3, "[]", 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			rf := newFollower(t, 3, 3, from(1).terms(1, 1, 2, 2))
			rf.options.trailing = 10
			m := &InstallSnapshotArgs{Term: 3, LeaderID: 1, LastIncludedIndex: 4, LastIncludedTerm: c.term, Data: []byte("service")}
			mustEqual(t, "accepted", granted(deliver(t, rf, m)), true)
			mustEqual(t, "log", logTerms(t, rf), c.log)
			mustEqual(t, "base, commitIndex", [2]int{rf.log.base, rf.commitIndex}, [2]int{c.base, 4})
			todo := toApply{}
			mustEqual(t, "there is something to apply", rf.waitToApply(&todo), true)
			mustEqual(t, "the snapshot's index", todo.snapshot.index, 4)
		})
	}
}

// A rejection shows that the logs agree up to the leader's last entry of the conflicting term. Those entries are not
// sent.
func TestBackupSendsNothingKnown(t *testing.T) {
	rf := newLeader(t, 3, 3, from(1).terms(slices.Concat(slices.Repeat([]int{1}, 900), slices.Repeat([]int{2}, 100))...))
	f, other := rf.followers[1], newPeer(t, 1, 2, from(1).terms(slices.Repeat([]int{1}, 1000)...))
	exchange(t, rf, f, other)
	c := sendNext(rf, f)
	mustEqual(t, "the first entry sent", c.last-c.entries.length()+1, 901)
}

// A follower that has the entries that a snapshot covers does not get the snapshot.
func TestBackupNeedsNoSnapshot(t *testing.T) {
	for _, backup := range []Backup{BackupByTerm, BackupByHalf, BackupBy(2), BackupBy(9)} {
		rf := newLeader(t, 3, 3, from(1).terms(1, 1, 1, 1, 2, 2), WithBackup(backup))
		rf.commitIndex = 4
		rf.Snapshot(4, []byte("service"))
		f, other := rf.followers[1], newPeer(t, 1, 2, from(1).terms(1, 1, 1, 1, 1, 1))
		for messages := 0; f.matchIndex < 6 && messages < 4; messages++ {
			mustEqual(t, "each message", fmt.Sprintf("%T", exchange(t, rf, f, other)), "*raft.AppendEntriesArgs")
		}
		mustEqual(t, "matchIndex", f.matchIndex, 6)
	}
}

// A rejection that arrives after the missing entries were acknowledged does not count as a failure.
func TestRejectionOvertakenBySuccess(t *testing.T) {
	rf, f, other, calls := commandsInFlight(t, 3, LinkPool(3))
	third, second := deliver(t, other, calls[2].message), deliver(t, other, calls[1].message)
	deliverCall(t, rf, f, other, calls[0])
	rf.onReplyLocked(f, calls[1], second)
	mustEqual(t, "failures after the second", f.failures, 0)
	exchange(t, rf, f, other)
	mustEqual(t, "matchIndex", f.matchIndex, 3)
	rf.onReplyLocked(f, calls[2], third)
	mustEqual(t, "failures", f.failures, 0)
	rf.Start("next")
	mustEqual(t, "the next command can be sent", rf.hasWorkLocked(f), true)
}

// A follower that rejects entries that it has acknowledged has lost its disk. The leader must not send it messages
// without end.
func TestRejectionOfWhatWasAcknowledged(t *testing.T) {
	rf := newLeader(t, 3, 1, nil)
	f := rf.followers[1]
	rf.Start("first")
	exchange(t, rf, f, newPeer(t, 1, 1, nil))
	f.nextIndex = 2
	f.heartbeatDue = true
	for range maxFailures {
		exchange(t, rf, f, newPeer(t, 1, 1, nil))
	}
	mustEqual(t, "failures", f.failures, maxFailures)
	mustEqual(t, "something to send", rf.hasWorkLocked(f), false)
}

// A ticker that finds entries to send wakes up again when the next heartbeat is due, because entries may take long.
func TestHeartbeatInTimeBehindEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // so that no pause of the process counts as a long round trip
		rf := newLeader(t, 3, 1, nil)
		f := rf.followers[1]
		exchange(t, rf, f, newPeer(t, 1, 1, nil))
		rf.Start("first")
		first := sendNext(rf, f)
		rf.Start("second")
		due := f.heartbeatSentAt.Add(rf.options.heartbeat)
		now := due.Add(-time.Millisecond)
		first.sentAt = now.Add(-rf.minCallTimeout())
		next := rf.followerDutyLocked(f, now, false)
		mustEqual(t, "the second can be sent", rf.hasWorkLocked(f), true)
		mustEqual(t, "the ticker's next look is late by", max(0, next.Sub(due)), 0)
	})
}

// The loss of a heartbeat, or of entries that have arrived in another message, is no reason to send anything again.
func TestLossWithoutNewEntries(t *testing.T) {
	lost := func(t *testing.T, what func(rf *Raft, f *follower, other *Raft) *call) {
		rf := newLeader(t, 3, 1, nil, WithLink(LinkPool(4)))
		f, other := rf.followers[1], newPeer(t, 1, 1, nil)
		exchange(t, rf, f, other)
		c := what(rf, f, other)
		rf.Start("in flight")
		sendNext(rf, f)
		want := f.nextIndex
		rf.onReplyLocked(f, c, nil)
		mustEqual(t, "nextIndex", f.nextIndex, want)
	}
	t.Run("a heartbeat", func(t *testing.T) {
		lost(t, func(rf *Raft, f *follower, other *Raft) *call {
			f.heartbeatDue = true
			return sendNext(rf, f)
		})
	})
	t.Run("entries that were sent again", func(t *testing.T) {
		lost(t, func(rf *Raft, f *follower, other *Raft) *call {
			rf.Start("first")
			c := sendNext(rf, f)
			rf.followerDutyLocked(f, time.Now().Add(rf.minCallTimeout()), false)
			exchange(t, rf, f, other)
			exchange(t, rf, f, other)
			mustEqual(t, "matchIndex", f.matchIndex, 1)
			return c
		})
	})
}

// A heartbeat that overtakes entries cannot tell a follower that they are committed. The leader tells it again after
// they have arrived.
func TestCommitToldTooEarly(t *testing.T) {
	for _, link := range []Link{LinkPool(1), LinkPool(4), LinkPerMessage} {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprint(link, ", heartbeat answered late ", late), func(t *testing.T) {
				rf := newLeader(t, 3, 1, nil, WithLink(link))
				f, other := rf.followers[1], newPeer(t, 1, 1, nil)
				exchange(t, rf, f, other)
				for n := range 20 {
					rf.Start(n)
				}
				entries := sendNext(rf, f)
				third := newPeer(t, 2, 1, nil)
				for rf.commitIndex < 20 {
					exchange(t, rf, rf.followers[2], third)
				}
				f.heartbeatDue = true
				heartbeat := sendNext(rf, f)
				reply := deliver(t, other, heartbeat.message)
				if !late {
					rf.onReplyLocked(f, heartbeat, reply)
					mustEqual(t, "the commit is told again at once", rf.hasWorkLocked(f), false)
				}
				deliverCall(t, rf, f, other, entries)
				if late {
					rf.onReplyLocked(f, heartbeat, reply)
				}
				mustEqual(t, "the commit is told after the entries", rf.hasWorkLocked(f), true)
				exchange(t, rf, f, other)
				mustEqual(t, "the follower's commitIndex", other.commitIndex, 20)
				mustEqual(t, "more to send", rf.hasWorkLocked(f), false)
			})
		}
	}
}

// A call that was given up counts as one failure, even if its reply is a failure, too.
func TestGivenUpAndRefusedIsOneFailure(t *testing.T) {
	for name, reply := range map[string]Reply{
		"none": nil, "a refusal": &AppendEntriesReply{Term: 1}, "an impossible one": &AppendEntriesReply{Term: -1},
	} {
		rf := newLeader(t, 3, 1, nil)
		f := rf.followers[1]
		exchange(t, rf, f, newPeer(t, 1, 1, nil))
		rf.Start("first")
		c := sendNext(rf, f)
		rf.followerDutyLocked(f, time.Now().Add(rf.minCallTimeout()), false)
		mustEqual(t, "failures", f.failures, 1)
		rf.onReplyLocked(f, c, reply)
		mustEqual(t, "failures after the answer: "+name, f.failures, 1)
	}
}
