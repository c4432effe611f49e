package main

import (
	"context"
	"sync"
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// runNode is the loop of etcd's own example: this goroutine serves the node's Ready channel, one
// takes messages in, and one proposes.
func (s *etcdServer) runNode(elected chan struct{}) {
	node := raft.RestartNode(etcdConfig(s.id, s.storage))
	defer node.Stop()
	ctx, cancel := context.WithCancel(context.Background())
	var feeders sync.WaitGroup
	defer feeders.Wait()
	defer cancel()
	feeders.Go(func() { feed(ctx, s.inbox, func(b []byte) error { return node.Step(ctx, decode(b)) }) })
	feeders.Go(func() {
		feed(ctx, s.proposals, func(p []byte) error {
			return node.Step(ctx, raftpb.Message{Type: raftpb.MsgProp, Entries: []raftpb.Entry{{Data: p}}})
		})
	})
	if elected != nil {
		must(node.Campaign(ctx))
	}
	s.serve(node, elected)
}

func (s *etcdServer) serve(node raft.Node, elected chan struct{}) {
	ticker := time.NewTicker(etcdTick)
	defer ticker.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-ticker.C:
			node.Tick()
		case rd := <-node.Ready():
			if elected != nil && rd.SoftState != nil && rd.SoftState.RaftState == raft.StateLeader {
				close(elected)
				elected = nil
			}
			s.handle(rd)
			node.Advance()
		}
	}
}

// feed gives what comes on in to step until ctx ends.
func feed(ctx context.Context, in <-chan []byte, step func([]byte) error) {
	for {
		select {
		case <-ctx.Done():
			return
		case b := <-in:
			if err := step(b); err != nil && ctx.Err() == nil {
				panic(err)
			}
		}
	}
}
