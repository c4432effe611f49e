package engine

import (
	"fmt"
	"slices"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// send sends messages to peers. It does not wait.
func (n *Node) send(messages []*raftpb.Message) {
	for _, m := range messages {
		switch {
		case m.GetFrom() != uint64(n.config.ID):
			continue // raft passes on what another server has asked this one as the leader; the new leader would refuse it
		case m.GetType() != raftpb.MsgSnap:
			n.transport.Send(m)
			continue
		}
		s := n.kept.Load()
		if s == nil || s.index() != m.GetSnapshot().GetMetadata().GetIndex() {
			n.calls.put(func() { n.loop.raft.ReportSnapshot(m.GetTo(), raft.SnapshotFailure) }) // raft tries again with the newer one
			continue
		}
		n.transport.SendSnapshot(forReceiver(m), s.data)
	}
}

// forReceiver returns a MsgSnap that its receiver accepts: raft takes no snapshot that does not have it as a member. If it was
// added after the snapshot was taken, it counts as a learner, which no majority depends on. The change that has added it is
// in the log behind the snapshot, and changes nothing then.
func forReceiver(m *raftpb.Message) *raftpb.Message {
	state := m.GetSnapshot().GetMetadata().GetConfState()
	if slices.Contains(state.GetVoters(), m.GetTo()) || slices.Contains(state.GetLearners(), m.GetTo()) {
		return m
	}
	m = proto.Clone(m).(*raftpb.Message)
	state = m.GetSnapshot().GetMetadata().GetConfState()
	state.Learners = append(state.Learners, m.GetTo())
	return m
}

// deliver delivers raft's messages that had to wait for the writer or the applier. The goroutine that is woken last runs
// first, so the peers' messages come last.
func (n *Node) deliver(messages []*raftpb.Message) {
	var local, out []*raftpb.Message
	for _, m := range messages {
		if m.GetTo() == uint64(n.config.ID) {
			local = append(local, m)
		} else {
			out = append(out, m)
		}
	}
	n.local.put(local...)
	n.send(out)
}

// A handler takes in what the transport has to say.
type handler struct{ *Node }

// Receive takes in a message from a peer. It waits while raft has many to look at.
func (h handler) Receive(m *raftpb.Message) { h.receive(received{message: m}) }

// ReceiveSnapshot takes in a MsgSnap, with the data of the service.
func (h handler) ReceiveSnapshot(m *raftpb.Message, data []byte) error {
	head, rest, err := decodeHeader(m.GetSnapshot().GetData())
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return fmt.Errorf("%d bytes follow the snapshot's header", len(rest))
	}
	h.receive(received{m, &fullSnapshot{meta: m.GetSnapshot().GetMetadata(), header: head, data: data}})
	return nil
}

func (h handler) receive(r received) {
	select {
	case h.inbox <- r:
	case <-h.stop:
	}
}

// Unreachable notes that messages to a peer were lost.
func (h handler) Unreachable(id uint64) {
	h.metrics.unreachable.Inc()
	h.calls.put(func() { h.loop.raft.ReportUnreachable(id) })
}

// SnapshotSent notes how the sending of a snapshot has ended.
func (h handler) SnapshotSent(id uint64, err error) {
	status := raft.SnapshotFinish
	h.metrics.snapshotsSent.Inc()
	if err != nil {
		status = raft.SnapshotFailure
		h.config.Logger.Warn("cannot send a snapshot", "to", id, "error", err)
	}
	h.calls.put(func() { h.loop.raft.ReportSnapshot(id, status) })
}
