//go:build linux && (amd64 || arm64)

package engine

import (
	"os"
	"path/filepath"
	"testing"
)

// saveSynced writes to an ordinary directory what a power disk certainly keeps: nothing but what was synced.
func (n *powerNode) saveSynced(t testing.TB, path string) {
	var err error
	if n.isDir {
		err = os.MkdirAll(path, 0o700)
	} else {
		err = os.WriteFile(path, n.syncedData, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, child := range n.synced {
		child.saveSynced(t, filepath.Join(path, name))
	}
}

// settle makes the disk keep all that was written so far, as an idle system does after some time.
func (n *powerNode) settle() {
	n.syncedData = append([]byte(nil), n.data...)
	n.synced = map[string]*powerNode{}
	for name, child := range n.names {
		n.synced[name] = child
		child.settle()
	}
}

// newSyncTest makes the directory of a new server on a power disk, and opens it.
func newSyncTest(t *testing.T) (*powerDisk, *writerTest) {
	disk, path, unmount := mountPower(t, t.TempDir())
	t.Cleanup(unmount)
	return disk, newWriterTest(t, filepath.Join(path, "data", "1"))
}

// foundAfterCut returns what is found after a loss of power in which all is lost that was not synced.
func foundAfterCut(t *testing.T, disk *powerDisk) mark {
	t.Helper()
	left := t.TempDir()
	disk.mu.Lock()
	disk.root.saveSynced(t, left)
	disk.mu.Unlock()
	if _, err := os.Stat(filepath.Join(left, "data", "1", layout)); err != nil {
		t.Fatal(err)
	}
	return newWriterTest(t, filepath.Join(left, "data", "1")).found
}

// TestSync_newDirectory: once a server has started, its directory survives.
func TestSync_newDirectory(t *testing.T) {
	disk, _ := newSyncTest(t)
	if got := foundAfterCut(t, disk); got.snapshot != 1 {
		t.Errorf("found is %+v", got)
	}
}

// TestSync_entries: what was saved is there.
func TestSync_entries(t *testing.T) {
	disk, s := newSyncTest(t)
	s.append(5, 2, 20)
	if got := foundAfterCut(t, disk); got.last != 20 || got.term != 5 || got.vote != 1 {
		t.Errorf("found is %+v", got)
	}
}

// TestSync_shorterLog: the mark, which the disk may have kept although it was not synced, does not say more than the log has
// after its end was replaced.
func TestSync_shorterLog(t *testing.T) {
	disk, s := newSyncTest(t)
	s.append(5, 2, 20)
	disk.mu.Lock()
	disk.root.settle()
	disk.mu.Unlock()
	s.append(6, 10, 12)
	if got := foundAfterCut(t, disk); got.last != 12 || got.term != 6 {
		t.Errorf("found is %+v", got)
	}
}

// TestSync_installedSnapshot: a snapshot from the leader that was saved is there, also if it has come with nothing else.
func TestSync_installedSnapshot(t *testing.T) {
	disk, s := newSyncTest(t)
	s.append(5, 2, 20)
	s.install(snapshotAt(40, 5))
	if got := foundAfterCut(t, disk); got.snapshot != 40 || got.last != 40 {
		t.Errorf("found is %+v", got)
	}
}

// TestSync_takenSnapshot: a snapshot of this server's service that was saved is there.
func TestSync_takenSnapshot(t *testing.T) {
	disk, s := newSyncTest(t)
	s.append(5, 2, 20)
	s.must(s.w.saveAll([]write{{append: message(5, 20, 1, 0)}}))
	s.take(snapshotAt(15, 5))
	if got := foundAfterCut(t, disk); got.snapshot != 15 || got.last != 20 {
		t.Errorf("found is %+v", got)
	}
}

// TestSync_leftOut: if etcd's packages did not sync the log's files, a snapshot's file or their names, what was saved would
// be lost. So the other tests here notice it.
func TestSync_leftOut(t *testing.T) {
	for name, ignore := range powerMutants {
		t.Run(name, func(t *testing.T) {
			disk, s := newSyncTest(t)
			disk.mu.Lock()
			disk.ignore = ignore
			disk.mu.Unlock()
			for first := uint64(2); first < 300; first += 20 { // the log gets new files
				s.must(s.w.saveAll([]write{{append: message(5, first+19, first, first+19)}}))
			}
			s.take(snapshotAt(100, 5))
			left := t.TempDir()
			disk.mu.Lock()
			disk.root.saveSynced(t, left)
			disk.mu.Unlock()
			config := s.w.node.config
			config.Dir = filepath.Join(left, "data", "1")
			dir, err := openDirectory(&config, s.w.dir.zap)
			if err != nil {
				t.Fatal(err)
			}
			defer dir.close()
			r, err := dir.recover(&config)
			if err != nil {
				return // it was noticed even without the mark of what must be there
			}
			defer r.wal.Close()
			defer r.mark.close()
			if got := r.found(); got.last >= 301 && got.snapshot >= 100 {
				t.Errorf("nothing is lost: %+v", got)
			}
		})
	}
}
