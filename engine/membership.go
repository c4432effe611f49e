package engine

import (
	"maps"
	"slices"

	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// A membership says which servers belong to the cluster, as of some entry of the log.
type membership struct {
	index     uint64            // raft index of the entry that made it so
	state     *raftpb.ConfState // never changed once it is here
	addresses map[uint64]string // of voters and learners; never changed once it is here
}

// memberships holds the membership that applies now and, behind the snapshot, all earlier ones: a snapshot needs the one
// of its last entry. It belongs to the loop.
type memberships struct {
	list []membership // in order of index; never empty
}

func (m *memberships) now() membership { return m.list[len(m.list)-1] }

// at returns the membership as of the entry at raft index, which must not be before the snapshot.
func (m *memberships) at(index uint64) membership {
	k := len(m.list) - 1
	for k > 0 && m.list[k].index > index {
		k--
	}
	return m.list[k]
}

func (m *memberships) add(next membership) { m.list = append(m.list, next) }

// compact forgets what only snapshots before the one at raft index would need.
func (m *memberships) compact(index uint64) {
	k := 0
	for k+1 < len(m.list) && m.list[k+1].index <= index {
		k++
	}
	m.list = slices.Clone(m.list[k:])
}

// changed returns the membership after a change at raft index that has led to state.
func (m membership) changed(index uint64, change *raftpb.ConfChangeV2, state *raftpb.ConfState) membership {
	next := membership{index: index, state: proto.Clone(state).(*raftpb.ConfState), addresses: maps.Clone(m.addresses)}
	for _, c := range change.GetChanges() {
		switch c.GetType() {
		case raftpb.ConfChangeRemoveNode:
			delete(next.addresses, c.GetNodeId())
		default:
			if address := string(change.GetContext()); address != "" {
				next.addresses[c.GetNodeId()] = address
			}
		}
	}
	return next
}

// permits reports whether the change leaves the cluster with a voter. Raft panics at a change that does not, so every
// server ignores such a change where it stands in the log.
func (m membership) permits(change *raftpb.ConfChangeV2) bool {
	left := slices.Clone(m.state.GetVoters())
	for _, c := range change.GetChanges() {
		if c.GetType() == raftpb.ConfChangeAddNode {
			left = append(left, c.GetNodeId())
		} else {
			left = slices.DeleteFunc(left, func(id uint64) bool { return id == c.GetNodeId() })
		}
	}
	return len(left) > 0
}

// decodeChange returns the change of the membership that an entry holds, or nil if it holds none.
func decodeChange(e *raftpb.Entry) (*raftpb.ConfChangeV2, error) {
	switch e.GetType() {
	case raftpb.EntryConfChange:
		c := &raftpb.ConfChange{}
		if err := proto.Unmarshal(e.GetData(), c); err != nil {
			return nil, err
		}
		return c.AsV2(), nil
	case raftpb.EntryConfChangeV2:
		c := &raftpb.ConfChangeV2{}
		return c, proto.Unmarshal(e.GetData(), c)
	}
	return nil, nil
}
