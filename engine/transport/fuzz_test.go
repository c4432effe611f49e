package transport

import (
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"slices"
	"testing"
	"time"

	"6.824/engine/internal/pipe"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// FuzzMessage passes bytes to a connection's decoder, and what it accepts to raft: no bytes may make either panic, except
// that raft must panic if a leader counts on entries that a follower has lost.
func FuzzMessage(f *testing.F) {
	for _, m := range []*raftpb.Message{
		message(raftpb.MsgApp, entry(11, 5)), message(raftpb.MsgVote), heartbeat(1, 2, 0), snapshot(1, 2),
		message(raftpb.MsgReadIndexResp, &raftpb.Entry{Data: make([]byte, 8)}), message(raftpb.MsgTimeoutNow),
	} {
		f.Add(marshal(f, m))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, kind := range []byte{kindMessages, kindSnapshot} {
			m, err := decodeMessage(b, kind, 1, 2)
			if err != nil || m.GetTerm() > 1<<60 || m.GetIndex() > 1<<60 || m.GetCommit() > 0 {
				continue
			}
			for _, storage := range []*raft.MemoryStorage{raft.NewMemoryStorage(), foundedStorage(t)} {
				stepOnly(t, storage, m)
			}
		}
	})
}

// foundedStorage returns what a server of a new cluster begins with. A server that joins one begins with nothing.
func foundedStorage(t *testing.T) *raft.MemoryStorage {
	s := raft.NewMemoryStorage()
	first := &raftpb.Snapshot{Metadata: &raftpb.SnapshotMetadata{
		Index: new(uint64(1)), Term: new(uint64(1)), ConfState: &raftpb.ConfState{Voters: []uint64{1, 2, 3}},
	}}
	if err := errors.Join(s.ApplySnapshot(first), s.SetHardState(&raftpb.HardState{Term: new(uint64(1)), Vote: new(uint64(0)), Commit: new(uint64(1))})); err != nil {
		t.Fatal(err)
	}
	return s
}

// stepOnly passes a message to a raft that has had none before.
func stepOnly(t *testing.T, storage *raft.MemoryStorage, m *raftpb.Message) {
	applied, err := storage.LastIndex()
	if err != nil {
		t.Fatal(err)
	}
	node, err := raft.NewRawNode(&raft.Config{
		ID: 2, ElectionTick: 10, HeartbeatTick: 1, Storage: storage, Applied: applied, AsyncStorageWrites: true,
		MaxInflightMsgs: 10, MaxSizePerMsg: 1 << 20, CheckQuorum: true, PreVote: true,
		Logger: &raft.DefaultLogger{Logger: log.New(io.Discard, "", 0)},
	})
	if err != nil {
		t.Fatal(err)
	}
	node.Step(proto.Clone(m).(*raftpb.Message))
	for node.HasReady() {
		node.Ready()
	}
}

// A judge is a handler that checks what a connection lets through.
type judge struct{ *testing.F }

func (j judge) Receive(m *raftpb.Message) {
	if err := errors.Join(checkMessage(m), checkWay(m)); err != nil || m.GetType() == raftpb.MsgSnap {
		panic(err)
	}
}

func (j judge) ReceiveSnapshot(m *raftpb.Message, data []byte) error {
	if err := errors.Join(checkMessage(m), checkWay(m)); err != nil || m.GetType() != raftpb.MsgSnap || len(data) > fuzzSnapshot {
		panic(err)
	}
	return nil
}

func checkWay(m *raftpb.Message) error {
	if m.GetFrom() != 1 || m.GetTo() != 2 {
		return errors.New("a message is from or to another server")
	}
	return nil
}

func (judge) Unreachable(uint64)         {}
func (judge) SnapshotSent(uint64, error) {}

// fuzzSnapshot is the largest snapshot that FuzzPeerPort's server takes.
const fuzzSnapshot = 1 << 10

// frames returns bodies as frames, one after the other.
func frames(bodies ...[]byte) (b []byte) {
	for _, body := range bodies {
		b = append(appendFrameHead(b, body), body...)
	}
	return b
}

// FuzzPeerPort sends bytes to a server's port for peers: as they are, or as what follows a good beginning, which the first
// byte chooses. The connection must end, and let through only messages that raft may see.
func FuzzPeerPort(f *testing.F) {
	beat, snap := marshal(f, heartbeat(1, 2, 0)), marshal(f, snapshot(1, 2))
	length := []byte{0, 0, 0, 0, 0, 0, 0, 3}
	messages, snapshots := hello{kindMessages, 1, 2, "c", ""}.encode(), hello{kindSnapshot, 1, 2, "c", ""}.encode()
	beginnings := [][]byte{nil, frames(messages), frames(snapshots), frames(snapshots, snap), frames(snapshots, snap, length)}
	f.Add(byte(0), []byte("GET / HTTP/1.1\r\n\r\n"), false)
	f.Add(byte(0), messages, true)
	f.Add(byte(0), frames(hello{kindMessages, 9, 2, "c", ""}.encode()), false)
	f.Add(byte(1), beat, true)
	f.Add(byte(1), frames(beat, beat, []byte{1}), false)
	f.Add(byte(2), snap, true)
	f.Add(byte(3), length, true)
	f.Add(byte(3), []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, true)
	f.Add(byte(4), []byte("abc"), true)
	f.Add(byte(4), frames([]byte("ab"), nil), false)
	l := pipe.NewListener()
	t, err := New(Options{
		ID: 2, Cluster: "c", Listener: l, MaxSnapshot: fuzzSnapshot, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Handler: judge{f},
		Dial: func(context.Context, string, string) (net.Conn, error) { return nil, net.ErrClosed },
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(t.Close)
	t.SetPeers(map[uint64]string{1: "nowhere"})
	f.Fuzz(func(t *testing.T, beginning byte, rest []byte, framed bool) {
		if framed {
			rest = frames(rest)
		}
		ours, conn := pipe.New()
		l.Conns <- conn
		go io.Copy(io.Discard, ours)
		ours.Write(slices.Concat(beginnings[int(beginning)%len(beginnings)], rest)) // fails if the server has closed it before
		ours.Close()
		select {
		case <-conn.Closed:
		case <-time.After(10 * time.Second):
			t.Fatal("the connection goes on")
		}
	})
}
