package raft

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand"
	"strings"
	"testing"
	"testing/synctest"

	"6.824/labrpc"
)

// appendMsg returns leader 1's message with entries of these terms after (prev, prevTerm).
func appendMsg(term, prev, prevTerm, commit int, entryTerms ...int) *AppendEntriesArgs {
	args := &AppendEntriesArgs{Term: term, LeaderID: 1, PrevLogIndex: prev, PrevLogTerm: prevTerm, LeaderCommit: commit}
	if len(entryTerms) > 0 {
		args.carry(from(prev + 1).terms(entryTerms...)...)
	}
	return args
}

// logTerms returns the terms of rf's entries, and checks that they are entries that from makes.
func logTerms(t testing.TB, rf *Raft) string {
	t.Helper()
	entries := allEntries(&rf.log)
	terms := make([]int, len(entries))
	for k := range entries {
		terms[k] = entries[k].term
	}
	if !sameEntries(entries, from(rf.log.base+1).terms(terms...)) {
		t.Error("an entry has the command of another one")
	}
	return fmt.Sprint(terms)
}

// The receiver's rules of Figure 2. The follower is in term 3 with entries of terms 1, 1, 2, 2, the first of them
// committed.
func TestAppendEntriesRule(t *testing.T) {
	ok := func(term int) AppendEntriesReply { return AppendEntriesReply{Term: term, Success: true} }
	const same = "[1 1 2 2]"
	for _, c := range []struct {
		name   string
		args   *AppendEntriesArgs
		reply  AppendEntriesReply
		log    string
		commit int
	}{
		{"heartbeat", appendMsg(3, 4, 2, 0), ok(3), same, 1},
		{"heartbeat of a newer term", appendMsg(5, 4, 2, 0), ok(5), same, 1},
		{"commitIndex follows the leader's", appendMsg(3, 4, 2, 3), ok(3), same, 3},
		{"commitIndex is bounded by the last entry known to agree", appendMsg(3, 2, 1, 9), ok(3), same, 2},
		{"commitIndex is bounded by the last new entry", appendMsg(3, 2, 1, 9, 2), ok(3), same, 3},
		{"new entries", appendMsg(3, 4, 2, 9, 3, 3), ok(3), "[1 1 2 2 3 3]", 6},
		{"new entries, not all committed", appendMsg(3, 4, 2, 5, 3, 3), ok(3), "[1 1 2 2 3 3]", 5},
		{"duplicate", appendMsg(3, 2, 1, 0, 2, 2), ok(3), same, 1},
		{"a delayed short append does not truncate", appendMsg(3, 2, 1, 0, 2), ok(3), same, 1},
		{"overlap", appendMsg(3, 3, 2, 0, 2, 3), ok(3), "[1 1 2 2 3]", 1},
		{"the whole log", appendMsg(3, 0, 0, 2, 1, 1, 2, 2, 3), ok(3), "[1 1 2 2 3]", 2},
		{"conflict with the last", appendMsg(3, 3, 2, 0, 3), ok(3), "[1 1 2 3]", 1},
		{"conflict in the middle", appendMsg(3, 2, 1, 0, 3), ok(3), "[1 1 3]", 1},
		{"conflict after entries that agree", appendMsg(3, 2, 1, 9, 2, 3, 3), ok(3), "[1 1 2 3 3]", 5},
		{"conflict with a committed entry", appendMsg(3, 0, 0, 9, 2), AppendEntriesReply{Term: 3}, same, 1},
		{"log too short", appendMsg(3, 6, 3, 9, 3), AppendEntriesReply{Term: 3, ConflictTerm: 0, ConflictIndex: 5}, same, 1},
		{"another term at prev", appendMsg(3, 4, 3, 9, 3), AppendEntriesReply{Term: 3, ConflictTerm: 2, ConflictIndex: 3}, same, 1},
		{"another term at prev, first term", appendMsg(3, 2, 2, 9, 3), AppendEntriesReply{Term: 3, ConflictTerm: 1, ConflictIndex: 1}, same, 1},
		{"older term", appendMsg(2, 4, 2, 4), AppendEntriesReply{Term: 3}, same, 1},
		{"older term, with a conflict", appendMsg(2, 1, 1, 4, 2), AppendEntriesReply{Term: 3}, same, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			rf := newFollower(t, 3, 3, from(1).terms(1, 1, 2, 2))
			rf.commitIndex = 1
			reply := deliver(t, rf, c.args).(*AppendEntriesReply)
			c.reply.seal()
			mustEqual(t, "reply", *reply, c.reply)
			mustEqual(t, "log", logTerms(t, rf), c.log)
			mustEqual(t, "commitIndex", rf.commitIndex, c.commit)
			deliver(t, rf, c.args) // a duplicate
			mustEqual(t, "log after a duplicate", logTerms(t, rf), c.log)
		})
	}
}

// The follower's log begins after a snapshot at index 3, of term 2. Entries 4 and 5 are of terms 2 and 3; 4 is
// committed.
func TestAppendEntriesBehindSnapshot(t *testing.T) {
	for _, c := range []struct {
		name    string
		args    *AppendEntriesArgs
		success bool
		log     string
		commit  int
	}{
		{"heartbeat at the snapshot", appendMsg(3, 3, 2, 9), true, "[2 3]", 4},
		{"heartbeat before it", appendMsg(3, 1, 1, 9), true, "[2 3]", 4},
		{"all covered", appendMsg(3, 0, 0, 9, 1, 1), true, "[2 3]", 4},
		{"up to it", appendMsg(3, 0, 0, 9, 1, 1, 2), true, "[2 3]", 4},
		{"beyond it", appendMsg(3, 1, 1, 9, 1, 2, 2, 3, 3), true, "[2 3 3]", 6},
		{"short, beyond it", appendMsg(3, 2, 1, 9, 2, 2), true, "[2 3]", 4},
		{"at it", appendMsg(3, 3, 2, 9, 2, 3, 3), true, "[2 3 3]", 6},
		{"conflict beyond", appendMsg(4, 2, 1, 5, 2, 2, 4), true, "[2 4]", 5},
		{"conflict at a committed index", appendMsg(4, 2, 1, 5, 2, 4), false, "[2 3]", 4},
		{"another term at the snapshot", appendMsg(4, 3, 1, 5), false, "[2 3]", 4},
		{"terms that contradict the snapshot", appendMsg(4, 1, 1, 0, 1, 1, 2, 3), false, "[2 3]", 4},
		{"terms that fall behind the snapshot", appendMsg(4, 3, 2, 0, 2, 3, 1), false, "[2 3]", 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			rf := newFollower(t, 3, 3, from(1).terms(1, 1, 2, 2, 3))
			rf.commitIndex = 4
			rf.Snapshot(3, []byte("snapshot"))
			mustEqual(t, "success", granted(deliver(t, rf, c.args)), c.success)
			mustEqual(t, "log", logTerms(t, rf), c.log)
			mustEqual(t, "commitIndex", rf.commitIndex, c.commit)
		})
	}
}

// A batch that begins before the snapshot must agree with it; otherwise terms could decrease after the snapshot.
func TestAppendEntriesContradictsSnapshot(t *testing.T) {
	rf := newFollower(t, 3, 3, from(1).terms(1, 2))
	rf.commitIndex = 2
	rf.Snapshot(2, []byte("snapshot"))
	mustEqual(t, "success", granted(deliver(t, rf, appendMsg(3, 1, 1, 0, 1, 1))), false)
	mustEqual(t, "log", logTerms(t, rf), "[]")
}

// badAppends change a correct message into ones that no leader can send to a follower in term 3 with entries of terms
// 1, 1, 2, 2.
var badAppends = map[string]func(args *AppendEntriesArgs){
	"term negative":           func(args *AppendEntriesArgs) { args.Term = -4 },
	"term smallest":           func(args *AppendEntriesArgs) { args.Term = math.MinInt },
	"term huge":               func(args *AppendEntriesArgs) { args.Term = math.MaxInt },
	"term zero":               func(args *AppendEntriesArgs) { args.Term = 0 },
	"leader negative":         func(args *AppendEntriesArgs) { args.LeaderID = -1 },
	"leader huge":             func(args *AppendEntriesArgs) { args.LeaderID = math.MaxInt },
	"leader out of range":     func(args *AppendEntriesArgs) { args.LeaderID = 3 },
	"leader is the follower":  func(args *AppendEntriesArgs) { args.LeaderID = 0 },
	"prev negative":           func(args *AppendEntriesArgs) { args.PrevLogIndex = -1 },
	"prev huge":               func(args *AppendEntriesArgs) { args.PrevLogIndex = math.MaxInt },
	"prev term negative":      func(args *AppendEntriesArgs) { args.PrevLogTerm = -1 },
	"prev term huge":          func(args *AppendEntriesArgs) { args.PrevLogTerm = math.MaxInt },
	"prev term of the future": func(args *AppendEntriesArgs) { args.PrevLogTerm = 5 },
	"prev without term":       func(args *AppendEntriesArgs) { args.PrevLogTerm = 0 },
	"prev term without index": func(args *AppendEntriesArgs) { args.PrevLogIndex = 0 },
	"commit negative":         func(args *AppendEntriesArgs) { args.LeaderCommit = -1 },
	"commit huge":             func(args *AppendEntriesArgs) { args.LeaderCommit = math.MaxInt },
	"terms fall":              withEntries(from(5).terms(3, 2)...),
	"terms begin below prev":  withEntries(from(5).terms(1)...),
	"term above the leader's": withEntries(from(5).terms(3, 5)...),
	"entry of term zero":      withEntries(from(5).terms(0)...),
	"entry of huge term":      withEntries(from(5).terms(math.MaxInt)...),
	"no command":              withEntries(entry{term: 3}),
	"unknown form":            withEntries(entry{term: 3, data: []byte{99, 1}}),
	"an entry cut short":      withPieces(appendRecord(nil, 3, []byte{formNil}), appendRecord(nil, 3, []byte{formNil})[:2]),
	"an entry in two pieces":  withPieces([]byte{3}, []byte{1, formNil}),
	"an empty piece":          withPieces(appendRecord(nil, 3, []byte{formNil}), nil),
	"a definition":            withPieces(appendRecord(nil, 0, []byte{formNil})),
	"an entry, a definition":  withPieces(appendRecord(appendRecord(nil, 3, []byte{formNil}), 0, []byte{formNil})),
	"length of entry huge":    withPieces(binary.AppendUvarint([]byte{3}, math.MaxUint64)),
	"length of entry large":   withPieces(binary.AppendUvarint([]byte{3}, maxCommand+1)),
	"endless number":          withPieces(bytes.Repeat([]byte{0xff}, 11)),
	"wrong checksum": func(args *AppendEntriesArgs) {
		*args = *sealed(args)
		args.Checksum++
	},
	"its entries gone": func(args *AppendEntriesArgs) {
		*args = *sealed(args)
		args.Entries = nil
	},
	"pieces in another order": func(args *AppendEntriesArgs) {
		args.Entries = []string{"\x03\x01\x00", "\x03\x01\x01"}
		*args = *sealed(args)
		args.Entries = []string{"\x03\x01\x01", "\x03\x01\x00"}
	},
	"missing definition": func(args *AppendEntriesArgs) {
		*args = *valueMsg()
		args.Definitions = nil
	},
	"damaged definition": func(args *AppendEntriesArgs) {
		*args = *valueMsg()
		args.Definitions[0] = append(bytes.Clone(args.Definitions[0]), 0)
	},
}

func withEntries(entries ...entry) func(*AppendEntriesArgs) {
	return func(args *AppendEntriesArgs) { args.carry(entries...) }
}

// withPieces replaces a message's entries by these bytes.
func withPieces(pieces ...[]byte) func(*AppendEntriesArgs) {
	return func(args *AppendEntriesArgs) {
		args.Entries = nil
		for _, b := range pieces {
			args.Entries = append(args.Entries, string(b))
		}
	}
}

// valueMsg returns a message with a command whose type has a definition.
func valueMsg() *AppendEntriesArgs {
	args := appendMsg(4, 4, 2, 4)
	data, c, _ := encodeCommand(nil, pointCommand{5, 6})
	withEntries(entry{term: 4, data: data})(args)
	args.Definitions = [][]byte{c.definition}
	return args
}

func TestAppendEntriesMalformed(t *testing.T) {
	for name, spoil := range badAppends {
		t.Run(name, func(t *testing.T) {
			rf := newFollower(t, 3, 3, from(1).terms(1, 1, 2, 2))
			args := appendMsg(4, 4, 2, 4, 3, 4)
			spoil(args)
			wantRefused(t, rf, args)
			mustEqual(t, "a good one", granted(deliver(t, rf, valueMsg())), true)
		})
	}
}

// Impossible heartbeats are refused, too, and do not increase the follower's term.
func TestHeartbeatMalformed(t *testing.T) {
	for _, args := range []*AppendEntriesArgs{
		appendMsg(4, 4, 5, 0), appendMsg(4, 4, 2, -1), appendMsg(4, 4, 2, maxNumber+1), appendMsg(4, 0, 2, 0), appendMsg(4, 4, 0, 0),
	} {
		wantRefused(t, newFollower(t, 3, 3, from(1).terms(1, 1, 2, 2)), args)
	}
	wantRefused(t, newFollower(t, 3, 0, nil), appendMsg(0, 0, 0, 0)) // no server leads in term 0
}

func TestAppendEntriesDamagedEntries(t *testing.T) {
	rf := newFollower(t, 3, 3, from(1).terms(1, 1, 2, 2))
	good := []byte(appendMsg(4, 4, 2, 4, 3, 4).Entries[0])
	damaged := func(entries []byte) {
		args := sealed(appendMsg(4, 4, 2, 4, 3, 4))
		args.Entries[0] = string(entries)
		wantRefused(t, rf, args)
	}
	for n := range good {
		damaged(good[:n])
	}
	for bit := range 8 * len(good) {
		flipped := bytes.Clone(good)
		flipped[bit/8] ^= 1 << (bit % 8)
		damaged(flipped)
	}
	damaged(append(bytes.Clone(good), 0))
}

// §5.2, Election Safety: "at most one leader can be elected in a given term."
func TestTwoLeadersInOneTerm(t *testing.T) {
	rf := newFollower(t, 3, 3, nil)
	deliver(t, rf, &AppendEntriesArgs{Term: 3, LeaderID: 2})
	wantRefused(t, rf, appendMsg(3, 0, 0, 1, 3))
	wantRefused(t, rf, &InstallSnapshotArgs{Term: 3, LeaderID: 1, LastIncludedIndex: 5, LastIncludedTerm: 2, Data: []byte("snapshot")})
	mustEqual(t, "next term's leader", granted(deliver(t, rf, appendMsg(4, 0, 0, 1, 4))), true)

	leader := newLeader(t, 3, 3, from(1).terms(1))
	wantRefused(t, leader, appendMsg(3, 1, 1, 1))
	wantRefused(t, leader, &InstallSnapshotArgs{Term: 3, LeaderID: 1, LastIncludedIndex: 5, LastIncludedTerm: 2, Data: []byte("snapshot")})
	wantRefused(t, leader, appendMsg(2, 1, 1, 1, 2))
	deliver(t, leader, appendMsg(4, 1, 1, 1))
	mustEqual(t, "role of a leader that hears of a newer term", leader.role, Follower)
}

// Old, duplicate and reordered messages of a leader never remove entries that already agreed with its log.
func TestAppendEntriesReordered(t *testing.T) {
	parallel(t)
	for seed := range int64(10) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			rng := rand.New(rand.NewSource(seed))
			terms := []int{1, 1, 3, 3, 3, 4, 6, 6, 6, 6, 6, 6}
			rf := newFollower(t, 3, 6, from(1).terms(1, 1, 2, 2, 2, 2, 5, 5))
			leader := logFrom(0, 0, terms...)
			agreed := 0
			for range 150 {
				prev := rng.Intn(len(terms) + 1)
				n := rng.Intn(len(terms) - prev + 1)
				m := appendMsg(6, prev, leader.term(prev), rng.Intn(prev+n+1), terms[prev:prev+n]...)
				if granted(deliver(t, rf, m)) {
					agreed = max(agreed, prev+n)
				}
				if rf.commitIndex > agreed || !sameEntries(allEntries(&rf.log)[:agreed], allEntries(leader)[:agreed]) {
					t.Fatalf("log %v, commitIndex %d; agreed up to %d", logTerms(t, rf), rf.commitIndex, agreed)
				}
			}
			mustEqual(t, "agreed", agreed, len(terms))
		})
	}
}

// The commit rule (Figure 2, §5.4.2, Figure 8), with one departure: an entry of an older term commits when all servers
// have it.
func TestCommitRule(t *testing.T) {
	figure8 := []int{1, 2, 4} // the log of S1, which leads in term 4
	for _, c := range []struct {
		name   string
		term   int
		log    []int
		match  []int // matchIndex of the others
		commit int
	}{
		{"no follower has an entry", 4, figure8, []int{0, 0, 0, 0}, 0},
		{"minority has an entry of this term", 4, figure8, []int{3, 0, 0, 0}, 0},
		{"majority has an entry of this term", 4, figure8, []int{3, 0, 3, 0}, 3},
		{"Figure 8 (c): majority has an older term's entry", 4, figure8, []int{2, 2, 0, 0}, 0},
		{"Figure 8 (e): it commits before one of this term", 4, figure8, []int{3, 3, 0, 0}, 3},
		{"majority has an older term's entry, all have one before it", 4, figure8, []int{2, 2, 1, 1}, 1},
		{"all but one have an older term's entry", 4, figure8, []int{2, 2, 2, 1}, 1},
		{"all have an older term's entry", 4, figure8, []int{2, 2, 2, 2}, 2},
		{"all have all entries", 4, figure8, []int{3, 3, 3, 3}, 3},
		{"the median counts", 4, []int{4, 4, 4, 4}, []int{1, 2, 3, 4}, 3},
		{"four servers need three", 1, []int{1, 1}, []int{2, 0, 0}, 0},
		{"three of four", 1, []int{1, 1}, []int{2, 1, 0}, 1},
		{"two of two", 1, []int{1, 1}, []int{1}, 1},
		{"one of two", 1, []int{1, 1}, []int{0}, 0},
		{"a cluster of one", 4, figure8, nil, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			rf := newLeader(t, len(c.match)+1, c.term, from(1).terms(c.log...))
			setMatch(rf, c.match)
			mustEqual(t, "commitIndex", rf.commitIndex, c.commit)
			setMatch(rf, make([]int, len(c.match)))
			mustEqual(t, "commitIndex, which never decreases", rf.commitIndex, c.commit)
			follower := newFollower(t, len(c.match)+1, c.term, from(1).terms(c.log...))
			setMatch(follower, c.match)
			mustEqual(t, "commitIndex of a server that does not lead", follower.commitIndex, 0)
		})
	}
}

func setMatch(rf *Raft, match []int) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	for k, index := range match {
		rf.followers[k+1].matchIndex = index
	}
	rf.advanceCommitLocked()
}

// The leader, in term 5, has entries of terms 1, 1, 2, 2, 4, 4.
func TestBackUp(t *testing.T) {
	for _, c := range []struct {
		name                        string
		prev, match, next           int
		conflictTerm, conflictIndex int
		wantNext                    int
		want                        bool
	}{
		{"log too short", 6, 0, 7, 0, 3, 3, true},
		{"empty log", 6, 0, 7, 0, 1, 1, true},
		{"a term the leader lacks", 6, 0, 7, 3, 3, 3, true},
		{"a term that ends later", 6, 0, 7, 2, 3, 5, true},
		{"the first term", 6, 0, 7, 1, 1, 3, true},
		{"a term that begins elsewhere", 6, 0, 7, 2, 2, 2, true},
		{"one step", 6, 0, 7, 5, 6, 6, true},
		{"one step, at the first entry", 1, 0, 2, 3, 1, 1, true},
		{"not below matchIndex", 6, 4, 7, 0, 2, 5, true},
		{"not forward", 6, 0, 3, 0, 5, 3, true},
		{"overtaken by success", 3, 4, 7, 0, 2, 5, false},
		{"index 0", 6, 0, 7, 0, 0, 7, false},
		{"index negative", 6, 0, 7, 0, -1, 7, false},
		{"index beyond prev", 6, 0, 7, 0, 7, 7, false},
		{"index huge", 6, 0, 7, 0, math.MaxInt, 7, false},
		{"term negative", 6, 0, 7, -1, 3, 7, false},
		{"term huge", 6, 0, 7, math.MaxInt, 3, 7, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			rf := newLeader(t, 3, 5, from(1).terms(1, 1, 2, 2, 4, 4))
			f := rf.followers[1]
			f.matchIndex, f.nextIndex = c.match, c.next
			reply := &AppendEntriesReply{Term: 5, ConflictTerm: c.conflictTerm, ConflictIndex: c.conflictIndex}
			mustEqual(t, "handled", rf.backUpLocked(f, &AppendEntriesArgs{PrevLogIndex: c.prev}, reply), c.want)
			mustEqual(t, "nextIndex", f.nextIndex, c.wantNext)
			mustEqual(t, "matchIndex", f.matchIndex, c.match)
		})
	}
}

// sentCall returns a leader of three servers in term 3, and a call with its entries 1 and 2, sent before it got entry
// 3.
func sentCall(t testing.TB) (*Raft, *follower, *call) {
	rf := newLeader(t, 3, 3, from(1).terms(1, 3))
	f, c := rf.followers[1], new(call)
	f.nextIndex = 1
	rf.nextCallLocked(f, c)
	rf.Start("third")
	return rf, f, c
}

func TestOnReply(t *testing.T) {
	for _, c := range []struct {
		name                  string
		match, next           int // before
		reply                 Reply
		wantMatch, wantNext   int
		wantTerm, wantFailure int
		wantCommit            int
	}{
		{"matchIndex is what was sent", 0, 3, &AppendEntriesReply{Term: 3, Success: true}, 2, 3, 3, 0, 2},
		{"late success moves nothing back", 3, 4, &AppendEntriesReply{Term: 3, Success: true}, 3, 4, 3, 0, 3},
		{"success after a loss", 0, 1, &AppendEntriesReply{Term: 3, Success: true}, 2, 3, 3, 0, 2},
		{"lost", 0, 3, nil, 0, 1, 3, 1, 0},
		{"lost, but a later one got through", 3, 4, nil, 3, 4, 3, 1, 0},
		{"older term in the reply", 0, 3, &AppendEntriesReply{Term: 2}, 0, 3, 3, 1, 0},
		{"newer term", 0, 3, &AppendEntriesReply{Term: 8}, 0, 3, 8, 0, 0},
		{"newer term, yet success", 0, 3, &AppendEntriesReply{Term: 8, Success: true}, 0, 3, 8, 0, 0},
		{"impossible term", 0, 3, &AppendEntriesReply{Term: -1, Success: true}, 0, 3, 3, 1, 0},
		{"huge term", 0, 3, &AppendEntriesReply{Term: math.MaxInt, Success: true}, 0, 3, 3, 1, 0},
		{"snapshot installed", 0, 3, &InstallSnapshotReply{Term: 3, Success: true}, 2, 3, 3, 0, 2},
		{"snapshot refused", 0, 3, &InstallSnapshotReply{Term: 3}, 0, 3, 3, 1, 0},
		{"snapshot, newer term", 0, 3, &InstallSnapshotReply{Term: 8}, 0, 3, 8, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			rf, f, sent := sentCall(t)
			f.matchIndex, f.nextIndex = c.match, c.next
			rf.mu.Lock()
			rf.onReplyLocked(f, sent, c.reply)
			rf.mu.Unlock()
			verify(t, rf)
			mustEqual(t, "matchIndex", f.matchIndex, c.wantMatch)
			mustEqual(t, "nextIndex", f.nextIndex, c.wantNext)
			mustEqual(t, "saved term", restored(t, rf).term, c.wantTerm)
			mustEqual(t, "leads", rf.role == Leader, c.wantTerm == 3)
			mustEqual(t, "failures", f.failures, c.wantFailure)
			mustEqual(t, "commitIndex", rf.commitIndex, c.wantCommit)
		})
	}
}

// A scriptedPeer passes each message to the test, and replies when the test sends an answer.
type scriptedPeer struct {
	asked   chan *AppendEntriesArgs
	answers chan AppendEntriesReply
}

func (p *scriptedPeer) AppendEntries(args *AppendEntriesArgs, reply *AppendEntriesReply) {
	p.asked <- args
	*reply = <-p.answers
	reply.seal()
}

// connectScripted makes peer 1 of rf a scriptedPeer.
func connectScripted(rf *Raft) (*scriptedPeer, *labrpc.Network) {
	type Raft struct{ *scriptedPeer } // labrpc names a service after its type
	peer := &scriptedPeer{make(chan *AppendEntriesArgs), make(chan AppendEntriesReply)}
	network, server := labrpc.MakeNetwork(), labrpc.MakeServer()
	server.AddService(labrpc.MakeService(&Raft{peer}))
	network.AddServer(1, server)
	rf.peers[1] = network.MakeEnd("to the scripted peer")
	network.Connect("to the scripted peer", 1)
	network.Enable("to the scripted peer", true)
	return peer, network
}

// A reply to a message of an older term is ignored, even if the server leads again.
func TestReplyOfOlderTermIsIgnored(t *testing.T) {
	for _, late := range []AppendEntriesReply{{Term: 2, Success: true}, {Term: 2, ConflictTerm: 1, ConflictIndex: 1}, {Term: 9}} {
		synctest.Test(t, func(t *testing.T) {
			rf := newLeader(t, 3, 2, from(1).terms(1, 1))
			peer, network := connectScripted(rf)
			go rf.applier()
			startReplicator(rf, rf.followers[1])
			defer network.Cleanup()
			defer rf.Kill()
			mustEqual(t, "term of the first message", (<-peer.asked).Term, 2)
			deliver(t, rf, appendMsg(5, 2, 1, 0))
			rf.mu.Lock()
			rf.becomeCandidateLocked()
			rf.becomeLeaderLocked()
			rf.mu.Unlock()
			peer.answers <- late
			mustEqual(t, "term of the next", (<-peer.asked).Term, 6)
			synctest.Wait()
			f := rf.followers[1]
			mustEqual(t, "matchIndex, nextIndex", [2]int{f.matchIndex, f.nextIndex}, [2]int{0, 3})
			mustEqual(t, "term", rf.currentTerm, 6)
			peer.answers <- AppendEntriesReply{Term: 6, Success: true}
			synctest.Wait()
			mustEqual(t, "matchIndex after a reply of this term", f.matchIndex, 2)
		})
	}
}

// A leader's messages satisfy the receiver's rules, and bring any follower's log to the leader's.
func TestLeaderRepairsFollower(t *testing.T) {
	for _, terms := range [][]int{
		nil, {1}, {1, 1, 1, 4}, {1, 1, 1, 4, 4, 5, 5, 6, 6}, {1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6},
		{1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7}, {1, 1, 1, 4, 4, 4, 4}, {1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3}, // the logs of Figure 7
	} {
		t.Run(fmt.Sprint(terms), func(t *testing.T) {
			leader := newLeader(t, 3, 8, from(1).terms(1, 1, 1, 4, 4, 5, 5, 6, 6, 6))
			other := newPeer(t, 1, 7, from(1).terms(terms...))
			rounds := 0
			for f := leader.followers[1]; f.matchIndex < leader.log.lastIndex(); rounds++ {
				if rounds > 6 {
					t.Fatalf("nextIndex %d, matchIndex %d after %d messages", f.nextIndex, f.matchIndex, rounds)
				}
				exchange(t, leader, f, other)
			}
			got, want := allEntries(&other.log), allEntries(&leader.log)
			got = got[:min(len(got), len(want))] // only new entries replace those after the leader's last
			if !sameEntries(got, want) {
				t.Errorf("the follower's log is %s", logTerms(t, other))
			}
		})
	}
}

// Large batches stay in the memory of their messages; small ones are copied. If the network reuses its own memory
// afterwards, the follower's log and disk do not change.
func TestBatchOutlivesItsMessage(t *testing.T) {
	parallel(t)
	rf := newFollower(t, 3, 2, nil)
	network := labrpc.MakeNetwork()
	defer network.Cleanup()
	server := labrpc.MakeServer()
	server.AddService(labrpc.MakeService(rf))
	network.AddServer("follower", server)
	end := network.MakeEnd("leader")
	network.Connect("leader", "follower")
	network.Enable("leader", true)

	var want []entry
	for round := range 20 {
		prev := len(want)
		for k := range 1 + 6*round { // up to 115 KB: some of them are large, some are not
			data := append([]byte{formString}, strings.Repeat(string(rune('a'+round)), 1000+k)...)
			want = append(want, entry{term: 2, data: data})
		}
		args := &AppendEntriesArgs{Term: 2, LeaderID: 1, PrevLogIndex: prev}
		args.carry(want[prev:]...)
		if prev > 0 {
			args.PrevLogTerm = 2
		}
		var reply AppendEntriesReply
		if !end.Call("Raft.AppendEntries", sealed(args), &reply) || !reply.Success {
			t.Fatalf("round %d: %+v", round, reply)
		}
	}
	verify(t, rf)
	mustEqual(t, "the log is the leader's", sameEntries(allEntries(&rf.log), want), true)
}
