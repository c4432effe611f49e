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

// etcdServer is what surrounds a node of etcd's: storage, network and state machine. It treats what
// the node has ready in the order of etcd's own example: append to the storage, send the messages,
// apply what is committed, advance.
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

// etcdLoop runs a server until its stop is closed. If elected isn't nil, the server stands for
// election and closes it as leader.
type etcdLoop func(s *etcdServer, elected chan struct{})

// startEtcd runs each node in one goroutine that does everything, by the RawNode interface.
func startEtcd(ctx context.Context, w workload, machines []*machine) (cluster, error) {
	return startEtcdCluster(ctx, w, machines, (*etcdServer).runRaw)
}

// startEtcdNode runs each node by the Node interface, which puts goroutines of its own in between.
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

// decode undoes what send does to a message.
func decode(b []byte) (m raftpb.Message) {
	must(m.Unmarshal(b))
	return m
}

func (s *etcdServer) handle(rd raft.Ready) {
	if !raft.IsEmptyHardState(rd.HardState) {
		must(s.storage.SetHardState(rd.HardState))
	}
	must(s.storage.Append(rd.Entries))
	for i := range rd.Messages {
		s.send(&rd.Messages[i])
	}
	for i := range rd.CommittedEntries {
		// An entry without data is the one that a new leader adds.
		if e := &rd.CommittedEntries[i]; len(e.Data) > 0 {
			s.machine.applyBytes(e.Data)
		}
	}
	if len(rd.CommittedEntries) > 0 {
		s.machine.flush()
	}
}

// send drops the message if the peer doesn't keep up, as a network would. The inbox has room for
// more than the flow control lets out.
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

// must stops the program on an error that only a mistake in this adapter could cause.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
