package raft

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A restarted server counts the entries that its snapshot covers as committed and applied: it ignores an older
// snapshot.
func TestRestartBehindSnapshot(t *testing.T) {
	before := committed(t)
	before.Snapshot(3, []byte("three"))
	rf := newQuiet(t, 3, before.store.persister.Copy())
	mustEqual(t, "commitIndex, lastApplied", [2]int{rf.commitIndex, rf.lastApplied}, [2]int{3, 3})
	verify(t, rf)
	deliver(t, rf, &InstallSnapshotArgs{Term: 3, LeaderID: 1, LastIncludedIndex: 2, LastIncludedTerm: 1, Data: []byte("two")})
	mustEqual(t, "snapshot", restored(t, rf).snapshot, "three")
	mustEqual(t, "log", logTerms(t, rf), "[2 3]")
}

// restartedAtThree restarts a server with a snapshot at 3 and entries up to 5, and starts its applier. The
// function that it returns receives the next message, formatted as feed does.
func restartedAtThree(t *testing.T, opts ...Option) (*Raft, func() string) {
	before := committed(t)
	before.Snapshot(3, []byte("three"))
	rf := newQuiet(t, 3, before.store.persister.Copy(), append(opts, WithSnapshotFirst())...)
	return rf, feed(rf)
}

// With WithSnapshotFirst, the saved snapshot is handed over once, before the entries after it and in order with events.
func TestSnapshotFirst(t *testing.T) {
	for _, opts := range [][]Option{nil, {WithTrailingLog(2)}, {WithEvents()}, {WithTrailingLog(9), WithEvents()}} {
		synctest.Test(t, func(t *testing.T) {
			rf, next := restartedAtThree(t, opts...)
			defer rf.Kill()
			mustEqual(t, "lastApplied", rf.Status().LastApplied, 0)
			deliver(t, rf, appendMsg(4, 5, 3, 5))
			want := ">3 4 5 -"
			if rf.options.events {
				want = ">3 NewTerm LeaderKnown 4 5 -"
			}
			for _, want := range strings.Fields(want) {
				mustEqual(t, "next", next(), want)
			}
			mustEqual(t, "lastApplied", rf.Status().LastApplied, 5)
		})
	}
}

// With a trailing log, the entries that the snapshot covers are not handed over.
func TestSnapshotFirstWithTrailingLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := committed(t)
		before.options.trailing = 2
		before.Snapshot(3, []byte("three"))
		mustEqual(t, "base", before.log.base, 1)
		rf := newQuiet(t, 3, before.store.persister.Copy(), WithTrailingLog(2), WithSnapshotFirst())
		applyCh := startApplier(rf)
		defer rf.Kill()
		m := <-applyCh
		mustEqual(t, "first", fmt.Sprint(m.SnapshotValid, m.SnapshotIndex, m.SnapshotTerm, " ", string(m.Snapshot)), "true 3 2 three")
		deliver(t, rf, appendMsg(4, 5, 3, 5))
		wantCommand(t, applyCh, 4, 4)
		wantCommand(t, applyCh, 5, 5)
		silent(t, applyCh)
	})
}

// Without a snapshot, the option changes nothing. Without the option, no snapshot is handed over.
func TestNoSnapshotFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := committed(t)
		rf := newQuiet(t, 3, before.store.persister.Copy(), WithSnapshotFirst())
		next := feed(rf)
		defer rf.Kill()
		deliver(t, rf, appendMsg(4, 5, 3, 2))
		for _, want := range strings.Fields("1 2 -") {
			mustEqual(t, "next", next(), want)
		}
		before.Snapshot(3, []byte("three"))
		plain := newQuiet(t, 3, before.store.persister.Copy())
		next = feed(plain)
		defer plain.Kill()
		deliver(t, plain, appendMsg(4, 5, 3, 4))
		for _, want := range strings.Fields("4 -") {
			mustEqual(t, "next without the option", next(), want)
		}
	})
}

// A newer snapshot that arrives before the saved one was handed over replaces it.
func TestNewerSnapshotFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := committed(t)
		before.Snapshot(3, []byte("three"))
		rf := newQuiet(t, 3, before.store.persister.Copy(), WithSnapshotFirst(), WithEvents())
		deliver(t, rf, &InstallSnapshotArgs{Term: 4, LeaderID: 1, LastIncludedIndex: 9, LastIncludedTerm: 4, Data: []byte("nine")})
		next := feed(rf)
		defer rf.Kill()
		for _, want := range strings.Fields(">9 NewTerm LeaderKnown SnapshotInstalled -") {
			mustEqual(t, "next", next(), want)
		}
	})
	synctest.Test(t, func(t *testing.T) { // the applier is already sending the saved one
		rf, next := restartedAtThree(t)
		defer rf.Kill()
		synctest.Wait()
		deliver(t, rf, &InstallSnapshotArgs{Term: 4, LeaderID: 1, LastIncludedIndex: 9, LastIncludedTerm: 4, Data: []byte("nine")})
		for _, want := range strings.Fields(">3 >9 -") {
			mustEqual(t, "next", next(), want)
		}
	})
}

// The same with a trailing log: neither the snapshot nor the entries that it covers are handed over again.
func TestRestartWithTrailingLog(t *testing.T) {
	for trailing := range 5 {
		synctest.Test(t, func(t *testing.T) {
			before := newFollower(t, 3, 3, from(1).terms(1, 1, 2, 2, 3), WithTrailingLog(trailing))
			before.commitIndex = 4
			before.Snapshot(3, []byte("three"))
			s := newScene(t, 3, before.store.persister.Copy(), WithTrailingLog(trailing))
			defer s.end()
			s.intercept(loseAll)
			status := s.rf.Status()
			mustEqual(t, "commitIndex, lastApplied, SnapshotIndex",
				fmt.Sprint(status.CommitIndex, status.LastApplied, status.SnapshotIndex), "3 3 3")
			s.deliver(appendMsg(3, 5, 3, 5))
			time.Sleep(time.Millisecond)
			mustEqual(t, "what is handed over", applyText(s.received()), "4 5")
		})
	}
}
