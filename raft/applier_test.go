package raft

import (
	"testing"
	"testing/synctest"
)

// busyApplier returns a server of five entries, four of them committed, whose applier has nobody to hand the first to.
func busyApplier(t *testing.T) (*Raft, chan ApplyMsg) {
	rf, applyCh := committed(t), make(chan ApplyMsg)
	rf.applyCh = applyCh
	go rf.applier()
	synctest.Wait()
	return rf, applyCh
}

// While the service takes its time, the server goes on.
func TestApplierWaitsWithoutLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf, applyCh := busyApplier(t)
		mustEqual(t, "applied before anybody receives", rf.lastApplied, 0)
		if rf.mu.TryLock() {
			rf.mu.Unlock()
			defer rf.Kill()
		} else {
			t.Error("the applier holds the lock while nobody receives")
			defer rf.Kill()
			for index := 1; index <= 4; index++ {
				<-applyCh
			}
		}
	})
}

// When Kill has returned, the applier sends nothing more, whatever it had in hand.
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
