package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"

	"go.etcd.io/etcd/client/pkg/v3/fileutil"
)

// A mark says what has surely been synced: the write-ahead log holds at least this much. A log alone cannot tell that. If
// its last records are missing, they may have been cut off by a crash before anything depended on them, which is
// harmless; or they have been lost since. Then the server has promised what it no longer knows, and must not go on.
//
// The mark is written after each sync of the log, and not synced itself, so that it costs one write. After a loss of power
// it may be an older one. It is therefore lowered, and synced, before the log becomes shorter or its end is replaced.
type mark struct {
	term, vote uint64 // as in the saved HardState
	last       uint64 // raft index of the last entry
	snapshot   uint64 // raft index of the snapshot
}

// markSize is the size of an encoded mark: five numbers, and a checksum. It is written within one sector.
const markSize = 5*8 + 4

// markMagic is the first number of an encoded mark.
const markMagic = 0x312e6b72616d7673

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (m mark) encode() []byte {
	b := make([]byte, 0, markSize)
	for _, n := range []uint64{markMagic, m.term, m.vote, m.last, m.snapshot} {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func decodeMark(b []byte) (mark, error) {
	if len(b) != markSize || binary.LittleEndian.Uint64(b) != markMagic ||
		binary.LittleEndian.Uint32(b[markSize-4:]) != crc32.Checksum(b[:markSize-4], castagnoli) {
		return mark{}, errors.New("it is damaged")
	}
	n := func(k int) uint64 { return binary.LittleEndian.Uint64(b[8*k:]) }
	return mark{term: n(1), vote: n(2), last: n(3), snapshot: n(4)}, nil
}

// check returns an error if what was found in the directory is less than the mark says.
func (m mark) check(found mark) error {
	switch {
	case found.snapshot < m.snapshot:
		return fmt.Errorf("the snapshot at entry %d is missing or damaged; the newest that is left is at %d", m.snapshot, found.snapshot)
	case found.last < m.last:
		return fmt.Errorf("the log ends with entry %d, and was saved up to %d", found.last, m.last)
	case found.term < m.term:
		return fmt.Errorf("the saved term is %d, and was %d before", found.term, m.term)
	case found.term == m.term && m.vote != 0 && found.vote != m.vote:
		return fmt.Errorf("the vote for server %d in term %d is missing", m.vote, m.term)
	}
	return nil
}

// A markFile is the file that holds the mark.
type markFile struct {
	file *os.File
	mark mark // what it holds
}

func createMark(path string, m mark) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(m.encode())
	return errors.Join(err, fileutil.Fsync(f), f.Close())
}

func openMark(path string) (*markFile, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	b := make([]byte, markSize+1)
	n, _ := f.ReadAt(b, 0)
	m, err := decodeMark(b[:n])
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot read %s: %w", path, err), f.Close())
	}
	return &markFile{f, m}, nil
}

// raise writes the mark m, which says at least as much as the one before.
func (f *markFile) raise(m mark) error {
	if m == f.mark {
		return nil
	}
	_, err := f.file.WriteAt(m.encode(), 0)
	f.mark = m
	return err
}

// lower makes the mark say that the log ends with the entry at last, if it says more, and syncs that.
func (f *markFile) lower(last uint64) error {
	if f.mark.last <= last {
		return nil
	}
	m := f.mark
	m.last = last
	if err := f.raise(m); err != nil {
		return err
	}
	return fileutil.Fsync(f.file)
}

func (f *markFile) close() error { return f.file.Close() }
