package raft

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// fuzzServer returns a follower of server 1 in term 4 with a snapshot at 2 and entries up to 6, of which 4 are committed.
func fuzzServer(t testing.TB) *Raft {
	rf := newFollower(t, 3, 4, from(1).terms(1, 1, 2, 2, 3, 4))
	rf.commitIndex, rf.lastApplied = 4, 4
	rf.Snapshot(2, []byte("state"))
	return rf
}

// FuzzSavedState gives Make's reading of a saved state any bytes. What it accepts, it must save again as it was.
func FuzzSavedState(f *testing.F) {
	rf := fuzzServer(f)
	state := rf.store.persister.ReadRaftState()
	f.Add(state, []byte("state"), false)
	f.Add(state[:headSize], []byte{}, true)
	f.Fuzz(func(t *testing.T, state, data []byte, seal bool) {
		if seal && len(state) >= headSize {
			state = sealed(state, data)
		}
		rf := newQuiet(t, 3, MakePersister())
		if rf.restore(state, data) != nil || len(state) == 0 {
			return
		}
		rf.saveAllLocked(true)
		again := newQuiet(t, 3, rf.store.persister.Copy())
		if got, want := pictureOf(again).saved, pictureOf(rf).saved; got != want {
			t.Fatalf("saved and restored again: %v, want %v", got, want)
		}
	})
}

// sealed returns the state with version, lengths and checksums set right, so that the fuzzer gets past them.
func sealed(state, data []byte) []byte {
	state = bytes.Clone(state)
	body := state[headSize:]
	binary.LittleEndian.PutUint32(state, stateVersion)
	binary.LittleEndian.PutUint64(state[4+6*8:], uint64(len(body)))
	sums := state[4+7*8:]
	front := binary.LittleEndian.Uint64(sums[4*4:]) % uint64(len(body)+1)
	binary.LittleEndian.PutUint32(sums, extendChecksum(binary.LittleEndian.Uint32(sums[2*4:]), body[front:]))
	binary.LittleEndian.PutUint32(sums[4:], checksum(data))
	binary.LittleEndian.PutUint32(sums[3*4:], checksum(body[:front]))
	binary.LittleEndian.PutUint64(sums[4*4:], front)
	binary.LittleEndian.PutUint32(state[headSize-4:], checksum(state[:headSize-4]))
	return state
}

// FuzzRequestVote and its likes below send a server any message. It must neither panic nor come into a state that it
// could not have (verify).
func FuzzRequestVote(f *testing.F) {
	f.Add(5, 1, 6, 4, false)
	f.Add(4, 2, 9, 3, true)
	f.Fuzz(func(t *testing.T, term, candidate, lastIndex, lastTerm int, preVote bool) {
		rf := fuzzServer(t)
		deliver(t, rf, &RequestVoteArgs{Term: term, CandidateID: candidate, LastLogIndex: lastIndex, LastLogTerm: lastTerm, PreVote: preVote})
	})
}

func FuzzAppendEntries(f *testing.F) {
	s := segmentOf(from(7).terms(4, 4)...)
	entries := string(s.records())
	f.Add(4, 1, 6, 4, 6, entries, entries, []byte{}, true, uint32(0))
	f.Add(5, 2, 4, 2, 5, entries[:len(entries)-4], "", []byte("definition"), false, checksum(s.records()))
	f.Fuzz(func(t *testing.T, term, leader, prevIndex, prevTerm, commit int, piece, next string, def []byte, seal bool, sum uint32) {
		pieces := []string{piece, next}
		if seal {
			sum = checksumOf(pieces)
		}
		rf := fuzzServer(t)
		deliver(t, rf, &AppendEntriesArgs{
			Term: term, LeaderID: leader, PrevLogIndex: prevIndex, PrevLogTerm: prevTerm, LeaderCommit: commit,
			Entries: pieces, Checksum: sum, Definitions: [][]byte{def},
		})
	})
}

func FuzzInstallSnapshot(f *testing.F) {
	f.Add(4, 1, 5, 3, []byte("newer"))
	f.Add(5, 2, 9, 5, []byte{})
	f.Fuzz(func(t *testing.T, term, leader, index, includedTerm int, data []byte) {
		rf := fuzzServer(t)
		deliver(t, rf, &InstallSnapshotArgs{Term: term, LeaderID: leader, LastIncludedIndex: index, LastIncludedTerm: includedTerm, Data: data})
	})
}

// FuzzDecodeCommand decodes any bytes as a command.
func FuzzDecodeCommand(f *testing.F) {
	var known definitions
	data, c, err := encodeCommand(nil, kvCommand{"Put", "k", "v", 1, 2})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data, []byte(c.definition))
	f.Add([]byte{formInt, 2}, []byte{})
	f.Fuzz(func(t *testing.T, data, def []byte) {
		known.add(definition(def).key(), def)
		d := decoder{definitions: &known, streams: make(map[uint64]*stream)}
		first, err := d.decode(data)
		if again, err2 := d.decode(data); (err == nil) != (err2 == nil) {
			t.Fatalf("decoded once: %v, %v; twice: %v, %v", first, err, again, err2)
		}
	})
}
