package engine

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// Limits that raft keeps to.
const (
	maxMessage     = 1 << 20   // bytes of the entries in one message, if there are several
	maxInflight    = 512       // messages with entries on their way to one peer
	maxUncommitted = 256 << 20 // bytes of commands that the leader has accepted and not applied
	maxApplying    = 4 << 20   // bytes of commands handed to the applier at a time
)

// newLoop returns a loop that continues from r, with its writer. It sets the applier's place.
func (n *Node) newLoop(dir *directory, r *recovered) (l *loop, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = lost(fmt.Errorf("raft does not accept what the directory holds: %v", p))
		}
	}()
	// The first question about a read is random, so that no answer from before a restart fits it.
	l = &loop{node: n, dir: dir, storage: raft.NewMemoryStorage(), reads: reads{question: rand.Uint64()}}
	if err := l.load(r); err != nil {
		return nil, err
	}
	found := r.found()
	l.writer = &writer{
		node: n, dir: dir, wal: n.config.wrap(r.wal), mark: r.mark, storage: l.storage, tasks: newQueue[write](),
		hard: r.hard, last: found.last, snapshot: found.snapshot,
	}
	l.term, l.commit = r.hard.GetTerm(), r.hard.GetCommit()
	n.view.Store(&view{term: int(l.term)})
	l.raft, err = raft.NewRawNode(&raft.Config{
		ID:                        uint64(n.config.ID),
		ElectionTick:              n.config.ElectionTicks,
		HeartbeatTick:             1,
		Storage:                   l.storage,
		Applied:                   found.snapshot,
		AsyncStorageWrites:        true,
		MaxSizePerMsg:             maxMessage,
		MaxCommittedSizePerReady:  maxApplying,
		MaxUncommittedEntriesSize: maxUncommitted,
		MaxInflightMsgs:           maxInflight,
		MaxInflightBytes:          64 << 20,
		CheckQuorum:               true,
		PreVote:                   true,
		StepDownOnRemoval:         true,
		DisableProposalForwarding: true,
		Logger:                    raftLogger{n.config.Logger},
	})
	return l, err
}

// load fills raft's storage, the indices and the membership with what was recovered.
func (l *loop) load(r *recovered) error {
	l.positions = newPositions(0, 0)
	l.members.list = []membership{{state: &raftpb.ConfState{}}}
	if r.snapshot != nil {
		full, err := openSnapshot(r.snapshot)
		if err != nil {
			return lost(err)
		}
		l.node.kept.Store(full)
		l.node.applier.commands = full.header.commands
		l.node.sent.Store(int64(full.header.commands))
		l.positions = newPositions(full.index(), full.header.commands)
		l.members.list = []membership{{full.index(), full.meta.GetConfState(), full.header.addresses}}
		if err := l.storage.ApplySnapshot(full.small()); err != nil {
			return err
		}
	}
	if err := errors.Join(l.storage.SetHardState(r.hard), l.storage.Append(r.entries)); err != nil {
		return err
	}
	for _, e := range r.entries {
		l.positions.append(e.GetIndex(), isCommand(e), len(e.GetData()))
	}
	l.updateLogBytes()
	return nil
}
