//go:build go1.25

package raft

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
)

// The saved state is a head of fixed length and a body of records. A record is a log entry (term, length,
// encoded command) or a type definition that later entries need (term 0, length, definition); the body only
// grows until all is saved anew. The head holds everything else, and the length and checksum of the body: a
// state that was cut short or altered is noticed.
type head struct {
	currentTerm   int
	votedFor      int // nobody (-1) or a server
	base          int // the log begins after this index
	baseTerm      int
	snapshotIndex int // lastIncludedIndex of the snapshot, 0 without one (§7)
	snapshotTerm  int // lastIncludedTerm
	bodyLength    int
	bodySum       uint32
	snapshotSum   uint32
}

const (
	stateVersion = 0x52414602
	headSize     = 4 + 7*8 + 2*4 + 4
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
	dst = binary.LittleEndian.AppendUint32(dst, h.bodySum)
	dst = binary.LittleEndian.AppendUint32(dst, h.snapshotSum)
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
	h.bodySum = binary.LittleEndian.Uint32(fields)
	h.snapshotSum = binary.LittleEndian.Uint32(fields[4:])
	if len(body) != h.bodyLength {
		return h, nil, fmt.Errorf("its body has %d bytes, but should have %d", len(body), h.bodyLength)
	}
	if checksum(body) != h.bodySum {
		return h, nil, errors.New("the checksum of its body is wrong")
	}
	return h, body, nil
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

// A store is the server's side of its Persister, whichever year's that is.
type store struct {
	persister *Persister
	disk      any      // the persister again, for what its year has it save with
	growing   grower   // our Persister; nil for the course's, which is given the whole state at each save
	body      int      // length of the saved body
	bodySum   uint32   // its checksum
	defined   []uint64 // keys of the type definitions in it
	head      []byte   // buffers for the next save
	tail      [][]byte
}

type grower interface {
	Append(head []byte, tail ...[]byte)
}

func newStore(persister *Persister) store {
	growing, _ := any(persister).(grower)
	return store{persister: persister, disk: persister, growing: growing}
}

// write replaces the whole Raft state, and the snapshot if it is another one than before.
func (s *store) write(state, snapshot []byte, newSnapshot bool) {
	switch p := s.disk.(type) {
	case interface{ SaveRaftState([]byte) }:
		if !newSnapshot {
			p.SaveRaftState(state)
			return
		}
		s.disk.(interface{ SaveStateAndSnapshot(_, _ []byte) }).SaveStateAndSnapshot(state, snapshot)
	case interface{ Save(_, _ []byte) }: // 2023 and later: a nil snapshot would erase the saved one
		p.Save(state, snapshot)
	default:
		panic("raft: the Persister has no method to save with")
	}
}

// saveLocked saves what Figure 2 calls persistent, after a change of term or vote only.
func (rf *Raft) saveLocked() { rf.saveTailLocked(nil) }

// saveEntriesLocked appends entries to the log and saves them. If give, the log and the disk may keep their memory.
func (rf *Raft) saveEntriesLocked(give bool, b ...segment) {
	tail := rf.store.tail[:0]
	for _, seg := range b {
		if undefined := rf.undefinedLocked(&seg); undefined != nil {
			tail = append(tail, undefined)
		}
		tail = rf.log.append(tail, seg, give)
	}
	rf.saveTailLocked(tail)
	clear(tail)
	rf.store.tail = tail
}

// undefinedLocked returns records of the type definitions that entries need and the saved body lacks.
func (rf *Raft) undefinedLocked(seg *segment) (records []byte) {
	for k := range seg.ends {
		key, ok := definitionKey(seg.at(k).data)
		if ok && !slices.Contains(rf.store.defined, key) {
			rf.store.defined = append(rf.store.defined, key)
			records = appendRecord(records, 0, rf.definitions.get(key))
		}
	}
	return records
}

// saveTailLocked saves what was appended to the body. The disk keeps the memory of tail.
func (rf *Raft) saveTailLocked(tail [][]byte) {
	s := &rf.store
	if s.growing == nil {
		rf.saveAllLocked(false)
		return
	}
	for _, records := range tail {
		s.body += len(records)
		s.bodySum = extendChecksum(s.bodySum, records)
	}
	s.head = rf.appendHeadLocked(s.head[:0])
	s.growing.Append(s.head, tail...)
	rf.observeSaveLocked()
}

// saveAllLocked saves the state anew, after the log lost entries at either end, and with it the snapshot if it
// is a new one: both in one step.
func (rf *Raft) saveAllLocked(newSnapshot bool) {
	s := &rf.store
	s.defined = s.defined[:0]
	var body []byte
	for k := range rf.log.segments {
		seg := &rf.log.segments[k]
		body = append(append(body, rf.undefinedLocked(seg)...), seg.records()...)
	}
	s.body, s.bodySum = len(body), checksum(body)
	state := append(rf.appendHeadLocked(make([]byte, 0, headSize+len(body))), body...)
	s.write(state, rf.snapshot.data, newSnapshot)
	rf.observeSaveLocked()
}

func (rf *Raft) appendHeadLocked(dst []byte) []byte {
	h := head{
		currentTerm:   rf.currentTerm,
		votedFor:      rf.votedFor,
		base:          rf.log.base,
		baseTerm:      rf.log.baseTerm,
		snapshotIndex: rf.snapshot.index,
		snapshotTerm:  rf.snapshot.term,
		bodyLength:    rf.store.body,
		bodySum:       rf.store.bodySum,
		snapshotSum:   rf.snapshot.sum,
	}
	return h.append(dst)
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
	rf.snapshot = snapshot{index: h.snapshotIndex, term: h.snapshotTerm, data: data, sum: h.snapshotSum}
	rf.store.body, rf.store.bodySum = h.bodyLength, h.bodySum
	return rf.restoreLog(body)
}

func (rf *Raft) restoreLog(body []byte) error {
	er := entryReader{&rf.definitions, rf.log.baseTerm, rf.currentTerm, rf.log.base + 1}
	for len(body) > 0 {
		seg, err := er.read(body)
		if err != nil {
			return err
		}
		rf.log.append(nil, seg, false)
		if body = body[seg.size():]; seg.length() == 0 {
			var d definition
			if _, d, body, err = readRecord(body); err != nil {
				return err
			}
			d = bytes.Clone(d) // it outlives the state
			rf.definitions.add(d.key(), d)
			if !slices.Contains(rf.store.defined, d.key()) {
				rf.store.defined = append(rf.store.defined, d.key())
			}
		}
	}
	if last := rf.log.lastIndex(); rf.snapshot.index > last {
		return fmt.Errorf("its log ends at %d, before its snapshot at %d", last, rf.snapshot.index)
	}
	if term := rf.log.term(rf.snapshot.index); term != rf.snapshot.term {
		return fmt.Errorf("its log has term %d where its snapshot ends with term %d", term, rf.snapshot.term)
	}
	return nil
}
