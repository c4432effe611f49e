package engine

import (
	"bytes"
	"fmt"

	"6.824/raft"
	"go.etcd.io/raft/v3/raftpb"
)

// An applyTask is something to send on applyCh.
type applyTask struct {
	entries  *raftpb.Message // a MsgStorageApply, or nil
	snapshot *fullSnapshot   // or nil
}

// An applier is the goroutine that sends commands and snapshots on applyCh, in the order of the log. It holds no lock
// while it waits for the service.
type applier struct {
	node     *Node
	applyCh  chan<- raft.ApplyMsg
	tasks    *queue[applyTask]
	commands int // that were sent, or that a snapshot covers
}

// run works until the node stops.
func (a *applier) run() {
	for {
		select {
		case <-a.node.stop:
			return
		case <-a.tasks.wake:
		}
		for _, t := range a.tasks.take() {
			if !a.apply(t) {
				return
			}
		}
	}
}

// apply carries out a task. It reports false if the node has stopped.
func (a *applier) apply(t applyTask) bool {
	if s := t.snapshot; s != nil {
		return a.applySnapshot(s)
	}
	for _, e := range t.entries.GetEntries() {
		if !isCommand(e) {
			continue
		}
		command, err := decodeCommand(e.GetData())
		if err != nil {
			a.node.fail(fmt.Errorf("cannot decode the command of entry %d: %w", e.GetIndex(), err))
			return false
		}
		a.commands++
		m := raft.ApplyMsg{CommandValid: true, Command: command, CommandIndex: a.commands, CommandTerm: int(e.GetTerm())}
		if !a.send(m, a.commands) {
			return false
		}
	}
	a.node.deliver(t.entries.GetResponses())
	return true
}

// applySnapshot sends a snapshot, unless the service has given none: the first one of a cluster only tells the members.
func (a *applier) applySnapshot(s *fullSnapshot) bool {
	if s.header.commands < a.commands {
		a.node.fail(fmt.Errorf("the snapshot at entry %d covers %d commands, and %d were applied", s.index(), s.header.commands, a.commands))
		return false
	}
	a.commands = s.header.commands
	if !s.header.service {
		return true
	}
	return a.send(raft.ApplyMsg{
		SnapshotValid: true,
		Snapshot:      bytes.Clone(s.data),
		SnapshotTerm:  int(s.meta.GetTerm()),
		SnapshotIndex: a.commands,
	}, a.commands)
}

// send sends m, after which the service has all commands up to index. It reports false if the node has stopped.
func (a *applier) send(m raft.ApplyMsg, index int) bool {
	a.node.sent.Store(int64(index)) // before the service can answer with a Snapshot
	select {
	case a.applyCh <- m:
		return true
	case <-a.node.stop:
		return false
	}
}
