//go:build go1.25

package raft

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// The saved state is a head of fixed length and a body: a front of type definitions that entries need (term 0, length,
// definition) and the entries of the log (term, length, encoded command). The head holds everything else, and the
// lengths and checksums of front and entries: a state that was cut short or altered is noticed. The checksum of the entries
// goes on from that of those before them that were cut off, so that neither end of the log costs what lies between.
type head struct {
	currentTerm   int
	votedFor      int // nobody (-1) or a server
	base          int // the log begins after this index
	baseTerm      int
	snapshotIndex int // lastIncludedIndex of the snapshot, 0 without one (§7)
	snapshotTerm  int // lastIncludedTerm
	bodyLength    int
	bodySum       uint32 // of the entries, going on from bodyBegin
	snapshotSum   uint32
	bodyBegin     uint32 // the checksum before the first entry
	frontSum      uint32
	frontLength   int
}

const (
	stateVersion = 0x52414603
	headSize     = 4 + 7*8 + 4*4 + 8 + 4
)

func checksum(b []byte) uint32 { return extendChecksum(0, b) }

var checksumTable = crc32.MakeTable(crc32.Castagnoli)

func extendChecksum(sum uint32, b []byte) uint32 { return crc32.Update(sum, checksumTable, b) }

func (h *head) append(dst []byte) []byte {
	start := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, stateVersion)
	for _, n := range [...]int{h.currentTerm, h.votedFor, h.base, h.baseTerm, h.snapshotIndex, h.snapshotTerm, h.bodyLength} {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(n))
	}
	for _, sum := range [...]uint32{h.bodySum, h.snapshotSum, h.bodyBegin, h.frontSum} {
		dst = binary.LittleEndian.AppendUint32(dst, sum)
	}
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.frontLength))
	return binary.LittleEndian.AppendUint32(dst, checksum(dst[start:]))
}

// readHead decodes the head of a saved state and returns the body with it, if both can be trusted.
func readHead(state []byte) (h head, body []byte, err error) {
	if len(state) < headSize {
		return h, nil, fmt.Errorf("it ends after %d bytes, in its head of %d", len(state), headSize)
	}
	if version := binary.LittleEndian.Uint32(state); version != stateVersion {
		return h, nil, fmt.Errorf("its version is %#x, not %#x", version, stateVersion)
	}
	fields, body := state[:headSize-4], state[headSize:]
	if binary.LittleEndian.Uint32(state[headSize-4:]) != checksum(fields) {
		return h, nil, errors.New("the checksum of its head is wrong")
	}
	fields = fields[4:]
	for _, n := range [...]*int{&h.currentTerm, &h.votedFor, &h.base, &h.baseTerm, &h.snapshotIndex, &h.snapshotTerm, &h.bodyLength} {
		*n = int(binary.LittleEndian.Uint64(fields))
		fields = fields[8:]
	}
	for _, sum := range [...]*uint32{&h.bodySum, &h.snapshotSum, &h.bodyBegin, &h.frontSum} {
		*sum = binary.LittleEndian.Uint32(fields)
		fields = fields[4:]
	}
	h.frontLength = int(binary.LittleEndian.Uint64(fields))
	return h, body, h.checkBody(body)
}

// checkBody reports whether body is the one that was saved with the head.
func (h *head) checkBody(body []byte) error {
	if len(body) != h.bodyLength {
		return fmt.Errorf("its body has %d bytes, but should have %d", len(body), h.bodyLength)
	}
	if h.frontLength < 0 || h.frontLength > len(body) {
		return fmt.Errorf("its type definitions have %d bytes of a body of %d", h.frontLength, len(body))
	}
	front, entries := body[:h.frontLength], body[h.frontLength:]
	if checksum(front) != h.frontSum || extendChecksum(h.bodyBegin, entries) != h.bodySum {
		return errors.New("the checksum of its body is wrong")
	}
	return nil
}

// check reports what no server can have saved.
func (h *head) check(servers int) error {
	if !plausible(h.currentTerm, h.base, h.baseTerm, h.snapshotIndex, h.snapshotTerm) ||
		h.votedFor < nobody || h.votedFor >= servers ||
		h.base > h.snapshotIndex || h.baseTerm > h.snapshotTerm || h.snapshotTerm > h.currentTerm {
		return fmt.Errorf("its head is impossible: %+v", *h)
	}
	return nil
}

// restore takes over what was saved before a crash. An empty state is that of a server that never ran.
func (rf *Raft) restore(state, data []byte) error {
	if len(state) == 0 {
		if len(data) > 0 {
			return errors.New("there is a snapshot but no state")
		}
		return nil
	}
	h, body, err := readHead(state)
	if err != nil {
		return err
	}
	if err := h.check(len(rf.peers)); err != nil {
		return err
	}
	if checksum(data) != h.snapshotSum {
		return fmt.Errorf("the snapshot beside it (%d bytes) is not the one it was saved with", len(data))
	}
	rf.currentTerm, rf.votedFor = h.currentTerm, h.votedFor
	rf.log.reset(h.base, h.baseTerm)
	rf.log.start = mark{sum: h.bodyBegin}
	rf.log.end = rf.log.start
	rf.snapshot = snapshot{index: h.snapshotIndex, term: h.snapshotTerm, data: data, sum: h.snapshotSum}
	if err := rf.restoreDefinitions(body[:h.frontLength]); err != nil {
		return err
	}
	if err := rf.restoreLog(body[h.frontLength:]); err != nil {
		return err
	}
	rf.store.restored(&rf.log, &h)
	return nil
}

// restoreDefinitions reads the type definitions of the log's entries.
func (rf *Raft) restoreDefinitions(front []byte) error {
	for len(front) > 0 {
		term, d, rest, err := readRecord(front)
		if err != nil || term != 0 {
			return errRecord
		}
		front = rest
		def := definition(bytes.Clone(d)) // it outlives the state
		rf.definitions.add(def.key(), def)
		rf.store.defined = append(rf.store.defined, defined{def.key(), maxNumber})
	}
	return nil
}

func (rf *Raft) restoreLog(body []byte) error {
	er := entryReader{&rf.definitions, rf.log.baseTerm, rf.currentTerm, rf.log.base + 1}
	for len(body) > 0 {
		seg, err := er.read(body)
		if err != nil {
			return err
		}
		if seg.length() == 0 {
			return errRecord
		}
		rf.log.append(nil, seg, false)
		body = body[seg.size():]
	}
	if last := rf.log.lastIndex(); rf.snapshot.index > last {
		return fmt.Errorf("its log ends at %d, before its snapshot at %d", last, rf.snapshot.index)
	}
	if term := rf.log.term(rf.snapshot.index); term != rf.snapshot.term {
		return fmt.Errorf("its log has term %d where its snapshot ends with term %d", term, rf.snapshot.term)
	}
	return nil
}
