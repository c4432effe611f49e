//go:build go1.25

package raft

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"sync"
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
	if n <= 0 || length > uint64(len(b)-n) || n != uvarintSize(int(length)) {
		return 0, nil, nil, errRecord
	}
	b = b[n:]
	return int(t), b[:length:length], b[length:], nil
}

// readBody decodes the body of a saved state. The entries share its memory.
func readBody(body []byte) (entries []entry, found []definition, err error) {
	for len(body) > 0 {
		var term int
		var data []byte
		if term, data, body, err = readRecord(body); err != nil {
			return nil, nil, err
		}
		if term == 0 {
			found = append(found, data)
		} else {
			entries = append(entries, entry{term: term, data: data})
		}
	}
	return entries, found, nil
}

// encodeEntries appends entries to b as a message carries them: their number, a record for each, a checksum.
func encodeEntries(b []byte, entries []entry) []byte {
	start := len(b)
	b = binary.AppendUvarint(b, uint64(len(entries)))
	for k := range entries {
		b = appendRecord(b, entries[k].term, entries[k].data)
	}
	return binary.LittleEndian.AppendUint32(b, checksum(b[start:]))
}

// A batch is entries and their records, one after the other. Those that encodeEntries encoded share the records' memory;
// those of proposals do when they are saved.
type batch struct {
	entries []entry
	records []byte
	own     bool // nobody else holds the records' memory: the log or the disk may keep it
}

// decodeEntries undoes encodeEntries. Entries of the log come in the order of their terms, which are between
// the terms of the entry before them and of the leader.
func decodeEntries(b []byte, prevTerm, leaderTerm int) (batch, error) {
	if len(b) == 0 {
		return batch{}, nil
	}
	if len(b) < 4 || checksum(b[:len(b)-4]) != binary.LittleEndian.Uint32(b[len(b)-4:]) {
		return batch{}, errors.New("the checksum of the entries is wrong")
	}
	count, n := binary.Uvarint(b[:len(b)-4])
	if n <= 0 || count > uint64(len(b)) {
		return batch{}, errors.New("the number of entries is impossible")
	}
	rest := b[n : len(b)-4]
	d := batch{entries: blankEntries(int(count)), records: rest, own: true}
	for k := range d.entries {
		e := &d.entries[k]
		var err error
		if e.term, e.data, rest, err = readRecord(rest); err != nil {
			return batch{}, err
		}
		if e.term < max(prevTerm, 1) || e.term > leaderTerm || !wellFormed(e.data) {
			return batch{}, errRecord
		}
		prevTerm = e.term
	}
	if len(rest) > 0 {
		return batch{}, errRecord
	}
	return d, nil
}

// maxEmpty is the size in bytes, or a tenth of it in entries, up to which a batch's memory serves again.
const maxEmpty = 1 << 20

// emptied returns an empty batch in the memory of this one.
func (d batch) emptied() batch {
	if cap(d.records) > maxEmpty || cap(d.entries) > maxEmpty/10 {
		return batch{}
	}
	clear(d.entries)
	return batch{entries: d.entries[:0], records: d.records[:0]}
}

// spareEntries holds *[]entry, blank, of batches that were released.
var spareEntries sync.Pool

func blankEntries(n int) []entry {
	if spare, ok := spareEntries.Get().(*[]entry); ok && cap(*spare) >= n {
		return (*spare)[:n]
	}
	return make([]entry, n, max(n, 64))
}

// release ends the life of a batch that was decoded, so that its entries, but not its records, serve another one.
func (d batch) release() {
	clear(d.entries)
	spareEntries.Put(&d.entries)
}

// drop returns the batch without its first n entries.
func (d batch) drop(n int) batch {
	for k := range n {
		d.records = d.records[recordSize(&d.entries[k]):]
	}
	d.entries = d.entries[n:]
	return d
}

func recordSize(e *entry) int {
	return uvarintSize(e.term) + uvarintSize(len(e.data)) + len(e.data)
}

func uvarintSize(n int) int {
	size := 1
	for ; n >= 0x80; n >>= 7 {
		size++
	}
	return size
}

// moveTo makes the entries of the batch share the memory of records, a copy of the batch's own.
func (d batch) moveTo(records []byte) {
	for k := range d.entries {
		e := &d.entries[k]
		size := recordSize(e)
		e.data = records[size-len(e.data) : size : size]
		records = records[size:]
	}
}

// A store is the server's side of its Persister, whichever year's that is.
type store struct {
	persister *Persister
	growing   interface { // our Persister; nil for the course's, which is given the whole state at each save
		Append(head, tail []byte, give bool) []byte
	}
	bodyLength int      // of the saved body
	bodySum    uint32   // its checksum
	defined    []uint64 // keys of the type definitions in it
	head       []byte   // buffers for the next save
	empty      batch    // to be the next queue of proposals
}

func newStore(persister *Persister) store {
	s := store{persister: persister}
	s.growing, _ = any(persister).(interface {
		Append(head, tail []byte, give bool) []byte
	})
	return s
}

// write replaces the whole Raft state, and the snapshot if it is another one than before.
func (s *store) write(state, snapshot []byte, newSnapshot bool) {
	switch p := any(s.persister).(type) {
	case interface{ SaveRaftState([]byte) }:
		if !newSnapshot {
			p.SaveRaftState(state)
			return
		}
		any(s.persister).(interface{ SaveStateAndSnapshot(_, _ []byte) }).SaveStateAndSnapshot(state, snapshot)
	case interface{ Save(_, _ []byte) }: // 2023 and later: a nil snapshot would erase the saved one
		p.Save(state, snapshot)
	default:
		panic("raft: the Persister has no method to save with")
	}
}

// saveLocked saves what Figure 2 calls persistent, after a change of term or vote only.
func (rf *Raft) saveLocked() { rf.saveTailLocked(nil, false) }

// saveEntriesLocked appends the batch to the log and saves it.
func (rf *Raft) saveEntriesLocked(d batch) {
	if rf.store.growing == nil {
		d.moveTo(bytes.Clone(d.records))
		rf.log.append(d.entries...)
		rf.saveAllLocked(false)
		return
	}
	tail := d.records
	if undefined := rf.undefinedLocked(d.entries); undefined != nil {
		tail = append(undefined, tail...)
	}
	saved := rf.saveTailLocked(tail, d.own)
	d.moveTo(saved[len(tail)-len(d.records):])
	rf.log.append(d.entries...)
}

// undefinedLocked returns records of the type definitions that entries need and the saved body lacks.
func (rf *Raft) undefinedLocked(entries []entry) (records []byte) {
	for k := range entries {
		key, ok := definitionKey(entries[k].data)
		if ok && !slices.Contains(rf.store.defined, key) {
			rf.store.defined = append(rf.store.defined, key)
			records = appendRecord(records, 0, rf.definitions.get(key))
		}
	}
	return records
}

func (rf *Raft) saveTailLocked(tail []byte, give bool) (saved []byte) {
	s := &rf.store
	if s.growing == nil {
		rf.saveAllLocked(false)
		return nil
	}
	s.bodyLength += len(tail)
	s.bodySum = extendChecksum(s.bodySum, tail)
	s.head = rf.appendHeadLocked(s.head[:0])
	saved = s.growing.Append(s.head, tail, give)
	rf.observeSaveLocked()
	return saved
}

// saveAllLocked saves the state anew, after the log lost entries at either end, and with it the snapshot if it
// is a new one: both in one step.
func (rf *Raft) saveAllLocked(newSnapshot bool) {
	s := &rf.store
	s.defined = s.defined[:0]
	var body []byte
	for _, chunk := range rf.log.chunks {
		body = append(body, rf.undefinedLocked(chunk)...)
		for k := range chunk {
			body = appendRecord(body, chunk[k].term, chunk[k].data)
		}
	}
	s.bodyLength, s.bodySum = len(body), checksum(body)
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
		bodyLength:    rf.store.bodyLength,
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
	rf.store.bodyLength, rf.store.bodySum = h.bodyLength, h.bodySum
	return rf.restoreLog(body)
}

func (rf *Raft) restoreLog(body []byte) error {
	entries, found, err := readBody(body)
	if err != nil {
		return err
	}
	for _, d := range found {
		rf.definitions.add(d.key(), d)
		rf.store.defined = append(rf.store.defined, d.key())
	}
	prevTerm := rf.log.baseTerm
	for k := range entries {
		if e := &entries[k]; e.term < prevTerm || e.term > rf.currentTerm || !rf.definitions.suffice(e.data) {
			return fmt.Errorf("its log entry %d is impossible", rf.log.base+1+k)
		}
		prevTerm = entries[k].term
	}
	rf.log.append(entries...)
	if last := rf.log.lastIndex(); rf.snapshot.index > last {
		return fmt.Errorf("its log ends at %d, before its snapshot at %d", last, rf.snapshot.index)
	}
	if term := rf.log.term(rf.snapshot.index); term != rf.snapshot.term {
		return fmt.Errorf("its log has term %d where its snapshot ends with term %d", term, rf.snapshot.term)
	}
	return nil
}
