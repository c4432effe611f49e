package raft

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// On a network without delays, agreement takes no time: no goroutine waits for a heartbeat or polls. The leader applies
// a command at once, and followers within twice commitDelay.
func TestAgreementTakesNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := setup{n: 3}.start(t)
		defer cfg.cleanup()
		leader := cfg.checkOneLeader()
		cfg.sleep(time.Second)
		cfg.raft(leader).Start("to all")
		synctest.Wait()
		for i := range 3 {
			mustEqual(t, "last index at once", cfg.raft(i).Status().LastIndex, 1)
		}
		cfg.disconnect((leader + 1) % 3) // a bare majority is left
		cfg.sleep(time.Second)
		for k := range 20 {
			index, _, _ := cfg.raft(leader).Start(k)
			synctest.Wait()
			if got := cfg.raft(leader).Status().LastApplied; got != index {
				t.Fatalf("the leader has applied %d at once, want %d", got, index)
			}
			time.Sleep(2 * commitDelay)
			if got := cfg.raft(leader + 2).Status().LastApplied; got != index {
				t.Fatalf("the follower has applied %d after %v, want %d", got, 2*commitDelay, index)
			}
		}
	})
}

// Commands that are started while a message is in flight are sent in one message after the reply, and only once.
func TestStartsShareMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf := newLeader(t, 3, 1, nil)
		const starts = 50
		rf.applyCh = make(chan ApplyMsg, starts+1)
		peer, network := connectScripted(rf)
		defer network.Cleanup()
		go rf.applier()
		defer rf.Kill()
		startReplicator(rf, rf.followers[1])
		next := func(prev, entries int) {
			t.Helper()
			m := <-peer.asked
			b, _, err := rf.readEntries(m)
			mustEqual(t, "message", fmt.Sprint(m.PrevLogIndex, b.length(), err), fmt.Sprint(prev, entries, nil))
		}
		next(0, 0) // the first heartbeat
		for k := range starts {
			rf.Start(k)
			synctest.Wait()
			select {
			case m := <-peer.asked:
				t.Fatalf("a Start sends %+v although a message is in flight", m)
			default:
			}
		}
		peer.answers <- AppendEntriesReply{Term: 1, Success: true}
		next(0, starts)
		rf.Start("last")
		peer.answers <- AppendEntriesReply{Term: 1, Success: true}
		next(starts, 1)
		peer.answers <- AppendEntriesReply{Term: 1, Success: true}
		synctest.Wait()
		mustEqual(t, "matchIndex", rf.followers[1].matchIndex, starts+1)
	})
}

// A message's entries are encoded without the lock. If the log is truncated and rewritten meanwhile, the message must
// not change.
func TestEntriesInFlightAreCopies(t *testing.T) {
	rf := newLeader(t, 3, 3, from(1).terms(1, 1, 2))
	f := rf.followers[1]
	f.nextIndex = 1
	var c call
	rf.nextCallLocked(f, &c)
	deliver(t, rf, appendMsg(5, 1, 1, 0, 5, 5)) // from the leader of term 5
	mustEqual(t, "the log", logTerms(t, rf), "[1 5 5]")
	if !sameEntries(entriesOf(c.entries), from(1).terms(1, 1, 2)) {
		t.Errorf("the message's entries became %v", c.entries)
	}
}
