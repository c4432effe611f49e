package raft

import (
	"bytes"
	"log"

	"6.824/labgob"
)

// persist saves the persistent state (Figure 2) and the snapshot.
func (rf *Raft) persist() {
	w := new(bytes.Buffer)
	e := labgob.NewEncoder(w)
	for _, v := range []interface{}{rf.currentTerm, rf.votedFor, rf.log, rf.lastIncludedIndex} {
		if err := e.Encode(v); err != nil {
			log.Fatalf("cannot save the state: %v", err)
		}
	}
	rf.persister.Save(w.Bytes(), rf.snapshot)
}

// readPersist restores what persist has saved.
func (rf *Raft) readPersist() {
	data := rf.persister.ReadRaftState()
	if len(data) == 0 {
		return
	}
	d := labgob.NewDecoder(bytes.NewBuffer(data))
	var currentTerm, votedFor, lastIncludedIndex int
	var entries []Entry
	for _, v := range []interface{}{&currentTerm, &votedFor, &entries, &lastIncludedIndex} {
		if err := d.Decode(v); err != nil {
			log.Fatalf("cannot read the saved state: %v", err)
		}
	}
	rf.currentTerm, rf.votedFor, rf.log, rf.lastIncludedIndex = currentTerm, votedFor, entries, lastIncludedIndex
	rf.snapshot = rf.persister.ReadSnapshot()
}
