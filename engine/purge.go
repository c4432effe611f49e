package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// purge deletes what is not needed since the snapshot at a raft index counts: earlier snapshots, and files of the log that
// hold only entries that the snapshot covers. Another call may be under way.
func (d *directory) purge(snapshot uint64) error {
	logs, err := filesIn(d.wal(), ".wal")
	if err != nil {
		return err
	}
	needed := 0 // a restart reads from the last file that begins at or before the snapshot
	for k, name := range logs {
		var sequence, first uint64
		if _, err := fmt.Sscanf(name, "%016x-%016x.wal", &sequence, &first); err == nil && first <= snapshot {
			needed = k
		}
	}
	for _, name := range logs[:max(needed-1, 0)] { // ReleaseLockTo keeps the lock of one file more
		if err := removeFile(filepath.Join(d.wal(), name)); err != nil {
			return err
		}
	}
	snapshots, err := filesIn(d.snap(), "")
	if err != nil {
		return err
	}
	for _, name := range snapshots {
		var term, index uint64
		if _, err := fmt.Sscanf(name, "%016x-%016x.snap", &term, &index); err == nil && index < snapshot {
			if err := removeFile(filepath.Join(d.snap(), name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeFile deletes a file, unless that has happened already.
func removeFile(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// filesIn returns the names in a directory that end in suffix, in order.
func filesIn(dir, suffix string) (names []string, err error) {
	list, err := os.ReadDir(dir)
	for _, e := range list {
		if strings.HasSuffix(e.Name(), suffix) {
			names = append(names, e.Name())
		}
	}
	return names, err
}
