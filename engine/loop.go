package engine

import (
	"errors"
	"fmt"
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// A loop is the goroutine that owns raft. It never waits for the disk, for a peer or for the service: the writer, the
// transport and the applier do, and what they have to say comes in through queues.
type loop struct {
	node      *Node
	raft      *raft.RawNode
	storage   *raft.MemoryStorage
	dir       *directory
	writer    *writer
	positions positions
	members   memberships
	received  *fullSnapshot // what the MsgSnap that raft looks at has brought, besides raft's own part
	pending   *fullSnapshot // taken by the service and not yet saved
	saving    bool          // a snapshot of the service is being written to its file
	soft      raft.SoftState
	term      uint64
	commit    uint64 // raft index
	together  int    // proposals that came together the last time
	leadsFrom uint64 // raft index of an entry of the term in which this server became the leader
	reads     reads
	linger    linger
	changes   []*change // that wait for their entry to be applied
}

// A received message has come from a peer.
type received struct {
	message  *raftpb.Message
	snapshot *fullSnapshot // with a MsgSnap
}

// run works until the node stops. A panic of raft means that an invariant does not hold, for example that a disk has lost
// what it had synced; the server stops before it does harm.
func (l *loop) run() {
	defer func() {
		if p := recover(); p != nil {
			l.node.fail(fmt.Errorf("raft cannot go on: %v", p))
		}
	}()
	ticker := time.NewTicker(l.node.config.Tick)
	defer ticker.Stop()
	for {
		l.handleReady()
		select {
		case <-l.node.stop:
			return
		case <-ticker.C:
			l.raft.Tick()
			l.reads.tick(l)
		case r := <-l.node.inbox:
			l.receive(r)
		case <-l.node.local.wake:
			l.stepLocal()
		case <-l.node.proposals.wake:
			l.propose()
		case <-l.linger.over():
			l.node.send(l.linger.end())
		case <-l.node.calls.wake:
			for _, call := range l.node.calls.take() {
				call()
			}
		}
		for range len(l.node.inbox) { // one Ready for all that waits
			l.receive(<-l.node.inbox)
		}
	}
}

// receive passes a message from a peer to raft.
func (l *loop) receive(r received) {
	m := r.message
	if m.GetType() == raftpb.MsgHeartbeat && m.GetCommit() > l.positions.last() && m.GetTerm() >= l.term {
		l.handleReady() // raft may have entries that we have not seen
		if m.GetCommit() > l.positions.last() {
			l.node.fail(lost(fmt.Errorf("server %d says that this server has the log up to entry %d, and it ends with %d",
				m.GetFrom(), m.GetCommit(), l.positions.last())))
			return
		}
	}
	if m.GetType() == raftpb.MsgReadIndex {
		l.handleReady()
		if !l.knowsCommit() {
			return // the peer will ask again
		}
	}
	l.received = r.snapshot
	if err := l.raft.Step(m); err != nil {
		l.node.config.Logger.Debug("raft refused a message", "type", m.GetType().String(), "from", m.GetFrom(), "error", err)
	}
	if l.received != nil {
		l.handleReady()
		l.received = nil
	}
}

// stepLocal passes to raft what the writer and the applier have done.
func (l *loop) stepLocal() {
	for _, m := range l.node.local.take() {
		// A leader that was removed may still have saved entries behind its removal, and acknowledges them to itself.
		if err := l.raft.Step(m); err != nil && !errors.Is(err, raft.ErrStepPeerNotFound) {
			panic(err)
		}
		if m.GetType() == raftpb.MsgStorageApplyResp {
			l.savePending()
		}
	}
}

// handleReady handles all that raft has ready.
func (l *loop) handleReady() {
	for l.raft.HasReady() {
		l.handle(l.raft.Ready())
	}
}

func (l *loop) handle(rd raft.Ready) {
	installed := l.noteSnapshot(rd.Snapshot)
	for _, e := range rd.Entries {
		l.positions.append(e.GetIndex(), isCommand(e), len(e.GetData()))
	}
	if len(rd.Entries) > 0 {
		l.updateLogBytes()
	}
	l.dispatch(rd.Messages, installed)
	led, term := l.soft.RaftState == raft.StateLeader, l.term
	if rd.SoftState != nil {
		l.soft = *rd.SoftState
	}
	if !raft.IsEmptyHardState(rd.HardState) {
		l.term, l.commit = rd.HardState.GetTerm(), rd.HardState.GetCommit()
	}
	if l.soft.RaftState == raft.StateLeader && (!led || term != l.term) {
		l.leadsFrom = l.positions.last()
	}
	if rd.SoftState != nil || !raft.IsEmptyHardState(rd.HardState) {
		l.publish()
	}
	for _, s := range rd.ReadStates {
		l.reads.confirmed(s)
	}
	l.reads.answer(l)
}

// noteSnapshot prepares for a snapshot that replaces the log, and returns it with the service's data.
func (l *loop) noteSnapshot(s *raftpb.Snapshot) *fullSnapshot {
	if raft.IsEmptySnap(s) {
		return nil
	}
	full := l.received
	if full == nil || full.index() != s.GetMetadata().GetIndex() {
		panic(fmt.Sprintf("the data of the snapshot at entry %d is missing", s.GetMetadata().GetIndex()))
	}
	l.received, l.pending = nil, nil
	l.positions = newPositions(full.index(), full.header.commands)
	l.updateLogBytes()
	l.members = memberships{list: []membership{{full.index(), full.meta.GetConfState(), full.header.addresses}}}
	l.node.setPeers(full.header.addresses)
	return full
}

// dispatch hands over raft's messages. Those to peers go out at once: raft attaches to a MsgStorageAppend all messages that
// have to wait until it is done. One without any of them, and without entries, only says what is committed. It may wait for
// the next one, since nothing depends on it.
func (l *loop) dispatch(messages []*raftpb.Message, installed *fullSnapshot) {
	var out, local []*raftpb.Message
	for _, m := range messages {
		if m.GetTo() == raft.LocalAppendThread || m.GetTo() == raft.LocalApplyThread {
			local = append(local, m)
		} else {
			out = append(out, m)
		}
	}
	l.node.send(l.linger.pass(out))
	for _, m := range local {
		switch {
		case m.GetTo() == raft.LocalApplyThread:
			l.applyChanges(m.GetEntries())
			l.node.applier.tasks.put(applyTask{entries: m})
		case m.GetSnapshot() != nil:
			l.writer.tasks.put(write{append: m, installed: installed})
		case len(m.GetEntries()) == 0 && len(m.GetResponses()) == 0:
			l.writer.tasks.leave(write{append: m})
		default:
			l.writer.tasks.put(write{append: m})
		}
	}
}

// publish tells everybody else what they may know.
func (l *loop) publish() {
	v := &view{term: int(l.term), leader: int(l.soft.Lead), role: l.soft.RaftState}
	if old := l.node.view.Swap(v); old.leader != v.leader {
		l.node.config.Logger.Info("leader changed", "leader", v.leader, "term", v.term)
		l.node.metrics.leaderChanges.Inc()
	}
	if l.soft.RaftState != raft.StateLeader {
		l.failChanges()
	}
}

// updateLogBytes notes how large the log behind the last snapshot is.
func (l *loop) updateLogBytes() {
	at := l.positions.base
	if l.pending != nil {
		at = l.pending.index()
	}
	l.node.logBytes.Store(l.positions.bytesBehind(at))
}
