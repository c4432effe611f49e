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
	data []byte // the command, encoded once (command.go)
}

// A segment is consecutive entries as their records, one after the other in one piece of memory. Nobody ever
// writes to a record again, so that the disk, messages and the logs of other servers may share it.
type segment struct {
	first  int      // index of the first entry
	memory []byte   // holds the records, and maybe others
	start  int      // where the first record begins in it
	ends   []uint32 // where each record ends
	begin  mark     // of the first record, in a log
}

// A mark is a place among all the records that the log ever had, one after the other. Between two marks lie as many
// bytes as they differ, whose checksum goes on from that of the first to that of the second.
type mark struct {
	at  int    // bytes before it
	sum uint32 // their checksum
}

// after returns the mark behind records that begin at m.
func (m mark) after(records []byte) mark {
	return mark{m.at + len(records), extendChecksum(m.sum, records)}
}

func (s *segment) length() int { return len(s.ends) }

// offset returns where record k begins, or for k = length where the last one ends.
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

// slice returns the entries from k on, but not those from end on.
func (s *segment) slice(k, end int) segment {
	return segment{first: s.first + k, memory: s.memory, start: s.offset(k), ends: s.ends[k:end:end]}
}

// cutSize bounds, in bytes, the pieces that a segment falls into when its beginning is cut off: the next cut has less to move.
const cutSize = 2 << 10

// copyFrom returns the entries from k on, which begin at a mark, in pieces of memory of their own.
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

// copy returns the entries of s, which begin at a mark, in memory of their own.
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

// fitting returns how many entries from k on, at most n, have records of limit bytes in all.
func (s *segment) fitting(k, n, limit int) int {
	return sort.Search(n, func(i int) bool { return int(s.ends[k+i])-s.offset(k) > limit })
}

// replaceFirst puts others in the place of the first n elements of s, at no cost for those that stay if there are as few.
func replaceFirst[T any](s []T, n int, others []T) []T {
	if len(others) > n {
		return slices.Replace(s, 0, n, others...)
	}
	free := n - len(others)
	clear(s[:free])
	copy(s[free:], others)
	return s[free:]
}

// A batch is consecutive entries in several segments.
type batch []segment

func (b batch) length() (n int) {
	for k := range b {
		n += b[k].length()
	}
	return n
}

// size returns the bytes of the records.
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

// drop returns the batch without its first n entries.
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

// appendRecord appends the record of an entry, as it is kept in memory, saved and sent: its term and the length of its
// command, both as varints, and the encoded command. Term 0 stands for a type definition (persist.go).
func appendRecord(dst []byte, term int, data []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(term))
	dst = binary.AppendUvarint(dst, uint64(len(data)))
	return append(dst, data...)
}

var errRecord = errors.New("a record is malformed")

// readRecord returns the first record of b, sharing b's memory, and what follows it.
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

func uvarintSize(n int) int {
	size := 1
	for ; n >= 0x80; n >>= 7 {
		size++
	}
	return size
}

// appendRecords appends the records of each segment to dst. They are strings because nobody can write to those: so they may
// travel, and be kept at either end, without being copied. They share the segment's memory.
func (b batch) appendRecords(dst []string) []string {
	for k := range b {
		records := b[k].records()
		dst = append(dst, unsafe.String(unsafe.SliceData(records), len(records)))
	}
	return dst
}

// bytesOf returns the bytes of s, which must not be written to.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// An entryReader reads entries as the log may hold them: their terms do not fall, and their commands can be decoded.
type entryReader struct {
	definitions *definitions
	term        int // of the entry before the next one
	most        int // no entry may have a later term
	index       int // of the next entry
}

// maxSegment is the size in bytes of a segment's memory, unless a single command is longer: whoever shares a part of it
// keeps all of it from the garbage collector. It must be more than maxBatch, since a message's records are read as one.
const maxSegment = 256 << 10

// read reads the records at the beginning of b up to a type definition, the end, or about maxSegment bytes. The segment
// shares b's memory.
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
		if term < er.term || term > er.most || !er.definitions.suffice(data) {
			return segment{}, fmt.Errorf("its log entry %d is impossible", er.index)
		}
		if s.ends == nil { // most records are about as long as the first one
			s.ends = make([]uint32, 0, min(len(b)/(len(rest)-len(next))+1, maxEntries))
		}
		rest = next
		s.ends = append(s.ends, uint32(len(b)-len(rest)))
		er.term = term
		er.index++
	}
	return s, nil
}
