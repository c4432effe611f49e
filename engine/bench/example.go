package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"6.824/engine/internal/disk"
	"6.824/engine/transport"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"
)

// An example is a server with the loop that etcd's documentation of package raft and its example show: one goroutine takes
// a Ready, saves it with a sync, sends its messages, applies what is committed, and calls Advance. Another one proposes one
// command after the other. The write-ahead log and the transport are those of package engine, so that only the loop differs.
// The example takes no snapshots, since none is due in the time of a measurement.
type example struct {
	node      raft.Node
	storage   *raft.MemoryStorage
	log       disk.Log
	transport *transport.Transport
	proposals chan []byte
	apply     func([]byte)
	term      atomic.Int64
	role      atomic.Uint64 // raft.StateType
}

// The example's configuration, with the same ticks as package engine.
const (
	exampleTick      = 100 * time.Millisecond
	exampleElection  = 10
	exampleMessage   = 1 << 20
	exampleInflight  = 256
	exampleUnapplied = 1 << 30
)

func newExample(c childConfig, apply func([]byte)) (server, error) {
	w, err := wal.Create(zap.NewNop(), filepath.Join(c.Dir, "wal"), nil)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", c.Peers[c.ID])
	if err != nil {
		return nil, err
	}
	e := &example{storage: raft.NewMemoryStorage(), log: slowLog{w}, proposals: make(chan []byte), apply: apply}
	var peers []raft.Peer
	addresses := map[uint64]string{}
	for _, id := range slices.Sorted(maps.Keys(c.Peers)) {
		peers = append(peers, raft.Peer{ID: uint64(id)})
		addresses[uint64(id)] = c.Peers[id]
	}
	delete(addresses, uint64(c.ID))
	e.node = raft.StartNode(&raft.Config{
		ID: uint64(c.ID), ElectionTick: exampleElection, HeartbeatTick: 1, Storage: e.storage, MaxSizePerMsg: exampleMessage,
		MaxInflightMsgs: exampleInflight, MaxUncommittedEntriesSize: exampleUnapplied, Logger: &raft.DefaultLogger{Logger: log.New(io.Discard, "", 0)},
	}, peers)
	e.transport, err = transport.New(transport.Options{
		ID: uint64(c.ID), Cluster: "bench", Listener: listener, Dial: slowDial, MaxSnapshot: 1, Logger: quiet, Handler: e,
	})
	if err != nil {
		return nil, err
	}
	e.transport.SetPeers(addresses)
	go e.proposeAll()
	go e.run()
	return e, nil
}

// proposeAll is the goroutine that proposes.
func (e *example) proposeAll() {
	for command := range e.proposals {
		if err := e.node.Propose(context.Background(), command); err != nil {
			panic(err)
		}
	}
}

// run is the loop.
func (e *example) run() {
	ticker := time.NewTicker(exampleTick)
	for {
		select {
		case <-ticker.C:
			e.node.Tick()
		case rd := <-e.node.Ready():
			if err := e.log.Save(rd.HardState, rd.Entries); err != nil {
				panic(err)
			}
			if err := e.storage.Append(rd.Entries); err != nil {
				panic(err)
			}
			for _, m := range rd.Messages {
				e.transport.Send(m)
			}
			e.applyAll(rd.CommittedEntries)
			if rd.SoftState != nil {
				e.role.Store(uint64(rd.SoftState.RaftState))
			}
			if !raft.IsEmptyHardState(rd.HardState) {
				e.term.Store(int64(rd.HardState.GetTerm()))
			}
			e.node.Advance()
		}
	}
}

func (e *example) applyAll(entries []*raftpb.Entry) {
	for _, entry := range entries {
		switch {
		case entry.GetType() == raftpb.EntryConfChange:
			var c raftpb.ConfChange
			if err := proto.Unmarshal(entry.GetData(), &c); err != nil {
				panic(err)
			}
			e.node.ApplyConfChange(&c)
		case len(entry.GetData()) > 0:
			e.apply(entry.GetData())
		}
	}
}

func (e *example) state() (term int, leads bool) {
	return int(e.term.Load()), raft.StateType(e.role.Load()) == raft.StateLeader
}

func (e *example) propose(command []byte) error {
	e.proposals <- command
	return nil
}

func (e *example) read(context.Context) error {
	return errors.New("the example has no reads that ask a majority")
}

// Receive, ReceiveSnapshot, Unreachable and SnapshotSent make an example the transport's Handler.
func (e *example) Receive(m *raftpb.Message) { e.node.Step(context.Background(), m) }

func (e *example) ReceiveSnapshot(*raftpb.Message, []byte) error {
	return fmt.Errorf("the example takes no snapshots")
}

func (e *example) Unreachable(id uint64) { go e.node.ReportUnreachable(id) }

func (e *example) SnapshotSent(uint64, error) {}
