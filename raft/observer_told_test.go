package raft

// Tests of Observer: what a server tells determines its state.

import (
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"
)

// A told is an Observer that keeps what one server has told.
type told struct {
	mu             sync.Mutex
	life           *Raft // that has told this; nil before it has started
	term           int
	role           string
	leader, vote   int
	commit         int
	snapshot       int
	snapshotTerm   int
	log            []toldEntry // after the snapshot
	saved          [5]int
	applied        int
	states, logs   int // number of calls
	received, cuts int
	errs           []string
}

type toldEntry struct {
	term    int
	command func(k int) any
	k       int
}

func (o *told) State(term int, role string, leader, votedFor int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.states++
	o.term, o.role, o.leader, o.vote = term, role, leader, votedFor
}

func (o *told) Commit(index int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if index <= o.commit {
		o.complain("Commit(%d) after Commit(%d)", index, o.commit)
	}
	o.commit = index
}

func (o *told) Log(first int, terms []int, command func(k int) any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.logs++
	before := first - o.snapshot - 1
	if before < 0 || before > len(o.log) {
		o.complain("Log(%d, …): the log has %d entries after %d", first, len(o.log), o.snapshot)
		return
	}
	if before < len(o.log) {
		o.cuts++
	}
	o.log = o.log[:before:before]
	for k, term := range terms {
		o.log = append(o.log, toldEntry{term, command, k})
	}
}

func (o *told) Saved(term, votedFor, lastIndex, snapshotIndex, size int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.saved = [5]int{term, votedFor, lastIndex, snapshotIndex, size}
}

func (o *told) Snapshot(index, term int, received bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if received {
		o.received++
	}
	o.log = o.log[min(index-o.snapshot, len(o.log)):]
	o.snapshot, o.snapshotTerm = index, term
}

func (o *told) Applied(index int, command any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if command == nil && index <= o.applied || command != nil && index != o.applied+1 {
		o.complain("Applied(%d, %v) after %d", index, command, o.applied)
	}
	o.applied = index
}

// complain is called with o.mu held.
func (o *told) complain(format string, args ...any) {
	o.errs = append(o.errs, fmt.Sprintf(format, args...))
}

// A comparer compares what a server has told with its state, each time that the tests' observer hears of a change. It then
// passes that on.
type comparer struct {
	observer
	told *told
}

func (c comparer) started(rf *Raft) {
	c.told.mu.Lock()
	if c.told.applied = rf.snapshot.index; rf.options.snapshotFirst {
		c.told.applied = 0
	}
	c.told.life = rf
	c.told.mu.Unlock()
	c.told.compare(rf)
	c.observer.started(rf)
}

func (c comparer) changed(rf *Raft) {
	c.told.compare(rf)
	c.observer.changed(rf)
}

func (c comparer) saved(rf *Raft) {
	c.told.compare(rf)
	c.told.mu.Lock()
	want := [5]int{rf.currentTerm, rf.votedFor, rf.log.lastIndex(), rf.snapshot.index, rf.store.persister.RaftStateSize()}
	if c.told.saved != want {
		c.told.complain("Saved%v, want %v", c.told.saved, want)
	}
	c.told.mu.Unlock()
	c.observer.saved(rf)
}

// compare is called with rf.mu held.
func (o *told) compare(rf *Raft) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.errs) > 0 {
		return
	}
	got := []any{o.term, o.role, o.leader, o.vote, o.commit, o.snapshot, o.snapshotTerm}
	want := []any{rf.currentTerm, rf.role.String(), rf.leader, rf.votedFor, rf.commitIndex, rf.snapshot.index, rf.snapshot.term}
	if !reflect.DeepEqual(got, want) {
		o.complain("told are term, role, leader, vote, commitIndex and snapshot %v, want %v", got, want)
	}
	entries := entriesOf(rf.log.appendTo(nil, rf.snapshot.index+1, maxNumber, maxNumber))
	if len(entries) != len(o.log) {
		o.complain("told are %d entries after %d, want %d", len(o.log), o.snapshot, len(entries))
		return
	}
	d := decoder{definitions: &rf.definitions, streams: make(map[uint64]*stream)}
	for k, e := range entries {
		command, _ := d.decode(e.data)
		if got := o.log[k]; got.term != e.term || !reflect.DeepEqual(got.command(got.k), command) {
			o.complain("told is entry %d of term %d: %v; want %v of term %d", o.snapshot+1+k, got.term, got.command(got.k), command, e.term)
		}
	}
}

// TestObserverIsToldEverything checks on runs with faults that what an Observer is told is the state of its server after each
// step: term, role, leader, vote, commitIndex, snapshot and log.
func TestObserverIsToldEverything(t *testing.T) {
	parallel(t)
	seeds := int64(12)
	if !virtualClock() {
		seeds = 1
	}
	sum := new(told)
	for seed := range seeds {
		var lives []*told
		s := scenarioOf(seed)
		errs, _ := s.run(t, func(c *chaos) {
			c.extra = func(int) Option {
				o := new(told)
				lives = append(lives, o)
				return func(options *options) {
					WithObserver(o)(options)
					options.observer = comparer{options.observer, o}
				}
			}
		})
		for _, err := range errs {
			t.Errorf("seed %d: %v", seed, err)
		}
		for k, o := range lives {
			for _, text := range o.errs {
				t.Errorf("seed %d, life %d, server %d: %s", seed, k, o.life.me, text)
			}
			sum.states, sum.logs = sum.states+o.states, sum.logs+o.logs
			sum.received, sum.cuts, sum.applied = sum.received+o.received, sum.cuts+o.cuts, sum.applied+o.applied
		}
	}
	if n := []int{sum.states, sum.logs, sum.received, sum.cuts, sum.applied}; slices.Min(n) == 0 {
		t.Errorf("calls of State, calls of Log, received snapshots, truncations, applied entries: %v; want some of each", n)
	}
}

// A received snapshot that does not match the log removes all entries, and an Observer is told.
func TestObserverIsToldOfReset(t *testing.T) {
	o := new(told)
	rf := newQuiet(t, 3, MakePersister(), WithObserver(o))
	rf.OnMessage(sealed(appendMsg(1, 0, 0, 0, 1, 1, 1, 1)))
	if len(o.log) != 4 {
		t.Errorf("told are %d entries, want 4", len(o.log))
	}
	rf.OnMessage(sealed(&InstallSnapshotArgs{Term: 3, LeaderID: 1, LastIncludedIndex: 2, LastIncludedTerm: 2, Data: []byte("x")}))
	rf.mu.Lock()
	o.compare(rf)
	rf.mu.Unlock()
	if o.snapshot != 2 || len(o.log) != 0 || o.received != 1 || len(o.errs) > 0 {
		t.Errorf("told are a snapshot at %d, %d entries, %d received snapshots; errors %q", o.snapshot, len(o.log), o.received, o.errs)
	}
}

// The commands of a log can be read after the log has changed and the server was killed.
func TestObserverReadsCommandsLater(t *testing.T) {
	lab(t, func(t *testing.T) {
		o := new(told)
		ch := make(chan ApplyMsg, 100)
		rf := Make(deadEnds(1), 0, MakePersister(), ch, WithObserver(o))
		time.Sleep(time.Second)
		commands := []any{1, "two", kvCommand{Op: "Put", Seq: 3}, []byte{4}, RaftState{}}
		for _, c := range commands {
			rf.Start(c)
		}
		time.Sleep(time.Second)
		o.mu.Lock()
		kept := o.log
		o.mu.Unlock()
		rf.Snapshot(len(commands), []byte("x"))
		rf.Kill()
		if len(kept) != len(commands) {
			t.Fatalf("told are %d entries, want %d", len(kept), len(commands))
		}
		for k, e := range kept {
			if got := e.command(e.k); !reflect.DeepEqual(got, commands[k]) {
				t.Errorf("command %d is %v, want %v", k+1, got, commands[k])
			}
		}
	})
}

// Without an observer, nothing is computed for one.
func TestNoObserverCostsNothing(t *testing.T) {
	rf := newQuiet(t, 3, MakePersister())
	rf.OnMessage(sealed(appendMsg(1, 0, 0, 0, 1, 1, 1, 1)))
	rf.mu.Lock()
	defer rf.mu.Unlock()
	command := any(1 << 30)
	for name, tell := range map[string]func(){
		"start": rf.tellStartLocked, "state": rf.tellStateLocked, "commit": rf.tellCommitLocked, "saved": rf.tellSavedLocked,
		"log": func() { rf.tellLogLocked(1) }, "snapshot": func() { rf.tellSnapshotLocked(true) },
		"applied": func() { rf.tellApplied(1, command) },
	} {
		if n := testing.AllocsPerRun(100, tell); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	WithObserver(new(told))(&rf.options)
	if n := testing.AllocsPerRun(100, func() { rf.tellLogLocked(1) }); n == 0 {
		t.Error("with an observer there are no allocations, so this test shows nothing")
	}
}
