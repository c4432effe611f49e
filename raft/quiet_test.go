package raft

// Servers for the unit tests. Quiet servers have no goroutines and do only what a test calls. Pictures are copies of
// their state.

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"6.824/labrpc"
)

// deadEnds returns the ends of n peers that cannot be reached: every call fails at once.
func deadEnds(n int) []*labrpc.ClientEnd {
	network := labrpc.MakeNetwork()
	ends := make([]*labrpc.ClientEnd, n)
	for i := range ends {
		ends[i] = network.MakeEnd(i)
	}
	network.Cleanup()
	return ends
}

// newQuiet returns server 0 of n as Make makes it, but without goroutines.
func newQuiet(t testing.TB, n int, persister *Persister, opts ...Option) *Raft {
	t.Helper()
	return newQuietServer(t, n, 0, persister, opts...)
}

// newQuietServer returns quiet server me of n.
func newQuietServer(t testing.TB, n, me int, persister *Persister, opts ...Option) *Raft {
	t.Helper()
	rf, err := newRaft(deadEnds(n), me, persister, make(chan ApplyMsg), opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range rf.followers {
		if f != nil {
			f.waiting = true // otherwise Raft would start a replicator
		}
	}
	return rf
}

// startReplicator starts the replicator of one follower.
func startReplicator(rf *Raft, f *follower) {
	rf.mu.Lock()
	f.waiting = false
	rf.mu.Unlock()
	go rf.replicator(f)
}

// startApplier starts the applier, and returns applyCh.
func startApplier(rf *Raft) <-chan ApplyMsg {
	applyCh := make(chan ApplyMsg)
	rf.applyCh = applyCh
	go rf.applier()
	return applyCh
}

// newFollower returns quiet server 0 of n, in this term and with these entries, all saved.
func newFollower(t testing.TB, n, term int, entries []entry, opts ...Option) *Raft {
	t.Helper()
	rf := newQuiet(t, n, MakePersister(), opts...)
	rf.currentTerm = term
	rf.log.append(nil, segmentOf(entries...), false)
	rf.saveAllLocked(false)
	return rf
}

// newLeader returns quiet server 0 of n, which leads in this term with these entries.
func newLeader(t testing.TB, n, term int, entries []entry, opts ...Option) *Raft {
	t.Helper()
	rf := newFollower(t, n, term-1, entries, opts...)
	rf.becomeCandidateLocked()
	rf.becomeLeaderLocked()
	return rf
}

// from is the index of the first entry that terms makes.
type from int

// terms returns entries of these terms. Entries with different indices or terms have different commands.
func (first from) terms(terms ...int) []entry {
	entries := make([]entry, len(terms))
	for k, term := range terms {
		data, _, _ := encodeCommand(nil, fmt.Sprintf("%d of term %d", int(first)+k, term))
		entries[k] = entry{term: term, data: data}
	}
	return entries
}

// segmentOf returns the entries as a segment, which the log takes.
func segmentOf(entries ...entry) segment {
	var s segment
	for _, e := range entries {
		s.memory = appendRecord(s.memory, e.term, e.data)
		s.ends = append(s.ends, uint32(len(s.memory)))
	}
	return s
}

func entriesOf(b batch) (entries []entry) {
	for i := range b {
		for k := range b[i].ends {
			entries = append(entries, b[i].at(k))
		}
	}
	return entries
}

// allEntries returns the whole log.
func allEntries(l *raftLog) []entry {
	return entriesOf(l.appendTo(nil, l.base+1, maxNumber, maxNumber))
}

// carry puts the entries into args.
func (args *AppendEntriesArgs) carry(entries ...entry) {
	if s := segmentOf(entries...); len(entries) > 0 {
		args.Entries = batch{s}.appendRecords(nil)
	}
}

// sealed returns m with its correct checksum.
func sealed[M Message](m M) M {
	var c Message
	switch m := any(m).(type) {
	case *RequestVoteArgs:
		d := *m
		d.Checksum = uint64(d.sum())
		c = &d
	case *AppendEntriesArgs:
		d := *m
		d.Checksum = uint64(d.sum())
		c = &d
	case *InstallSnapshotArgs:
		d := *m
		d.Checksum = uint64(d.sum(checksum(d.Data)))
		c = &d
	}
	return c.(M)
}

// isSealed reports whether m has a checksum, right or wrong.
func isSealed(m Message) bool { return !reflect.ValueOf(m).Elem().FieldByName("Checksum").IsZero() }

// A saved is the state that a server must restore after a crash.
type saved struct {
	term, votedFor              int
	base, baseTerm              int
	log                         string
	snapshotIndex, snapshotTerm int
	snapshot                    string
}

// An observable is the part of a server's state that a message may change, and its disk.
type observable struct {
	saved
	killed                   bool
	role                     Role
	leader                   int
	commitIndex, lastApplied int
	heard, deadline          time.Time
	campaign                 string
	attempts                 int
	state, snapshotOnDisk    string
}

func savedOf(rf *Raft) saved {
	var log strings.Builder
	for _, e := range allEntries(&rf.log) {
		fmt.Fprintf(&log, "%d:%q ", e.term, e.data)
	}
	return saved{
		term: rf.currentTerm, votedFor: rf.votedFor,
		base: rf.log.base, baseTerm: rf.log.baseTerm, log: log.String(),
		snapshotIndex: rf.snapshot.index, snapshotTerm: rf.snapshot.term, snapshot: string(rf.snapshot.data),
	}
}

func observableOf(rf *Raft) observable {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	return observable{
		saved:  savedOf(rf),
		killed: rf.killed, role: rf.role, leader: rf.leader,
		commitIndex: rf.commitIndex, lastApplied: rf.lastApplied,
		heard: rf.lastHeard, deadline: rf.electionTimer.deadline,
		campaign: fmt.Sprint(rf.campaign), attempts: rf.electionsStarted,
		state:          fmt.Sprintf("%x", rf.store.persister.ReadRaftState()),
		snapshotOnDisk: string(rf.store.persister.ReadSnapshot()),
	}
}

// restored returns the state that rf would have after a restart now.
func restored(t testing.TB, rf *Raft) saved {
	t.Helper()
	return savedOf(newQuiet(t, len(rf.peers), rf.store.persister.Copy()))
}

// verify checks that the saved state is current, that the log's terms do not decrease, and that the indices are in
// order.
func verify(t testing.TB, rf *Raft) {
	t.Helper()
	rf.mu.Lock()
	defer rf.mu.Unlock()
	if now, after := savedOf(rf), restored(t, rf); now != after {
		t.Errorf("the saved state is not current:\n now   %+v\n saved %+v", now, after)
	}
	for i := rf.log.base + 1; i <= rf.log.lastIndex(); i++ {
		if rf.log.term(i) < rf.log.term(i-1) {
			t.Errorf("term %d at index %d after term %d", rf.log.term(i), i, rf.log.term(i-1))
		}
	}
	if rf.log.base > rf.snapshot.index || rf.snapshot.index > rf.commitIndex ||
		rf.lastApplied > rf.commitIndex || rf.commitIndex > rf.log.lastIndex() || rf.log.lastTerm() > rf.currentTerm {
		t.Errorf("out of order: base %d, snapshot %d, applied %d, commit %d, last (%d, term %d), term %d", rf.log.base,
			rf.snapshot.index, rf.lastApplied, rf.commitIndex, rf.log.lastIndex(), rf.log.lastTerm(), rf.currentTerm)
	}
}

// deliver passes a message to rf, sealed if it has no checksum, checks the reply's term and the server's state, and
// returns the reply.
func deliver(t testing.TB, rf *Raft, m Message) Reply {
	t.Helper()
	commit := rf.commitIndex
	if !isSealed(m) {
		m = sealed(m)
	}
	reply := rf.OnMessage(m)
	if reply.term() != rf.currentTerm {
		t.Errorf("the reply's term is %d, the server's is %d", reply.term(), rf.currentTerm)
	}
	if rf.commitIndex < commit {
		t.Errorf("commitIndex decreased from %d to %d", commit, rf.commitIndex)
	}
	verify(t, rf)
	return reply
}

func granted(reply Reply) bool {
	switch reply := reply.(type) {
	case *RequestVoteReply:
		return reply.VoteGranted
	case *AppendEntriesReply:
		return reply.Success
	default:
		return reply.(*InstallSnapshotReply).Success
	}
}

// wantRefused checks that rf refuses m, and that its state does not change.
func wantRefused(t testing.TB, rf *Raft, m Message) {
	t.Helper()
	before := observableOf(rf)
	if reply := deliver(t, rf, m); granted(reply) {
		t.Errorf("the message was accepted: %+v", m)
	}
	if after := observableOf(rf); after != before {
		t.Errorf("a refused message changed the state:\n before %+v\n after  %+v", before, after)
	}
}

// wantPanic checks that f panics with a message that contains all parts.
func wantPanic(t testing.TB, f func(), parts ...string) {
	t.Helper()
	defer func() {
		t.Helper()
		message := fmt.Sprint(recover())
		for _, part := range parts {
			if !strings.Contains(message, part) {
				t.Errorf("panic %q, want %q in it", message, part)
			}
		}
	}()
	f()
	panic("nothing")
}

func mustEqual[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
