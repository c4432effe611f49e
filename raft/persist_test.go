package raft

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand"
	"strings"
	"testing"
)

func TestHeadRoundTrip(t *testing.T) {
	for _, want := range []head{
		{votedFor: nobody},
		{1, 2, 3, 4, 5, 6, 0, checksum(nil), 9, 0, 0, 0},
		{maxNumber, 0, maxNumber, maxNumber, maxNumber, maxNumber, 0, 12, 1<<32 - 1, 12, 0, 0},
		{votedFor: 4, bodyLength: 3, endSum: checksum([]byte("abc")), snapshotSum: 7},
	} {
		state := want.append([]byte("before"))[len("before"):]
		mustEqual(t, "size", len(state), headSize)
		state = append(state, "abc"[:want.bodyLength]...)
		got, body, err := readHead(state)
		if got != want || string(body) != "abc"[:want.bodyLength] || err != nil {
			t.Errorf("%+v, body %q, %v; want %+v", got, body, err, want)
		}
	}
}

// richServer returns a quiet server whose disk has a snapshot, entries of several types, and the definitions of two.
func richServer(t testing.TB) *Raft {
	t.Helper()
	rf := newLeader(t, 3, 2, from(1).terms(1, 1))
	for _, command := range []any{7, pointCommand{1, 2}, nil, map[string]int{"a": 1}, pointCommand{3, 4}, boxCommand{"b", 1}} {
		rf.Start(command)
	}
	rf.commitLocked(4)
	rf.Snapshot(3, []byte("state of the service"))
	rf.Start("last")
	verify(t, rf)
	return rf
}

// makeBroken starts server 1 from a damaged disk, and expects Make to panic with a message that contains what.
func makeBroken(t testing.TB, state, snapshot []byte, what string) {
	t.Helper()
	ps := MakePersister()
	ps.Save(state, snapshot)
	wantPanic(t, func() { Make(deadEnds(3), 1, ps, make(chan ApplyMsg)).Kill() },
		"server 1: its saved state cannot be trusted", what)
}

// wantDamage returns the expected message after byte k of a saved state was changed or, with cut, the state was cut off
// there.
func wantDamage(k int, cut bool) string {
	switch {
	case cut && k == 0:
		return "there is a snapshot but no state"
	case cut && k < headSize:
		return fmt.Sprintf("it has %d bytes, fewer than its head of %d", k, headSize)
	case cut:
		return fmt.Sprintf("body has %d bytes", k-headSize)
	case k < 4:
		return "version"
	case k < headSize:
		return "checksum of its head"
	default:
		return "checksum of its body"
	}
}

func TestMakeNoticesEveryTruncation(t *testing.T) {
	ps := richServer(t).store.persister
	state, snapshot := ps.ReadRaftState(), ps.ReadSnapshot()
	for n := range state {
		makeBroken(t, state[:n], snapshot, wantDamage(n, true))
	}
	for n := range snapshot {
		makeBroken(t, state, snapshot[:n], fmt.Sprintf("the snapshot (%d bytes) is not the one", n))
	}
	makeBroken(t, append(bytes.Clone(state), 0), snapshot, wantDamage(len(state)+1, true))
	makeBroken(t, state, append(bytes.Clone(snapshot), 0), "is not the one that was saved with it")
}

func TestMakeNoticesEveryFlippedBit(t *testing.T) {
	parallel(t)
	ps := richServer(t).store.persister
	state, snapshot := ps.ReadRaftState(), ps.ReadSnapshot()
	for bit := range 8 * len(state) {
		state[bit/8] ^= 1 << (bit % 8)
		makeBroken(t, state, snapshot, wantDamage(bit/8, false))
		state[bit/8] ^= 1 << (bit % 8)
	}
	for bit := range 8 * len(snapshot) {
		snapshot[bit/8] ^= 1 << (bit % 8)
		makeBroken(t, state, snapshot, "is not the one that was saved with it")
		snapshot[bit/8] ^= 1 << (bit % 8)
	}
}

func TestMakeNoticesForeignSnapshot(t *testing.T) {
	old := richServer(t)
	before := old.store.persister.Copy()
	old.Snapshot(4, []byte("newer"))
	after := old.store.persister
	makeBroken(t, before.ReadRaftState(), after.ReadSnapshot(), "is not the one that was saved with it")
	makeBroken(t, after.ReadRaftState(), before.ReadSnapshot(), "is not the one that was saved with it")
	makeBroken(t, after.ReadRaftState(), nil, "the snapshot (0 bytes) is not the one")
	makeBroken(t, nil, after.ReadSnapshot(), "there is a snapshot but no state")
	plain := newFollower(t, 3, 1, from(1).terms(1)).store.persister
	makeBroken(t, plain.ReadRaftState(), after.ReadSnapshot(), "is not the one that was saved with it")
	newer := plain.ReadRaftState()
	binary.LittleEndian.PutUint32(newer, stateVersion+1)
	makeBroken(t, newer, nil, fmt.Sprintf("its version is %#x, want %#x", stateVersion+1, stateVersion))
	makeBroken(t, []byte(strings.Repeat("not a state of Raft's ", 9)), nil, "version")
}

// seal returns the state with this head and body, with correct lengths and checksums.
func seal(h head, body []byte) []byte {
	h.bodyLength, h.endSum = len(body), checksum(body)
	return append(h.append(nil), body...)
}

// Undamaged states that no server can have saved are refused.
func TestMakeNoticesImpossibleState(t *testing.T) {
	records := func(records ...entry) (body []byte) {
		for _, r := range records {
			body = appendRecord(body, r.term, r.data)
		}
		return body
	}
	one, two := from(1).terms(2)[0], from(2).terms(1)[0]
	value, _, _ := encodeCommand(nil, pointCommand{1, 2})
	const inHead = "its head is invalid"
	for _, c := range []struct {
		what string
		h    head
		body []byte
	}{
		{inHead, head{currentTerm: -1}, nil},
		{inHead, head{currentTerm: maxNumber + 1}, nil},
		{inHead, head{votedFor: -2}, nil},
		{inHead, head{votedFor: 3}, nil},
		{inHead, head{currentTerm: 1, base: -1}, nil},
		{inHead, head{currentTerm: 1, base: 2, baseTerm: 1, snapshotIndex: 1, snapshotTerm: 1}, nil},
		{inHead, head{currentTerm: 3, base: 2, baseTerm: 2, snapshotIndex: 2, snapshotTerm: 1}, nil},
		{inHead, head{currentTerm: 1, base: 2, baseTerm: 1, snapshotIndex: 2, snapshotTerm: 2}, nil},
		{"its log ends at index 1, before its snapshot at 2", head{currentTerm: 2, snapshotIndex: 2, snapshotTerm: 2}, records(one)},
		{"its log entry 2 is invalid", head{currentTerm: 2}, records(one, two)},
		{"its log entry 1 is invalid", head{currentTerm: 1}, records(one)},
		{"its log entry 4 is invalid", head{currentTerm: 4, base: 3, baseTerm: 3, snapshotIndex: 3, snapshotTerm: 3}, records(one)},
		{"its log entry 2 is invalid", head{currentTerm: 2}, records(one, entry{term: 2, data: value})},
		{"its log entry 1 is invalid", head{currentTerm: 2}, records(entry{term: 2, data: []byte{99}})},
		{"a record is malformed", head{currentTerm: 2}, []byte{1}},
		{"a record is malformed", head{currentTerm: 2}, []byte{1, 2, 0}},
		{"a record is malformed", head{currentTerm: 2}, bytes.Repeat([]byte{0xff}, 12)},
		{"a record is malformed", head{currentTerm: 2}, binary.AppendUvarint(nil, maxNumber+1)},
	} {
		makeBroken(t, seal(c.h, c.body), nil, c.what)
	}
}

func TestMakeArgumentsOutOfRange(t *testing.T) {
	for _, me := range []int{-1, 3, 99} {
		wantPanic(t, func() { Make(deadEnds(3), me, MakePersister(), nil) }, fmt.Sprintf("server %d", me), "cluster of 3")
	}
}

// A Persister that is appended to and one that saves the whole state each time restore the same server.
func TestSaveGrowingOrWhole(t *testing.T) {
	parallel(t)
	for seed := range int64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			rng := rand.New(rand.NewSource(seed))
			growing, whole := newFollower(t, 3, 1, nil), newFollower(t, 3, 1, nil)
			whole.store.changer = nil
			for range 60 {
				m := randomMessage(t, rng, growing)
				deliver(t, whole, m)
				deliver(t, growing, m)
				if index := growing.commitIndex; rng.Intn(9) == 0 && index > 0 {
					growing.Snapshot(index, fmt.Append(nil, "up to ", index))
					whole.Snapshot(index, fmt.Append(nil, "up to ", index))
				}
				mustEqual(t, "restored", restored(t, growing), restored(t, whole))
			}
			growing.saveAllLocked(false)
			whole.saveAllLocked(false)
			if g, w := growing.store.persister, whole.store.persister; !bytes.Equal(g.ReadRaftState(), w.ReadRaftState()) {
				t.Error("after both save the whole state, the states differ")
			}
		})
	}
}

// randomMessage returns a message that changes rf: entries of several types, a conflict, a vote or a snapshot.
func randomMessage(t testing.TB, rng *rand.Rand, rf *Raft) Message {
	last, term := rf.log.lastIndex(), rf.currentTerm
	switch rng.Intn(8) {
	case 0:
		return &RequestVoteArgs{Term: term + 1, CandidateID: 2, LastLogIndex: last + 1, LastLogTerm: term}
	case 1:
		return &InstallSnapshotArgs{Term: term + 1, LeaderID: 1, LastIncludedIndex: last + rng.Intn(3) + 1, LastIncludedTerm: term, Data: fmt.Append(nil, "snapshot ", last)}
	case 2:
		term++ // another leader, which may overwrite uncommitted entries
	}
	prev := max(rf.commitIndex, last-rng.Intn(3))
	commands := []any{rng.Int(), pointCommand{rng.Int(), 1}, "text", map[string]int{"k": last}, nil, boxCommand{"x", 2}}
	var entries []entry
	for range rng.Intn(5) {
		entries = append(entries, entry{term: term, data: encode(t, &rf.definitions, commands[rng.Intn(len(commands))])})
	}
	leader := 1
	if rf.leader >= 0 && term == rf.currentTerm {
		leader = rf.leader
	}
	args := &AppendEntriesArgs{Term: term, LeaderID: leader, PrevLogIndex: prev, PrevLogTerm: rf.log.term(prev),
		LeaderCommit: prev + rng.Intn(4), Definitions: rf.definitions.collect(batch{segmentOf(entries...)})}
	args.carry(entries...)
	return args
}

// Each number in a record has only one valid encoding. The log computes the sizes of records from the numbers, and
// other encodings have other sizes.
func TestRecordNumbersAreMinimal(t *testing.T) {
	for name, record := range map[string][]byte{
		"term":   {0x81, 0x00, 2, formString, 'a'},
		"length": {1, 0x82, 0x00, formString, 'a'},
	} {
		if term, data, _, err := readRecord(record); err == nil {
			t.Errorf("%s: read as term %d, data %q", name, term, data)
		}
		rf := newFollower(t, 3, 1, nil)
		wantRefused(t, rf, &AppendEntriesArgs{Term: 1, LeaderID: 1, Entries: []string{string(record)}})
	}
}

// A type definition is saved once, with the first entry that needs it, also across a restart. It is removed when no
// entry needs it any more.
func TestDefinitionIsSavedOnce(t *testing.T) {
	rf := newLeader(t, 3, 2, nil)
	grows := func() int {
		before := rf.PersistBytes()
		rf.Start(pointCommand{1, 2})
		return rf.PersistBytes() - before
	}
	first, next := grows(), grows()
	if first <= next {
		t.Errorf("%d bytes with a definition, %d without", first, next)
	}
	mustEqual(t, "the third", grows(), next)
	rf = newQuiet(t, 3, rf.store.persister.Copy())
	rf.becomeCandidateLocked()
	rf.becomeLeaderLocked()
	mustEqual(t, "after a restart", grows(), next)
	rf.commitLocked(4)
	rf.Snapshot(3, []byte("three"))
	mustEqual(t, "after a snapshot of all but one", grows(), next)
	rf.commitLocked(5)
	rf.Snapshot(5, []byte("all"))
	mustEqual(t, "after a snapshot of all", grows(), first)
	rf.Start(map[string]int{"another type": 1})
	mustEqual(t, "after another type", grows(), next)
	verify(t, rf)
}

// Trailing entries must agree with the snapshot that covers them.
func TestRestoreChecksTermAtSnapshot(t *testing.T) {
	rf := newFollower(t, 3, 5, from(1).terms(1, 1, 2, 3), WithTrailingLog(3))
	rf.commitIndex = 3
	rf.Snapshot(3, []byte("service"))
	rf.snapshot.term = 1
	rf.saveAllLocked(true)
	wantPanic(t, func() { Make(deadEnds(3), 0, rf.store.persister.Copy(), make(chan ApplyMsg)) },
		"cannot be trusted", "term 2 at the end of its snapshot, which has term 1")
}

// A restored log has its own memory, and appending to it does not change the saved state.
func TestRestoredLogHasItsOwnMemory(t *testing.T) {
	rf := newLeader(t, 3, 2, nil)
	rf.Start(strings.Repeat("x", 2*largeBatch))
	rf.Start(pointCommand{1, 2})
	for k := range 1000 {
		rf.Start(strings.Repeat("y", k))
	}
	rf.Start(pointCommand{3, 4})
	rf = newQuiet(t, 3, rf.store.persister.Copy())
	d := newDecoder(&rf.definitions)
	for index, want := range map[int]any{2: pointCommand{1, 2}, 1002: strings.Repeat("y", 999), 1003: pointCommand{3, 4}} {
		if got, err := d.decode(rf.log.at(index).data); err != nil || got != want {
			t.Errorf("index %d: %v, %v", index, got, err)
		}
	}
	for _, s := range rf.log.segments {
		if cap(s.memory) > maxSegment {
			t.Errorf("a segment has %d bytes of memory", cap(s.memory))
		}
	}
	verify(t, rf)
}
