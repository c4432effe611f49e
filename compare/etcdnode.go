package main

import (
	"context"
	"sync"
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// runNode is the etcdLoop of etcd's own example: this goroutine serves the node's Ready channel, a second one takes in
// messages, and a third one proposes.
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

// serve handles ticks and the Ready channel until stop is closed.
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

// feed calls step with each value of in until ctx ends.
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
