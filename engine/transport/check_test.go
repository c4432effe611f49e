package transport

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

func marshal(t testing.TB, m *raftpb.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func entry(index, term uint64) *raftpb.Entry { return &raftpb.Entry{Index: &index, Term: &term} }

// message returns a message of term 5 after entry 10 of term 3.
func message(kind raftpb.MessageType, entries ...*raftpb.Entry) *raftpb.Message {
	return &raftpb.Message{
		Type: kind.Enum(), From: new(uint64(1)), To: new(uint64(2)), Term: new(uint64(5)),
		Index: new(uint64(10)), LogTerm: new(uint64(3)), Entries: entries,
	}
}

func changeEntry(t testing.TB, index uint64, nodes ...uint64) *raftpb.Entry {
	c := &raftpb.ConfChangeV2{}
	for _, id := range nodes {
		c.Changes = append(c.Changes, &raftpb.ConfChangeSingle{Type: raftpb.ConfChangeAddNode.Enum(), NodeId: &id})
	}
	data, err := proto.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	e := entry(index, 5)
	e.Type, e.Data = raftpb.EntryConfChangeV2.Enum(), data
	return e
}

func with(m *raftpb.Message, change func(*raftpb.Message)) *raftpb.Message {
	change(m)
	return m
}

func TestCheckMessage(t *testing.T) {
	for name, m := range map[string]*raftpb.Message{
		"append":            message(raftpb.MsgApp, entry(11, 3), entry(12, 5)),
		"append nothing":    message(raftpb.MsgApp),
		"append a change":   message(raftpb.MsgApp, changeEntry(t, 11, 4)),
		"vote":              message(raftpb.MsgVote),
		"heartbeat":         message(raftpb.MsgHeartbeat),
		"read":              with(message(raftpb.MsgReadIndex, &raftpb.Entry{Data: make([]byte, 8)}), func(m *raftpb.Message) { m.Term = nil }),
		"snapshot":          snapshot(1, 2),
		"heartbeat context": with(message(raftpb.MsgHeartbeatResp), func(m *raftpb.Message) { m.Context = make([]byte, 8) }),
	} {
		if err := checkMessage(m); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, m := range map[string]*raftpb.Message{
		"gap":                    message(raftpb.MsgApp, entry(12, 5)),
		"falling term":           message(raftpb.MsgApp, entry(11, 2)),
		"term of the future":     message(raftpb.MsgApp, entry(11, 6)),
		"old kind of change":     message(raftpb.MsgApp, with1(changeEntry(t, 11, 4))),
		"damaged change":         message(raftpb.MsgApp, with2(changeEntry(t, 11, 4))),
		"two changes":            message(raftpb.MsgApp, changeEntry(t, 11, 4, 5)),
		"no change":              message(raftpb.MsgApp, changeEntry(t, 11)),
		"change of nobody":       message(raftpb.MsgApp, changeEntry(t, 11, 0)),
		"no term":                with(message(raftpb.MsgApp), func(m *raftpb.Message) { m.Term = nil }),
		"proposal":               message(raftpb.MsgProp, entry(11, 5)),
		"local message":          message(raftpb.MsgHup),
		"storage":                message(raftpb.MsgStorageAppendResp),
		"unreachable":            message(raftpb.MsgUnreachable),
		"unknown type":           message(raftpb.MessageType(99)),
		"responses":              with(message(raftpb.MsgApp), func(m *raftpb.Message) { m.Responses = []*raftpb.Message{{}} }),
		"heartbeat with entries": message(raftpb.MsgHeartbeat, entry(11, 5)),
		"context":                with(message(raftpb.MsgHeartbeatResp), func(m *raftpb.Message) { m.Context = []byte{1} }),
		"read without number":    message(raftpb.MsgReadIndex),
		"snapshot without term":  with(snapshot(1, 2), func(m *raftpb.Message) { m.Snapshot.Metadata.Term = nil }),
		"snapshot of nobody":     with(snapshot(1, 2), func(m *raftpb.Message) { m.Snapshot.Metadata.ConfState = nil }),
		"member twice":           with(snapshot(1, 2), func(m *raftpb.Message) { m.Snapshot.Metadata.ConfState.Learners = []uint64{1} }),
		"members that change":    with(snapshot(1, 2), func(m *raftpb.Message) { m.Snapshot.Metadata.ConfState.VotersOutgoing = []uint64{1} }),
	} {
		if err := checkMessage(m); err == nil {
			t.Errorf("%s: it was accepted", name)
		}
	}
}

func with1(e *raftpb.Entry) *raftpb.Entry { e.Type = raftpb.EntryConfChange.Enum(); return e }
func with2(e *raftpb.Entry) *raftpb.Entry { e.Data = []byte{0xff}; return e }

func TestFrame(t *testing.T) {
	for _, n := range []int{0, 1, maxUnproven, maxUnproven + 1, 1 << 20} {
		var b bytes.Buffer
		body := bytes.Repeat([]byte{7}, n)
		if err := writeFrame(&b, body); err != nil {
			t.Fatal(err)
		}
		whole := b.Bytes()
		if got, err := readFrame(bytes.NewReader(whole), MaxFrame); err != nil || !bytes.Equal(got, body) {
			t.Errorf("a frame of %d bytes: error %v", n, err)
		}
		if n == 0 {
			continue
		}
		if _, err := readFrame(bytes.NewReader(whole), n-1); err == nil {
			t.Errorf("a frame of %d bytes was read with a lower limit", n)
		}
		for _, cut := range []int{1, frameHead, len(whole) - 1} {
			if _, err := readFrame(bytes.NewReader(whole[:cut]), MaxFrame); err != io.ErrUnexpectedEOF {
				t.Errorf("the first %d bytes of a frame of %d: error %v", cut, n, err)
			}
		}
		whole[len(whole)-1]++
		if _, err := readFrame(bytes.NewReader(whole), MaxFrame); err == nil || !strings.Contains(err.Error(), "checksum") {
			t.Errorf("a damaged frame: error %v", err)
		}
	}
	var b bytes.Buffer
	if err := writeFrame(&b, []byte("body")); err != nil {
		t.Fatal(err)
	}
	for bit := range frameHead * 8 { // a receiver must not wait for more bytes
		damaged := bytes.Clone(b.Bytes())
		damaged[bit/8] ^= 1 << (bit % 8)
		if _, err := readFrame(bytes.NewReader(damaged), MaxFrame); err == nil || !strings.Contains(err.Error(), "checksum of a frame's head") {
			t.Errorf("bit %d of a frame's head is wrong: error %v", bit, err)
		}
	}
	if err := writeFrame(io.Discard, make([]byte, MaxFrame+1)); err == nil {
		t.Error("a frame that is too long was written")
	}
}
