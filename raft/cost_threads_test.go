//go:build !wasip1

package raft

import (
	"runtime"
	"sync/atomic"
	"testing"
)

// Readers of the disk do not keep the server from saving: they copy without the disk's lock. So there are saves in
// the middle of a read, not only before and after it: if there are threads, which WebAssembly has not.
func TestReadersOfTheDiskDoNotHoldIt(t *testing.T) {
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
