package raft

// What the watch knows of each server's disk, and how that may change. It reads the Persister itself, so that it need
// not believe the server, and reads each byte once: what Append added is new, the rest is known.

import (
	"bytes"
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
	pieceAt   *byte // this one's first byte
	offset    int   // and its bytes before this
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

// decodeHead reads a head. What checks the body's bytes is left to whoever restarts from them.
func decodeHead(b []byte) (h head) {
	h, _, _ = readHead(b[:headSize:headSize])
	return h
}

// add appends the records to the log. It calls known for each entry.
func (d *disk) add(pieces [][]byte, known func(index int, s slot)) error {
	for b := bytes.Join(pieces, nil); len(b) > 0; { // where the beginning was dropped, a record may lie in two pieces
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
	return nil
}

// look reads what is new on the server's disk and checks how it changed. It reports whether all is well.
func (w *watch) look(s *watched) bool {
	d, old := &s.disk, s.disk
	pieces, whole := d.read(s.life.store.persister)
	if whole {
		d.log, d.baseChain = nil, w.chainAt(s, place{d.head.base, d.head.baseTerm})
	}
	err := d.add(pieces, func(index int, e slot) {
		at := place{index, e.term}
		if o, ok := w.known[at]; !ok {
			w.known[at] = origin{e.chain, s.id}
		} else if o.chain != e.chain {
			w.violated(s, logMatching, e.term, index, "up to this entry its log is not what it was on server %d", o.server)
		}
	})
	switch {
	case err != nil:
		w.violated(s, savedFirst, d.head.currentTerm, d.last(), "its saved state is damaged: %v", err)
	case !d.consistent():
		w.violated(s, savedFirst, d.head.currentTerm, d.head.snapshotIndex, "its saved head, body and snapshot do not belong together")
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

func (w *watch) chainAt(s *watched, p place) uint64 {
	if p.index == 0 {
		return 0
	}
	o, ok := w.known[p]
	if !ok {
		w.violated(s, logMatching, p.term, p.index, "its log begins after an entry that no log ever had")
	}
	return o.chain
}

// checkHead checks how a disk's terms, votes and snapshots changed.
func (w *watch) checkHead(s *watched, old *disk) {
	before, h := &old.head, &s.disk.head
	term := h.currentTerm
	switch {
	case term < before.currentTerm:
		w.violated(s, termsRise, term, 0, "its saved term was %d", before.currentTerm)
	case term == before.currentTerm && h.votedFor != before.votedFor && before.votedFor != nobody &&
		(before.votedFor != s.id || w.reigns[term] != nil && w.reigns[term].server == s):
		w.violated(s, oneVote, term, 0, "its saved vote was %d and is %d", before.votedFor, h.votedFor)
	case h.snapshotIndex < before.snapshotIndex:
		w.violated(s, committedStay, term, h.snapshotIndex, "its snapshot was at %d", before.snapshotIndex)
	}
	if to, ok := s.granted[term]; ok && to != h.votedFor {
		w.violated(s, oneVote, term, 0, "it granted server %d its vote, but saved is %d", to, h.votedFor)
	}
	if h.snapshotIndex != before.snapshotIndex {
		w.snapshots[stamp{h.snapshotIndex, h.snapshotSum}] = true
		w.checkPrefix(s, "its snapshot", h.snapshotIndex, h.snapshotTerm)
	}
	if term == s.acked.term && s.disk.last() < s.acked.index {
		w.violated(s, committedStay, term, s.acked.index, "it acknowledged this entry, but its log ends at %d", s.disk.last())
	}
}

// checkPrefix checks that what stands for the entries up to index stands for committed ones.
func (w *watch) checkPrefix(s *watched, what string, index, term int) {
	switch {
	case index >= len(w.committed):
		w.violated(s, onlyCommitted, s.term, index, "%s covers what is not committed: that ends at %d", what, len(w.committed)-1)
	case w.committed[index].term != term:
		w.violated(s, stateMachineSafety, s.term, index, "%s has term %d for this entry of term %d", what, term, w.committed[index].term)
	}
}

// checkData checks that a snapshot is what some server saved for this index.
func (w *watch) checkData(s *watched, index int, data []byte) {
	if !w.snapshots[stamp{index, checksum(data)}] {
		w.violated(s, stateMachineSafety, s.term, index, "this snapshot of %d bytes is none that was taken here", len(data))
	}
}

// checkLog checks a log that replaces another. A leader of an earlier term than the one in which an entry was committed may
// still replace it on a server that was not counted.
func (w *watch) checkLog(s *watched, old *disk) {
	d, term := &s.disk, s.disk.head.currentTerm
	if last := old.last(); s.role == Leader && s.term == term && old.head.currentTerm == term && !d.has(last, old.at(last)) {
		w.violated(s, leaderAppendOnly, term, last, "the log that it leads with lost this entry of term %d", old.at(last).term)
	}
	last := min(old.last(), len(w.committed)-1)
	for last > old.head.base && (old.at(last) != w.committed[last].slot || w.committed[last].inTerm > term) {
		last--
	}
	if last > old.head.base && !d.has(last, old.at(last)) {
		w.violated(s, committedStay, term, last, "its log lost this entry, which server %d committed in term %d",
			w.committed[last].server, w.committed[last].inTerm)
	}
}
