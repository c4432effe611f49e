package raft

import "testing"

// Entries that are kept bring the type definitions along that they need.
func TestEarlyKeepsDefinitions(t *testing.T) {
	rf := newFollower(t, 3, 4, from(1).terms(1, 1, 2))
	mustEqual(t, "granted", granted(deliver(t, rf, valueMsg())), false) // it goes behind index 4
	mustEqual(t, "definitions while it waits", rf.definitions.count(), 0)
	reply := deliver(t, rf, appendMsg(4, 3, 2, 4, 2)).(*AppendEntriesReply)
	mustEqual(t, "up to where it has the log", reply.Beyond, 5)
	verify(t, rf)
	command, err := newDecoder(&rf.definitions).decode(rf.log.at(5).data)
	mustEqual(t, "error", err, nil)
	mustEqual(t, "command", command, any(pointCommand{5, 6}))
}
