package raft

import "testing"

// onDiskDefinitions returns how many type definitions a server has that restarts now, and checks that it can decode its log.
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
	return len(again.store.defined)
}

// The disk has the type definitions that some entry of the log needs, and no others, after a restart too.
func TestDefinitionsOnDisk(t *testing.T) {
	for _, growing := range []bool{true, false} {
		rf := newLeader(t, 3, 2, nil)
		if !growing {
			rf.store.growing = nil
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
