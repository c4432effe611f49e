package cluster_test

import (
	"context"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"6.824/kvraft/cluster"
	"6.824/kvraft/rpc"
	"6.824/kvraft/rsm"
	"6.824/raft"
)

// submit has some server add n.
func submit(t *testing.T, c *cluster.Cluster[*rsm.RSM], n int, among ...int) {
	t.Helper()
	for range 1000 {
		for _, i := range among {
			if s, up := c.Server(i); up {
				if err, _ := s.Submit(n); err == rpc.OK {
					return
				}
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("no server leads")
}

// Servers reach each other as the partition says, also after a restart.
func TestPartition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cluster.New(5, startAuction)
		defer c.Close()
		c.Partition([]int{0, 1, 2}, []int{3, 4})
		c.Restart(0)
		submit(t, c, 1, 0, 1, 2)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := c.WaitApplied(ctx, 1, 0, 1, 2); err != nil {
			t.Error(err)
		}
		err := c.WaitApplied(ctx, 1)
		if err == nil || !strings.Contains(err.Error(), "has not carried out command 1") {
			t.Errorf("a minority has carried out what it cannot know: %v", err)
		}
		c.Heal()
		submit(t, c, 2, c.All()...)
		if err := c.WaitApplied(t.Context(), 2); err != nil {
			t.Error(err)
		}
	})
}

// A crashed server keeps its disk and nothing else.
func TestCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cluster.New(3, startAuction)
		defer c.Close()
		submit(t, c, 1, c.All()...)
		for _, i := range c.All() {
			c.Crash(i)
			c.Crash(i)
		}
		if leader, applied := c.Leader(), c.Applied(); leader != -1 || applied != 0 {
			t.Errorf("leader %d, applied %d, but all are down", leader, applied)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.WaitLeader(ctx); err == nil {
			t.Error("a server leads, but all are down")
		}
		for _, i := range c.All() {
			c.Restart(i)
		}
		submit(t, c, 1, c.All()...)
		if err := c.WaitApplied(t.Context(), 2); err != nil || c.Applied() != 2 {
			t.Errorf("applied %d, error %v", c.Applied(), err)
		}
	})
}

// Disturb causes each kind of fault, tells of it, and repairs all in the end.
func TestDisturb(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cluster.New(3, startAuction)
		defer c.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var said []string
		c.Disturb(ctx, rand.New(rand.NewSource(1)), 500*time.Millisecond, func(fault string) { said = append(said, fault) })
		all := strings.Join(said, "; ")
		for _, want := range []string{"crashes", "restarts", "all servers crash", "a partition", "the leader, is cut off", "loses messages", "reorders"} {
			if !strings.Contains(all, want) {
				t.Errorf("%q does not occur in %s", want, all)
			}
		}
		if said[len(said)-1] != "all is repaired" || !c.Network().IsReliable() {
			t.Errorf("last: %s; reliable %v", said[len(said)-1], c.Network().IsReliable())
		}
		submit(t, c, 1, c.All()...)
		if err := c.WaitApplied(t.Context(), c.Applied()); err != nil {
			t.Error(err)
		}
	})
}

// A client reaches the servers that it is connected to.
func TestClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cluster.New(2, startAuction)
		defer c.Close()
		cl := c.NewClientTo([]int{1})
		reached := func() (all []string) {
			for _, server := range append(cl.Servers(), "nobody") {
				if cl.Call(server, "Raft.RequestVote", new(raft.RequestVoteArgs), new(raft.RequestVoteReply)) {
					all = append(all, server)
				}
			}
			return all
		}
		if got := reached(); !slices.Equal(got, []string{"server-1"}) {
			t.Errorf("reaches %v", got)
		}
		c.Partition([]int{0}, []int{1}) // of the servers
		cl.Connect(c.All())
		if got := reached(); !slices.Equal(got, cl.Servers()) {
			t.Errorf("reaches %v", got)
		}
		cl.Close()
		if got := reached(); len(got) > 0 {
			t.Errorf("reaches %v after Close", got)
		}
		if got := cl.Servers(); !slices.Equal(got, []string{"server-0", "server-1"}) || len(cl.Ends()) != 2 {
			t.Errorf("servers %v, %d ends", got, len(cl.Ends()))
		}
	})
}
