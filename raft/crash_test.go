package raft

import (
	"bytes"
	"testing"
)

// A snapshot and the state that belongs to it are saved in one step (§7). A crash during the save of a large snapshot
// leaves both old or both new.
func TestCrashWhileLargeSnapshotIsSaved(t *testing.T) {
	parallel(t)
	rf := committed(t)
	disk := rf.store.persister
	save := func(index int) {
		rf.OnMessage(sealed(&InstallSnapshotArgs{Term: 3, LeaderID: 1, LastIncludedIndex: index, LastIncludedTerm: 3, Data: bytes.Repeat([]byte{byte(index)}, 4<<20)}))
	}
	save(9)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
			}
			crashed := disk.Copy()
			h, _, err := readHead(crashed.ReadRaftState())
			if err != nil || int(crashed.snapshot[0]) != h.snapshotIndex {
				t.Errorf("a crash now would leave a state for the snapshot at %d and the snapshot at %d (%v)",
					h.snapshotIndex, crashed.snapshot[0], err)
				return
			}
		}
	}()
	for index := 10; index < 15; index++ {
		save(index)
	}
	close(stop)
	<-stopped
	mustEqual(t, "saved", restored(t, rf).snapshotIndex, 14)
}
