package raft

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Concurrent calls of Start get distinct, consecutive indices, at which the log has their commands.
func TestStartConcurrently(t *testing.T) {
	rf := newLeader(t, 3, 2, from(1).terms(1))
	const starters, each = 20, 50
	var mu sync.Mutex
	var wg sync.WaitGroup
	commands := make(map[int]string)
	for s := range starters {
		wg.Go(func() {
			for k := range each {
				command := fmt.Sprint(s, "/", k)
				index, term, leads := rf.Start(command)
				if term != 2 || !leads {
					t.Errorf("Start: term %d, leads %v", term, leads)
				}
				mu.Lock()
				if other, taken := commands[index]; taken {
					t.Errorf("index %d was returned for both %q and %q", index, command, other)
				}
				commands[index] = command
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	verify(t, rf)
	mustEqual(t, "lastIndex", rf.log.lastIndex(), 1+starters*each)
	d := newDecoder(&rf.definitions)
	for index := 2; index <= rf.log.lastIndex(); index++ {
		got, err := d.decode(rf.log.at(index).data)
		if err != nil || got != any(commands[index]) {
			t.Errorf("index %d: %v, %v; Start returned it for %q", index, got, err, commands[index])
		}
	}
}

func TestStartElsewhere(t *testing.T) {
	candidate, _ := newCandidate(t, 3, 4)
	for _, rf := range []*Raft{newFollower(t, 3, 4, from(1).terms(1)), candidate} {
		before := observableOf(rf)
		index, term, leads := rf.Start("command")
		mustEqual(t, "Start", fmt.Sprint(index, term, leads), "-1 4 false")
		mustEqual(t, "state", observableOf(rf), before)
	}
}

// Commands that are queued when the leader is deposed are lost. accept returns false for them, even if the server leads
// again by then, and does not take commands of the new term.
func TestAcceptAfterDeposition(t *testing.T) {
	rf := newLeader(t, 3, 2, from(1).terms(1))
	for k := range 5 {
		mustEqual(t, "proposal", rf.proposals.add([]byte{formNil}, nil), ticket{index: 2 + k, term: 2, first: k == 0, uncommitted: 2 + k})
	}
	deliver(t, rf, &AppendEntriesArgs{Term: 7, LeaderID: 1})
	before := observableOf(rf)
	mustEqual(t, "a follower's proposal", rf.proposals.add([]byte{formNil}, nil), ticket{})
	mustEqual(t, "accepted", rf.accept(2), false)
	mustEqual(t, "state", observableOf(rf), before)

	rf.becomeCandidateLocked()
	rf.becomeLeaderLocked()
	mustEqual(t, "proposal in the new term", rf.proposals.add([]byte{formNil}, nil), ticket{index: 2, term: 8, first: true, uncommitted: 2})
	mustEqual(t, "accepted of the old term", rf.accept(2), false)
	mustEqual(t, "lastIndex", rf.log.lastIndex(), 1)
	mustEqual(t, "accepted", rf.accept(8), true)
	mustEqual(t, "lastIndex", rf.log.lastIndex(), 2)
	verify(t, rf)
}

// While leaders change, no two Starts of a term get the same index, the log has the command there, and only the last
// commands of a term may be lost.
func TestStartWhileLeadersChange(t *testing.T) {
	rf := newLeader(t, 3, 2, nil)
	type place struct{ term, index int }
	var mu sync.Mutex
	var wg sync.WaitGroup
	const starters, each = 4, 2000
	var ended atomic.Int32
	commands := make(map[place]int)
	for s := range starters {
		wg.Go(func() {
			defer ended.Add(1)
			for k := range each {
				command := s<<16 | k
				if index, term, leads := rf.Start(command); leads {
					mu.Lock()
					if other, taken := commands[place{term, index}]; taken {
						t.Errorf("index %d of term %d was returned for both %#x and %#x", index, term, command, other)
					}
					commands[place{term, index}] = command
					mu.Unlock()
				}
			}
		})
	}
	for changes := 0; changes < 20 || ended.Load() < starters; changes++ {
		time.Sleep(100 * time.Microsecond)
		rf.mu.Lock()
		rf.becomeFollowerLocked(rf.currentTerm + 1)
		rf.mu.Unlock()
		runtime.Gosched()
		rf.mu.Lock()
		rf.becomeCandidateLocked()
		rf.becomeLeaderLocked()
		rf.mu.Unlock()
	}
	wg.Wait()
	verify(t, rf)
	d := newDecoder(&rf.definitions)
	for index := 1; index <= rf.log.lastIndex(); index++ {
		e := rf.log.at(index)
		got, err := d.decode(e.data)
		if want, known := commands[place{e.term, index}]; err != nil || !known || got != any(want) {
			t.Fatalf("index %d of term %d: %v, %v; Start returned it for %#x (%v)", index, e.term, got, err, want, known)
		}
		delete(commands, place{e.term, index})
	}
	for lost := range commands {
		if _, more := commands[place{lost.term, lost.index + 1}]; !more && lost.index < rf.log.lastIndex() && rf.log.term(lost.index+1) == lost.term {
			t.Errorf("index %d of term %d is lost, but not the next one", lost.index, lost.term)
		}
	}
}

// The first Start in the queue saves all commands in the queue before it returns.
func TestAcceptSavesWhatGathered(t *testing.T) {
	rf := newLeader(t, 3, 2, from(1).terms(1))
	for k := range 3 {
		data, _, _ := encodeCommand(nil, k)
		rf.proposals.add(data, k)
	}
	index, term, err := rf.propose(3)
	mustEqual(t, "not the first", fmt.Sprint(index, term, err), "5 2 <nil>")
	mustEqual(t, "lastIndex before its turn", rf.log.lastIndex(), 1)
	mustEqual(t, "accepted", rf.accept(2), true)
	verify(t, rf)
	mustEqual(t, "lastIndex", rf.log.lastIndex(), 5)
	commands := rf.log.accepted.take(nil, 2, 5)
	for k := range 4 {
		mustEqual(t, "command", commands[k], any(k))
	}
}

// yields is how often a test yields until another goroutine must have run. The scheduler may resume the one that
// yields.
const yields = 100

// A caller that never waits for its commands lets the goroutines that replicate them run.
func TestStartLetsOthersRun(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	rf := newLeader(t, 3, 2, nil)
	for range maxUncommitted {
		rf.Start(nil)
	}
	for _, first := range []bool{true, false} {
		if !first { // another Start is in progress, so this one does not take the lock
			rf.proposals.add([]byte{formNil}, nil)
		}
		var ran atomic.Bool
		go ran.Store(true)
		for n := 0; n < yields && !ran.Load(); n++ {
			rf.Start(nil)
		}
		mustEqual(t, fmt.Sprintf("another goroutine ran, first %v", first), ran.Load(), true)
	}
	last := rf.proposals.next - 1
	mustEqual(t, "accepted", rf.accept(2), true)
	verify(t, rf)
	mustEqual(t, "lastIndex", rf.log.lastIndex(), last)
	rf.mu.Lock()
	rf.commitLocked(last)
	rf.mu.Unlock()
	mustEqual(t, "uncommitted when all are committed", rf.proposals.add([]byte{formNil}, nil).uncommitted, 1)
}

// When many commands are uncommitted, only a few Starts yield at a time. The others wait for them, and for nothing
// else.
func TestFewStartsYield(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf := newLeader(t, 3, 2, nil)
		for range maxYielding { // as if this many were yielding
			rf.proposals.yielding <- struct{}{}
		}
		for range maxUncommitted - 1 {
			rf.Start(nil)
		}
		var index atomic.Int64
		go func() {
			got, _, _ := rf.Start(nil)
			index.Store(int64(got))
		}()
		synctest.Wait()
		mustEqual(t, "index before its turn to yield", index.Load(), 0)
		rf.mu.Lock()
		mustEqual(t, "lastIndex before its turn to yield", rf.log.lastIndex(), maxUncommitted)
		rf.mu.Unlock()
		<-rf.proposals.yielding
		synctest.Wait()
		mustEqual(t, "index", index.Load(), maxUncommitted)
		mustEqual(t, "number that are still yielding", len(rf.proposals.yielding), maxYielding-1)
		verify(t, rf)
	})
}

// The first Start in the queue waits for others to join if others have joined lately, or after there were none for a long
// time.
func TestExpectsOthers(t *testing.T) {
	for _, c := range []struct {
		alone, uncommitted int
		want               bool
	}{
		{0, 1, true},
		{0, 2, true},
		{0, maxUncommitted - 1, true},
		{0, maxUncommitted, false},
		{maxSingles - 1, 2, true},
		{maxSingles, 1, false},
		{singlesBeforeGather - 1, 1, false},
		{singlesBeforeGather, 1, true},
		{singlesBeforeGather, 2, false},
		{singlesBeforeGather + 1, 1, true},
	} {
		rf := newLeader(t, 3, 2, nil)
		ps := &rf.proposals
		for range c.alone {
			ps.add([]byte{formNil}, nil)
			ps.take(new(queue))
		}
		mustEqual(t, fmt.Sprintf("%+v", c), ps.expectsOthers(c.uncommitted), c.want)
		for range maxSingles {
			ps.add([]byte{formNil}, nil)
			ps.take(new(queue))
		}
		mustEqual(t, fmt.Sprintf("%+v, and then alone", c), ps.expectsOthers(2), false)
		for range 2 {
			ps.add([]byte{formNil}, nil)
		}
		ps.take(new(queue))
		mustEqual(t, fmt.Sprintf("%+v, and then with another", c), ps.expectsOthers(2), true)
	}
}

// All Starts that are ready to run join the first one in the queue.
func TestGather(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	rf := newLeader(t, 3, 2, nil)
	for _, c := range []struct{ joining, want int }{{5, 6}, {2000, 2001}} {
		var joined sync.WaitGroup
		rf.proposals.add([]byte{formNil}, nil)
		for range c.joining {
			joined.Go(func() { rf.proposals.add([]byte{formNil}, nil) })
		}
		for n := 0; n < yields && rf.proposals.length() < c.want; n++ {
			gather(rf.proposals.length)
		}
		if got := len(rf.proposals.take(new(queue)).commands); got < c.want {
			t.Errorf("%d joining: %d commands gathered, want %d", c.joining, got, c.want)
		}
		joined.Wait()
		rf.proposals.take(new(queue))
	}
}

// Starts that are ready to run at the same time are saved together.
func TestStartGathers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const starters = 6
	for range yields {
		rf := newLeader(t, 3, 2, nil)
		var started sync.WaitGroup
		for range starters {
			started.Go(func() { rf.Start(nil) })
		}
		started.Wait()
		verify(t, rf)
		mustEqual(t, "lastIndex", rf.log.lastIndex(), starters)
		if rf.proposals.crowd.singles.Load() < starters {
			return
		}
	}
	t.Errorf("each of %d commands was alone in the queue, %d times", starters, yields)
}

// Start panics for a command that gob cannot encode. The next Start works.
func TestStartUnregistered(t *testing.T) {
	rf := newLeader(t, 3, 2, nil)
	before := observableOf(rf)
	wantPanic(t, func() { rf.Start(foreignCommand{1}) }, "Start on server 0", "raft.foreignCommand", "not registered")
	mustEqual(t, "state", observableOf(rf), before)
	index, _, leads := rf.Start(pointCommand{1, 2})
	mustEqual(t, "Start", fmt.Sprint(index, leads), "1 true")
	verify(t, rf)
}

// Start encodes the command, so later changes by the caller do not reach the log.
func TestStartEncodesAtOnce(t *testing.T) {
	rf := newLeader(t, 3, 2, nil)
	command := map[string]int{"a": 1}
	rf.Start(command)
	command["a"] = 2
	got, err := newDecoder(&rf.definitions).decode(rf.log.at(1).data)
	if err != nil || got.(map[string]int)["a"] != 1 {
		t.Errorf("the log has %v, %v", got, err)
	}
}

// The log does not share memory with the queue, which is reused for the next commands.
func TestStartSharesNoMemoryWithLog(t *testing.T) {
	rf := newLeader(t, 3, 2, nil)
	large := func(k int) string { return strings.Repeat(string(rune('a'+k)), 2*largeBatch) }
	for k := range 6 {
		rf.Start(large(k))
	}
	d := newDecoder(&rf.definitions)
	for k := range 6 {
		if got, err := d.decode(rf.log.at(1 + k).data); err != nil || got != large(k) {
			t.Errorf("the log has %.9q... for %.9q... (%v)", got, large(k), err)
		}
	}
}

// A large queue is saved before more commands join it.
func TestStartFindsFullQueue(t *testing.T) {
	rf := newLeader(t, 3, 2, nil)
	data, _, _ := encodeCommand(nil, "large")
	rf.proposals.add(data, "large")
	rf.proposals.queue.memory = append(rf.proposals.queue.memory, make([]byte, maxQueue)...)
	index, _, leads := rf.Start("next")
	mustEqual(t, "Start", fmt.Sprint(index, leads), "2 true")
	mustEqual(t, "lastIndex", rf.log.lastIndex(), 2)
	if n := len(rf.proposals.queue.memory); n > maxQueue {
		t.Errorf("the queue still has %d bytes", n)
	}
	rf.proposals.queue.memory = make([]byte, maxQueue+1)
	rf.currentTerm = 3 // the queue does not know yet
	index, term, leads := rf.Start("late")
	mustEqual(t, "Start in a later term", fmt.Sprint(index, term, leads), "-1 3 false")
	mustEqual(t, "lastIndex then", rf.log.lastIndex(), 2)
}
