package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"sync"
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

const etcdTick = 100 * time.Millisecond

// etcdServer has what an etcd node needs around it: storage, network and state machine. It handles a Ready in the order of
// etcd's own example: append to the storage, send the messages, apply the committed entries, advance.
type etcdServer struct {
	id        uint64
	storage   *raft.MemoryStorage
	machine   *machine
	inbox     chan []byte // marshalled messages
	proposals chan []byte
	stop      chan struct{}
	peers     []*etcdServer
}

type etcdCluster struct {
	kind    kind
	servers []*etcdServer
	running sync.WaitGroup
}

// etcdLoop runs a server until its stop is closed. If elected is not nil, the server starts an election and closes elected
// when it leads.
type etcdLoop func(s *etcdServer, elected chan struct{})

// startEtcd runs each node in a single goroutine, with the RawNode interface.
func startEtcd(ctx context.Context, w workload, machines []*machine) (cluster, error) {
	return startEtcdCluster(ctx, w, machines, (*etcdServer).runRaw)
}

// startEtcdNode runs each node with the Node interface, which adds goroutines of its own.
func startEtcdNode(ctx context.Context, w workload, machines []*machine) (cluster, error) {
	return startEtcdCluster(ctx, w, machines, (*etcdServer).runNode)
}

func startEtcdCluster(ctx context.Context, w workload, machines []*machine, loop etcdLoop) (cluster, error) {
	c := &etcdCluster{kind: w.kind, servers: make([]*etcdServer, len(machines))}
	voters := make([]uint64, len(machines))
	for i := range voters {
		voters[i] = uint64(i + 1)
	}
	for i, m := range machines {
		s, err := newEtcdServer(voters[i], voters, m)
		if err != nil {
			return nil, err
		}
		s.peers = c.servers
		c.servers[i] = s
	}
	elected := make(chan struct{})
	for i, s := range c.servers {
		var onLeader chan struct{}
		if i == c.leader() {
			onLeader = elected
		}
		c.running.Go(func() { loop(s, onLeader) })
	}
	select {
	case <-elected:
		return c, nil
	case <-ctx.Done():
		c.close()
		return nil, fmt.Errorf("no leader: %w", context.Cause(ctx))
	}
}

func newEtcdServer(id uint64, voters []uint64, m *machine) (*etcdServer, error) {
	storage := raft.NewMemoryStorage()
	var first raftpb.Snapshot
	first.Metadata = raftpb.SnapshotMetadata{ConfState: raftpb.ConfState{Voters: voters}, Index: 1, Term: 1}
	if err := storage.ApplySnapshot(first); err != nil {
		return nil, err
	}
	return &etcdServer{
		id:        id,
		storage:   storage,
		machine:   m,
		inbox:     make(chan []byte, 4096),
		proposals: make(chan []byte, outstanding),
		stop:      make(chan struct{}),
	}, nil
}

func etcdConfig(id uint64, storage raft.Storage) *raft.Config {
	return &raft.Config{
		ID:                        id,
		ElectionTick:              10,
		HeartbeatTick:             1,
		Storage:                   storage,
		Applied:                   1,
		MaxSizePerMsg:             1 << 20,
		MaxInflightMsgs:           256,
		MaxUncommittedEntriesSize: 1 << 30,
		Logger:                    &raft.DefaultLogger{Logger: log.New(io.Discard, "", 0)},
	}
}

// decode unmarshals a message from the inbox.
func decode(b []byte) (m raftpb.Message) {
	must(m.Unmarshal(b))
	return m
}

// handle does what rd asks for, except for advancing the node.
func (s *etcdServer) handle(rd raft.Ready) {
	if !raft.IsEmptyHardState(rd.HardState) {
		must(s.storage.SetHardState(rd.HardState))
	}
	must(s.storage.Append(rd.Entries))
	for i := range rd.Messages {
		s.send(&rd.Messages[i])
	}
	for i := range rd.CommittedEntries {
		// A new leader adds an entry without data.
		if e := &rd.CommittedEntries[i]; len(e.Data) > 0 {
			s.machine.applyBytes(e.Data)
		}
	}
	if len(rd.CommittedEntries) > 0 {
		s.machine.flush()
	}
}

// send drops the message if the peer's inbox is full, as a network would. The inbox has room for more messages than the
// flow control allows.
func (s *etcdServer) send(m *raftpb.Message) {
	b, err := m.Marshal()
	must(err)
	select {
	case s.peers[m.To-1].inbox <- b:
	default:
	}
}

func (c *etcdCluster) leader() int { return 0 }

func (c *etcdCluster) submit(seq int) error {
	c.servers[c.leader()].proposals <- c.kind.encode(seq)
	return nil
}

func (c *etcdCluster) close() {
	for _, s := range c.servers {
		close(s.stop)
	}
	c.running.Wait()
}

// must panics on an error, which only a mistake in this program can cause.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
