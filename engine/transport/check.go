package transport

import (
	"errors"
	"fmt"

	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// Raft takes for granted that its peers run raft: messages that raft never sends can make it panic. So a message must look
// like one that raft sends.

// decodeMessage decodes a message of the kind that a connection from one server to another carries.
func decodeMessage(b []byte, kind byte, from, to uint64) (*raftpb.Message, error) {
	m := &raftpb.Message{}
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(b, m); err != nil { // raft panics at some unknown fields
		return nil, err
	}
	if m.GetFrom() != from || m.GetTo() != to {
		return nil, fmt.Errorf("a message from %d to %d came on the connection from %d to %d", m.GetFrom(), m.GetTo(), from, to)
	}
	if (m.GetType() == raftpb.MsgSnap) != (kind == kindSnapshot) {
		return nil, fmt.Errorf("a %s came on the wrong kind of connection", m.GetType())
	}
	return m, checkMessage(m)
}

// checkMessage returns an error if raft never sends such a message.
func checkMessage(m *raftpb.Message) error {
	if len(m.GetResponses()) > 0 {
		return errors.New("a message with responses came from a peer")
	}
	if len(m.GetEntries()) > 0 && m.GetType() != raftpb.MsgApp && m.GetType() != raftpb.MsgReadIndex && m.GetType() != raftpb.MsgReadIndexResp {
		return fmt.Errorf("a %s came with entries", m.GetType())
	}
	switch m.GetType() {
	case raftpb.MsgApp:
		return checkEntries(m)
	case raftpb.MsgSnap:
		return checkSnapshot(m)
	case raftpb.MsgHeartbeat, raftpb.MsgHeartbeatResp:
		if n := len(m.GetContext()); n != 0 && n != 8 {
			return fmt.Errorf("a %s came with a context of %d bytes", m.GetType(), n)
		}
	case raftpb.MsgReadIndex, raftpb.MsgReadIndexResp:
		if len(m.GetEntries()) != 1 || m.GetEntries()[0] == nil || len(m.GetEntries()[0].GetData()) != 8 {
			return fmt.Errorf("a %s came without its number", m.GetType())
		}
		if m.GetType() == raftpb.MsgReadIndex {
			return nil // has no term
		}
	case raftpb.MsgAppResp, raftpb.MsgVote, raftpb.MsgVoteResp, raftpb.MsgPreVote, raftpb.MsgPreVoteResp, raftpb.MsgTimeoutNow:
	case raftpb.MsgTransferLeader:
		return nil // has no term
	default:
		return fmt.Errorf("a %s came from a peer", m.GetType())
	}
	return checkTerm(m)
}

// checkTerm returns an error if the message has no term: raft takes such messages for its own.
func checkTerm(m *raftpb.Message) error {
	if m.GetTerm() == 0 {
		return fmt.Errorf("a %s came without a term", m.GetType())
	}
	return nil
}

// checkEntries checks the entries of a MsgApp: each follows the one before.
func checkEntries(m *raftpb.Message) error {
	index, term := m.GetIndex(), m.GetLogTerm()
	for _, e := range m.GetEntries() {
		index++
		if e.GetIndex() != index || e.GetTerm() < term || e.GetTerm() == 0 || e.GetTerm() > m.GetTerm() {
			return fmt.Errorf("a MsgApp of term %d has entry %d of term %d where %d of term %d or later should be",
				m.GetTerm(), e.GetIndex(), e.GetTerm(), index, term)
		}
		term = e.GetTerm()
		if e.GetType() == raftpb.EntryNormal {
			continue
		}
		if err := checkChange(e); err != nil {
			return fmt.Errorf("entry %d holds no change of the membership: %w", index, err)
		}
	}
	return checkTerm(m)
}

// checkChange checks an entry that changes the membership. The engine makes only changes of one server at a time.
func checkChange(e *raftpb.Entry) error {
	c := &raftpb.ConfChangeV2{}
	if e.GetType() != raftpb.EntryConfChangeV2 {
		return fmt.Errorf("it is of type %s", e.GetType())
	}
	if err := proto.Unmarshal(e.GetData(), c); err != nil {
		return err
	}
	if len(c.GetChanges()) != 1 || c.GetChanges()[0] == nil || c.GetChanges()[0].GetNodeId() == 0 || c.GetTransition() != raftpb.ConfChangeTransitionAuto {
		return errors.New("it does not change one server")
	}
	return nil
}

// checkSnapshot checks a MsgSnap, which has no data but the head of the snapshot.
func checkSnapshot(m *raftpb.Message) error {
	meta := m.GetSnapshot().GetMetadata()
	if meta.GetIndex() == 0 || meta.GetTerm() == 0 || meta.GetTerm() > m.GetTerm() {
		return fmt.Errorf("a MsgSnap of term %d came with a snapshot at entry %d of term %d", m.GetTerm(), meta.GetIndex(), meta.GetTerm())
	}
	c := meta.GetConfState()
	if len(c.GetVoters()) == 0 || len(c.GetVotersOutgoing()) > 0 || len(c.GetLearnersNext()) > 0 || c.GetAutoLeave() {
		return errors.New("a MsgSnap came without members, or with ones that change")
	}
	seen := map[uint64]bool{0: true}
	for _, ids := range [][]uint64{c.GetVoters(), c.GetLearners()} {
		for _, id := range ids {
			if seen[id] {
				return fmt.Errorf("a MsgSnap came with server %d twice, or with number 0", id)
			}
			seen[id] = true
		}
	}
	return checkTerm(m)
}
