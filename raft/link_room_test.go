package raft

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// laggard returns a leader with a snapshot at index 2 and two entries after it, and a follower that answers and has an
// empty log.
func laggard(t testing.TB, link Link) (*Raft, *follower, *Raft) {
	rf := newLeader(t, 3, 3, from(1).terms(1, 1, 3, 3), WithLink(link))
	setMatch(rf, []int{4, 0})
	rf.Snapshot(2, []byte("service"))
	f := rf.followers[2]
	f.nextIndex, f.hasAnswered, f.heartbeatDue = 1, true, false
	return rf, f, newPeer(t, 2, 1, nil)
}

// While a snapshot is in flight, the entries after it are not sent. They, or the next snapshot, are sent when it is
// answered.
func TestSnapshotGoesAlone(t *testing.T) {
	for _, link := range everyLink {
		rf, f, other := laggard(t, link)
		sent := sendNext(rf, f)
		mustEqual(t, "a snapshot is sent", sent.isSnapshot(), true)
		mustEqual(t, "something to send while it is in flight", rf.hasWorkLocked(f), false)
		rf.onReplyLocked(f, sent, deliver(t, other, sent.message))
		mustEqual(t, "something to send after it", rf.hasWorkLocked(f), true)
		rf.Snapshot(4, []byte("service, later"))
		mustEqual(t, "another snapshot after it", sendNext(rf, f).isSnapshot(), true)
	}
}

// A pool for several snapshots sends each newer snapshot, up to its limit of snapshots in flight.
func TestPoolOfSnapshots(t *testing.T) {
	for _, c := range []struct{ snapshots, want int }{{1, 1}, {2, 2}, {3, 3}, {9, 3}} {
		rf := newLeader(t, 3, 3, from(1).terms(1, 1, 3, 3), WithLink(LinkPools(1, c.snapshots)))
		setMatch(rf, []int{4, 0})
		f := rf.followers[2]
		f.nextIndex, f.hasAnswered, f.heartbeatDue = 1, true, false
		sent := 0
		for index := 1; index <= 3; index++ {
			rf.Snapshot(index, []byte("service"))
			for rf.hasWorkLocked(f) && sendNext(rf, f).isSnapshot() {
				sent++
			}
		}
		mustEqual(t, fmt.Sprint("in flight in a pool for ", c.snapshots), sent, c.want)
		mustEqual(t, "its limit of messages with entries", rf.options.link.entries(), 1)
	}
}

// Even if a link allows more messages, no more is sent to a follower while maxBytesInFlight bytes are in flight.
func TestBytesInFlight(t *testing.T) {
	for _, link := range []Link{LinkPool(3), LinkPerMessage} {
		rf := newLeader(t, 3, 1, nil, WithLink(link))
		f := rf.followers[1]
		exchange(t, rf, f, newPeer(t, 1, 1, nil))
		large := &call{message: new(AppendEntriesArgs), bytes: maxBytesInFlight}
		f.add(large)
		rf.Start("next")
		mustEqual(t, "work with sixteen megabytes in flight", rf.hasWorkLocked(f), false)
		f.remove(large)
		mustEqual(t, "work", rf.hasWorkLocked(f), true)
	}
}

// When a follower becomes unreachable, all calls to it stop counting as in flight, even those that are not late yet.
func TestRoomAfterOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf := newLeader(t, 3, 1, nil, WithLink(LinkPool(3)))
		f := rf.followers[1]
		exchange(t, rf, f, newPeer(t, 1, 1, nil))
		for n := range 3 {
			rf.Start(n)
			sendNext(rf, f)
			time.Sleep(time.Millisecond)
		}
		time.Sleep(rf.minCallTimeout() - 2*time.Millisecond)
		rf.followerDutyLocked(f, time.Now(), false)
		mustEqual(t, "failures", f.failures, maxFailures)
		mustEqual(t, "calls, entries, bytes in flight", [3]int{len(f.calls), f.entries, f.bytes}, [3]int{})
	})
}

// Round trips of heartbeats and of entries are measured separately.
func TestRoundTripsAreSeparate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf := newLeader(t, 3, 1, nil)
		f, other := rf.followers[1], newPeer(t, 1, 1, nil)
		for k, want := range [][2]time.Duration{{time.Second, 0}, {time.Second, 2 * time.Second}} {
			c := sendNext(rf, f)
			time.Sleep(time.Duration(k+1) * time.Second)
			rf.onReplyLocked(f, c, deliver(t, other, c.message))
			mustEqual(t, "round trips of heartbeats and of entries", [2]time.Duration{f.heartbeatRTT.shortest(), f.dataRTT.shortest()}, want)
			rf.Start("entry")
		}
	})
}

// The call timeout depends on the shortest of the last eight round trips. Messages with entries or a snapshot have
// round trips of their own, after the first of them.
func TestCallTimeoutFollowsRoundTrips(t *testing.T) {
	const least = 50 * time.Millisecond
	heartbeat, data := &call{message: new(AppendEntriesArgs)}, &call{message: new(InstallSnapshotArgs)}
	var f inFlight
	check := func(when string, ofHeartbeat, ofData time.Duration) {
		t.Helper()
		mustEqual(t, when, [2]time.Duration{f.callTimeout(heartbeat, least), f.callTimeout(data, least)}, [2]time.Duration{ofHeartbeat, ofData})
	}
	check("at first", least, least)
	f.heartbeatRTT.add(time.Millisecond)
	check("with short round trips", least, least)
	f.heartbeatRTT = roundTrips{}
	for _, ms := range []time.Duration{300, 100, 200} {
		f.heartbeatRTT.add(ms * time.Millisecond)
	}
	check("with heartbeats answered", 200*time.Millisecond, 200*time.Millisecond)
	f.dataRTT.add(time.Second)
	check("with entries answered", 200*time.Millisecond, 2*time.Second)
	for range 7 {
		f.heartbeatRTT.add(250 * time.Millisecond)
	}
	check("when the shortest is the ninth last", 400*time.Millisecond, 2*time.Second)
	f.heartbeatRTT.add(250 * time.Millisecond)
	check("when the last eight are longer", 500*time.Millisecond, 2*time.Second)
}

// A heartbeat in flight delays entries only on an ordered link, or until the follower's first answer.
func TestRoomBesideHeartbeat(t *testing.T) {
	for _, link := range everyLink {
		for _, answers := range []bool{false, true} {
			rf := newLeader(t, 3, 1, nil, WithLink(link))
			f := rf.followers[1]
			f.hasAnswered = answers
			mustEqual(t, "a heartbeat", sendNext(rf, f).isHeartbeat(), true)
			rf.Start("entry")
			want := link == LinkPerMessage || link > 1 || link == 1 && answers
			mustEqual(t, fmt.Sprint(link, " has room while a heartbeat is in flight; the follower answers: ", answers), rf.hasWorkLocked(f), want)
		}
	}
}

// Answered entries replace a heartbeat. Until they are answered, the next heartbeat is sent when it is due.
func TestEntriesAsHeartbeat(t *testing.T) {
	for _, answered := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			rf := newLeader(t, 3, 1, nil)
			f, other := rf.followers[1], newPeer(t, 1, 1, nil)
			exchange(t, rf, f, other)
			time.Sleep(rf.options.heartbeat * 3 / 4)
			rf.Start("entry")
			if c := sendNext(rf, f); answered {
				rf.onReplyLocked(f, c, deliver(t, other, c.message))
			}
			time.Sleep(rf.options.heartbeat / 2)
			rf.followerDutyLocked(f, time.Now(), false)
			mustEqual(t, "a heartbeat is due", f.heartbeatDue, !answered)
		})
	}
}
