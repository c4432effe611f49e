package engine

import (
	"fmt"
	"testing"
)

func TestNode_agreement(t *testing.T) {
	c := newCluster(t, 3, nil)
	for k := range 10 {
		if index := c.one(fmt.Sprint("command ", k)); index != k+1 {
			t.Fatalf("command %d has index %d", k+1, index)
		}
	}
	c.checkSame()
}

func TestNode_restart(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3, nil)
	c.one("a")
	follower := c.follower()
	c.kill(follower.id)
	c.one("b")
	c.start(follower.id, false)
	c.one("c")
	leader := c.leader()
	c.kill(leader.id)
	c.one("d")
	c.start(leader.id, false)
	if index := c.one("e"); index != 5 {
		t.Errorf("the fifth command has index %d", index)
	}
	for id := range 3 {
		c.kill(id + 1)
	}
	for id := range 3 {
		c.start(id+1, false)
	}
	if index := c.one("f"); index != 6 {
		t.Errorf("the sixth command has index %d", index)
	}
	c.checkSame()
}
