package raft

// What the watch knows of each server's disk. It reads the Persister itself, so that it need not believe the server, and
// reads each byte once: what Append added is new, the rest is known.

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"math/bits"
)

// A place is where an entry stands: no two entries that differ may share one (log matching, Figure 3).
type place struct{ index, term int }

// A slot is an entry as the watch remembers it. Equal chains mean equal logs up to there.
type slot struct {
	term  int
	chain uint64 // a hash of this entry and all before it
}

var chainSeed = maphash.MakeSeed()

func chain(before uint64, term int, data []byte) uint64 {
	const odd = 0x9e3779b97f4a7c15
	x := bits.RotateLeft64((before^uint64(term))*odd, 31) ^ maphash.Bytes(chainSeed, data)
	return x * odd
}

// A disk is what a Persister holds, and how far it was read.
type disk struct {
	head      head
	baseChain uint64 // the chain of the entry at head.base
	log       []slot // the entries after it; what is there is never overwritten

	body      *byte // the first byte of the body: with another one all of it is another
	piece     int   // pieces before this one are read
	offset    int   // and this one's bytes before this
	bodyBytes int

	snapshot    *byte // the first byte of the snapshot
	snapshotSum uint32
}

func emptyDisk() disk { return disk{head: head{votedFor: nobody}} }

var foreign byte

// exchange is for a disk that goes on as another Persister.
func (d *disk) exchange() { d.body, d.snapshot = &foreign, &foreign }

// consistent reports whether head, body and snapshot are of the same save.
func (d *disk) consistent() bool {
	return d.bodyBytes == d.head.bodyLength && d.snapshotSum == d.head.snapshotSum
}

func (d *disk) last() int { return d.head.base + len(d.log) }

// at returns the entry at index, which must be between base and last.
func (d *disk) at(index int) slot {
	if index == d.head.base {
		return slot{d.head.baseTerm, d.baseChain}
	}
	return d.log[index-d.head.base-1]
}

// has reports whether the disk has this entry, and so all before it. What precedes the log is committed, so there it has
// whatever is.
func (d *disk) has(index int, s slot) bool {
	return index < d.head.base || index <= d.last() && d.at(index) == s
}

// read takes over the head, and returns the pieces of the body that were not read before; whole is set if that is all of
// it, since the body is another one.
func (d *disk) read(ps *Persister) (pieces [][]byte, whole bool) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if ps.size == 0 {
		whole = d.body != nil
		d.head, d.bodyBytes, d.body, d.snapshot, d.snapshotSum = head{votedFor: nobody}, 0, nil, nil, checksum(ps.snapshot)
		return nil, whole
	}
	pieces = append(pieces, ps.body...)
	first := ps.head
	if first == nil {
		first, pieces[0] = pieces[0][:headSize], pieces[0][headSize:]
	}
	base := d.head.base
	d.head = decodeHead(first)
	d.bodyBytes = ps.size - headSize
	if snapshot := firstByte(ps.snapshot); snapshot != d.snapshot {
		d.snapshot, d.snapshotSum = snapshot, checksum(ps.snapshot)
	}
	var body *byte
	if len(pieces) > 0 {
		body = firstByte(pieces[0])
	}
	whole = body != d.body || base != d.head.base || d.piece >= max(len(pieces), 1)
	if whole {
		d.body, d.piece, d.offset = body, 0, 0
	}
	return d.unread(pieces), whole
}

func firstByte(b []byte) *byte {
	if cap(b) == 0 {
		return nil
	}
	return &b[:1][0]
}

func (d *disk) unread(pieces [][]byte) [][]byte {
	if len(pieces) == 0 {
		return nil
	}
	fresh := pieces[d.piece:]
	offset := d.offset
	d.piece, d.offset = len(pieces)-1, len(pieces[len(pieces)-1])
	fresh[0] = fresh[0][offset:]
	return fresh
}

func decodeHead(b []byte) (h head) {
	b = b[4:]
	for _, n := range [...]*int{&h.currentTerm, &h.votedFor, &h.base, &h.baseTerm, &h.snapshotIndex, &h.snapshotTerm, &h.bodyLength} {
		*n = int(binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
	h.bodySum = binary.LittleEndian.Uint32(b)
	h.snapshotSum = binary.LittleEndian.Uint32(b[4:])
	return h
}

// add appends the records to the log. It calls known for each entry.
func (d *disk) add(pieces [][]byte, known func(index int, s slot)) error {
	for _, b := range pieces {
		for len(b) > 0 {
			term, data, rest, err := readRecord(b)
			if err != nil {
				return fmt.Errorf("the record after index %d: %w", d.last(), err)
			}
			if b = rest; term == 0 {
				continue // a type definition
			}
			s := slot{term, chain(d.at(d.last()).chain, term, data)}
			d.log = append(d.log, s)
			known(d.last(), s)
		}
	}
	return nil
}

// recordsOf returns how many entries a message carries, and their records.
func recordsOf(m *AppendEntriesArgs) (n int, records []byte) {
	count, size := binary.Uvarint(m.Entries)
	if size <= 0 {
		return 0, nil
	}
	return int(count), m.Entries[size : len(m.Entries)-4]
}
