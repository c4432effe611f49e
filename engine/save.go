package engine

import (
	"fmt"
	"slices"
	"time"

	"6.824/engine/internal/disk"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// A walFile is what the writer needs of etcd's write-ahead log.
type walFile = disk.Log

// A write is a task of the writer.
type write struct {
	append    *raftpb.Message // a MsgStorageAppend, or nil
	installed *fullSnapshot   // the snapshot that append brings, or nil
	taken     *fullSnapshot   // a snapshot of this server's service, the file of which is saved already
	compactTo uint64          // with taken: raft index up to which the log is dropped
}

// A writer is the goroutine that saves what raft wants saved, in order, and then delivers the answers that depend on it.
// Meanwhile raft runs on, and what comes in is saved together, with one sync.
type writer struct {
	node    *Node
	dir     *directory
	wal     walFile
	mark    *markFile
	storage *raft.MemoryStorage
	tasks   *queue[write]

	hard     *raftpb.HardState // as saved last
	last     uint64            // raft index of the log's last entry
	snapshot uint64            // raft index of the snapshot
}

// run works until the node stops or a save fails. Nothing is answered after a failed save: what is on the disk is not
// known then, and a further sync would tell nothing about the data of the one that failed.
func (w *writer) run() {
	for {
		select {
		case <-w.node.stop:
			return
		case <-w.tasks.wake:
		}
		for tasks := w.tasks.take(); len(tasks) > 0; {
			n := slices.IndexFunc(tasks, func(t write) bool { return t.installed != nil || t.taken != nil })
			if n < 0 {
				n = len(tasks)
			}
			var err error
			switch {
			case n > 0:
				err = w.saveAll(tasks[:n])
			case tasks[0].installed != nil:
				n, err = 1, w.install(tasks[0])
			default:
				n, err = 1, w.record(tasks[0])
			}
			if err != nil {
				w.node.fail(fmt.Errorf("cannot save: %w", err))
				return
			}
			tasks = tasks[n:]
		}
	}
}

// saveAll saves entries, terms and votes, and delivers the answers.
func (w *writer) saveAll(tasks []write) error {
	var entries []*raftpb.Entry
	var hard *raftpb.HardState
	keep := w.last
	for _, t := range tasks {
		if new := t.append.GetEntries(); len(new) > 0 {
			entries = append(entries, new...)
			keep = min(keep, new[0].GetIndex()-1)
		}
		if h := hardStateOf(t.append); h != nil {
			hard = h
		}
	}
	if err := w.mark.lower(keep); err != nil {
		return err
	}
	begun := time.Now()
	if err := w.wal.Save(hard, entries); err != nil {
		return err
	}
	w.node.metrics.saved(len(entries), time.Since(begun))
	if hard != nil {
		w.hard = hard
	}
	for _, t := range tasks {
		if err := w.storage.Append(t.append.GetEntries()); err != nil {
			return err
		}
	}
	if n := len(entries); n > 0 {
		w.last = entries[n-1].GetIndex()
	}
	if err := w.raise(); err != nil {
		return err
	}
	for _, t := range tasks {
		w.node.deliver(t.append.GetResponses())
	}
	return nil
}

// hardStateOf returns the HardState that a MsgStorageAppend brings, or nil.
func hardStateOf(m *raftpb.Message) *raftpb.HardState {
	h := &raftpb.HardState{Term: new(m.GetTerm()), Vote: new(m.GetVote()), Commit: new(m.GetCommit())}
	if raft.IsEmptyHardState(h) {
		return nil
	}
	return h
}

// raise tells the mark what has been synced.
func (w *writer) raise() error {
	return w.mark.raise(mark{term: w.hard.GetTerm(), vote: w.hard.GetVote(), last: w.last, snapshot: w.snapshot})
}

// install saves a snapshot that came from the leader and replaces the log. After a crash in between, the old state is
// still there: a snapshot counts only when the log has its record and a HardState that covers it.
func (w *writer) install(t write) error {
	s, hard, entries := t.installed, hardStateOf(t.append), t.append.GetEntries()
	if err := w.mark.lower(min(w.last, s.index())); err != nil {
		return err
	}
	if err := w.dir.saveSnapshotFile(s.file()); err != nil {
		return err
	}
	if err := w.wal.SaveSnapshot(recordOf(s.meta)); err != nil {
		return err
	}
	if err := w.wal.Save(hard, entries); err != nil {
		return err
	}
	if err := w.wal.Sync(); err != nil {
		return err
	}
	if hard != nil {
		w.hard = hard
	}
	w.snapshot, w.last = s.index(), s.index()+uint64(len(entries))
	if err := w.raise(); err != nil {
		return err
	}
	w.node.kept.Store(s)
	if err := w.storage.ApplySnapshot(s.small()); err != nil {
		return err
	}
	if err := w.storage.Append(entries); err != nil {
		return err
	}
	w.node.applier.tasks.put(applyTask{snapshot: s})
	w.node.deliver(t.append.GetResponses())
	return w.purge()
}

// record makes a snapshot of this server's own service count, and drops the log that it covers. The HardState that
// covers it is saved already, since the service had the snapshot's last command only after that.
func (w *writer) record(t write) error {
	s := t.taken
	if s.index() <= w.snapshot {
		return nil // a newer one came from the leader
	}
	if err := w.wal.SaveSnapshot(recordOf(s.meta)); err != nil {
		return err
	}
	w.snapshot = s.index()
	if err := w.raise(); err != nil {
		return err
	}
	w.node.kept.Store(s)
	if _, err := w.storage.CreateSnapshot(s.index(), s.meta.GetConfState(), s.header.encode()); err != nil {
		return err
	}
	if err := w.storage.Compact(t.compactTo); err != nil && err != raft.ErrCompacted {
		return err
	}
	return w.purge()
}

// purge has the files deleted that are not needed since the snapshot counts. To delete a large file may take many
// milliseconds, so another goroutine does it.
func (w *writer) purge() error {
	if err := w.wal.ReleaseLockTo(w.snapshot); err != nil {
		return err
	}
	snapshot := w.snapshot
	w.node.running.Go(func() {
		if err := w.dir.purge(snapshot); err != nil {
			w.node.fail(fmt.Errorf("cannot delete a file: %w", err))
		}
	})
	return nil
}
