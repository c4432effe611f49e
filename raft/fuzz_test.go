package raft

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"testing"
)

// fuzzServer returns a follower of server 1 in term 4 with a snapshot at 2, entries up to 6, and commitIndex 4.
func fuzzServer(t testing.TB) *Raft {
	rf := newFollower(t, 3, 4, from(1).terms(1, 1, 2, 2, 3, 4))
	rf.commitIndex, rf.lastApplied = 4, 4
	rf.Snapshot(2, []byte("state"))
	return rf
}

// FuzzSavedState restores servers from random bytes. A state that is accepted must be saved and restored unchanged.
func FuzzSavedState(f *testing.F) {
	rf := fuzzServer(f)
	state := rf.store.persister.ReadRaftState()
	f.Add(state, []byte("state"), false)
	f.Add(state[:headSize], []byte{}, true)
	f.Fuzz(func(t *testing.T, state, data []byte, seal bool) {
		if seal && len(state) >= headSize {
			state = sealedState(state, data)
		}
		rf := newQuiet(t, 3, MakePersister())
		if rf.restore(state, data) != nil || len(state) == 0 {
			return
		}
		rf.saveAllLocked(true)
		again := newQuiet(t, 3, rf.store.persister.Copy())
		if got, want := observableOf(again).saved, observableOf(rf).saved; got != want {
			t.Fatalf("saved and restored again: %v, want %v", got, want)
		}
	})
}

// sealedState returns the state with correct version, lengths and checksums, so that the fuzzer gets past them.
func sealedState(state, data []byte) []byte {
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

// FuzzRequestVote and the next two send a server random messages, with a correct or a random checksum. The server must
// not panic or get into an impossible state (verify).
func FuzzRequestVote(f *testing.F) {
	f.Add(5, 1, 6, 4, false, true, uint64(0))
	f.Add(4, 2, 9, 3, true, false, uint64(1))
	f.Fuzz(func(t *testing.T, term, candidate, lastIndex, lastTerm int, preVote, seal bool, sum uint64) {
		fuzzed(t, &RequestVoteArgs{Term: term, CandidateID: candidate, LastLogIndex: lastIndex, LastLogTerm: lastTerm,
			PreVote: preVote, Checksum: sum}, seal)
	})
}

func FuzzAppendEntries(f *testing.F) {
	s := segmentOf(from(7).terms(4, 4)...)
	entries := string(s.records())
	_, c, _ := encodeCommand(nil, pointCommand{})
	f.Add(4, 1, 6, 4, 6, entries, entries, []byte(c.definition), true, uint64(0))
	f.Add(4, 1, 6, 4, 6, entries[:len(entries)-4], "", []byte("definition"), true, uint64(0))
	f.Add(5, 2, 4, 2, 5, entries, "", []byte{}, false, uint64(1))
	f.Fuzz(func(t *testing.T, term, leader, prevIndex, prevTerm, commit int, piece, next string, def []byte, seal bool, sum uint64) {
		fuzzed(t, &AppendEntriesArgs{
			Term: term, LeaderID: leader, PrevLogIndex: prevIndex, PrevLogTerm: prevTerm, LeaderCommit: commit,
			Entries: []string{piece, next}, Definitions: [][]byte{def}, Checksum: sum,
		}, seal)
	})
}

func FuzzInstallSnapshot(f *testing.F) {
	f.Add(4, 1, 5, 3, []byte("newer"), true, uint64(0))
	f.Add(5, 2, 9, 5, []byte{}, false, uint64(1))
	f.Fuzz(func(t *testing.T, term, leader, index, includedTerm int, data []byte, seal bool, sum uint64) {
		fuzzed(t, &InstallSnapshotArgs{Term: term, LeaderID: leader, LastIncludedIndex: index, LastIncludedTerm: includedTerm,
			Data: data, Checksum: sum}, seal)
	})
}

// fuzzed delivers m, with the correct checksum if seal is true. With a wrong checksum, it must be refused.
func fuzzed[M Message](t *testing.T, m M, seal bool) {
	rf := fuzzServer(t)
	if good := sealed(m); seal || reflect.DeepEqual(good, m) {
		deliver(t, rf, good)
		return
	}
	before := observableOf(rf)
	if reply := rf.OnMessage(m); granted(reply) || observableOf(rf) != before {
		t.Errorf("a message with a wrong checksum was accepted: %+v", m)
	}
}

// FuzzDecodeCommand decodes random bytes as a command.
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
