package raft

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// committed returns a follower in term 3 with entries of terms 1, 1, 2, 2, 3, the first four of them committed.
func committed(t testing.TB) *Raft {
	rf := newFollower(t, 3, 3, from(1).terms(1, 1, 2, 2, 3))
	rf.commitIndex = 4
	return rf
}

func TestSnapshotCutsTheLog(t *testing.T) {
	for k, want := range []string{"[1 2 2 3]", "[2 2 3]", "[2 3]", "[3]"} {
		index, term := k+1, k/2+1
		rf := committed(t)
		size := rf.PersistBytes()
		rf.Snapshot(index, []byte("service"))
		verify(t, rf)
		mustEqual(t, "log", logTerms(t, rf), want)
		after := restored(t, rf)
		mustEqual(t, "snapshot", fmt.Sprint(after.snapshotIndex, after.snapshotTerm, after.snapshot), fmt.Sprint(index, term, "service"))
		mustEqual(t, "commitIndex", rf.commitIndex, 4)
		if rf.PersistBytes() >= size {
			t.Errorf("the state has %d bytes, %d before", rf.PersistBytes(), size)
		}
	}
}

func TestSnapshotOutOfRange(t *testing.T) {
	rf := committed(t)
	rf.me = 2
	before := observableOf(rf)
	for _, index := range []int{5, 6, math.MaxInt} {
		wantPanic(t, func() { rf.Snapshot(index, nil) }, "server 2", fmt.Sprintf("index %d is not committed", index), "commitIndex is 4")
	}
	for _, index := range []int{0, -1, math.MinInt} {
		rf.Snapshot(index, []byte("nothing"))
	}
	mustEqual(t, "state", observableOf(rf), before)
}

func TestSnapshotOldOrRepeatedIsIgnored(t *testing.T) {
	rf := committed(t)
	rf.Snapshot(3, []byte("third"))
	before := observableOf(rf)
	for _, index := range []int{1, 2, 3} {
		rf.Snapshot(index, []byte("older"))
	}
	mustEqual(t, "state", observableOf(rf), before)
	rf.Snapshot(4, []byte("fourth"))
	verify(t, rf)
	mustEqual(t, "snapshot", restored(t, rf).snapshot, "fourth")
}

// The same with a trailing log: neither the snapshot nor the beginning of the log goes back.
func TestSnapshotOutOfOrderWithTrailingLog(t *testing.T) {
	for trailing := range 6 {
		rf := newFollower(t, 3, 3, from(1).terms(1, 1, 2, 2, 3), WithTrailingLog(trailing))
		rf.commitIndex = 5
		want := func(index, term int, snapshot string) {
			t.Helper()
			verify(t, rf)
			after := restored(t, rf)
			mustEqual(t, "snapshot", fmt.Sprint(after.snapshotIndex, after.snapshotTerm, after.snapshot), fmt.Sprint(index, term, snapshot))
			mustEqual(t, "base", after.base, max(0, index-trailing))
			mustEqual(t, "on the disk", string(rf.store.persister.ReadSnapshot()), snapshot)
		}
		rf.Snapshot(2, []byte("second"))
		want(2, 1, "second")
		rf.Snapshot(4, []byte("fourth"))
		want(4, 2, "fourth")
		before := observableOf(rf)
		for _, index := range []int{3, 4, 1, 2, 4} {
			rf.Snapshot(index, []byte("late"))
		}
		mustEqual(t, "state", observableOf(rf), before)
		rf.Snapshot(5, []byte("fifth"))
		want(5, 3, "fifth")
	}
}

// A snapshot may cover just the first entry.
func TestInstallSnapshotOfOneEntry(t *testing.T) {
	rf := newFollower(t, 3, 3, nil)
	mustEqual(t, "success", granted(deliver(t, rf, &InstallSnapshotArgs{Term: 3, LeaderID: 1, LastIncludedIndex: 1, LastIncludedTerm: 1, Data: []byte("one")})), true)
	mustEqual(t, "snapshot", fmt.Sprint(restored(t, rf).snapshotIndex, " ", restored(t, rf).snapshot), "1 one")
	mustEqual(t, "commitIndex", rf.commitIndex, 1)
}

// CondInstallSnapshot returns true, because Raft has installed a snapshot before it hands it over.
func TestCondInstallSnapshot(t *testing.T) {
	mustEqual(t, "CondInstallSnapshot", committed(t).CondInstallSnapshot(3, 9, []byte("x")), true)
}

func TestKeepSnapshotIsNotCopied(t *testing.T) {
	rf := newFollower(t, 3, 1, from(1).terms(1))
	rf.commitIndex = 1
	data := []byte("state")
	rf.KeepSnapshot(1, data)
	mustEqual(t, "memory of the caller", &rf.snapshot.data[0] == &data[0], true)
	verify(t, rf)
}

func TestSnapshotIsCopied(t *testing.T) {
	rf := committed(t)
	data := []byte("service")
	rf.Snapshot(2, data)
	copy(data, "XXXXXXX")
	rf.Snapshot(3, append(data[:0], "another"...))
	copy(data, "YYYYYYY")
	verify(t, rf)
	mustEqual(t, "snapshot", string(rf.snapshot.data), "another")
}

// A snapshot may be empty.
func TestSnapshotEmpty(t *testing.T) {
	rf := committed(t)
	rf.Snapshot(2, nil)
	verify(t, rf)
	mustEqual(t, "snapshotIndex after a restart", restored(t, rf).snapshotIndex, 2)
}

// Figure 13: "If existing log entry has same index and term as snapshot's last included entry, retain log entries following
// it and reply"; otherwise "discard the entire log".
func TestInstallSnapshotRule(t *testing.T) {
	for _, c := range []struct {
		name        string
		args        InstallSnapshotArgs
		success     bool
		log         string
		index, term int // of the snapshot
		commit      int
	}{
		{"older than what is committed", InstallSnapshotArgs{Term: 3, LeaderID: 1, LastIncludedIndex: 3, LastIncludedTerm: 2, Data: []byte("x")}, true, "[1 1 2 2 3]", 0, 0, 4},
		{"the last committed", InstallSnapshotArgs{Term: 3, LeaderID: 1, LastIncludedIndex: 4, LastIncludedTerm: 2, Data: []byte("x")}, true, "[1 1 2 2 3]", 0, 0, 4},
		{"same index and term", InstallSnapshotArgs{Term: 4, LeaderID: 1, LastIncludedIndex: 5, LastIncludedTerm: 3, Data: []byte("x")}, true, "[]", 5, 3, 5},
		{"same index, another term", InstallSnapshotArgs{Term: 5, LeaderID: 1, LastIncludedIndex: 5, LastIncludedTerm: 4, Data: []byte("x")}, true, "[]", 5, 4, 5},
		{"beyond the log", InstallSnapshotArgs{Term: 3, LeaderID: 1, LastIncludedIndex: 9, LastIncludedTerm: 3, Data: []byte("x")}, true, "[]", 9, 3, 9},
		{"older term of the leader", InstallSnapshotArgs{Term: 2, LeaderID: 1, LastIncludedIndex: 9, LastIncludedTerm: 2, Data: []byte("x")}, false, "[1 1 2 2 3]", 0, 0, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			rf := committed(t)
			for range 2 { // the second one is a duplicate
				mustEqual(t, "success", granted(deliver(t, rf, &c.args)), c.success)
				mustEqual(t, "log", logTerms(t, rf), c.log)
				mustEqual(t, "commitIndex", rf.commitIndex, c.commit)
				mustEqual(t, "lastApplied, which only the applier moves", rf.lastApplied, 0)
				after := restored(t, rf)
				mustEqual(t, "snapshot", [2]int{after.snapshotIndex, after.snapshotTerm}, [2]int{c.index, c.term})
			}
		})
	}
}

func TestInstallSnapshotRetainsSuffix(t *testing.T) {
	for _, c := range []struct {
		term int // of the snapshot's last entry
		want string
	}{{2, "[2 2 3]"}, {1, "[]"}} {
		rf := newFollower(t, 3, 3, from(1).terms(1, 1, 2, 2, 2, 3))
		deliver(t, rf, &InstallSnapshotArgs{Term: 3, LeaderID: 1, LastIncludedIndex: 3, LastIncludedTerm: c.term, Data: []byte("x")})
		mustEqual(t, "log", logTerms(t, rf), c.want)
		deliver(t, rf, &InstallSnapshotArgs{Term: 3, LeaderID: 1, LastIncludedIndex: 2, LastIncludedTerm: 1, Data: []byte("older")})
		mustEqual(t, "log after an older one", logTerms(t, rf), c.want)
		mustEqual(t, "snapshot after an older one", restored(t, rf).snapshot, "x")
	}
}

func TestInstallSnapshotMalformed(t *testing.T) {
	for _, args := range []InstallSnapshotArgs{
		{Term: -1, LeaderID: 1, LastIncludedIndex: 9, LastIncludedTerm: 3},
		{Term: 0, LeaderID: 1, LastIncludedIndex: 9, LastIncludedTerm: 0},
		{Term: math.MaxInt, LeaderID: 1, LastIncludedIndex: 9, LastIncludedTerm: 3},
		{Term: maxNumber + 1, LeaderID: 1, LastIncludedIndex: 9, LastIncludedTerm: 3},
		{Term: 4, LeaderID: 0, LastIncludedIndex: 9, LastIncludedTerm: 3},
		{Term: 4, LeaderID: 3, LastIncludedIndex: 9, LastIncludedTerm: 3},
		{Term: 4, LeaderID: -1, LastIncludedIndex: 9, LastIncludedTerm: 3},
		{Term: 4, LeaderID: math.MaxInt, LastIncludedIndex: 9, LastIncludedTerm: 3},
		{Term: 4, LeaderID: 1, LastIncludedIndex: 0, LastIncludedTerm: 3},
		{Term: 4, LeaderID: 1, LastIncludedIndex: 0, LastIncludedTerm: 0},
		{Term: 4, LeaderID: 1, LastIncludedIndex: -9, LastIncludedTerm: 3},
		{Term: 4, LeaderID: 1, LastIncludedIndex: math.MaxInt, LastIncludedTerm: 3},
		{Term: 4, LeaderID: 1, LastIncludedIndex: 9, LastIncludedTerm: 0},
		{Term: 4, LeaderID: 1, LastIncludedIndex: 9, LastIncludedTerm: -3},
		{Term: 4, LeaderID: 1, LastIncludedIndex: 9, LastIncludedTerm: 5},
		{Term: 4, LeaderID: 1, LastIncludedIndex: 9, LastIncludedTerm: math.MaxInt},
	} {
		t.Run(fmt.Sprintf("%+v", args), func(t *testing.T) {
			args.Data = []byte("snapshot")
			wantRefused(t, committed(t), &args)
		})
	}
}

// A crash between any two changes of the disk leaves a state and a snapshot of one save, from which a server restarts.
func TestSnapshotSavedInOneStep(t *testing.T) {
	const entries = 100
	for _, growing := range []bool{true, false} {
		rf := newFollower(t, 3, 3, from(1).terms(slices.Repeat([]int{3}, entries)...))
		rf.commitIndex = entries
		if !growing {
			rf.store.changer = nil
		}
		saves := crashEachTime(t, rf.store.persister)
		for index := 1; index <= 60; index++ {
			rf.Snapshot(index, fmt.Append(nil, "up to ", index))
		}
		for range 20 {
			last := rf.log.lastIndex()
			rf.OnMessage(sealed(&InstallSnapshotArgs{Term: 3, LeaderID: 1, LastIncludedIndex: last + 3, LastIncludedTerm: 3, Data: fmt.Append(nil, "installed after ", last)}))
			rf.OnMessage(sealed(appendMsg(3, last+3, 3, last+3, 3, 3)))
		}
		verify(t, rf)
		mustEqual(t, "snapshotIndex", rf.snapshot.index, entries+19*5+3)
		mustEqual(t, "saves", *saves, 60+2*20)
	}
}

// crashEachTime restores a server from the disk after each save, and counts the saves.
func crashEachTime(t testing.TB, disk *Persister) (saves *int) {
	saves = new(int)
	disk.saved = func() {
		*saves++
		now := Persister{head: disk.head, body: disk.body, size: disk.size, snapshot: disk.snapshot}
		rf := &Raft{peers: deadEnds(3)}
		if err := rf.restore(now.ReadRaftState(), now.ReadSnapshot()); err != nil {
			t.Errorf("a server cannot restart after save %d: %v", *saves, err)
		}
	}
	return saves
}

// A follower that needs compacted entries is sent the snapshot, and then the entries after it.
func TestLeaderSendsSnapshot(t *testing.T) {
	rf := newLeader(t, 3, 3, from(1).terms(1, 1, 3, 3))
	setMatch(rf, []int{4, 0})
	rf.Snapshot(2, []byte("service"))
	f, other := rf.followers[2], newPeer(t, 2, 1, nil)
	f.nextIndex = 1
	sent := sendNext(rf, f)
	mustEqual(t, "nextIndex while the snapshot is in flight", f.nextIndex, 3)
	rf.onReplyLocked(f, sent, deliver(t, other, sent.message))
	mustEqual(t, "matchIndex", f.matchIndex, 2)
	mustEqual(t, "the follower's", fmt.Sprintf("%d %d %s", other.snapshot.index, other.snapshot.term, other.snapshot.data), "2 1 service")
	args := exchange(t, rf, f, other).(*AppendEntriesArgs)
	mustEqual(t, "prev", [2]int{args.PrevLogIndex, args.PrevLogTerm}, [2]int{2, 1})
	mustEqual(t, "log", logTerms(t, other), "[3 3]")
}

// A snapshot that may still be in flight is not sent again for a while. If the message before it was not answered
// either, it is sent again as soon as the follower answers.
func TestSnapshotSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for failures, want := range []int{snapshotHeartbeats, 1} {
			rf := newLeader(t, 3, 3, from(1).terms(1, 1, 3, 3))
			setMatch(rf, []int{4, 0})
			rf.Snapshot(2, []byte("service"))
			f, other := rf.followers[2], newPeer(t, 2, 1, nil)
			f.nextIndex, f.failures, f.heartbeatDue = 1, failures, false
			_, isSnapshot := sendNext(rf, f).message.(*InstallSnapshotArgs)
			mustEqual(t, "a snapshot is sent", isSnapshot, true)
			heartbeats := 0
			for ; heartbeats < 10 && !rf.hasWorkLocked(f); heartbeats++ {
				time.Sleep(rf.options.heartbeat)
				rf.followerDutyLocked(f, time.Now(), false)
				exchange(t, rf, f, other)
			}
			mustEqual(t, fmt.Sprintf("answered heartbeats until it is sent again, after %d failures", failures), heartbeats, want)
		}
	})
}

// A snapshot that arrives while older entries are handed over follows them. No index goes back.
func TestSnapshotWhileApplierIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf := committed(t)
		applyCh := startApplier(rf)
		defer rf.Kill()
		synctest.Wait() // it wants to send index 1
		deliver(t, rf, &InstallSnapshotArgs{Term: 3, LeaderID: 1, LastIncludedIndex: 9, LastIncludedTerm: 3, Data: []byte("first")})
		deliver(t, rf, appendMsg(3, 9, 3, 10, 3, 3))
		deliver(t, rf, &InstallSnapshotArgs{Term: 3, LeaderID: 1, LastIncludedIndex: 11, LastIncludedTerm: 3, Data: []byte("second")}) // just after the first
		deliver(t, rf, appendMsg(3, 11, 3, 12, 3))
		for index := 1; index <= 4; index++ {
			wantCommand(t, applyCh, index, index)
		}
		m := <-applyCh
		mustEqual(t, "snapshot", fmt.Sprint(m.SnapshotValid, m.CommandValid, m.SnapshotIndex, m.SnapshotTerm, string(m.Snapshot)),
			fmt.Sprint(true, false, 11, 3, "second"))
		wantCommand(t, applyCh, 12, 12)
		synctest.Wait()
		select {
		case m := <-applyCh:
			t.Errorf("and then %+v", m)
		default:
		}
		mustEqual(t, "lastApplied", rf.Status().LastApplied, 12)
	})
}

// The service may call Snapshot for the entries that it has received while the applier still has later ones.
func TestSnapshotBetweenReceives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf := committed(t)
		applyCh := startApplier(rf)
		defer rf.Kill()
		for index := 1; index <= 4; index++ {
			wantCommand(t, applyCh, index, index)
			rf.Snapshot(index, []byte{byte(index)})
			verify(t, rf)
		}
	})
}
