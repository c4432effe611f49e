package raft

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
)

// A queue that is reused keeps its memory unless that is large. It keeps no command.
func TestQueueIsUsedAgain(t *testing.T) {
	for _, c := range []struct {
		name     string
		commands int
		size     int // of each
		kept     bool
	}{
		{"empty", 0, 0, true},
		{"one", 1, 10, true},
		{"many", maxReused / 20, 5, true},
		{"too many", maxReused/10 + 1, 1, false},
		{"too large", 2, maxReused/2 + 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := new(queue)
			data := make([]byte, c.size)
			for k := range c.commands {
				q.add(1, data, k)
			}
			memory, commands := cap(q.memory), cap(q.commands)
			q.reset()
			mustEqual(t, "length", fmt.Sprint(q.length(), len(q.memory), len(q.commands)), "0 0 0")
			mustEqual(t, "memory is kept", cap(q.memory) == memory && cap(q.commands) == commands, c.kept)
			for _, command := range q.commands[:cap(q.commands)] {
				if command != nil {
					t.Fatalf("%v is kept from the garbage collector", command)
				}
			}
			q.add(3, []byte{formNil}, "next")
			mustEqual(t, "the next command", fmt.Sprint(q.length(), q.at(0), q.commands), "1 {3 [0]} [next]")
		})
	}
}

// A Start that finds the queue full takes all commands. The first Start in the queue then finds it empty, and its
// command in the log.
func TestFirstInQueueFindsAllTaken(t *testing.T) {
	rf := newLeader(t, 3, 2, nil)
	data, _, _ := encodeCommand(nil, "first")
	mustEqual(t, "ticket", rf.proposals.add(data, "first"), ticket{index: 1, term: 2, first: true, uncommitted: 1})
	for range 2 { // the second time, all are taken
		mustEqual(t, "accepted", rf.accept(2), true)
		mustEqual(t, "lastIndex", rf.log.lastIndex(), 1)
		mustEqual(t, "the queue in use is not the one in reserve", rf.proposals.queue != rf.spare, true)
	}
	for k := range 3 {
		index, term, leads := rf.Start("next")
		mustEqual(t, "Start", fmt.Sprint(index, term, leads), fmt.Sprint(k+2, 2, true))
	}
	verify(t, rf)
}

// If the leader is deposed while a Start waits in the queue, Start returns the same as on a follower.
func TestStartDeposedBeforeItsTurn(t *testing.T) {
	rf := newLeader(t, 3, 2, from(1).terms(1))
	rf.mu.Lock()
	result := make(chan string)
	go func() {
		index, term, leads := rf.Start("late")
		result <- fmt.Sprint(index, term, leads)
	}()
	for rf.proposals.length() == 0 {
		runtime.Gosched()
	}
	rf.becomeFollowerLocked(5)
	rf.mu.Unlock()
	mustEqual(t, "Start", <-result, "-1 5 false")
	verify(t, rf)
	mustEqual(t, "lastIndex", rf.log.lastIndex(), 1)
}

// Entries that a snapshot covers do not count as uncommitted, also after a restart, so Start does not yield because of
// them.
func TestNothingWaitsAfterRestart(t *testing.T) {
	before := newFollower(t, 3, 1, from(1).terms(slices.Repeat([]int{1}, maxUncommitted+1)...))
	before.commitIndex = maxUncommitted + 1
	before.Snapshot(maxUncommitted+1, []byte("all"))
	rf := newQuiet(t, 3, before.store.persister.Copy())
	rf.becomeCandidateLocked()
	rf.becomeLeaderLocked()
	mustEqual(t, "ticket", rf.proposals.add([]byte{formNil}, nil), ticket{index: maxUncommitted + 2, term: 2, first: true, uncommitted: 1})
}
