package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"go.etcd.io/etcd/server/v3/etcdserver/api/snap"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3/raftpb"
)

// A recovered is what a directory holds when a server starts.
type recovered struct {
	snapshot *raftpb.Snapshot // nil if there is none
	hard     *raftpb.HardState
	entries  []*raftpb.Entry // behind the snapshot
	wal      *wal.WAL        // ready for writing
	mark     *markFile
}

// recover reads the directory of a server. First it only reads, and returns an error if anything is missing that was
// synced. Only then may the end of the log be mended, which removes a part of a record that a crash has left.
func (d *directory) recover(c *Config) (r *recovered, err error) {
	mf, err := openMark(d.mark())
	if err != nil {
		return nil, lost(err)
	}
	defer func() {
		if err != nil {
			mf.close()
		}
	}()
	r, err = d.read(c)
	if err != nil {
		return nil, err
	}
	if err := mf.mark.check(r.found()); err != nil {
		return nil, lost(err)
	}
	r.mark = mf
	return r, d.openForWriting(r)
}

// found returns the mark that says all that was found.
func (r *recovered) found() mark {
	m := mark{term: r.hard.GetTerm(), vote: r.hard.GetVote(), snapshot: r.snapshot.GetMetadata().GetIndex()}
	m.last = m.snapshot
	if n := len(r.entries); n > 0 {
		m.last = r.entries[n-1].GetIndex()
	}
	return m
}

// read reads the directory without changing the log.
func (d *directory) read(c *Config) (*recovered, error) {
	// A log that is opened for writing does not complain if it lacks the record of the snapshot. So ask first which
	// snapshots have one, behind a HardState that covers it.
	records, err := wal.ValidSnapshotEntries(d.zap, d.wal())
	if err != nil {
		return nil, lost(fmt.Errorf("the log is damaged: %w", err))
	}
	r := &recovered{}
	if len(records) > 0 {
		r.snapshot, err = snap.New(d.zap, d.snap()).LoadNewestAvailable(records)
		if err != nil && !errors.Is(err, snap.ErrNoSnapshot) {
			return nil, lost(err)
		}
	}
	w, err := wal.OpenForRead(d.zap, d.wal(), startOf(r.snapshot))
	if err != nil {
		return nil, lost(fmt.Errorf("the log is damaged: %w", err))
	}
	metadata, hard, entries, err := w.ReadAll() // closes the files unless it fails
	if err != nil {
		return nil, lost(fmt.Errorf("the log is damaged: %w", err))
	}
	var id identity
	if err := json.Unmarshal(metadata, &id); err != nil {
		return nil, lost(fmt.Errorf("the log does not say whose it is: %w", err))
	}
	if want := (identity{layout, c.Cluster, c.ID}); id != want {
		return nil, fmt.Errorf("the directory belongs to server %d of the cluster %q (layout %s), not to server %d of %q (%s)",
			id.Server, id.Cluster, id.Layout, want.Server, want.Cluster, want.Layout)
	}
	r.hard = hard
	r.entries, err = logBehind(r.snapshot, entries)
	return r, err
}

// startOf returns the record of a snapshot, or of the log's beginning.
func startOf(s *raftpb.Snapshot) *walpb.Snapshot {
	if s == nil {
		return &walpb.Snapshot{Index: new(uint64(0)), Term: new(uint64(0))}
	}
	return recordOf(s.GetMetadata())
}

// logBehind returns the entries of the log behind a snapshot. The write-ahead log still has entries that a snapshot from
// the leader has replaced, since nothing removes them. They are of earlier terms than the snapshot's last entry, if one of
// an earlier term stood at its index.
//
// If one of a later term T stood there, the old entries look like a continuation of the snapshot. They do no harm: what the
// snapshot covers was committed by a leader of a term after T, with an entry of its own term. That entry makes every
// majority refuse a candidate whose log ends in term T, and replaces the old entries when it comes.
func logBehind(s *raftpb.Snapshot, entries []*raftpb.Entry) ([]*raftpb.Entry, error) {
	index, term := s.GetMetadata().GetIndex(), s.GetMetadata().GetTerm()
	if len(entries) > 0 && entries[0].GetTerm() < term {
		return nil, nil
	}
	for _, e := range entries {
		if index++; e.GetIndex() != index || e.GetTerm() < term {
			return nil, lost(fmt.Errorf("the log has entry %d of term %d behind entry %d of term %d",
				e.GetIndex(), e.GetTerm(), index-1, term))
		}
		term = e.GetTerm()
	}
	return entries, nil
}

// openForWriting opens the log behind what was read, and mends its end if it must.
func (d *directory) openForWriting(r *recovered) error {
	for mended := false; ; mended = true {
		var w *wal.WAL
		err := whileLocked(func() (err error) {
			w, err = wal.Open(d.zap, d.wal(), startOf(r.snapshot))
			return err
		})
		if err != nil {
			return err
		}
		_, hard, entries, err := w.ReadAll()
		if err == nil {
			entries, err = logBehind(r.snapshot, entries)
			again := recovered{snapshot: r.snapshot, hard: hard, entries: entries}
			if err == nil && again.found() != r.found() {
				err = errors.New("the log was not the same when it was read again")
			}
			if err == nil {
				// Each file of the log begins with the HardState that was written last through w, of which w knows none yet.
				err = errors.Join(w.Save(hard, nil), d.removeBroken())
			}
			if err != nil {
				return errors.Join(err, w.Close())
			}
			r.wal = w
			return nil
		}
		w.Close() // fails, since the log is not ready for writing
		if mended || !errors.Is(err, io.ErrUnexpectedEOF) {
			return lost(fmt.Errorf("the log is damaged: %w", err))
		}
		if !wal.Repair(d.zap, d.wal()) { // nothing is lost, since what was synced could be read
			return fmt.Errorf("cannot mend the end of the log, which a crash has cut off; is there room for one more file of the log in %s?", d.wal())
		}
	}
}

// removeBroken removes the copies that Repair makes of what it mends. They would stay for ever.
func (d *directory) removeBroken() error {
	names, err := filesIn(d.wal(), ".broken")
	for _, name := range names {
		err = errors.Join(err, os.Remove(filepath.Join(d.wal(), name)))
	}
	return err
}
