package raft

import (
	"context"
	"errors"
	"math/rand"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// begun begins a read, which must not be refused.
func begun(t testing.TB, rf *Raft) *read {
	t.Helper()
	r, err := rf.beginRead()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// mustWait fails the test if a read has ended, mustEnd if it has not ended with this error.
func mustWait(t testing.TB, r *read) {
	t.Helper()
	select {
	case err := <-r.done:
		t.Fatalf("the read has ended with %v", err)
	default:
	}
}

func mustEnd(t testing.TB, r *read, want error) {
	t.Helper()
	select {
	case err := <-r.done:
		mustEqual(t, "error", err, want)
	default:
		t.Fatal("the read still waits")
	}
}

// A readCluster is a quiet leader of term 1 and its quiet peers. Everybody has one entry, which is committed.
type readCluster struct {
	*Raft
	t     testing.TB
	peers []*Raft
}

func newReadCluster(t testing.TB, n int) *readCluster {
	t.Helper()
	c := &readCluster{newLeader(t, n, 1, nil), t, make([]*Raft, n)}
	c.Start("x")
	for id, f := range c.followers {
		if f != nil {
			c.peers[id] = newPeer(t, 1, 1, nil)
			c.peers[id].me = id
			c.exchange(id)
			c.exchange(id)
		}
	}
	mustEqual(t, "commitIndex", c.commitIndex, 1)
	return c
}

func (c *readCluster) exchange(id int)   { exchange(c.t, c.Raft, c.followers[id], c.peers[id]) }
func (c *readCluster) send(id int) *call { return sendNext(c.Raft, c.followers[id]) }
func (c *readCluster) reply(id int, k *call) {
	c.locked(func() { deliverCall(c.t, c.Raft, c.followers[id], c.peers[id], k) })
}
func (c *readCluster) due(id int) (due bool) {
	c.locked(func() { due = c.hasWorkLocked(c.followers[id]) })
	return due
}

func (c *readCluster) locked(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

func TestReadIndexNeedsAMajority(t *testing.T) {
	c := newReadCluster(t, 5)
	r := begun(t, c.Raft)
	mustEqual(t, "index", r.index, 1)
	c.exchange(1)
	mustWait(t, r)
	c.exchange(1) // the same server again
	mustWait(t, r)
	c.exchange(3)
	mustEnd(t, r, nil)
	one := newLeader(t, 1, 1, nil)
	one.Start("x")
	mustEnd(t, begun(t, one), nil)
}

// A reply to a message that was sent before the read began proves nothing: another server may have become leader, and committed,
// between the reply and the read.
func TestReadIndexCountsNoOlderReply(t *testing.T) {
	c := newReadCluster(t, 3)
	heartbeat, other := c.send(1), c.send(2)
	r := begun(t, c.Raft)
	c.reply(1, heartbeat)
	c.reply(2, other)
	mustWait(t, r)
	c.exchange(1)
	mustEnd(t, r, nil)
}

// A read does not join a round that is under way. It waits for the next one, which serves all that wait.
func TestReadIndexRounds(t *testing.T) {
	c := newReadCluster(t, 3)
	first := begun(t, c.Raft)
	mustEqual(t, "a message is due", c.due(1), true)
	round := c.send(1)
	mustEqual(t, "it is a heartbeat for the read", round.isHeartbeat() && round.round, true)
	mustEqual(t, "a second message is due", c.due(1), false)
	second, third := begun(t, c.Raft), begun(t, c.Raft)
	mustEqual(t, "a message is due while the round is under way", c.due(1), false)
	c.reply(1, round)
	mustEnd(t, first, nil)
	mustWait(t, second)
	mustEqual(t, "the next round is due", c.due(1), true)
	c.exchange(1)
	mustEnd(t, second, nil)
	mustEnd(t, third, nil)
	mustEqual(t, "a message is due when nobody waits", c.due(1), false)
}

// A round that is lost is sent again. A message with entries serves as a round.
func TestReadIndexLostRound(t *testing.T) {
	c := newReadCluster(t, 3)
	r := begun(t, c.Raft)
	lost := c.send(1)
	c.locked(func() { c.onReplyLocked(c.followers[1], lost, nil) })
	mustWait(t, r)
	mustEqual(t, "the round is due again", c.due(1), true)
	c.Start("y")
	entries := c.send(1)
	mustEqual(t, "it carries entries", entries.bytes > 0, true)
	c.reply(1, entries)
	mustEnd(t, r, nil)
}

// A peer that refuses a message without having handled it, such as a killed one, does not count.
func TestReadIndexCountsNoRefusal(t *testing.T) {
	c := newReadCluster(t, 3)
	r := begun(t, c.Raft)
	c.peers[1].killed = true
	c.exchange(1)
	mustWait(t, r)
	c.peers[1].killed = false
	c.exchange(1)
	mustEnd(t, r, nil)
}

func TestReadIndexErrors(t *testing.T) {
	c := newReadCluster(t, 3)
	r := begun(t, c.Raft)
	c.peers[1].becomeFollowerLocked(2)
	c.exchange(1)
	mustEnd(t, r, ErrDeposed)
	_, err := c.ReadIndex(context.Background())
	mustEqual(t, "error of a follower", err, ErrNotLeader)
	leader := newLeader(t, 3, 2, from(1).terms(1))
	_, err = leader.ReadIndex(context.Background())
	mustEqual(t, "error of a new leader", err, ErrNotReady)
	leader.Start("x")
	_, err = leader.ReadIndex(context.Background())
	mustEqual(t, "error before its entry is committed", err, ErrNotReady)

	c = newReadCluster(t, 3)
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err = c.ReadIndex(ctx)
	mustEqual(t, "error of a context", errors.Is(err, context.DeadlineExceeded), true)
	mustEqual(t, "waiting reads", len(c.reads.waiting), 0)
	mustEqual(t, "a message is due", c.due(1), false)
}

// Many callers at once need few messages. Kill ends them all.
func TestReadIndexMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, 3, MakePersister())
		defer s.end()
		s.lead()
		s.start("x")
		time.Sleep(50 * time.Millisecond)
		s.sentTo(1)
		read := func(n int) (failed int) {
			var all sync.WaitGroup
			errs := make([]error, n)
			for k := range n {
				all.Go(func() { _, errs[k] = s.rf.ReadIndex(t.Context()) })
			}
			all.Wait()
			for _, err := range errs {
				if err != nil {
					failed++
				}
			}
			return failed
		}
		begun := time.Now()
		mustEqual(t, "failed reads", read(1000), 0)
		mustEqual(t, "time", time.Since(begun) <= 4*time.Millisecond, true) // two rounds of two milliseconds
		if n := len(s.sentTo(1)); n > 2 {
			t.Errorf("%d messages to a peer for 1000 reads at once", n)
		}
		s.intercept(loseAll)
		go func() { time.Sleep(time.Millisecond); s.rf.Kill() }()
		mustEqual(t, "failed reads of a killed server", read(10), 10)
	})
}

// Whatever happens in the cluster, an index covers all that was committed before the call.
func TestReadIndexIsRecent(t *testing.T) {
	lab(t, func(t *testing.T) {
		cfg := setup{n: 5, unreliable: true}.start(t)
		defer cfg.cleanup()
		cfg.one("first", 5, true)
		done, ends := make(chan struct{}), sync.WaitGroup{}
		good := make([]int, cfg.n)
		for i := range cfg.n {
			ends.Go(func() { good[i] = cfg.readAll(i, done) })
		}
		for k := range 150 {
			i := rand.Intn(cfg.n)
			cfg.disconnect(i)
			cfg.submit(k, rand.Intn(cfg.n))
			cfg.sleep(time.Duration(rand.Intn(300)) * time.Millisecond)
			cfg.connect(i)
			cfg.submit(-k, rand.Intn(cfg.n))
			cfg.sleep(time.Duration(rand.Intn(100)) * time.Millisecond)
		}
		close(done)
		ends.Wait()
		total := 0
		for _, n := range good {
			total += n
		}
		if total < 100 {
			t.Errorf("only %v reads succeeded", good)
		}
	})
}

// readAll reads from a server until done is closed, and checks each index. It returns how many reads have succeeded.
func (cfg *config) readAll(i int, done <-chan struct{}) (good int) {
	for {
		select {
		case <-done:
			return good
		case <-time.After(time.Duration(1+rand.Intn(20)) * time.Millisecond):
		}
		committed := cfg.watch.committedIndex()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		index, err := cfg.raft(i).ReadIndex(ctx)
		cancel()
		if err == nil {
			good++
			if index < committed {
				cfg.t.Errorf("server %d: a read may use index %d, but %d was committed before", i, index, committed)
			}
		}
	}
}

// committedIndex returns the highest index that a leader has committed.
func (w *watch) committedIndex() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.committed) - 1
}
