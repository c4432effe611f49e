package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/fileutil"
	"go.etcd.io/etcd/server/v3/etcdserver/api/snap"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap"
)

// A server's directory holds:
//
//	lock         locked while a process uses the directory
//	v1/wal/      etcd's write-ahead log: entries, terms, votes, and a record for each snapshot
//	v1/snap/     etcd's snapshot files
//	v1/synced    what has surely been synced (see mark)
//	v1.new/      a v1 that was not finished when the server stopped
//
// v1 is the version of this layout.
const layout = "v1"

// ErrLost means that a server's directory lacks something that was synced, or that it is damaged. The server has made promises
// that it could not keep, so it must never start with this directory again.
var ErrLost = errors.New("what this server had promised to keep is gone, so it must not take part any more: " +
	"remove it from the cluster (RemoveServer), delete the directory, and add a server with a new number (AddServer, Config.Join)")

// lost marks err, if there is one, as a reason for ErrLost. A file that is missing is one. Another error of the system is none:
// a directory that cannot be read now may hold everything.
func lost(err error) error {
	var system syscall.Errno
	if err == nil || errors.Is(err, ErrLost) || errors.As(err, &system) && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fmt.Errorf("%w; %w", err, ErrLost)
}

// An identity is the metadata of the write-ahead log: whose directory it is.
type identity struct {
	Layout  string
	Cluster string
	Server  int
}

// A directory is a server's directory, locked by this process.
type directory struct {
	path string // of v1
	lock *fileutil.LockedFile
	zap  *zap.Logger
}

func (d *directory) wal() string  { return filepath.Join(d.path, "wal") }
func (d *directory) snap() string { return filepath.Join(d.path, "snap") }
func (d *directory) mark() string { return filepath.Join(d.path, "synced") }

// openDirectory locks the directory that c names. If it is new, it becomes the directory of a server without a log.
func openDirectory(c *Config, zl *zap.Logger) (d *directory, err error) {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, err
	}
	var lock *fileutil.LockedFile
	err = whileLocked(func() (err error) {
		lock, err = fileutil.TryLockFile(filepath.Join(c.Dir, "lock"), os.O_WRONLY|os.O_CREATE, 0o600)
		return err
	})
	if errors.Is(err, fileutil.ErrLocked) {
		return nil, fmt.Errorf("another process uses the directory %s", c.Dir)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot lock the directory %s: %w", c.Dir, err)
	}
	defer func() {
		if err != nil {
			lock.Close()
		}
	}()
	d = &directory{path: filepath.Join(c.Dir, layout), lock: lock, zap: zl}
	names, err := os.ReadDir(c.Dir)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(e os.DirEntry) bool { return e.Name() == "lock" || e.Name() == layout+".new" })
	if len(names) == 0 {
		return d, d.create(c)
	}
	if _, err := os.Stat(d.path); err != nil {
		return nil, fmt.Errorf("the directory %s holds %q, which this version of the engine cannot read", c.Dir, names[0].Name())
	}
	return d, nil
}

// whileLocked calls f again while it fails because of a lock, for at most a second. A process that starts another one shares its
// locks with that one for a moment, so that a lock can outlive its holder's Close.
func whileLocked(f func() error) error {
	for tries := 1; ; tries++ {
		err := f()
		if !errors.Is(err, fileutil.ErrLocked) || tries == 100 {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// create makes v1 in one step: as v1.new, which is renamed when it is complete.
func (d *directory) create(c *Config) error {
	final := d.path
	d.path += ".new"
	defer func() { d.path = final }()
	if err := os.RemoveAll(d.path); err != nil {
		return err
	}
	if err := os.MkdirAll(d.snap(), 0o700); err != nil {
		return err
	}
	id, err := json.Marshal(identity{layout, c.Cluster, c.ID})
	if err != nil {
		return err
	}
	w, err := wal.Create(d.zap, d.wal(), id)
	if err != nil {
		return err
	}
	m := mark{}
	if !c.Join {
		m, err = d.found(w, c)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		return err
	}
	if err := createMark(d.mark(), m); err != nil {
		return err
	}
	// wal.Create does not sync the directory of the log, which has the log's first file.
	if err := errors.Join(syncDir(d.wal()), syncDir(d.path)); err != nil {
		return err
	}
	if err := os.Rename(d.path, final); err != nil {
		return err
	}
	return syncDirsUpFrom(filepath.Dir(final))
}

// found writes what every server of a new cluster begins with: a snapshot at raft index 1 that covers no commands and
// says who the members are. It stands for the changes that would have added them.
func (d *directory) found(w *wal.WAL, c *Config) (mark, error) {
	h := header{addresses: map[uint64]string{}}
	state := &raftpb.ConfState{}
	for id, address := range c.Peers {
		h.addresses[uint64(id)] = address
		state.Voters = append(state.Voters, uint64(id))
	}
	slices.Sort(state.Voters)
	first := &raftpb.Snapshot{Data: h.encode(), Metadata: &raftpb.SnapshotMetadata{
		ConfState: state, Index: new(uint64(1)), Term: new(uint64(1)),
	}}
	if err := d.saveSnapshotFile(first); err != nil {
		return mark{}, err
	}
	hard := &raftpb.HardState{Term: new(uint64(1)), Vote: new(uint64(0)), Commit: new(uint64(1))}
	if err := w.Save(hard, nil); err != nil {
		return mark{}, err
	}
	return mark{term: 1, last: 1, snapshot: 1}, w.SaveSnapshot(recordOf(first.Metadata))
}

// saveSnapshotFile saves a snapshot as a file, so that it survives a loss of power. It does not count until the
// write-ahead log has a record of it.
func (d *directory) saveSnapshotFile(s *raftpb.Snapshot) error {
	if err := snap.New(d.zap, d.snap()).SaveSnap(s); err != nil {
		return err
	}
	return syncDir(d.snap())
}

// recordOf returns the record of a snapshot in the write-ahead log.
func recordOf(m *raftpb.SnapshotMetadata) *walpb.Snapshot {
	return &walpb.Snapshot{Index: new(m.GetIndex()), Term: new(m.GetTerm()), ConfState: m.GetConfState()}
}

func (d *directory) close() error { return d.lock.Close() }

// syncDirsUpFrom syncs a directory and all above it, any of which may be new. One that this process cannot read is not.
func syncDirsUpFrom(path string) error {
	path, err := filepath.Abs(path)
	for err == nil {
		err = syncDir(path)
		if errors.Is(err, fs.ErrPermission) {
			err = nil
		}
		if path == filepath.Dir(path) {
			break
		}
		path = filepath.Dir(path)
	}
	return err
}

// syncDir makes the names of files in a directory survive a loss of power.
func syncDir(path string) error {
	f, err := fileutil.OpenDir(path)
	if err != nil {
		return err
	}
	return errors.Join(fileutil.Fsync(f), f.Close())
}
