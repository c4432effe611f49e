package raft

// What the watch knows about each server's disk, and how a disk may change. The watch reads the Persister itself
// instead of trusting the server. It reads each byte once: after an Append it reads only the new bytes.

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"math/bits"
)

// An entryID identifies an entry: no two different entries may share one (log matching, Figure 3).
type entryID struct{ index, term int }

// A hashedEntry is an entry as the watch remembers it. If two have equal chains, the logs up to them are equal.
type hashedEntry struct {
	term  int
	chain uint64 // a hash of this entry and all before it
}

var chainSeed = maphash.MakeSeed()

func chain(before uint64, term int, data []byte) uint64 {
	const odd = 0x9e3779b97f4a7c15
	x := bits.RotateLeft64((before^uint64(term))*odd, 31) ^ maphash.Bytes(chainSeed, data)
	return x * odd
}

// A disk is what a Persister holds, and how much of it was read.
type disk struct {
	head      head
	baseChain uint64        // the chain of the entry at head.base
	log       []hashedEntry // the entries after it; elements are never overwritten

	body      *byte // the first byte of the body; if its address changes, the body is new
	piece     int   // all pieces before this one are read
	pieceAt   *byte // the first byte of this piece
	offset    int   // the bytes of this piece before offset are read
	bodyBytes int

	snapshot    *byte // the first byte of the snapshot
	snapshotSum uint32
}

func emptyDisk() disk { return disk{head: head{votedFor: nobody}} }

var foreign byte

// exchange makes the next read read everything, because the disk is now another Persister.
func (d *disk) exchange() { d.body, d.snapshot = &foreign, &foreign }

// consistent reports whether head, body and snapshot are from the same save.
func (d *disk) consistent() bool {
	return d.bodyBytes == d.head.bodyLength && d.snapshotSum == d.head.snapshotSum
}

func (d *disk) last() int { return d.head.base + len(d.log) }

// at returns the entry at index, which must be from base to last.
func (d *disk) at(index int) hashedEntry {
	if index == d.head.base {
		return hashedEntry{d.head.baseTerm, d.baseChain}
	}
	return d.log[index-d.head.base-1]
}

// has reports whether the disk has this entry and all before it. Entries before the log's base are committed, so for
// them it returns true.
func (d *disk) has(index int, s hashedEntry) bool {
	return index < d.head.base || index <= d.last() && d.at(index) == s
}

// read reads the head, and returns the pieces of the body that were not read before. If the body was replaced, it
// returns all pieces, and whole is true.
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
	whole = body != d.body || base != d.head.base || d.piece >= max(len(pieces), 1) ||
		d.piece < len(pieces) && (firstByte(pieces[d.piece]) != d.pieceAt || len(pieces[d.piece]) < d.offset)
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
	last := pieces[len(pieces)-1]
	d.piece, d.pieceAt, d.offset = len(pieces)-1, firstByte(last), len(last)
	fresh[0] = fresh[0][offset:]
	return fresh
}

// decodeHead decodes a head. It does not verify the body's checksum; a restarting server does.
func decodeHead(b []byte) (h head) {
	h, _, _ = readHead(b[:headSize:headSize])
	return h
}

// add appends the records in pieces to the log, and calls known for each entry.
func (d *disk) add(pieces [][]byte, known func(index int, s hashedEntry)) error {
	for b := bytes.Join(pieces, nil); len(b) > 0; { // after the log's beginning was dropped, a record may lie in two pieces
		term, data, rest, err := readRecord(b)
		if err != nil {
			return fmt.Errorf("the record after index %d: %w", d.last(), err)
		}
		if b = rest; term == 0 {
			continue // a type definition
		}
		s := hashedEntry{term, chain(d.at(d.last()).chain, term, data)}
		d.log = append(d.log, s)
		known(d.last(), s)
	}
	return nil
}

// checkDisk reads what is new on the server's disk and checks how it changed. It reports whether nothing was ever
// violated.
func (w *watch) checkDisk(s *watched) bool {
	d, old := &s.disk, s.disk
	pieces, whole := d.read(s.life.store.persister)
	if whole {
		d.log, d.baseChain = nil, w.chainAt(s, entryID{d.head.base, d.head.baseTerm})
	}
	err := d.add(pieces, func(index int, e hashedEntry) {
		at := entryID{index, e.term}
		if o, ok := w.known[at]; !ok {
			w.known[at] = origin{e.chain, s.id}
		} else if o.chain != e.chain {
			w.violated(s, logMatching, e.term, index, "up to this entry its log differs from that of server %d", o.server)
		}
	})
	switch {
	case err != nil:
		w.violated(s, savedFirst, d.head.currentTerm, d.last(), "its saved state is damaged: %v", err)
	case !d.consistent():
		w.violated(s, savedFirst, d.head.currentTerm, d.head.snapshotIndex, "its saved head, body and snapshot are not from one save")
	}
	h := &d.head
	if d.last() != old.last() || h.base != old.head.base || h.snapshotIndex != old.head.snapshotIndex ||
		h.currentTerm != old.head.currentTerm || h.votedFor != old.head.votedFor {
		w.note(s, "saved: term %d, vote %d, log %d..%d, snapshot %d", h.currentTerm, h.votedFor, h.base+1, d.last(), h.snapshotIndex)
	}
	w.checkHead(s, &old)
	if whole {
		w.checkLog(s, &old)
	}
	return w.err == nil
}

func (w *watch) chainAt(s *watched, p entryID) uint64 {
	if p.index == 0 {
		return 0
	}
	o, ok := w.known[p]
	if !ok {
		w.violated(s, logMatching, p.term, p.index, "its log begins after an entry that no log ever had")
	}
	return o.chain
}

// checkHead checks how a disk's term, vote and snapshot changed.
func (w *watch) checkHead(s *watched, old *disk) {
	before, h := &old.head, &s.disk.head
	term := h.currentTerm
	switch {
	case term < before.currentTerm:
		w.violated(s, termsRise, term, 0, "its saved term was %d", before.currentTerm)
	case term == before.currentTerm && h.votedFor != before.votedFor && before.votedFor != nobody &&
		(before.votedFor != s.id || w.leaderships[term] != nil && w.leaderships[term].server == s):
		w.violated(s, oneVote, term, 0, "its saved vote was %d and is %d", before.votedFor, h.votedFor)
	case h.snapshotIndex < before.snapshotIndex:
		w.violated(s, committedStay, term, h.snapshotIndex, "its snapshot was at %d", before.snapshotIndex)
	}
	if to, ok := s.granted[term]; ok && to != h.votedFor {
		w.violated(s, oneVote, term, 0, "it granted server %d its vote, but its saved vote is %d", to, h.votedFor)
	}
	if h.snapshotIndex != before.snapshotIndex {
		w.snapshots[snapshotID{h.snapshotIndex, h.snapshotSum}] = true
		w.checkPrefix(s, "its snapshot", h.snapshotIndex, h.snapshotTerm)
	}
	if term == s.acked.term && s.disk.last() < s.acked.index {
		w.violated(s, committedStay, term, s.acked.index, "it acknowledged this entry, but its log ends at %d", s.disk.last())
	}
}

// checkPrefix checks that a snapshot or command at this index and term belongs to a committed entry.
func (w *watch) checkPrefix(s *watched, what string, index, term int) {
	switch {
	case index >= len(w.committed):
		w.violated(s, onlyCommitted, s.term, index, "%s covers uncommitted entries: the last committed one is %d", what, len(w.committed)-1)
	case w.committed[index].term != term:
		w.violated(s, stateMachineSafety, s.term, index, "%s has term %d for this entry of term %d", what, term, w.committed[index].term)
	}
}

// checkData checks that a server has saved this snapshot for this index.
func (w *watch) checkData(s *watched, index int, data []byte) {
	if !w.snapshots[snapshotID{index, checksum(data)}] {
		w.violated(s, stateMachineSafety, s.term, index, "no server has saved this snapshot of %d bytes for this index", len(data))
	}
}

// checkLog checks a log that replaces another. A committed entry may still be replaced by a leader of an earlier term
// than the one in which it was committed, on a server that was not counted for it.
func (w *watch) checkLog(s *watched, old *disk) {
	d, term := &s.disk, s.disk.head.currentTerm
	if last := old.last(); s.role == Leader && s.term == term && old.head.currentTerm == term && !d.has(last, old.at(last)) {
		w.violated(s, leaderAppendOnly, term, last, "it leads, and its log lost this entry of term %d", old.at(last).term)
	}
	last := min(old.last(), len(w.committed)-1)
	for last > old.head.base && (old.at(last) != w.committed[last].hashedEntry || w.committed[last].inTerm > term) {
		last--
	}
	if last > old.head.base && !d.has(last, old.at(last)) {
		w.violated(s, committedStay, term, last, "its log lost this entry, which server %d committed in term %d",
			w.committed[last].server, w.committed[last].inTerm)
	}
}
