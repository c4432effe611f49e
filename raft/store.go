//go:build go1.25

package raft

import "slices"

// A store is the server's side of its Persister, whichever year's that is. It knows what is on the disk, so that a change
// costs as much as there is new, and nothing for what stays.
type store struct {
	persister *Persister
	disk      any       // the persister again, for what its year has it save with
	changer   changer   // our Persister; nil for the course's, which is given the whole state at each save
	from, to  int       // the log's records there, by their marks
	front     int       // the length of the definitions there
	frontSum  uint32    // their checksum
	defined   []defined // which these are
	head      []byte    // buffers for the next save
	tail      [][]byte
}

// A defined is a type definition that the disk has, and the last entry that may need it.
type defined struct {
	key  uint64
	last int
}

// A Change is what one step of Raft changes of a saved state: so a save costs as much as there is new. The state is a head,
// and a body behind it.
type Change struct {
	Head     []byte   // replaces the head, which has the same length; it is copied
	Drop     int      // so many bytes go from the beginning of the body,
	Front    []byte   // and this takes their place
	Cut      int      // so many bytes go from its end,
	Tail     [][]byte // and this takes theirs
	Replace  bool     // there is a new snapshot:
	Snapshot []byte   // this one
}

type changer interface {
	Change(c Change)
}

func newStore(persister *Persister) store {
	changer, _ := any(persister).(changer)
	return store{persister: persister, disk: persister, changer: changer}
}

// restored takes note of what was on the disk when the server started.
func (s *store) restored(l *raftLog, h *head) {
	s.from, s.to, s.front, s.frontSum = l.start.at, l.end.at, h.frontLength, h.frontSum
	for k := range s.defined {
		s.defined[k].last = l.lastIndex()
	}
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

// uses takes note that the log needs a type definition up to an entry. It reports whether the disk lacks it.
func (s *store) uses(key uint64, index int) (lacks bool) {
	for k := range s.defined {
		if s.defined[k].key == key {
			s.defined[k].last = max(s.defined[k].last, index)
			return false
		}
	}
	s.defined = append(s.defined, defined{key, index})
	return true
}

// frontLocked drops the definitions that no entry needs any more. It returns the records of the others, and notes their
// checksum.
func (rf *Raft) frontLocked() (front []byte) {
	s := &rf.store
	s.defined = slices.DeleteFunc(s.defined, func(d defined) bool { return d.last <= rf.log.base })
	for _, d := range s.defined {
		front = appendRecord(front, 0, rf.definitions.get(d.key))
	}
	s.frontSum = checksum(front)
	return front
}

// saveLocked saves what Figure 2 calls persistent, after a change of term or vote only.
func (rf *Raft) saveLocked() { rf.changeLocked(Change{}) }

// saveEntriesLocked appends entries to the log and saves them, and that the log has lost others at its end before. If share,
// the log and the disk may keep their memory.
func (rf *Raft) saveEntriesLocked(share bool, b ...segment) {
	s := &rf.store
	c := Change{Cut: s.to - rf.log.end.at, Tail: s.tail[:0]}
	lacking := false
	for _, seg := range b {
		lacking = rf.needLocked(&seg) || lacking
		c.Tail = rf.log.append(c.Tail, seg, share)
	}
	if lacking {
		c.Drop, c.Front = s.front, rf.frontLocked()
	}
	rf.changeLocked(c)
	clear(c.Tail)
	s.tail = c.Tail
}

// needLocked notes which type definitions the entries about to be appended need. It reports whether the disk lacks one.
func (rf *Raft) needLocked(seg *segment) (lacking bool) {
	next := rf.log.lastIndex() + 1
	for k := range seg.ends {
		if key, ok := definitionKey(seg.at(k).data); ok {
			lacking = rf.store.uses(key, next+k) || lacking
		}
	}
	return lacking
}

// saveSnapshotLocked saves a new snapshot, and that the log has lost its beginning: both in one step (§7).
func (rf *Raft) saveSnapshotLocked() {
	s := &rf.store
	rf.changeLocked(Change{
		Drop:     s.front + rf.log.start.at - s.from,
		Front:    rf.frontLocked(),
		Snapshot: rf.snapshot.data[:len(rf.snapshot.data):len(rf.snapshot.data)],
		Replace:  true,
	})
}

// changeLocked saves a change of front, entries or snapshot, and the head that goes with it.
func (rf *Raft) changeLocked(c Change) {
	s := &rf.store
	if s.changer == nil {
		rf.saveAllLocked(c.Replace)
		return
	}
	if c.Drop > 0 || len(c.Front) > 0 {
		s.front = len(c.Front)
	}
	s.from, s.to = rf.log.start.at, rf.log.end.at
	s.head = rf.appendHeadLocked(s.head[:0])
	c.Head = s.head
	s.changer.Change(c)
	rf.observeSaveLocked()
}

// saveAllLocked saves the whole state anew, and with it the snapshot if it is a new one: both in one step.
func (rf *Raft) saveAllLocked(newSnapshot bool) {
	s := &rf.store
	body := rf.frontLocked()
	s.front, s.from, s.to = len(body), rf.log.start.at, rf.log.end.at
	for k := range rf.log.segments {
		body = append(body, rf.log.segments[k].records()...)
	}
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
		bodyLength:    rf.store.front + rf.log.end.at - rf.log.start.at,
		bodySum:       rf.log.end.sum,
		snapshotSum:   rf.snapshot.sum,
		bodyBegin:     rf.log.start.sum,
		frontSum:      rf.store.frontSum,
		frontLength:   rf.store.front,
	}
	return h.append(dst)
}
