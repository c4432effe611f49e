package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// hashicorpCluster uses the library's own in-memory transport, log store and snapshot store.
type hashicorpCluster struct {
	kind  kind
	rafts []*raft.Raft
}

func startHashicorp(ctx context.Context, w workload, machines []*machine) (cluster, error) {
	return startHashicorpCluster(ctx, w, machines, tuneHashicorp)
}

// startHashicorpDefault does not change the settings that affect speed.
func startHashicorpDefault(ctx context.Context, w workload, machines []*machine) (cluster, error) {
	return startHashicorpCluster(ctx, w, machines, func(*raft.Config, workload) {})
}

func startHashicorpCluster(ctx context.Context, w workload, machines []*machine, tune func(*raft.Config, workload)) (cluster, error) {
	transports, members := hashicorpNetwork(len(machines))
	c := &hashicorpCluster{kind: w.kind}
	for i, m := range machines {
		conf := hashicorpConfig(i, members[i].ID)
		tune(conf, w)
		store, snaps := raft.NewInmemStore(), raft.NewDiscardSnapshotStore()
		if err := raft.BootstrapCluster(conf, store, store, snaps, transports[i], raft.Configuration{Servers: members}); err != nil {
			return nil, errors.Join(err, c.shutdown())
		}
		r, err := raft.NewRaft(conf, hashicorpMachine{m}, store, store, snaps, transports[i])
		if err != nil {
			return nil, errors.Join(err, c.shutdown())
		}
		c.rafts = append(c.rafts, r)
	}
	if err := c.awaitLeader(ctx); err != nil {
		return nil, errors.Join(err, c.shutdown())
	}
	return c, nil
}

func hashicorpNetwork(servers int) ([]*raft.InmemTransport, []raft.Server) {
	transports := make([]*raft.InmemTransport, servers)
	members := make([]raft.Server, servers)
	for i := range transports {
		id := strconv.Itoa(i)
		_, transports[i] = raft.NewInmemTransport(raft.ServerAddress(id))
		members[i] = raft.Server{ID: raft.ServerID(id), Address: raft.ServerAddress(id)}
	}
	for i, t := range transports {
		for j, peer := range transports {
			if i != j {
				t.Connect(members[j].Address, peer)
			}
		}
	}
	return transports, members
}

// hashicorpConfig gives server 0 a short election timeout and the others a long one, so that server 0 leads for the whole
// run. Servers take no snapshots.
func hashicorpConfig(server int, id raft.ServerID) *raft.Config {
	conf := raft.DefaultConfig()
	conf.LocalID = id
	conf.Logger = hclog.NewNullLogger()
	conf.HeartbeatTimeout = 5 * time.Second
	if server == 0 {
		conf.HeartbeatTimeout = conf.LeaderLeaseTimeout
	}
	conf.ElectionTimeout = conf.HeartbeatTimeout
	conf.SnapshotInterval = 24 * time.Hour
	conf.SnapshotThreshold = 1 << 62
	return conf
}

// tuneHashicorp chooses the settings with which the library is fastest here.
func tuneHashicorp(conf *raft.Config, w workload) {
	conf.BatchApplyCh = true
	conf.MaxAppendEntries = outstanding
	if w.latency {
		conf.MaxAppendEntries = 8 // every request allocates room for this many
	}
}

func (c *hashicorpCluster) awaitLeader(ctx context.Context) error {
	select {
	case <-c.rafts[c.leader()].LeaderCh():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("no leader: %w", context.Cause(ctx))
	}
}

func (c *hashicorpCluster) leader() int { return 0 }

// submit ignores the future: the driver counts the commands that the machine applies, and a failed command is never
// applied.
func (c *hashicorpCluster) submit(seq int) error {
	c.rafts[c.leader()].Apply(c.kind.encode(seq), 0)
	return nil
}

func (c *hashicorpCluster) close() { must(c.shutdown()) }

func (c *hashicorpCluster) shutdown() error {
	var errs []error
	for _, r := range c.rafts {
		errs = append(errs, r.Shutdown().Error())
	}
	return errors.Join(errs...)
}

// hashicorpMachine makes a machine a BatchingFSM.
type hashicorpMachine struct{ *machine }

func (m hashicorpMachine) Apply(l *raft.Log) any {
	return m.ApplyBatch([]*raft.Log{l})[0]
}

func (m hashicorpMachine) ApplyBatch(logs []*raft.Log) []any {
	for _, l := range logs {
		if l.Type == raft.LogCommand {
			m.applyBytes(l.Data)
		}
	}
	m.flush()
	return make([]any, len(logs))
}

var errNoSnapshots = errors.New("this state machine takes no snapshots")

func (m hashicorpMachine) Snapshot() (raft.FSMSnapshot, error) { return nil, errNoSnapshots }
func (m hashicorpMachine) Restore(io.ReadCloser) error         { return errNoSnapshots }
