//go:build !wasip1

package raft

import (
	"runtime"
	"sync/atomic"
	"testing"
)

// A reader of the disk copies without the disk's lock, so the server can save during a read. This needs threads, which
// WebAssembly does not have.
func TestDiskReadersDoNotBlockSaves(t *testing.T) {
	ps := MakePersister()
	ps.Change(Change{Head: []byte("headhead"), Replace: true, Snapshot: make([]byte, 16<<20)})
	most := 0
	for reads := 0; most < 1000 && reads < 1000; reads++ {
		var reading atomic.Bool
		reading.Store(true)
		go func() {
			defer reading.Store(false)
			ps.ReadSnapshot()
		}()
		saves := 0
		for ; reading.Load(); saves++ {
			ps.Append([]byte("HEADHEAD"), []byte{1})
			runtime.Gosched()
		}
		most = max(most, saves)
	}
	if most < 1000 {
		t.Errorf("at most %d saves while a snapshot was read", most)
	}
}
