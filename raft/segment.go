//go:build go1.25

package raft

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sort"
	"unsafe"
)

// An entry is one slot of the log.
type entry struct {
	term int
	data []byte // the encoded command (command.go)
}

// A segment holds consecutive entries as their records, one after the other in one piece of memory. A record is never
// written to again, so the disk, messages and the logs of other servers may share it.
type segment struct {
	first  int      // index of the first entry
	memory []byte   // contains the records, and possibly others around them
	start  int      // offset in memory of the first record
	ends   []uint32 // offset in memory of the end of each record
	begin  mark     // of the first record, if the segment is part of a log
}

// A mark is a position in the sequence of all records that a log has ever had, including those that were cut off. The
// difference of two marks' positions is the number of bytes between them. The checksum of the first mark, extended by these
// bytes, is the checksum of the second.
type mark struct {
	at  int    // number of bytes before it; after a restart, those cut off earlier are not counted
	sum uint32 // checksum of all bytes before it
}

// after returns the mark after records that begin at m.
func (m mark) after(records []byte) mark {
	return mark{m.at + len(records), extendChecksum(m.sum, records)}
}

func (s *segment) length() int { return len(s.ends) }

// offset returns the offset in memory of record k, or of the end of the last record if k is the length.
func (s *segment) offset(k int) int {
	if k == 0 {
		return s.start
	}
	return int(s.ends[k-1])
}

func (s *segment) records() []byte { return s.memory[s.start:s.offset(len(s.ends))] }

func (s *segment) size() int { return s.offset(len(s.ends)) - s.start }

func (s *segment) term(k int) int {
	term, _ := binary.Uvarint(s.memory[s.offset(k):])
	return int(term)
}

func (s *segment) at(k int) entry {
	record := s.memory[s.offset(k):s.ends[k]:s.ends[k]]
	term, n := binary.Uvarint(record)
	_, m := binary.Uvarint(record[n:])
	return entry{int(term), record[n+m:]}
}

// slice returns entries k to end-1. It shares the memory of s.
func (s *segment) slice(k, end int) segment {
	return segment{first: s.first + k, memory: s.memory, start: s.offset(k), ends: s.ends[k:end:end]}
}

// cutSize bounds the pieces, in bytes, in which copyFrom copies a segment, so that the next cut has less to copy.
const cutSize = 2 << 10

// copyFrom returns copies of the entries from k on, in pieces of at most cutSize bytes or one entry. The first record is
// at begin.
func (s *segment) copyFrom(k int, begin mark) (pieces []segment) {
	for k < s.length() {
		n := max(s.fitting(k, s.length()-k, cutSize), 1)
		part := s.slice(k, k+n)
		c := part.copy(begin)
		pieces = append(pieces, c)
		begin = begin.after(c.memory)
		k += n
	}
	return pieces
}

// copy returns a copy of s in its own memory. The first record is at begin.
func (s *segment) copy(begin mark) segment {
	c := segment{
		first:  s.first,
		memory: bytes.Clone(s.records()),
		ends:   make([]uint32, s.length()),
		begin:  begin,
	}
	for i, end := range s.ends {
		c.ends[i] = end - uint32(s.start)
	}
	return c
}

// fitting returns the largest m <= n such that records k to k+m-1 take at most limit bytes.
func (s *segment) fitting(k, n, limit int) int {
	return sort.Search(n, func(i int) bool { return int(s.ends[k+i])-s.offset(k) > limit })
}

// replaceFirst replaces the first n elements of s by others. It does not move the rest if there are at most n others, and
// then clears the elements that become free, so that what they point to becomes garbage.
func replaceFirst[T any](s []T, n int, others []T) []T {
	if len(others) > n {
		return slices.Replace(s, 0, n, others...)
	}
	free := n - len(others)
	clear(s[:free])
	copy(s[free:], others)
	return s[free:]
}

// A batch is a list of segments with consecutive entries.
type batch []segment

// length returns the number of entries.
func (b batch) length() (n int) {
	for k := range b {
		n += b[k].length()
	}
	return n
}

// size returns the number of bytes of all records.
func (b batch) size() (n int) {
	for k := range b {
		n += b[k].size()
	}
	return n
}

// term returns the term of entry k.
func (b batch) term(k int) int {
	b = b.drop(k)
	return b[0].term(0)
}

// drop returns the batch without its first n entries. It does not change b.
func (b batch) drop(n int) batch {
	for len(b) > 0 && n >= b[0].length() {
		n -= b[0].length()
		b = b[1:]
	}
	if n > 0 {
		b = slices.Clone(b)
		b[0] = b[0].slice(n, b[0].length())
	}
	return b
}

// appendRecord appends the record of an entry, which has the same form in memory, on disk and in messages: the term and
// the length of the command, both as unsigned varints, and the encoded command. A record with term 0 is a type definition
// (persist.go).
func appendRecord(dst []byte, term int, data []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(term))
	dst = binary.AppendUvarint(dst, uint64(len(data)))
	return append(dst, data...)
}

var errRecord = errors.New("a record is malformed")

// readRecord returns the fields of the first record of b and the bytes after it. data shares b's memory.
func readRecord(b []byte) (term int, data, rest []byte, err error) {
	t, n := binary.Uvarint(b)
	if n <= 0 || t > maxNumber || n != uvarintSize(int(t)) {
		return 0, nil, nil, errRecord
	}
	b = b[n:]
	length, n := binary.Uvarint(b)
	if n <= 0 || length > uint64(len(b)-n) || length > maxCommand || n != uvarintSize(int(length)) {
		return 0, nil, nil, errRecord
	}
	b = b[n:]
	return int(t), b[:length:length], b[length:], nil
}

// uvarintSize returns the length of n as an unsigned varint.
func uvarintSize(n int) int {
	size := 1
	for ; n >= 0x80; n >>= 7 {
		size++
	}
	return size
}

// appendRecords appends to dst the records of each segment. They are strings, which cannot be modified, so sender and
// receiver may keep them without a copy. They share the memory of the segments.
func (b batch) appendRecords(dst []string) []string {
	for k := range b {
		records := b[k].records()
		dst = append(dst, unsafe.String(unsafe.SliceData(records), len(records)))
	}
	return dst
}

// bytesOf returns the bytes of s without a copy. They must not be modified.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// An entryReader reads entries from bytes and checks that a log may hold them: terms do not fall, and each command is
// well formed and has its type definition.
type entryReader struct {
	definitions *definitions
	term        int // term of the entry before the next one
	maxTerm     int // the highest term that an entry may have
	index       int // index of the next entry
}

// maxSegment bounds the memory of a segment in the log, in bytes, unless a single command is longer. Without a bound, a
// reference to a small part of a large memory would keep all of it from the garbage collector. maxSegment must be more
// than maxBatch, since the records of a message are read as one segment.
const maxSegment = 256 << 10

// read reads the records at the beginning of b. It stops before a type definition, at the end of b, or at the end of the
// record with which the segment reaches maxSegment bytes. The segment shares b's memory.
func (er *entryReader) read(b []byte) (segment, error) {
	s := segment{first: er.index, memory: b}
	for rest := b; len(rest) > 0 && s.size() < maxSegment; {
		term, data, next, err := readRecord(rest)
		if err != nil {
			return segment{}, err
		}
		if term == 0 {
			break
		}
		if term < er.term || term > er.maxTerm || !er.definitions.suffice(data) {
			return segment{}, fmt.Errorf("its log entry %d is invalid", er.index)
		}
		if s.ends == nil { // an estimate: records as long as the first one
			s.ends = make([]uint32, 0, min(len(b)/(len(rest)-len(next))+1, maxEntries))
		}
		rest = next
		s.ends = append(s.ends, uint32(len(b)-len(rest)))
		er.term = term
		er.index++
	}
	return s, nil
}
