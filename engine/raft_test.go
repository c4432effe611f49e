package engine

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// TestReads_confirmed: only the answer to the last question counts. An earlier one may be from before a call.
func TestReads_confirmed(t *testing.T) {
	call := &read{}
	r := reads{question: 7, asked: []*read{call}}
	number := func(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
	for _, wrong := range [][]byte{number(6), number(8), number(7)[:7], nil} {
		if r.confirmed(raft.ReadState{Index: 3, RequestCtx: wrong}); call.index != 0 || len(r.asked) != 1 {
			t.Fatalf("the answer to question %v was taken for that to question 7", wrong)
		}
	}
	if r.confirmed(raft.ReadState{Index: 5, RequestCtx: number(7)}); call.index != 5 || len(r.asked) != 0 || len(r.answered) != 1 {
		t.Errorf("the right answer has left %+v", r)
	}
}

// TestPropose_behindOthers proposes while raft has entries that the loop has not seen.
func TestPropose_behindOthers(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1, nil)
	c.one("a")
	s := c.leader()
	p := &proposal{data: []byte("sc"), answered: make(chan struct{})}
	s.do(func() {
		m := &raftpb.Message{Type: raftpb.MsgProp.Enum(), From: new(uint64(1)), Entries: []*raftpb.Entry{{Data: []byte("sb")}}}
		if err := s.loop.raft.Step(m); err != nil {
			t.Error(err)
		}
		s.loop.proposeBatch([]*proposal{p})
	})
	if p.index != 3 {
		t.Errorf("the third command has index %d", p.index)
	}
	if index := c.one("d"); index != 4 || s.record.at(3) != "c" {
		t.Errorf("the next command has index %d, and the third is %v", index, s.record.at(3))
	}
}

// TestPropose_follower proposes on a server that does not lead any more. It must refuse, and not pass the command on: then it
// would have an index that nobody knows.
func TestPropose_follower(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3, nil)
	c.one("a")
	p := &proposal{data: []byte("sb"), answered: make(chan struct{})}
	s := c.follower()
	s.do(func() { s.loop.proposeBatch([]*proposal{p}) })
	if p.term != 0 || s.Err() != nil {
		t.Errorf("the command has index %d in term %d; the server's error is %v", p.index, p.term, s.Err())
	}
	if index := c.one("c"); index != 2 {
		t.Errorf("the second command has index %d", index)
	}
}

// TestSnapshot_replacesPending: a snapshot from the leader makes one of this server pointless that is not saved yet.
func TestSnapshot_replacesPending(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1, nil)
	c.mayStop = true // it is left in a state that makes no sense
	c.one("a")
	s := c.leader()
	full := snapshotAt(20, s.loop.term+1)
	if !s.do(func() {
		at := s.loop.positions.last()
		s.loop.pending, s.loop.received = snapshotAt(at, s.loop.term), full
		s.loop.noteSnapshot(full.small())
		if s.loop.pending != nil || s.loop.received != nil || s.loop.positions.last() != 20 {
			t.Errorf("after the snapshot at 20, %+v is to be saved, and the log ends with %d", s.loop.pending, s.loop.positions.last())
		}
		s.Node.fail(fmt.Errorf("the test is over"))
	}) {
		t.Errorf("the server has stopped: %v", s.Err())
	}
}

// TestForReceiver: raft takes no snapshot that does not name its receiver.
func TestForReceiver(t *testing.T) {
	for _, test := range []struct {
		to       uint64
		learners []uint64 // in the message that is sent
	}{{1, []uint64{3}}, {3, []uint64{3}}, {4, []uint64{3, 4}}} {
		state := &raftpb.ConfState{Voters: []uint64{1, 2}, Learners: []uint64{3}}
		m := &raftpb.Message{To: &test.to, Snapshot: &raftpb.Snapshot{Metadata: &raftpb.SnapshotMetadata{ConfState: state}}}
		if got := forReceiver(m).GetSnapshot().GetMetadata().GetConfState(); !slices.Equal(got.GetLearners(), test.learners) {
			t.Errorf("to server %d: the learners are %v, want %v", test.to, got.GetLearners(), test.learners)
		}
		if len(state.Learners) != 1 {
			t.Error("raft's own snapshot was changed")
		}
	}
}

// TestSnapshot_fileFirst: a snapshot of the service has its file before its record.
func TestSnapshot_fileFirst(t *testing.T) {
	t.Parallel()
	var c *cluster
	records := 0
	c = newCluster(t, 1, func(config *Config) {
		config.wrap = func(w walFile) walFile {
			return watchedLog{
				walFile: w, save: func() error { return nil }, sync: func() {}, release: func() {},
				record: func(r *walpb.Snapshot) {
					records++
					name := fmt.Sprintf("%016x-%016x.snap", r.GetTerm(), r.GetIndex())
					if _, err := os.Stat(filepath.Join(c.path(1), layout, "snap", name)); err != nil {
						t.Errorf("a snapshot gets its record before it has a file: %v", err)
					}
				},
			}
		}
	})
	s := c.leader()
	s.record.snapshotEvery(1)
	for k := range 10 {
		index := c.one(fmt.Sprint(k))
		c.eventually("the snapshot is not saved", func() bool { return s.Status().SnapshotIndex == index })
	}
	c.kill(1)
	if records < 10 {
		t.Errorf("there were only %d records", records)
	}
}

// TestReads_answer: a read that the leader has confirmed waits until this server knows its index to be committed.
func TestReads_answer(t *testing.T) {
	l := &loop{positions: newPositions(1, 0), commit: 2}
	appendAll(&l.positions, 2, "ncc")
	call := &read{index: 3, done: make(chan int, 1)}
	l.reads.answered = []*read{call}
	if l.reads.answer(l); len(call.done) != 0 || len(l.reads.answered) != 1 {
		t.Fatal("a read was answered before its index is committed")
	}
	l.commit = 3
	if l.reads.answer(l); len(call.done) != 1 || <-call.done != 1 || len(l.reads.answered) != 0 {
		t.Error("the read was not answered with command 1")
	}
}
