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

// A sum is a state machine: it adds numbers.
type sum struct{ n int }

func (s *sum) DoOp(req any) any        { s.n += req.(int); return s.n }
func (s *sum) Snapshot() []byte        { return []byte(strconv.Itoa(s.n)) }
func (s *sum) Restore(snapshot []byte) { s.n, _ = strconv.Atoi(string(snapshot)) }

func startSum(peers []*labrpc.ClientEnd, me int, disk *raft.Persister) *rsm.RSM {
	return rsm.MakeRSM(peers, me, disk, 1000, new(sum))
}

// Three servers add numbers. The first leader crashes, and another one goes on.
func Example() {
	c := cluster.New(3, startSum)
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for _, n := range []int{3, 4, 5} {
		for err := rpc.ErrWrongLeader; err != rpc.OK; {
			leader, waitErr := c.WaitLeader(ctx)
			if waitErr != nil {
				fmt.Println(waitErr)
				return
			}
			var result any
			if s, up := c.Server(leader); up {
				err, result = s.Submit(n)
			}
			if err == rpc.OK {
				fmt.Println(n, "makes", result)
			}
		}
		if n == 4 {
			c.Crash(c.Leader())
		}
	}
	for _, i := range c.All() {
		if _, up := c.Server(i); !up {
			c.Restart(i)
		}
	}
	if err := c.WaitApplied(ctx, 3); err != nil {
		fmt.Println(err)
	}
	fmt.Println("all servers have carried out", c.Applied(), "commands")
	// Output:
	// 3 makes 3
	// 4 makes 7
	// 5 makes 12
	// all servers have carried out 3 commands
}
