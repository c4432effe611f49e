package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.etcd.io/raft/v3/raftpb"
)

// fill has n commands of about 1 KB agreed on.
func (c *cluster) fill(n int) {
	c.Helper()
	for leader := c.leader(); n > 0; {
		if _, _, ok := leader.Start(fmt.Sprint(n, strings.Repeat("x", 1000))); !ok {
			leader = c.leader()
			continue
		}
		n--
	}
	c.one("filled")
}

func (c *cluster) snapshotEvery(n int) {
	for _, s := range c.servers {
		s.record.snapshotEvery(n)
	}
}

func TestSnapshot_keepsTheLogSmall(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3, nil)
	c.snapshotEvery(50)
	c.fill(600)
	for _, s := range c.servers {
		c.eventually("the log of a server is still large", func() bool { return s.PersistBytes() < 60*1100 })
		c.eventually("a server keeps old files", func() bool {
			logs, _ := filesIn(filepath.Join(c.path(s.id), layout, "wal"), ".wal")
			snapshots, _ := filesIn(filepath.Join(c.path(s.id), layout, "snap"), "")
			return len(logs) <= 4 && len(snapshots) <= 2
		})
		c.eventually("the status does not tell of a snapshot", func() bool { return s.Status().SnapshotIndex > 0 })
	}
	for id := range 3 {
		c.kill(id + 1)
		c.start(id+1, false)
	}
	c.one("after restarts")
	c.checkSame()
	for _, s := range c.servers {
		c.eventually("the status does not count all commands", func() bool {
			status := s.Status()
			return status.LastIndex == s.record.last() && status.CommitIndex == s.record.last()
		})
	}
}

func TestSnapshot_isSentToAServerThatLagsBehind(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3, nil)
	c.one("first")
	away := c.follower()
	c.kill(away.id)
	c.snapshotEvery(100)
	c.fill(1300) // more than what a leader keeps for followers that are a little behind
	back := c.start(away.id, false)
	c.one("last")
	if back.record.received() == 0 {
		t.Error("the server that lagged behind got no snapshot")
	}
	c.checkSame()
	c.kill(away.id)
	c.start(away.id, false)
	c.one("after a restart from the snapshot that came from the leader")
	c.checkSame()
}

func TestSnapshot_tooEarly(t *testing.T) {
	c := newCluster(t, 1, nil)
	c.one("a")
	s := c.leader()
	s.Snapshot(0, nil) // covers nothing: ignored
	defer func() {
		if recover() == nil {
			t.Error("a snapshot of a command that was not applied was taken")
		}
	}()
	s.Snapshot(2, nil)
}

// A slowWAL takes long to save entries.
type slowWAL struct{ walFile }

func (w slowWAL) Save(hard *raftpb.HardState, entries []*raftpb.Entry) error {
	if len(entries) > 0 {
		time.Sleep(50 * time.Millisecond)
	}
	return w.walFile.Save(hard, entries)
}

// A server that is the only one may know less after a restart than it had confirmed before, until it has saved the first entry
// of its term. It answers no read before that.
func TestReadIndex_onlyServerRestarts(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1, func(config *Config) { config.wrap = func(w walFile) walFile { return slowWAL{w} } })
	c.one("a")
	c.one("b")
	c.kill(1)
	s := c.start(1, false)
	c.eventually("there is no answer to a read", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		defer cancel()
		got, err := s.ReadIndex(ctx)
		if err == nil && got < 2 {
			t.Fatalf("after a restart, ReadIndex returned %d; 2 commands were confirmed", got)
		}
		return err == nil
	})
}

func TestReadIndex(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3, nil)
	index := c.one("a")
	for _, s := range c.servers {
		if got, err := s.ReadIndex(withTimeout(t)); err != nil || got != index {
			t.Errorf("server %d: ReadIndex returned %d, error %v, want %d", s.id, got, err, index)
		}
	}
	left := c.leader()
	for id := range c.servers {
		if id != left.id {
			c.kill(id)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*testTick)
	defer cancel()
	if got, err := left.ReadIndex(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without a majority, ReadIndex returned %d, error %v", got, err)
	}
	c.start(left.id%3+1, false)
	if got, err := left.ReadIndex(withTimeout(t)); err != nil || got < index {
		t.Errorf("with a majority again, ReadIndex returned %d, error %v", got, err)
	}
	c.kill(left.id)
	if _, err := left.ReadIndex(withTimeout(t)); !errors.Is(err, ErrStopped) {
		t.Errorf("after Kill, ReadIndex returned the error %v", err)
	}
}

func TestTransferLeadership(t *testing.T) {
	c := newCluster(t, 3, nil)
	c.one("a")
	old := c.leader()
	to := c.follower()
	if err := old.TransferLeadership(withTimeout(t), to.id); err != nil {
		t.Fatal(err)
	}
	if now := c.leader(); now != to {
		t.Errorf("server %d leads, want %d", now.id, to.id)
	}
	if err := old.TransferLeadership(withTimeout(t), old.id); !errors.Is(err, ErrNotLeader) {
		t.Errorf("a follower's TransferLeadership returned %v", err)
	}
	if err := to.TransferLeadership(withTimeout(t), 9); err == nil {
		t.Error("the leadership went to a server that is no member")
	}
	c.one("b")
	c.checkSame()
}

func TestMembership(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3, nil)
	c.fill(300)
	if err := c.follower().AddServer(withTimeout(t), 4, "127.0.0.1:1"); !errors.Is(err, ErrNotLeader) {
		t.Errorf("a follower's AddServer returned %v", err)
	}
	c.add(4)
	c.one("with four")
	if err := c.leader().AddServer(withTimeout(t), 4, c.addresses[4]); err == nil {
		t.Error("a member was added again")
	}
	c.remove(c.leader().id)
	c.one("without the first leader")
	c.kill(4)
	c.start(4, false)
	c.one("after a restart of the new server")
	if got := c.leader().Status().Servers; len(got) != 3 {
		t.Errorf("the members are %+v", got)
	}
	for _, s := range c.leader().Status().Servers {
		if s.Learner || s.Address != c.addresses[s.ID] {
			t.Errorf("a member is %+v", s)
		}
	}
	c.eventually("a member is not active", func() bool { // the leader forgets that at each election timeout
		return !slices.ContainsFunc(c.leader().Status().Servers, func(s ServerStatus) bool { return !s.Active })
	})
	c.checkSame()
}

func TestMembership_lastVoter(t *testing.T) {
	c := newCluster(t, 1, nil)
	c.one("a")
	if err := c.leader().RemoveServer(withTimeout(t), 1); err == nil {
		t.Error("the last voter was removed")
	}
	if err := c.leader().RemoveServer(withTimeout(t), 2); err == nil {
		t.Error("a server that is no member was removed")
	}
	c.one("b")
}

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	c := newCluster(t, 1, func(config *Config) { config.Registerer = registry })
	c.one("a")
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		m := f.GetMetric()[0]
		values[f.GetName()] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
	}
	for name, want := range map[string]float64{"engine_is_leader": 1, "engine_applied_index": 1, "engine_proposals_total": 1} {
		if values[name] != want {
			t.Errorf("%s is %v, want %v", name, values[name], want)
		}
	}
	c.kill(1)
	if families, _ := registry.Gather(); len(families) != 0 {
		t.Errorf("%d metrics are left after Kill", len(families))
	}
}

func TestStart_followersRefuse(t *testing.T) {
	c := newCluster(t, 3, nil)
	c.one("a")
	if index, _, ok := c.follower().Start("b"); ok || index != -1 {
		t.Errorf("a follower's Start returned %d, %v", index, ok)
	}
	s := c.leader()
	c.kill(s.id)
	c.kill(s.id)
	begun := time.Now()
	if index, _, ok := s.Start("b"); ok || index != -1 || time.Since(begun) > time.Second {
		t.Errorf("after Kill, Start returned %d, %v", index, ok)
	}
	if _, leads := s.GetState(); leads {
		t.Error("a killed server says that it leads")
	}
}

func TestDirectory_isRefused(t *testing.T) {
	c := newCluster(t, 1, nil)
	c.one("a")
	refuse := func(name, want string, change func(*Config)) {
		t.Helper()
		config := c.config(1, false)
		config.Listen = "127.0.0.1:0"
		change(&config)
		n, err := Open(config, c.applyCh())
		if err == nil {
			n.Kill()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %v, want one about %q", name, err, want)
		}
	}
	refuse("in use", "another process", func(*Config) {})
	c.kill(1)
	refuse("another cluster's", "belongs to", func(config *Config) { config.Cluster = "other" })
	refuse("another member's", "belongs to", func(config *Config) { config.ID = 2; config.Peers = map[int]string{2: "127.0.0.1:1"} })
	if err := os.Rename(filepath.Join(c.path(1), layout), filepath.Join(c.path(1), "v9")); err != nil {
		t.Fatal(err)
	}
	refuse("another version's", "cannot read", func(*Config) {})
}
