package raft

import (
	"slices"
	"testing"
)

// onDiskDefinitions returns the number of type definitions that rf would have after a restart, and checks that it could
// decode its log.
func onDiskDefinitions(t testing.TB, rf *Raft) int {
	t.Helper()
	verify(t, rf)
	again := newQuiet(t, 3, rf.store.persister.Copy())
	d := newDecoder(&again.definitions)
	for index := again.log.base + 1; index <= again.log.lastIndex(); index++ {
		if _, err := d.decode(again.log.at(index).data); err != nil {
			t.Errorf("index %d: %v", index, err)
		}
	}
	return len(again.store.definitions)
}

// The disk has exactly the type definitions that entries of the log need, also after a restart.
func TestDefinitionsOnDisk(t *testing.T) {
	for _, growing := range []bool{true, false} {
		rf := newLeader(t, 3, 2, nil)
		if !growing {
			rf.store.changer = nil
		}
		commands := []any{pointCommand{1, 2}, 7, map[string]int{"k": 1}, pointCommand{3, 4}, 8}
		for k, want := range []int{1, 1, 2, 2, 2} {
			rf.Start(commands[k])
			mustEqual(t, "definitions of a log that grows", onDiskDefinitions(t, rf), want)
		}
		rf.commitIndex = 5
		for k, want := range []int{2, 2, 1, 0} {
			rf.Snapshot(k+1, []byte("service"))
			mustEqual(t, "definitions of a log that loses its beginning", onDiskDefinitions(t, rf), want)
		}
		rf.Start(map[string]int{"k": 2})
		mustEqual(t, "definitions", onDiskDefinitions(t, rf), 1)

		again := newQuiet(t, 3, rf.store.persister.Copy())
		again.commitIndex = 6
		again.Snapshot(6, []byte("service"))
		mustEqual(t, "definitions after a restart and a snapshot", onDiskDefinitions(t, again), 0)
	}
}

// The log and the disk do not refer to removed entries, so that their memory can be freed. If the beginning of a piece
// is removed, the rest is copied. If its end is removed, the whole piece stays, because others may refer to it.
func TestRemovedEntriesAreFreed(t *testing.T) {
	for _, c := range []struct {
		lost string
		lose func(rf *Raft)
		left int // of three pieces, those that are still referenced
	}{
		{"the first piece", func(rf *Raft) { rf.commitIndex = 2000; rf.Snapshot(2000, []byte("service")) }, 2},
		{"the beginning", func(rf *Raft) { rf.commitIndex = 3000; rf.Snapshot(3000, []byte("service")) }, 1},
		{"the end", func(rf *Raft) { deliver(t, rf, appendMsg(2, 1000, 1, 0, 2)) }, 1},
	} {
		t.Run(c.lost, func(t *testing.T) {
			rf := newFollower(t, 3, 1, nil)
			for k := range 3 {
				terms := slices.Repeat([]int{1}, 2000) // large enough for a piece of its own
				deliver(t, rf, appendMsg(1, 2000*k, min(k, 1), 0, terms...))
			}
			segments, pieces := rf.log.segments, rf.store.persister.body
			memory := slices.Clone(pieces)
			for k := range memory {
				mustEqual(t, "log and disk share memory", shareMemory(segments[k].records(), memory[k]), true)
			}
			c.lose(rf)
			segments, pieces = allOf(segments, rf.log.segments), allOf(pieces, rf.store.persister.body)
			inLog, onDisk := 0, 0
			for k := range memory {
				for _, s := range segments {
					if s.memory != nil && shareMemory(s.records(), memory[k]) {
						inLog++
					}
				}
				for _, piece := range pieces {
					if shareMemory(piece, memory[k]) {
						onDisk++
					}
				}
			}
			mustEqual(t, "of three pieces, those in the log and on the disk", [2]int{inLog, onDisk}, [2]int{c.left, c.left})
		})
	}
}

// allOf returns all elements of after's array. If before lies in the same array, that includes those from before on.
func allOf[T any](before, after []T) []T {
	before, after = before[:cap(before)], after[:cap(after)]
	if &before[len(before)-1] == &after[len(after)-1] {
		return before
	}
	return after
}

// shareMemory reports whether a begins or ends where b does.
func shareMemory(a, b []byte) bool {
	return len(a) > 0 && len(b) > 0 && (&a[0] == &b[0] || &a[len(a)-1] == &b[len(b)-1])
}
