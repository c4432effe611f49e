package engine

import (
	"fmt"
	"testing"
	"time"

	lab "6.824/raft"
)

// TestSnapshot_inTheMiddleOfABatch takes a snapshot while raft does not yet know that its last command was applied. Raft still
// looks at the entries behind the last one that it knows to be applied, for example before an election.
func TestSnapshot_inTheMiddleOfABatch(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3, nil)
	c.one("first")
	away := c.follower().id
	c.kill(away)
	for k, leader := 0, c.leader(); k < 3000; {
		if _, _, ok := leader.Start(fmt.Sprint(k)); ok {
			k++
		} else {
			leader = c.leader()
		}
	}
	c.one("last")
	applyCh := make(chan lab.ApplyMsg)
	node, err := Open(c.config(away, false), applyCh)
	if err != nil {
		t.Fatal(err)
	}
	defer node.Kill()
	const at = 2500
	for index := 0; index < at; {
		index = (<-applyCh).CommandIndex
	}
	node.Snapshot(at, []byte("state"))
	time.Sleep(10 * testTick) // for a mistake to happen
	if !node.do(func() { node.loop.raft.Campaign() }) {
		t.Fatalf("the server has stopped: %v", node.Err())
	}
	if got := node.Status(); got.SnapshotIndex != 0 {
		t.Errorf("the snapshot was saved before raft knew that it may be: %+v", got)
	}
	go func() {
		for range applyCh {
		}
	}()
	c.eventually("the snapshot is not saved", func() bool { return node.Status().SnapshotIndex == at })
}
