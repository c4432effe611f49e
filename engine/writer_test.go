package engine

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// A writerTest is a server's writer with its files, without the rest of the server.
type writerTest struct {
	*testing.T
	path  string
	w     *writer
	found mark // in the directory
}

// newWriterTest opens a directory, which may be new.
func newWriterTest(t *testing.T, path string) *writerTest {
	t.Helper()
	s := &writerTest{T: t, path: path}
	s.open()
	t.Cleanup(s.close)
	return s
}

func (s *writerTest) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *writerTest) open() {
	s.Helper()
	config := Config{
		ID: 1, Cluster: "test", Dir: s.path, Peers: map[int]string{1: "127.0.0.1:1"},
		Logger: slog.New(slog.NewTextHandler(logWriter{s.T}, &slog.HandlerOptions{Level: slog.LevelError})),
	}
	s.must(config.prepare())
	dir, err := openDirectory(&config, newZapLogger(config.Logger))
	s.must(err)
	r, err := dir.recover(&config)
	s.must(err)
	n := &Node{config: config, applier: &applier{tasks: newQueue[applyTask]()}, local: newQueue[*raftpb.Message]()}
	n.metrics, err = newMetrics(n)
	s.must(err)
	s.found = r.found()
	s.w = &writer{node: n, dir: dir, wal: r.wal, mark: r.mark, storage: raft.NewMemoryStorage(), hard: r.hard, last: s.found.last, snapshot: s.found.snapshot}
	s.must(errors.Join(s.w.storage.ApplySnapshot(r.snapshot), s.w.storage.Append(r.entries)))
}

func (s *writerTest) close() {
	if s.w != nil {
		s.must(errors.Join(s.w.wal.Close(), s.w.mark.close(), s.w.dir.close()))
		s.w = nil
	}
}

// message returns a MsgStorageAppend with entries of its term. Its answer is for this server's raft.
func message(term, commit, first, last uint64) *raftpb.Message {
	m := &raftpb.Message{Term: &term, Vote: new(uint64(1)), Commit: &commit, Responses: []*raftpb.Message{{To: new(uint64(1))}}}
	for index := first; index <= last; index++ {
		m.Entries = append(m.Entries, &raftpb.Entry{Index: new(index), Term: &term, Data: []byte("s" + strings.Repeat("x", 1000))})
	}
	return m
}

// append saves entries of a term, from an index on.
func (s *writerTest) append(term, first, last uint64) {
	s.Helper()
	s.must(s.w.saveAll([]write{{append: message(term, 1, first, last)}}))
}

// take saves a snapshot of this server's own service.
func (s *writerTest) take(full *fullSnapshot) {
	s.Helper()
	s.must(s.w.dir.saveSnapshotFile(full.file()))
	s.must(s.w.record(write{taken: full, compactTo: full.index()}))
	s.w.node.running.Wait() // for the goroutine that deletes files
}

// install saves a snapshot that came from the leader, with nothing else.
func (s *writerTest) install(full *fullSnapshot) {
	s.Helper()
	term := full.meta.GetTerm()
	s.must(s.w.install(write{append: message(term, full.index(), 1, 0), installed: full}))
	s.w.node.running.Wait()
}

func snapshotAt(index, term uint64) *fullSnapshot {
	return &fullSnapshot{
		meta:   &raftpb.SnapshotMetadata{Index: &index, Term: &term, ConfState: &raftpb.ConfState{Voters: []uint64{1}}},
		header: header{commands: int(index) - 1, service: true, addresses: map[uint64]string{1: "127.0.0.1:1"}},
	}
}

// A watchedLog calls functions before the methods of a write-ahead log.
type watchedLog struct {
	walFile
	save    func() error
	record  func(*walpb.Snapshot)
	sync    func()
	release func()
}

func (l watchedLog) Save(hard *raftpb.HardState, entries []*raftpb.Entry) error {
	if err := l.save(); err != nil {
		return err
	}
	return l.walFile.Save(hard, entries)
}

func (l watchedLog) SaveSnapshot(r *walpb.Snapshot) error {
	l.record(r)
	return l.walFile.SaveSnapshot(r)
}
func (l watchedLog) Sync() error { l.sync(); return l.walFile.Sync() }
func (l watchedLog) ReleaseLockTo(index uint64) error {
	l.release()
	return l.walFile.ReleaseLockTo(index)
}

// TestWriter_answers: nothing is answered before it is saved, or if it cannot be.
func TestWriter_answers(t *testing.T) {
	s := newWriterTest(t, t.TempDir())
	answered := func() bool { return len(s.w.node.local.take()) > 0 }
	var failure error
	s.w.wal = watchedLog{
		walFile: s.w.wal, record: func(*walpb.Snapshot) {}, sync: func() {}, release: func() {},
		save: func() error {
			if answered() {
				t.Error("it was answered before it was saved")
			}
			return failure
		},
	}
	s.append(5, 2, 4)
	if !answered() {
		t.Error("it was not answered")
	}
	s.install(snapshotAt(9, 5))
	if !answered() {
		t.Error("a snapshot was not answered")
	}
	failure = errors.New("the disk is broken")
	if err := s.w.saveAll([]write{{append: message(6, 9, 10, 11)}}); err != failure || answered() {
		t.Errorf("a failed save ended with %v, or was answered", err)
	}
}

// TestWriter_orders: a snapshot counts only when its file is there, and older files are deleted only when it counts. The
// mark never says more than the log has.
func TestWriter_orders(t *testing.T) {
	for _, installed := range []bool{false, true} {
		t.Run(fmt.Sprint("installed ", installed), func(t *testing.T) {
			s := newWriterTest(t, t.TempDir())
			full := snapshotAt(280, 5)
			for first := uint64(2); first <= 300; first += 20 {
				s.append(5, first, first+19)
			}
			before, err := filesIn(s.w.dir.snap(), ".snap")
			s.must(err)
			logs, err := filesIn(s.w.dir.wal(), ".wal")
			s.must(err)
			there := func(dir string, names ...string) bool {
				for _, name := range names {
					if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
						return false
					}
				}
				return true
			}
			var steps []string
			s.w.wal = watchedLog{
				walFile: s.w.wal,
				record: func(r *walpb.Snapshot) {
					steps = append(steps, "record")
					if !there(s.w.dir.snap(), fmt.Sprintf("%016x-%016x.snap", r.GetTerm(), r.GetIndex())) {
						t.Error("the snapshot has no file when it gets its record")
					}
					if !there(s.w.dir.snap(), before...) || !there(s.w.dir.wal(), logs...) {
						t.Error("older files were deleted before the snapshot has its record")
					}
					if got := s.onDisk(); installed && got.last > r.GetIndex() || got.snapshot >= r.GetIndex() {
						t.Errorf("before the record, the mark says %+v", got)
					}
				},
				save:    func() error { steps = append(steps, "save"); return nil },
				sync:    func() { steps = append(steps, "sync") },
				release: func() { steps = append(steps, "release") },
			}
			want := "record release"
			if installed {
				want = "record save sync release"
				s.install(full)
			} else {
				s.take(full)
			}
			if got := strings.Join(steps, " "); got != want {
				t.Errorf("the log was asked for %q, want %q", got, want)
			}
			if there(s.w.dir.snap(), before...) || there(s.w.dir.wal(), logs...) {
				t.Error("older files are left")
			}
			if got := s.onDisk(); got.snapshot != 280 {
				t.Errorf("at the end, the mark says %+v", got)
			}
		})
	}
}

// onDisk returns what the mark says on the disk.
func (s *writerTest) onDisk() mark {
	s.Helper()
	m, err := openMark(s.w.dir.mark())
	s.must(err)
	s.must(m.close())
	return m.mark
}

// TestWriter_hardState: the term and the vote are not lost with the file of the log that has them, although a restarted
// server need not save them again.
func TestWriter_hardState(t *testing.T) {
	s := newWriterTest(t, t.TempDir())
	s.must(s.w.saveAll([]write{{append: message(5, 300, 2, 10)}}))
	s.close()
	s.open()
	for first := uint64(11); first < 300; first += 10 {
		s.must(s.w.saveAll([]write{{append: &raftpb.Message{Entries: message(5, 0, first, first+9).GetEntries()}}}))
	}
	s.take(snapshotAt(290, 5))
	if logs, err := filesIn(s.w.dir.wal(), ".wal"); err != nil || logs[0] == "0000000000000000-0000000000000000.wal" {
		t.Fatalf("the log still has %v, error %v: the test shows nothing", logs, err)
	}
	s.close()
	s.open()
	if want := (mark{term: 5, vote: 1, last: 300, snapshot: 290}); s.found != want {
		t.Errorf("found is %+v, want %+v", s.found, want)
	}
}

// TestWriter_unrecordedSnapshot: a snapshot's file without a record, as a crash leaves it, does not count.
func TestWriter_unrecordedSnapshot(t *testing.T) {
	s := newWriterTest(t, t.TempDir())
	s.append(5, 2, 20)
	s.must(s.w.dir.saveSnapshotFile(snapshotAt(10, 5).file()))
	s.close()
	s.open()
	if s.found.snapshot != 1 || s.found.last != 20 {
		t.Errorf("found is %+v", s.found)
	}
}
