package raft

import (
	"testing"
	"testing/synctest"
)

// busyApplier returns a server with four committed entries, whose applier waits to send the first one.
func busyApplier(t *testing.T) (*Raft, chan ApplyMsg) {
	rf, applyCh := committed(t), make(chan ApplyMsg)
	rf.applyCh = applyCh
	go rf.applier()
	synctest.Wait()
	return rf, applyCh
}

// While a service does not receive, the server still answers.
func TestApplierWaitsWithoutLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf, applyCh := busyApplier(t)
		mustEqual(t, "applied before the service receives", rf.lastApplied, 0)
		if rf.mu.TryLock() {
			rf.mu.Unlock()
			defer rf.Kill()
		} else {
			t.Error("the applier holds the lock while it waits to send")
			defer rf.Kill()
			for index := 1; index <= 4; index++ {
				<-applyCh
			}
		}
	})
}

// After Kill has returned, the applier sends nothing more, even if it was waiting to send.
func TestKilledApplierSendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf, applyCh := busyApplier(t)
		rf.Kill()
		synctest.Wait()
		for range 4 {
			select {
			case m := <-applyCh:
				t.Errorf("received %+v after Kill", m)
				synctest.Wait()
			default:
			}
		}
	})
}
