//go:build go1.25

package raft

import "slices"

// A store saves the state of one server to a Persister of any year's lab. It knows what is on the disk, so that the cost
// of a save depends only on what has changed.
type store struct {
	persister   *Persister
	disk        any               // persister as any, since the methods that save differ by year
	changer     changer           // persister if it has Change; nil for the course's, which gets the whole state at each save
	from, to    int               // mark.at of the beginning and the end of the saved records
	front       int               // length of the saved front: the type definitions
	frontSum    uint32            // checksum of the front
	definitions []savedDefinition // the type definitions in the front
	head        []byte            // reused by each save
	tail        [][]byte          // reused by each save
}

// A savedDefinition is a saved type definition.
type savedDefinition struct {
	key  uint64
	last int // index of the last entry that may need it
}

// A Change says how a save changes the saved Raft state, which is a head followed by a body, and the snapshot. With it, the
// cost of a save depends only on what has changed. Fields other than Head that are zero change nothing. The lab has no such
// type.
type Change struct {
	Head     []byte   // replaces the head, which has the same length
	Drop     int      // number of bytes to remove from the beginning of the body
	Front    []byte   // goes to the beginning of the body, after Drop
	Cut      int      // number of bytes to remove from the end of the body
	Tail     [][]byte // goes to the end of the body, after Cut
	Replace  bool     // whether Snapshot replaces the saved snapshot
	Snapshot []byte   // the new snapshot, with Replace; nil erases the old one
}

// A changer is a Persister that saves Changes; see Persister.Change.
type changer interface {
	Change(c Change)
}

func newStore(persister *Persister) store {
	changer, _ := any(persister).(changer)
	return store{persister: persister, disk: persister, changer: changer}
}

// restored tells the store what was on the disk when the server started.
func (s *store) restored(l *raftLog, h *head) {
	s.from, s.to, s.front, s.frontSum = l.start.at, l.end.at, h.frontLength, h.frontSum
	for k := range s.definitions {
		s.definitions[k].last = l.lastIndex()
	}
}

// write replaces the whole Raft state, and also the snapshot if newSnapshot is set.
func (s *store) write(state, snapshot []byte, newSnapshot bool) {
	switch p := s.disk.(type) {
	case interface{ SaveRaftState([]byte) }:
		if !newSnapshot {
			p.SaveRaftState(state)
			return
		}
		s.disk.(interface{ SaveStateAndSnapshot(_, _ []byte) }).SaveStateAndSnapshot(state, snapshot)
	case interface{ Save(_, _ []byte) }: // 2023 and later: it replaces the snapshot, too
		p.Save(state, snapshot)
	default:
		panic("raft: the Persister has neither SaveRaftState nor Save")
	}
}

// noteDefinition records that the entry at index needs a type definition. It reports whether the disk lacks the
// definition.
func (s *store) noteDefinition(key uint64, index int) (lacks bool) {
	for k := range s.definitions {
		if s.definitions[k].key == key {
			s.definitions[k].last = max(s.definitions[k].last, index)
			return false
		}
	}
	s.definitions = append(s.definitions, savedDefinition{key, index})
	return true
}

// rebuildFrontLocked drops the definitions that only entries before the log needed. It returns the records of the others,
// and updates frontSum.
func (rf *Raft) rebuildFrontLocked() (front []byte) {
	s := &rf.store
	s.definitions = slices.DeleteFunc(s.definitions, func(d savedDefinition) bool { return d.last <= rf.log.base })
	for _, d := range s.definitions {
		front = appendRecord(front, 0, rf.definitions.get(d.key))
	}
	s.frontSum = checksum(front)
	return front
}

// saveLocked saves the state that Figure 2 calls persistent, when the log and the snapshot have not changed. It
// is "updated on stable storage before responding to RPCs" (Figure 2): the handlers save before they return (OnMessage).
func (rf *Raft) saveLocked() { rf.changeLocked(Change{}) }

// saveEntriesLocked appends entries to the log and saves the log. The save also includes a truncation just before. If
// share, the log and the disk may keep the memory of the entries.
func (rf *Raft) saveEntriesLocked(share bool, b ...segment) {
	s := &rf.store
	c := Change{Cut: s.to - rf.log.end.at, Tail: s.tail[:0]}
	first, lacking := rf.log.lastIndex()+1, false
	for _, seg := range b {
		lacking = rf.noteDefinitionsLocked(&seg) || lacking
		c.Tail = rf.log.append(c.Tail, seg, share)
	}
	rf.tellLogLocked(first)
	if lacking {
		c.Drop, c.Front = s.front, rf.rebuildFrontLocked()
	}
	rf.changeLocked(c)
	clear(c.Tail)
	s.tail = c.Tail
}

// noteDefinitionsLocked records which type definitions the entries of seg need, which are about to be appended. It
// reports whether the disk lacks one.
func (rf *Raft) noteDefinitionsLocked(seg *segment) (lacking bool) {
	next := rf.log.lastIndex() + 1
	for k := range seg.ends {
		if key, ok := definitionKey(seg.at(k).data); ok {
			lacking = rf.store.noteDefinition(key, next+k) || lacking
		}
	}
	return lacking
}

// saveSnapshotLocked saves a new snapshot and the removal of the entries before it, in one step (§7).
func (rf *Raft) saveSnapshotLocked() {
	s := &rf.store
	rf.changeLocked(Change{
		Drop:     s.front + rf.log.start.at - s.from,
		Front:    rf.rebuildFrontLocked(),
		Snapshot: rf.snapshot.data[:len(rf.snapshot.data):len(rf.snapshot.data)],
		Replace:  true,
	})
}

// changeLocked completes a Change with the new head and saves it.
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
	rf.tellSavedLocked()
	rf.observeSaveLocked()
}

// saveAllLocked rewrites the whole state, and the snapshot if it is new, in one step.
func (rf *Raft) saveAllLocked(newSnapshot bool) {
	s := &rf.store
	body := rf.rebuildFrontLocked()
	s.front, s.from, s.to = len(body), rf.log.start.at, rf.log.end.at
	for k := range rf.log.segments {
		body = append(body, rf.log.segments[k].records()...)
	}
	state := append(rf.appendHeadLocked(make([]byte, 0, headSize+len(body))), body...)
	s.write(state, rf.snapshot.data, newSnapshot)
	rf.tellSavedLocked()
	rf.observeSaveLocked()
}

// appendHeadLocked appends the head for the current state to dst.
func (rf *Raft) appendHeadLocked(dst []byte) []byte {
	h := head{
		currentTerm:   rf.currentTerm,
		votedFor:      rf.votedFor,
		base:          rf.log.base,
		baseTerm:      rf.log.baseTerm,
		snapshotIndex: rf.snapshot.index,
		snapshotTerm:  rf.snapshot.term,
		bodyLength:    rf.store.front + rf.log.end.at - rf.log.start.at,
		endSum:        rf.log.end.sum,
		snapshotSum:   rf.snapshot.sum,
		startSum:      rf.log.start.sum,
		frontSum:      rf.store.frontSum,
		frontLength:   rf.store.front,
	}
	return h.append(dst)
}
