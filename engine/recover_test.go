package engine

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// TestLogBehind has logs as terms of entries behind a snapshot at entry 10 of term 3.
func TestLogBehind(t *testing.T) {
	s := &raftpb.Snapshot{Metadata: &raftpb.SnapshotMetadata{Index: new(uint64(10)), Term: new(uint64(3))}}
	for _, test := range []struct {
		name  string
		first uint64 // raft index
		terms []uint64
		want  int // entries that are left; -1 for an error
	}{
		{"nothing", 11, nil, 0},
		{"the same log", 11, []uint64{3, 3, 4}, 3},
		{"later terms", 11, []uint64{4, 4}, 2},
		{"entries that the snapshot has replaced", 11, []uint64{2, 2, 2}, 0},
		{"a gap", 12, []uint64{3}, -1},
		{"a term that falls", 11, []uint64{4, 3}, -1},
	} {
		var entries []*raftpb.Entry
		for k, term := range test.terms {
			entries = append(entries, &raftpb.Entry{Index: new(test.first + uint64(k)), Term: &term})
		}
		got, err := logBehind(s, entries)
		if (err != nil) != (test.want < 0) || err == nil && len(got) != test.want {
			t.Errorf("%s: %d entries are left, error %v; want %d", test.name, len(got), err, test.want)
		}
	}
}

// TestRecover_replacedEntries restarts a server whose log still has entries that a snapshot from the leader has replaced.
func TestRecover_replacedEntries(t *testing.T) {
	c := newCluster(t, 1, nil)
	config := c.config(1, false)
	c.kill(1)
	if err := config.prepare(); err != nil {
		t.Fatal(err)
	}
	recovered := func() (*directory, *recovered) {
		t.Helper()
		dir, err := openDirectory(&config, newZapLogger(config.Logger))
		if err != nil {
			t.Fatal(err)
		}
		r, err := dir.recover(&config)
		if err != nil {
			t.Fatal(err)
		}
		return dir, r
	}
	dir, r := recovered()
	w := &writer{dir: dir, wal: r.wal, mark: r.mark, hard: r.hard, last: r.found().last, snapshot: r.found().snapshot}
	index := w.last
	var old []*raftpb.Entry
	for range 20 {
		index++
		old = append(old, &raftpb.Entry{Index: new(index), Term: new(r.hard.GetTerm())})
	}
	// What saveAll and install do to the disk.
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(w.wal.Save(nil, old))
	w.last = index
	must(w.raise())
	term := r.hard.GetTerm() + 5
	s := &fullSnapshot{
		meta:   &raftpb.SnapshotMetadata{Index: new(index - 10), Term: &term, ConfState: r.snapshot.GetMetadata().GetConfState()},
		header: header{commands: 3, service: true, addresses: map[uint64]string{1: c.addresses[1]}},
		data:   []byte(`["a","b","c"]`),
	}
	must(w.mark.lower(s.index()))
	must(dir.saveSnapshotFile(s.file()))
	must(w.wal.SaveSnapshot(recordOf(s.meta)))
	must(w.wal.Save(&raftpb.HardState{Term: &term, Vote: new(uint64(0)), Commit: new(s.index())}, nil))
	must(errors.Join(w.wal.Close(), w.mark.close(), dir.close()))
	dir, r = recovered()
	if got := r.found(); len(r.entries) != 0 || got.last != s.index() || got.snapshot != s.index() {
		t.Errorf("the log has %d entries behind the snapshot; found %+v", len(r.entries), got)
	}
	must(errors.Join(r.wal.Close(), r.mark.close(), dir.close()))
	c.start(1, false)
	if got := c.one("d"); got != 4 {
		t.Errorf("the next command has index %d", got)
	}
}

// TestChange_refused appends commands behind a change of the membership that raft has refused.
func TestChange_refused(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3, nil)
	c.one("a")
	leader := c.leader()
	first := &change{done: make(chan error, 1)}
	var err1, err2 error
	leader.do(func() {
		err1 = leader.loop.proposeChange(first, raftpb.ConfChangeAddLearnerNode, 4, "127.0.0.1:1")
		err2 = leader.loop.proposeChange(&change{}, raftpb.ConfChangeAddLearnerNode, 5, "127.0.0.1:1")
	})
	if err1 != nil || !errors.Is(err2, errChangePending) {
		t.Fatalf("the changes were answered with %v and %v", err1, err2)
	}
	if err := <-first.done; err != nil {
		t.Fatal(err)
	}
	if index := c.one("b"); index != 2 {
		t.Errorf("the second command has index %d", index)
	}
	for id := range 3 {
		c.kill(id + 1)
	}
	for id := range 3 {
		c.start(id+1, false)
	}
	if index := c.one("c"); index != 3 {
		t.Errorf("after restarts, the third command has index %d", index)
	}
	if got := c.leader().Status().Servers; len(got) != 4 || !got[3].Learner {
		t.Errorf("the members are %+v", got)
	}
	c.checkSame()
}

// A fakeLog is a write-ahead log that saves nothing.
type fakeLog struct {
	walFile
	save func()
}

func (f fakeLog) Save(*raftpb.HardState, []*raftpb.Entry) error { f.save(); return nil }

// TestSaveAll_mark checks what the mark on the disk says while the log is being written: never more than the log will have.
func TestSaveAll_mark(t *testing.T) {
	path := filepath.Join(t.TempDir(), "synced")
	if err := createMark(path, mark{}); err != nil {
		t.Fatal(err)
	}
	m, err := openMark(path)
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	n := &Node{}
	if n.metrics, err = newMetrics(n); err != nil {
		t.Fatal(err)
	}
	onDisk := func() uint64 {
		t.Helper()
		again, err := openMark(path)
		if err != nil {
			t.Fatal(err)
		}
		defer again.close()
		return again.mark.last
	}
	var during uint64
	w := &writer{node: n, wal: fakeLog{save: func() { during = onDisk() }}, mark: m, storage: raft.NewMemoryStorage(), hard: &raftpb.HardState{}}
	for _, test := range []struct{ first, entries, during, after uint64 }{
		{1, 10, 0, 10}, {11, 5, 10, 15}, {8, 2, 7, 9}, {10, 1, 9, 10}, {1, 1, 0, 1},
	} {
		a := &raftpb.Message{Term: new(uint64(1))}
		for k := range test.entries {
			a.Entries = append(a.Entries, &raftpb.Entry{Index: new(test.first + k), Term: new(uint64(1))})
		}
		if err := w.saveAll([]write{{append: a}}); err != nil {
			t.Fatal(err)
		}
		if after := onDisk(); during != test.during || after != test.after {
			t.Errorf("while entries from %d on were saved, the mark said %d, and then %d; want %d and %d",
				test.first, during, after, test.during, test.after)
		}
	}
}

// TestLostDirectory starts a server whose directory is gone as if it were new. The leader counts on entries that it has
// acknowledged, so it must not go on.
func TestLostDirectory(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3, nil)
	c.one("a")
	lost := c.follower()
	c.kill(lost.id)
	if err := os.RemoveAll(c.path(lost.id)); err != nil {
		t.Fatal(err)
	}
	c.mayStop = true
	again := c.start(lost.id, false)
	select {
	case <-again.Done():
	case <-withTimeout(t).Done():
		t.Fatal("the server goes on")
	}
	if err := again.Err(); !strings.Contains(err.Error(), "AddServer") {
		t.Errorf("the error is %v", err)
	}
	c.kill(lost.id)
	c.one("b")
}
