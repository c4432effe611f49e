package engine

import (
	"fmt"
	"runtime"

	"go.etcd.io/raft/v3/raftpb"
)

// A proposal is a command on its way to raft's log.
type proposal struct {
	data        []byte
	index, term int           // where it is in the log; term is 0 if it was refused
	answered    chan struct{} // closed when index and term are set
}

// maxBatch bounds the data of the proposals that become entries in one step, in bytes.
const maxBatch = 4 << 20

// Start asks for agreement on command. On the leader it appends the command to the log and returns, without waiting for the
// disk or a peer: the index that the command will have if it is ever committed, the current term, and true. The command
// may still be lost if the leader fails or loses its lead. On any other server, and on one that has stopped, Start does
// nothing and returns index -1 and false. So it does on a leader that is handing over its leadership, or that has 256
// MB of commands which are not yet applied.
//
// Start encodes the command, which the caller may change afterwards. A []byte, a string and an int need little; any
// other type must be registered with labgob.Register. Start panics if the command is nil, cannot be encoded, or takes more
// than 32 MiB encoded.
func (n *Node) Start(command any) (index int, term int, isLeader bool) {
	v := n.view.Load()
	if !v.leads() {
		return -1, v.term, false
	}
	data, err := encodeCommand(command)
	if err != nil {
		panic(fmt.Sprintf("engine: Start on server %d: cannot encode a command of type %T: %v", n.config.ID, command, err))
	}
	p := &proposal{data: data, answered: make(chan struct{})}
	n.proposals.put(p)
	select {
	case <-p.answered:
	case <-n.loopEnded:
		select {
		case <-p.answered:
		default:
			return -1, v.term, false
		}
	}
	if p.term == 0 {
		return -1, n.view.Load().term, false
	}
	return p.index, p.term, true
}

// propose appends the waiting proposals to the log. If several came together the last time, then more are probably about to
// come, from the clients that have just had their answers; it lets them run first. Larger batches cost less.
func (l *loop) propose() {
	if l.together > 1 {
		runtime.Gosched()
	}
	waiting := l.node.proposals.take()
	l.together = len(waiting)
	for len(waiting) > 0 {
		n, bytes := 0, 0
		for n < len(waiting) && (n == 0 || bytes+len(waiting[n].data) <= maxBatch) {
			bytes += len(waiting[n].data)
			n++
		}
		l.proposeBatch(waiting[:n])
		waiting = waiting[n:]
	}
}

// proposeBatch appends proposals to the log and answers them. Raft does not say at which index it appends them, so it is
// left with nothing else to say first: the entries of the next Ready are then exactly these.
func (l *loop) proposeBatch(batch []*proposal) {
	m := &raftpb.Message{Type: raftpb.MsgProp.Enum(), From: new(uint64(l.node.config.ID)), Entries: make([]*raftpb.Entry, len(batch))}
	for k, p := range batch {
		m.Entries[k] = &raftpb.Entry{Data: p.data}
	}
	if entries := l.appendEntries(m); entries != nil {
		for k, e := range entries {
			batch[k].index, batch[k].term = l.positions.commands(e.GetIndex()), int(e.GetTerm())
		}
		l.node.metrics.proposals.Add(float64(len(batch)))
	}
	for _, p := range batch {
		close(p.answered)
	}
}

// appendEntries steps a MsgProp and returns the entries as they are in the log, or nil if raft refused them.
func (l *loop) appendEntries(m *raftpb.Message) []*raftpb.Entry {
	l.handleReady()
	if err := l.raft.Step(m); err != nil {
		l.node.config.Logger.Debug("raft refused a proposal", "error", err)
		return nil
	}
	rd := l.raft.Ready()
	l.handle(rd)
	if len(rd.Entries) != len(m.GetEntries()) {
		panic(fmt.Sprintf("%d entries were proposed and %d appended", len(m.GetEntries()), len(rd.Entries)))
	}
	return rd.Entries
}
