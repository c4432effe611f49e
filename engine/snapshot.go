package engine

import (
	"bytes"
	"fmt"

	"go.etcd.io/raft/v3/raftpb"
)

// A fullSnapshot is a snapshot with the service's data. Raft's own copy has only the header instead, since raft copies
// snapshots often. It is never changed.
type fullSnapshot struct {
	meta   *raftpb.SnapshotMetadata
	header header
	data   []byte // the service's
}

func (s *fullSnapshot) index() uint64 { return s.meta.GetIndex() }

// file returns the snapshot as it is saved and sent.
func (s *fullSnapshot) file() *raftpb.Snapshot {
	return &raftpb.Snapshot{Metadata: s.meta, Data: append(s.header.encode(), s.data...)}
}

// small returns the snapshot as raft has it.
func (s *fullSnapshot) small() *raftpb.Snapshot {
	return &raftpb.Snapshot{Metadata: s.meta, Data: s.header.encode()}
}

// openSnapshot is the inverse of file.
func openSnapshot(s *raftpb.Snapshot) (*fullSnapshot, error) {
	h, data, err := decodeHeader(s.GetData())
	if err != nil {
		return nil, err
	}
	return &fullSnapshot{meta: s.GetMetadata(), header: h, data: data}, nil
}

// A server keeps that much of the log before the end of a snapshot that it has taken, for followers that are a little behind,
// but nothing that an earlier snapshot covers.
const (
	trailingEntries = 1024
	trailingBytes   = 1 << 20
)

// Snapshot gives the server a snapshot of the service, which covers all commands up to and including index. The server
// copies data, saves it in the background, and then drops the log that it covers. Until then, a restarted server begins
// with an earlier snapshot.
//
// Snapshot does nothing if an earlier call covers index, or if the server has stopped. It panics if the command at index
// was not yet sent on applyCh.
func (n *Node) Snapshot(index int, data []byte) {
	if sent := int(n.sent.Load()); index > sent {
		panic(fmt.Sprintf("engine: Snapshot on server %d: command %d was not yet applied, the last one was %d", n.config.ID, index, sent))
	}
	data = bytes.Clone(data)
	n.do(func() { n.loop.takeSnapshot(index, data) })
}

// takeSnapshot notes a snapshot of the service. It is saved when raft knows that its last entry was applied: raft still
// looks at entries behind the last one that it knows to be applied.
func (l *loop) takeSnapshot(index int, data []byte) {
	if index <= l.positions.places[0].commands || l.pending != nil && index <= l.pending.header.commands {
		return
	}
	at := l.positions.raftIndex(index)
	term, err := l.storage.Term(at)
	if err != nil {
		l.node.fail(fmt.Errorf("no term for entry %d, which was applied: %w", at, err))
		return
	}
	m := l.members.at(at)
	l.pending = &fullSnapshot{
		meta:   &raftpb.SnapshotMetadata{ConfState: m.state, Index: new(at), Term: new(term)},
		header: header{commands: index, addresses: m.addresses, service: true},
		data:   data,
	}
	l.updateLogBytes()
	l.savePending()
}

// savePending has the noted snapshot saved, if it is time.
func (l *loop) savePending() {
	s := l.pending
	if s == nil || s.index() > l.raft.BasicStatus().Applied || l.saving {
		return
	}
	at := s.index()
	for at > l.positions.base && s.index()-at < trailingEntries &&
		l.positions.bytesBehind(at)-l.positions.bytesBehind(s.index()) < trailingBytes {
		at--
	}
	l.saving = true
	l.node.running.Go(func() { l.saveSnapshot(s, at) })
}

// saveSnapshot is a goroutine that writes a snapshot to its file, and then has the writer record it. At most one runs.
func (l *loop) saveSnapshot(s *fullSnapshot, compactTo uint64) {
	if err := l.dir.saveSnapshotFile(s.file()); err != nil {
		l.node.fail(fmt.Errorf("cannot save a snapshot: %w", err))
		return
	}
	l.writer.tasks.put(write{taken: s, compactTo: compactTo})
	l.node.calls.put(func() {
		l.saving = false
		l.positions.compact(s.index())
		l.members.compact(s.index())
		if l.pending == s {
			l.pending = nil
		}
		l.savePending()
	})
}
