//go:build go1.25

package raft

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// A head is the first part of the saved state. Its length is fixed. The second part, the body, consists of the front and the
// entries. The front holds the type definitions that the entries need, as records with term 0. The entries are the records
// of the log.
//
// The head holds everything else, with the lengths and checksums of front, entries and snapshot. They show whether a state
// was cut short or altered. The checksum of the entries continues from that of the entries that were cut off before them, so
// that a change at either end of the log need not read the entries in between.
type head struct {
	currentTerm   int
	votedFor      int // a server, or nobody
	base          int // index of the last entry before the log
	baseTerm      int // term of that entry
	snapshotIndex int // lastIncludedIndex of the snapshot, 0 without a snapshot (§7)
	snapshotTerm  int // lastIncludedTerm
	bodyLength    int
	endSum        uint32 // checksum after the last entry, continued from startSum
	snapshotSum   uint32
	startSum      uint32 // checksum before the first entry
	frontSum      uint32
	frontLength   int
}

// stateVersion identifies the format. headSize is the length of a head in bytes: version, 7 numbers, 4 checksums,
// frontLength, and the head's own checksum.
const (
	stateVersion = 0x52414603
	headSize     = 4 + 7*8 + 4*4 + 8 + 4
)

// checksum returns the CRC-32C of b.
func checksum(b []byte) uint32 { return extendChecksum(0, b) }

var checksumTable = crc32.MakeTable(crc32.Castagnoli)

// extendChecksum returns the checksum of some bytes followed by b; sum is the checksum of those bytes alone.
func extendChecksum(sum uint32, b []byte) uint32 { return crc32.Update(sum, checksumTable, b) }

// append appends the encoded head to dst.
func (h *head) append(dst []byte) []byte {
	start := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, stateVersion)
	for _, n := range [...]int{h.currentTerm, h.votedFor, h.base, h.baseTerm, h.snapshotIndex, h.snapshotTerm, h.bodyLength} {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(n))
	}
	for _, sum := range [...]uint32{h.endSum, h.snapshotSum, h.startSum, h.frontSum} {
		dst = binary.LittleEndian.AppendUint32(dst, sum)
	}
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.frontLength))
	return binary.LittleEndian.AppendUint32(dst, checksum(dst[start:]))
}

// readHead returns the head and the body of a saved state. It returns an error if their lengths or checksums are wrong.
func readHead(state []byte) (h head, body []byte, err error) {
	if len(state) < headSize {
		return h, nil, fmt.Errorf("it has %d bytes, fewer than its head of %d", len(state), headSize)
	}
	if version := binary.LittleEndian.Uint32(state); version != stateVersion {
		return h, nil, fmt.Errorf("its version is %#x, want %#x", version, stateVersion)
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
	for _, sum := range [...]*uint32{&h.endSum, &h.snapshotSum, &h.startSum, &h.frontSum} {
		*sum = binary.LittleEndian.Uint32(fields)
		fields = fields[4:]
	}
	h.frontLength = int(binary.LittleEndian.Uint64(fields))
	return h, body, h.checkBody(body)
}

// checkBody returns an error unless body is the one that was saved with the head.
func (h *head) checkBody(body []byte) error {
	if len(body) != h.bodyLength {
		return fmt.Errorf("its body has %d bytes, want %d", len(body), h.bodyLength)
	}
	if h.frontLength < 0 || h.frontLength > len(body) {
		return fmt.Errorf("its type definitions have %d bytes, in a body of %d", h.frontLength, len(body))
	}
	front, entries := body[:h.frontLength], body[h.frontLength:]
	if checksum(front) != h.frontSum || extendChecksum(h.startSum, entries) != h.endSum {
		return errors.New("the checksum of its body is wrong")
	}
	return nil
}

// check returns an error if no server of a cluster of this size can have saved the head.
func (h *head) check(servers int) error {
	if !plausible(h.currentTerm, h.base, h.baseTerm, h.snapshotIndex, h.snapshotTerm) ||
		h.votedFor < nobody || h.votedFor >= servers ||
		h.base > h.snapshotIndex || h.baseTerm > h.snapshotTerm || h.snapshotTerm > h.currentTerm {
		return fmt.Errorf("its head is invalid: %+v", *h)
	}
	return nil
}

// restore restores what was saved before a crash. An empty state means that the server has never run.
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
		return fmt.Errorf("the snapshot (%d bytes) is not the one that was saved with it", len(data))
	}
	rf.currentTerm, rf.votedFor = h.currentTerm, h.votedFor
	rf.log.reset(h.base, h.baseTerm)
	rf.log.start = mark{sum: h.startSum}
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

// restoreDefinitions restores the type definitions from the front.
func (rf *Raft) restoreDefinitions(front []byte) error {
	for len(front) > 0 {
		term, d, rest, err := readRecord(front)
		if err != nil || term != 0 {
			return errRecord
		}
		front = rest
		def := definition(bytes.Clone(d)) // a copy, since it outlives the state
		rf.definitions.add(def.key(), def)
		rf.store.definitions = append(rf.store.definitions, savedDefinition{def.key(), maxNumber})
	}
	return nil
}

// restoreLog restores the log from its records. It returns an error if the snapshot does not fit the log.
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
		return fmt.Errorf("its log ends at index %d, before its snapshot at %d", last, rf.snapshot.index)
	}
	if term := rf.log.term(rf.snapshot.index); term != rf.snapshot.term {
		return fmt.Errorf("its log has term %d at the end of its snapshot, which has term %d", term, rf.snapshot.term)
	}
	return nil
}
