package raft

import (
	"fmt"
	"sync"
	"testing"
)

// Starts at the same time get distinct, consecutive indices, at which the log has their commands.
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
					t.Errorf("index %d is both %q's and %q's", index, command, other)
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
		before := pictureOf(rf)
		index, term, leads := rf.Start("command")
		mustEqual(t, "Start", fmt.Sprint(index, term, leads), "-1 4 false")
		mustEqual(t, "state", pictureOf(rf), before)
	}
}

// A leader deposed between the queueing of proposals and its turn refuses them all, and tells every Start.
func TestProposeAfterDeposition(t *testing.T) {
	rf := newLeader(t, 3, 2, from(1).terms(1))
	var queued []*proposal
	for k := range 5 {
		p := rf.proposals.get()
		if err := p.encode(k); err != nil {
			t.Fatal(err)
		}
		mustEqual(t, "first", rf.proposals.add(p), k == 0)
		queued = append(queued, p)
	}
	deliver(t, rf, &AppendEntriesArgs{Term: 7, LeaderID: 1})
	before := pictureOf(rf)
	rf.propose()
	for _, p := range queued {
		mustEqual(t, "proposal", fmt.Sprint(p.index, p.term, p.accepted), "-1 7 false")
	}
	for _, p := range queued[1:] {
		<-p.settled
	}
	mustEqual(t, "state", pictureOf(rf), before)
	mustEqual(t, "queue is empty", rf.proposals.add(rf.proposals.get()), true)
}

// Start panics for what gob cannot encode, and the next Start finds everything in order.
func TestStartUnregistered(t *testing.T) {
	rf := newLeader(t, 3, 2, nil)
	before := pictureOf(rf)
	wantPanic(t, func() { rf.Start(foreignCommand{1}) }, "Start on server 0", "raft.foreignCommand", "not registered")
	mustEqual(t, "state", pictureOf(rf), before)
	index, _, leads := rf.Start(pointCommand{1, 2})
	mustEqual(t, "Start", fmt.Sprint(index, leads), "1 true")
	verify(t, rf)
}

// What Start was given is encoded: what the caller does to it afterwards does not reach the log.
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
