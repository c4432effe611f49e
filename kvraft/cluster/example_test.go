package cluster_test

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"6.824/kvraft/cluster"
	"6.824/kvraft/rpc"
	"6.824/kvraft/rsm"
	"6.824/labrpc"
	"6.824/raft"
)

// docs/kvraft.md shows the code from here to the end of the file.

// An auction is a state machine: it keeps the highest bid.
type auction struct{ highest int }

func (a *auction) DoOp(bid any) any        { a.highest = max(a.highest, bid.(int)); return a.highest }
func (a *auction) Snapshot() []byte        { return []byte(strconv.Itoa(a.highest)) }
func (a *auction) Restore(snapshot []byte) { a.highest, _ = strconv.Atoi(string(snapshot)) }

// startAuction starts one server. It takes a snapshot when its Raft state has 1,000 bytes.
func startAuction(peers []*labrpc.ClientEnd, me int, disk *raft.Persister) *rsm.RSM {
	return rsm.MakeRSM(peers, me, disk, 1000, new(auction))
}

// Three servers take bids. The leader crashes, another one goes on, and the first one catches up.
func Example() {
	c := cluster.New(3, startAuction)
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	fmt.Println(bid(ctx, c, 30))
	fmt.Println(bid(ctx, c, 50))
	crashed, _ := c.WaitLeader(ctx)
	c.Crash(crashed)
	fmt.Println(bid(ctx, c, 40))
	c.Restart(crashed)
	fmt.Println(c.WaitApplied(ctx, 3)) // every server has carried out command 3
	// Output:
	// OK 30
	// OK 50
	// OK 50
	// <nil>
}

// bid submits a bid to the leader, and again after an error: to carry it out twice does no harm.
func bid(ctx context.Context, c *cluster.Cluster[*rsm.RSM], n int) (err rpc.Err, highest any) {
	for err = rpc.ErrWrongLeader; err != rpc.OK && ctx.Err() == nil; {
		leader, _ := c.WaitLeader(ctx)
		if server, up := c.Server(max(leader, 0)); up {
			err, highest = server.Submit(n)
		}
	}
	return err, highest
}
