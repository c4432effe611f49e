package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"

	"go.etcd.io/raft/v3/raftpb"
)

// A change is a change of the membership that its caller waits for.
type change struct {
	index, term uint64     // of its entry
	done        chan error // gets nil when it was applied
}

// errLostChange is the answer if the leader loses its lead before it knows what becomes of a change.
var errLostChange = errors.New("engine: the server lost its leadership before the change was committed; ask for the membership, and try again if it has not changed")

// AddServer adds a server to the cluster, as a learner first: it gets the log, and counts for no majority. When it has
// caught up, it becomes a voter. AddServer may be called before the new server runs. It must be called on the leader. If
// ctx ends before the server has caught up, it stays a learner, and another call goes on from there.
//
// A number must never be used for two servers, not even after one was removed.
func (n *Node) AddServer(ctx context.Context, id int, address string) error {
	if _, _, err := net.SplitHostPort(address); err != nil || id < 1 || len(address) > maxAddress {
		return fmt.Errorf("engine: the address of server %d is %q, and must be host:port; numbers begin with 1", id, address)
	}
	s, err := n.server(id)
	if err != nil {
		return err
	}
	if s == nil {
		if err := n.change(ctx, raftpb.ConfChangeAddLearnerNode, id, address); err != nil {
			return err
		}
	} else if !s.Learner {
		return fmt.Errorf("engine: server %d is a member already", id)
	}
	if err := n.wait(ctx, func() bool { return n.hasCaughtUp(id) }); err != nil {
		return fmt.Errorf("engine: server %d is a learner and has not caught up: %w", id, err)
	}
	return n.change(ctx, raftpb.ConfChangeAddNode, id, address)
}

// server returns the status of a member, or nil if the server is none.
func (n *Node) server(id int) (*ServerStatus, error) {
	s, ok := n.status()
	if !ok {
		return nil, ErrStopped
	}
	for k := range s.Servers {
		if s.Servers[k].ID == id {
			return &s.Servers[k], nil
		}
	}
	return nil, nil
}

// hasCaughtUp reports whether a learner has almost all of the log. It also does if this server does not lead any more: then
// the promotion fails, with an error that says so.
func (n *Node) hasCaughtUp(id int) (caughtUp bool) {
	n.do(func() {
		status := n.loop.raft.Status()
		p, ok := status.Progress[uint64(id)]
		caughtUp = status.Progress == nil || ok && p.RecentActive && p.Match > 0 && p.Match+trailingEntries >= status.GetCommit()
	})
	return caughtUp
}

// RemoveServer removes a server from the cluster. It must be called on the leader, which may remove itself and then
// steps down. The removed server keeps running, without a part in anything, until it is killed. That should wait until the
// Status of the others does not show it any more: those who do not know yet may need it for their majority.
func (n *Node) RemoveServer(ctx context.Context, id int) error {
	s, err := n.server(id)
	switch {
	case err != nil:
		return err
	case s == nil:
		return fmt.Errorf("engine: server %d is no member", id)
	}
	return n.change(ctx, raftpb.ConfChangeRemoveNode, id, "")
}

// change changes the membership and waits until the change is committed.
func (n *Node) change(ctx context.Context, kind raftpb.ConfChangeType, id int, address string) error {
	c := &change{done: make(chan error, 1)}
	var err error
	refused := func() bool {
		if !n.do(func() { err = n.loop.proposeChange(c, kind, uint64(id), address) }) {
			err = ErrStopped
		}
		return !errors.Is(err, errChangePending)
	}
	if waited := n.wait(ctx, refused); waited != nil {
		return waited
	}
	if err != nil {
		return err
	}
	select {
	case err := <-c.done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-n.stop:
		return ErrStopped
	}
}

// errChangePending means that raft has refused a change, since another one is under way.
var errChangePending = errors.New("engine: another change of the membership is under way")

// proposeChange appends a change to the log.
func (l *loop) proposeChange(c *change, kind raftpb.ConfChangeType, id uint64, address string) error {
	if !l.node.view.Load().leads() {
		return ErrNotLeader
	}
	v2 := &raftpb.ConfChangeV2{
		Changes: []*raftpb.ConfChangeSingle{{Type: kind.Enum(), NodeId: new(id)}},
		Context: []byte(address),
	}
	if !l.members.now().permits(v2) {
		return fmt.Errorf("engine: server %d is the last voter", id)
	}
	kindOfEntry, data, err := raftpb.MarshalConfChange(v2)
	if err != nil {
		return err
	}
	entries := l.appendEntries(&raftpb.Message{
		Type: raftpb.MsgProp.Enum(), From: new(uint64(l.node.config.ID)),
		Entries: []*raftpb.Entry{{Type: kindOfEntry.Enum(), Data: data}},
	})
	if entries == nil {
		return ErrNotLeader
	}
	e := entries[0]
	if e.GetType() == raftpb.EntryNormal {
		return errChangePending // raft has put an empty entry in its place
	}
	c.index, c.term = e.GetIndex(), e.GetTerm()
	l.changes = append(l.changes, c)
	return nil
}

// applyChanges applies the changes of the membership among committed entries. It does not wait until the service has the
// commands before them: the membership is none of its business.
func (l *loop) applyChanges(entries []*raftpb.Entry) {
	for _, e := range entries {
		c, err := decodeChange(e)
		if err != nil {
			panic(fmt.Sprintf("entry %d holds no change of the membership: %v", e.GetIndex(), err))
		}
		if c == nil {
			continue
		}
		now := l.members.now()
		if now.permits(c) {
			next := now.changed(e.GetIndex(), c, l.raft.ApplyConfChange(c))
			l.members.add(next)
			l.node.setPeers(next.addresses)
			l.node.config.Logger.Info("membership changed", "voters", next.state.GetVoters(), "learners", next.state.GetLearners())
		}
		l.changes = slices.DeleteFunc(l.changes, func(c *change) bool {
			if c.index > e.GetIndex() {
				return false
			}
			var err error
			if c.index != e.GetIndex() || c.term != e.GetTerm() {
				err = errLostChange
			}
			c.done <- err
			return true
		})
	}
}

// failChanges answers all who wait for a change, on a server that does not lead any more.
func (l *loop) failChanges() {
	for _, c := range l.changes {
		c.done <- errLostChange
	}
	l.changes = nil
}
