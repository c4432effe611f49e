//go:build linux && (amd64 || arm64)

package engine

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
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

// A syncTest is a server's files on a power disk, without the server.
type syncTest struct {
	*testing.T
	disk   *powerDisk
	path   string // of the disk
	config Config
	dir    *directory
	w      *writer
}

// newSyncTest makes the directory of a new server, and opens it.
func newSyncTest(t *testing.T) *syncTest {
	s := &syncTest{T: t}
	var unmount func()
	s.disk, s.path, unmount = mountPower(t, t.TempDir())
	t.Cleanup(unmount)
	s.open(filepath.Join(s.path, "data", "1"))
	t.Cleanup(func() { s.must(errors.Join(s.w.wal.Close(), s.w.mark.close(), s.dir.close())) })
	return s
}

func (s *syncTest) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// open opens a directory, and returns what it holds.
func (s *syncTest) open(path string) *recovered {
	s.Helper()
	s.config = Config{
		ID: 1, Cluster: "test", Dir: path, Peers: map[int]string{1: "127.0.0.1:1"},
		Logger: slog.New(slog.NewTextHandler(logWriter{s.T}, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	s.must(s.config.prepare())
	var err error
	s.dir, err = openDirectory(&s.config, newZapLogger(s.config.Logger))
	s.must(err)
	r, err := s.dir.recover(&s.config)
	s.must(err)
	n := &Node{config: s.config, applier: &applier{tasks: newQueue[applyTask]()}}
	n.metrics, err = newMetrics(n)
	s.must(err)
	s.w = &writer{node: n, dir: s.dir, wal: r.wal, mark: r.mark, storage: raft.NewMemoryStorage(), hard: r.hard, last: r.found().last, snapshot: r.found().snapshot}
	s.must(s.w.storage.ApplySnapshot(r.snapshot))
	s.must(s.w.storage.Append(r.entries))
	return r
}

// afterCut returns what is found after a loss of power in which all is lost that was not synced.
func (s *syncTest) afterCut() *recovered {
	s.Helper()
	left := s.TempDir()
	s.disk.mu.Lock()
	s.disk.root.saveSynced(s.T, left)
	s.disk.mu.Unlock()
	if _, err := os.Stat(filepath.Join(left, "data", "1", layout)); err != nil {
		s.Fatal(err)
	}
	later := &syncTest{T: s.T}
	r := later.open(filepath.Join(left, "data", "1"))
	s.must(errors.Join(later.w.wal.Close(), later.w.mark.close(), later.dir.close()))
	return r
}

// append saves entries of a term, from an index on.
func (s *syncTest) append(term, first, last uint64) {
	s.Helper()
	m := &raftpb.Message{Term: &term, Vote: new(uint64(1)), Commit: new(uint64(1))}
	for index := first; index <= last; index++ {
		m.Entries = append(m.Entries, &raftpb.Entry{Index: new(index), Term: &term, Data: []byte("sx")})
	}
	s.must(s.w.saveAll([]write{{append: m}}))
}

// TestSync_newDirectory: once a server has started, its directory survives.
func TestSync_newDirectory(t *testing.T) {
	if r := newSyncTest(t).afterCut(); r.snapshot.GetMetadata().GetIndex() != 1 {
		t.Errorf("the first snapshot is at %d", r.snapshot.GetMetadata().GetIndex())
	}
}

// TestSync_entries: what was saved is there.
func TestSync_entries(t *testing.T) {
	s := newSyncTest(t)
	s.append(5, 2, 20)
	if got := s.afterCut().found(); got.last != 20 || got.term != 5 || got.vote != 1 {
		t.Errorf("found is %+v", got)
	}
}

// TestSync_shorterLog: the mark, which the disk may have kept although it was not synced, does not say more than the log has
// after its end was replaced.
func TestSync_shorterLog(t *testing.T) {
	s := newSyncTest(t)
	s.append(5, 2, 20)
	s.disk.mu.Lock()
	s.disk.root.settle()
	s.disk.mu.Unlock()
	s.append(6, 10, 12)
	if got := s.afterCut().found(); got.last != 12 || got.term != 6 {
		t.Errorf("found is %+v", got)
	}
}

// TestSync_installedSnapshot: a snapshot from the leader that was saved is there, also if it has come with nothing else.
func TestSync_installedSnapshot(t *testing.T) {
	s := newSyncTest(t)
	s.append(5, 2, 20)
	full := &fullSnapshot{
		meta:   &raftpb.SnapshotMetadata{Index: new(uint64(40)), Term: new(uint64(5)), ConfState: &raftpb.ConfState{Voters: []uint64{1}}},
		header: header{commands: 39, service: true, addresses: map[uint64]string{1: "127.0.0.1:1"}},
	}
	m := &raftpb.Message{Term: new(uint64(5)), Vote: new(uint64(1)), Commit: new(uint64(40))}
	s.must(s.w.install(write{append: m, installed: full}))
	if got := s.afterCut().found(); got.snapshot != 40 || got.last != 40 {
		t.Errorf("found is %+v", got)
	}
}

// TestSync_takenSnapshot: a snapshot of this server's service that was saved is there.
func TestSync_takenSnapshot(t *testing.T) {
	s := newSyncTest(t)
	s.append(5, 2, 20)
	hard := &raftpb.Message{Term: new(uint64(5)), Vote: new(uint64(1)), Commit: new(uint64(20)), Entries: nil}
	s.must(s.w.saveAll([]write{{append: hard}}))
	full := &fullSnapshot{
		meta:   &raftpb.SnapshotMetadata{Index: new(uint64(15)), Term: new(uint64(5)), ConfState: &raftpb.ConfState{Voters: []uint64{1}}},
		header: header{commands: 14, service: true, addresses: map[uint64]string{1: "127.0.0.1:1"}},
	}
	s.must(s.dir.saveSnapshotFile(full.file()))
	s.must(s.w.record(write{taken: full, compactTo: 15}))
	if got := s.afterCut().found(); got.snapshot != 15 || got.last != 20 {
		t.Errorf("found is %+v", got)
	}
}
