package main

import (
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// rawLoop is the goroutine that owns a RawNode.
type rawLoop struct {
	*etcdServer
	node  *raft.RawNode
	batch []raftpb.Entry // proposals being gathered
}

// runRaw is an etcdLoop.
func (s *etcdServer) runRaw(elected chan struct{}) {
	node, err := raft.NewRawNode(etcdConfig(s.id, s.storage))
	must(err)
	if elected != nil {
		must(node.Campaign())
	}
	(&rawLoop{etcdServer: s, node: node}).run(elected)
}

func (l *rawLoop) run(elected chan struct{}) {
	ticker := time.NewTicker(etcdTick)
	defer ticker.Stop()
	for {
		for l.node.HasReady() {
			rd := l.node.Ready()
			l.handle(rd)
			l.node.Advance(rd)
		}
		if elected != nil && l.node.BasicStatus().RaftState == raft.StateLeader {
			close(elected)
			elected = nil
		}
		select {
		case <-l.stop:
			return
		case <-ticker.C:
			l.node.Tick()
		case b := <-l.inbox:
			must(l.node.Step(decode(b)))
		case p := <-l.proposals:
			l.batch = append(l.batch, raftpb.Entry{Data: p})
		}
		l.drain()
	}
}

// drain takes in all other messages and proposals that wait, so that one Ready answers all of them. The proposals become
// entries of one message.
func (l *rawLoop) drain() {
	for range len(l.inbox) {
		must(l.node.Step(decode(<-l.inbox)))
	}
	for range len(l.proposals) {
		l.batch = append(l.batch, raftpb.Entry{Data: <-l.proposals})
	}
	if len(l.batch) > 0 {
		must(l.node.Step(raftpb.Message{Type: raftpb.MsgProp, From: l.id, Entries: l.batch}))
		l.batch = nil // the node keeps the slice
	}
}
