package engine

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.etcd.io/raft/v3/raftpb"
)

// A gatedDisk waits before it saves entries.
type gatedDisk struct {
	walFile
	wait func(entries []*raftpb.Entry)
}

func (d gatedDisk) Save(hard *raftpb.HardState, entries []*raftpb.Entry) error {
	d.wait(entries)
	return d.walFile.Save(hard, entries)
}

// TestMembership_leaderIsRemoved removes a leader that has not yet saved all commands behind its removal. When it has, it
// must not stop because it is no member.
func TestMembership_leaderIsRemoved(t *testing.T) {
	t.Parallel()
	var leader atomic.Int64
	var saved atomic.Bool // the removal, by the leader
	followers, behind := make(chan struct{}), make(chan struct{})
	c := newCluster(t, 3, func(config *Config) {
		config.Tick = 5 * testTick // the leader must stay
		config.wrap = func(w walFile) walFile {
			return gatedDisk{w, func(entries []*raftpb.Entry) {
				switch last := len(entries) - 1; {
				case leader.Load() == 0 || last < 0:
				case int(leader.Load()) != config.ID:
					<-followers
				case bytes.Contains(entries[last].GetData(), []byte("behind")):
					saved.Store(true)
					<-behind
				}
			}}
		}
	})
	c.one("a")
	old := c.leader()
	leader.Store(int64(old.id))
	removed := make(chan error, 1)
	go func() { removed <- old.RemoveServer(withTimeout(t), old.id) }()
	c.eventually("the removal is not saved", func() bool {
		last, _ := old.loop.storage.LastIndex()
		is := false
		old.do(func() { is = len(old.loop.changes) == 1 && old.loop.changes[0].index == last })
		return is
	})
	if _, _, ok := old.Start("behind"); !ok {
		t.Fatal("the leader does not lead any more")
	}
	c.eventually("the next command is not being saved", saved.Load)
	close(followers)
	if err := <-removed; err != nil {
		t.Fatal(err)
	}
	close(behind)
	c.eventually("the next command is not saved", func() bool {
		last, _ := old.loop.storage.LastIndex()
		at := uint64(0)
		old.do(func() { at = old.loop.positions.last() })
		return last == at || old.Err() != nil
	})
	leader.Store(0)
	c.leaderWithout(old).Start("c")
	c.kill(old.id) // which checks that it has not stopped by itself
	c.one("without it")
}

// leaderWithout waits until another server than old leads.
func (c *cluster) leaderWithout(old *server) (leader *server) {
	c.eventually("there is no other leader", func() bool {
		for _, s := range c.servers {
			if _, leads := s.GetState(); leads && s != old {
				leader = s
			}
		}
		return leader != nil
	})
	return leader
}

// A lockedBuffer is a buffer that many goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// TestSend_notForOthers shows that a server which leads no longer does not pass on what others have asked it: on its
// connection, nothing is believed but its own messages, and the connection would be lost.
func TestSend_notForOthers(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	c := newCluster(t, 3, func(config *Config) {
		config.Tick = 5 * testTick
		config.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	})
	c.one("a")
	leader, asked := c.leader(), c.follower()
	asker := 6 - leader.id - asked.id
	asked.do(func() {
		asked.loop.raft.Step(&raftpb.Message{
			Type: raftpb.MsgReadIndex.Enum(), From: new(uint64(asker)), To: new(uint64(asked.id)),
			Entries: []*raftpb.Entry{{Data: make([]byte, 8)}},
		})
		asked.loop.raft.TransferLeader(uint64(asker))
	})
	if _, err := asked.ReadIndex(withTimeout(t)); err != nil { // on the same connection
		t.Fatal(err)
	}
	if text := log.String(); strings.Contains(text, "refused a call") {
		t.Errorf("the log is\n%s", text)
	}
}
