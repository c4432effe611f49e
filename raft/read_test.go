package raft

import (
	"context"
	"math/rand"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A begunRead is a read that has begun.
type begunRead struct {
	*round
	index int
}

// begun begins a read, which must not be refused.
func begun(t testing.TB, rf *Raft) begunRead {
	t.Helper()
	index, r, err := rf.beginRead()
	if err != nil {
		t.Fatal(err)
	}
	return begunRead{r, index}
}

// mustWait fails the test if a read has ended, mustEnd if it has not ended with this error.
func mustWait(t testing.TB, r begunRead) {
	t.Helper()
	select {
	case <-r.done:
		t.Fatalf("the read has ended with %v", r.err)
	default:
	}
}

func mustEnd(t testing.TB, r begunRead, want error) {
	t.Helper()
	select {
	case <-r.done:
		mustEqual(t, "error", r.err, want)
	default:
		t.Fatal("the read still waits")
	}
}

// readError returns the error of a read that must end soon.
func readError(t testing.TB, ctx context.Context, rf *Raft) error {
	t.Helper()
	ended := make(chan error, 1)
	go func() {
		_, err := rf.ReadIndex(ctx)
		ended <- err
	}()
	select {
	case err := <-ended:
		return err
	case <-time.After(5 * time.Second):
		t.Fatal("a read does not end")
		return nil
	}
}

// A readCluster is a quiet leader of term 1 and its quiet peers. Everybody has one entry, which is committed.
type readCluster struct {
	*Raft
	t     testing.TB
	peers []*Raft
}

func newReadCluster(t testing.TB, n int, opts ...Option) *readCluster {
	t.Helper()
	c := &readCluster{newLeader(t, n, 1, nil, opts...), t, make([]*Raft, n)}
	c.Start("x")
	for id, f := range c.followers {
		if f != nil {
			c.peers[id] = newPeer(t, id, 1, nil)
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

// A read needs answers from so many peers that they are a majority with the leader, and each peer counts once.
func TestReadIndexNeedsAMajority(t *testing.T) {
	for n := 1; n <= 6; n++ {
		c := newReadCluster(t, n)
		r := begun(t, c.Raft)
		mustEqual(t, "index", r.index, 1)
		for id := 1; id <= n/2; id++ {
			if id > 1 {
				c.exchange(1) // the same peer again
			}
			mustWait(t, r)
			c.exchange(id)
		}
		mustEnd(t, r, nil)
		mustEqual(t, "waiting", len(c.reads.waiting), 0)
	}
}

// A reply to a message that was sent before the read began proves nothing: another server may have become leader, and may
// have committed, between the reply and the read.
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
	mustEqual(t, "it is a heartbeat", round.isHeartbeat(), true)
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
	mustEqual(t, "rounds in a row with one read", c.reads.crowd.singles.Load(), 0)
	fourth := begun(t, c.Raft)
	c.exchange(1)
	mustEnd(t, fourth, nil)
	mustEqual(t, "rounds in a row with one read", c.reads.crowd.singles.Load(), 1)

	c = newReadCluster(t, 5)
	first = begun(t, c.Raft)
	round = c.send(1)
	begun(t, c.Raft)
	c.reply(1, round)
	mustWait(t, first)
	mustEqual(t, "the next round is due while the first waits for others", c.due(1), true)
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

// Whatever the follower has processed counts: a heartbeat on an ordered link, a snapshot, and entries for which it has no
// room, since its service is behind.
func TestReadIndexCountsEveryAnswer(t *testing.T) {
	for _, link := range []Link{LinkOrdered, LinkPerMessage, LinkPool(1), LinkPool(3)} {
		c := newReadCluster(t, 3, WithLink(link))
		r := begun(t, c.Raft)
		c.exchange(1)
		mustEnd(t, r, nil)

		c.peers[1].options.maxBacklog, c.peers[1].lastApplied = 1, 0
		c.exchange(1) // so that it learns of the commit
		c.Start("y")
		r = begun(t, c.Raft)
		c.exchange(1)
		mustEqual(t, "the follower is full", c.followers[1].backlogFull, true)
		mustEnd(t, r, nil)

		c.peers[2] = newPeer(t, 2, 1, nil)
		c.Snapshot(1, []byte("state"))
		c.locked(func() { c.followers[2].matchIndex, c.followers[2].nextIndex = 0, 1 })
		r = begun(t, c.Raft)
		snapshot := c.send(2)
		mustEqual(t, "a snapshot is sent", snapshot.isSnapshot(), true)
		c.reply(2, snapshot)
		mustEnd(t, r, nil)
	}
}

// While entries are in flight that were sent before the read, a heartbeat is sent for it. Entries that are sent after it
// need no heartbeat. Neither does a peer that does not answer.
func TestReadIndexBesideEntries(t *testing.T) {
	c := newReadCluster(t, 3)
	c.Start("y")
	c.send(1)
	mustEqual(t, "a message is due", c.due(1), false)
	first := begun(t, c.Raft)
	mustEqual(t, "a message is due for the read", c.due(1), true)
	mustEqual(t, "it is a heartbeat", c.send(1).isHeartbeat(), true)
	mustEqual(t, "the other entries carry it", c.send(2).bytes > 0, true)
	mustEqual(t, "a message is due to the other", c.due(2), false)
	mustWait(t, first)

	c = newReadCluster(t, 3)
	begun(t, c.Raft)
	c.locked(func() { c.followers[1].failures = maxFailures })
	mustEqual(t, "a message is due to a silent peer", c.due(1), false)
}

// A leader that was deposed and elected again counts no answer to its old term, and the old read has ended.
func TestReadIndexOfALaterTerm(t *testing.T) {
	c := newReadCluster(t, 3)
	old, late := begun(t, c.Raft), c.send(1)
	c.locked(func() {
		c.becomeFollowerLocked(2)
		c.becomeCandidateLocked()
		c.becomeLeaderLocked()
	})
	mustEnd(t, old, ErrDeposed)
	c.Start("y")
	c.exchange(1)
	c.exchange(1)
	mustEqual(t, "commitIndex", c.commitIndex, 2)
	r := begun(t, c.Raft)
	mustEqual(t, "index", r.index, 2)
	c.locked(func() {
		c.onCallReturnLocked(c.followers[1], late, &AppendEntriesReply{Term: 1, Success: true})
	})
	mustWait(t, r)
	c.locked(func() { c.stepDownLocked() }) // no majority answers it: the term stays
	mustEnd(t, r, ErrDeposed)
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
	mustEqual(t, "error of a follower", readError(t, context.Background(), c.Raft), ErrNotLeader)
	leader := newLeader(t, 3, 2, from(1).terms(1))
	mustEqual(t, "error of a new leader", readError(t, context.Background(), leader), ErrNotReady)
	leader.Start("x")
	mustEqual(t, "error before its entry is committed", readError(t, context.Background(), leader), ErrNotReady)
}

// A read whose context is done leaves the others of its round alone, and the last one ends the round. If the context is done
// before the call, there is no round.
func TestReadIndexContext(t *testing.T) {
	c := newReadCluster(t, 3)
	r := begun(t, c.Raft)
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	for range 2 {
		mustEqual(t, "error", readError(t, ctx, c.Raft), context.DeadlineExceeded)
		mustEqual(t, "waiting reads", r.readers, 1)
	}
	mustEqual(t, "a message is due", c.due(1), true)
	c.giveUpRead(r.round)
	mustEqual(t, "rounds", len(c.reads.waiting), 0)
	mustEqual(t, "a message is due when nobody waits", c.due(1), false)

	first := begun(t, c.Raft)
	c.exchange(1)
	mustEnd(t, first, nil)
	next := begun(t, c.Raft)
	c.giveUpRead(first.round) // its context was done at the same time
	mustEqual(t, "rounds", len(c.reads.waiting), 1)
	c.exchange(1)
	mustEnd(t, next, nil)
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
		rounds := 150
		if !virtualClock() {
			rounds = 15
		}
		for k := range rounds {
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
		if total < rounds {
			t.Errorf("only %v reads succeeded", good)
		}
	})
}

// readAll reads from a server until done is closed, under the watch. It returns how many reads have succeeded.
func (cfg *config) readAll(i int, done <-chan struct{}) (good int) {
	for {
		select {
		case <-done:
			return good
		case <-time.After(time.Duration(1+rand.Intn(20)) * time.Millisecond):
		}
		rf := cfg.raft(i)
		if rf == nil { // the test has failed
			return good
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		if _, err := cfg.watch.readIndex(ctx, rf); err == nil {
			good++
		}
		cancel()
	}
}
