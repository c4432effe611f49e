package raft

import (
	"context"
	"fmt"
	"math/rand"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A reading is a call of ReadIndex in another goroutine.
type reading struct{ done chan string }

// startReading calls ReadIndex and waits until it waits.
func startReading(ctx context.Context, rf *Raft) reading {
	r := reading{make(chan string, 1)}
	go func() {
		index, err := rf.ReadIndex(ctx)
		if err != nil {
			r.done <- err.Error()
			return
		}
		r.done <- fmt.Sprint(index)
	}()
	synctest.Wait()
	return r
}

// result returns the index or the error, or "waits".
func (r reading) result() string {
	synctest.Wait()
	select {
	case text := <-r.done:
		return text
	default:
		return "waits"
	}
}

// readingScene starts a leader of n servers and commits a command. The caller defers end.
func readingScene(t *testing.T, n int, opts ...Option) *scene {
	s := newScene(t, n, MakePersister(), opts...)
	s.lead()
	s.start(1)
	time.Sleep(30 * time.Millisecond) // it is committed, and the followers know it
	for peer := 1; peer < n; peer++ {
		s.sentTo(peer)
	}
	return s
}

// "It needs to exchange heartbeat messages with a majority of the cluster before responding to read-only requests" (§8). A
// read sends a heartbeat at once, and waits for a majority.
func TestReadRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := readingScene(t, 5)
		defer s.end()
		answers := make(map[int]chan bool)
		for peer := 1; peer < 5; peer++ {
			answers[peer] = make(chan bool, 1)
		}
		s.intercept(func(peer int, m Message) (Reply, bool) {
			<-answers[peer]
			return nil, false
		})
		r := startReading(t.Context(), s.rf)
		for peer := 1; peer < 5; peer++ {
			mustEqual(t, "sent", messagesText(s.sentTo(peer)), "1+0/1")
		}
		mustEqual(t, "without answers", r.result(), "waits")
		answers[3] <- true
		time.Sleep(5 * time.Millisecond)
		mustEqual(t, "with one answer", r.result(), "waits")
		answers[1] <- true
		time.Sleep(5 * time.Millisecond)
		mustEqual(t, "with a majority", r.result(), "1")
		s.intercept(nil)
		for _, c := range answers {
			close(c)
		}
	})
}

// "A leader must have the latest information on which entries are committed" (§8): an entry of its own term.
func TestReadNeedsEntryOfTerm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, 3, newFollower(t, 3, 1, from(1).terms(1)).store.persister)
		defer s.end()
		mustEqual(t, "a follower", startReading(t.Context(), s.rf).result(), ErrNotLeader.Error())
		s.intercept(func(peer int, m Message) (Reply, bool) { // it leads, but nothing is committed
			_, vote := m.(*RequestVoteArgs)
			return nil, !vote
		})
		s.lead()
		mustEqual(t, "without an entry", startReading(t.Context(), s.rf).result(), ErrNoEntry.Error())
		index := s.start(2)
		mustEqual(t, "before it is committed", startReading(t.Context(), s.rf).result(), ErrNoEntry.Error())
		s.intercept(nil)
		time.Sleep(time.Second)
		r := startReading(t.Context(), s.rf)
		time.Sleep(5 * time.Millisecond)
		mustEqual(t, "after", r.result(), fmt.Sprint(index))
		s.rf.Kill()
		mustEqual(t, "killed", startReading(t.Context(), s.rf).result(), ErrNotLeader.Error())
	})
}

// Answers to messages that were made before the read came do not count, neither heartbeats nor entries.
func TestReadOldAnswersDoNotCount(t *testing.T) {
	for _, entries := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := readingScene(t, 3)
			defer s.end()
			old := make(chan bool)
			s.intercept(func(int, Message) (Reply, bool) { <-old; return nil, false })
			if entries {
				s.start(2)
			}
			time.Sleep(s.rf.options.heartbeat + time.Millisecond)
			synctest.Wait()
			s.intercept(loseAll) // those that were sent wait for old; those of the read are lost
			r := startReading(t.Context(), s.rf)
			close(old)
			time.Sleep(10 * time.Millisecond)
			mustEqual(t, "with old answers", r.result(), "waits")
			s.intercept(nil)
			time.Sleep(s.rf.options.heartbeat + 5*time.Millisecond) // the next heartbeat is answered
			mustEqual(t, "with new ones", r.result(), "1")
		})
	}
}

// Reads that wait at the same time share messages: those that come while a round is under way share the next one.
func TestReadsShareRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := readingScene(t, 3) // a message takes a millisecond each way
		defer s.end()
		var readings []reading
		for range 100 {
			readings = append(readings, startReading(t.Context(), s.rf))
		}
		time.Sleep(10 * time.Millisecond)
		for k, r := range readings {
			mustEqual(t, fmt.Sprint("read ", k), r.result(), "1")
		}
		for peer := 1; peer < 3; peer++ {
			mustEqual(t, "sent", messagesText(s.sentTo(peer)), "1+0/1 1+0/1")
		}
	})
}

// Large entries that are in flight do not delay a read.
func TestReadOvertakesEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := readingScene(t, 3)
		defer s.end()
		s.intercept(func(_ int, m Message) (Reply, bool) {
			if entriesIn(m) > 0 {
				time.Sleep(50 * time.Millisecond)
			}
			return nil, false
		})
		startReading(t.Context(), s.rf) // so that the entries belong to a round that nobody has answered
		s.start(2)
		time.Sleep(3 * time.Millisecond)
		r := startReading(t.Context(), s.rf)
		time.Sleep(3 * time.Millisecond)
		mustEqual(t, "the read", r.result(), "1")
	})
}

// A lost message is repeated at once, and later with the heartbeats: a peer that does not answer gets no more messages than
// without a read.
func TestReadRepeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := readingScene(t, 3)
		defer s.end()
		lost := 0
		s.intercept(func(int, Message) (Reply, bool) { lost++; return nil, lost <= 2 })
		r := startReading(t.Context(), s.rf)
		time.Sleep(5 * time.Millisecond)
		mustEqual(t, "one lost for each peer", r.result(), "1")
		s.intercept(loseAll)
		r = startReading(t.Context(), s.rf)
		s.sentTo(1)
		time.Sleep(9 * s.rf.options.heartbeat)
		if n := len(s.sentTo(1)); n > 10 {
			t.Errorf("%d messages in 9 heartbeat intervals", n)
		}
		mustEqual(t, "all lost", r.result(), "waits")
		s.intercept(nil)
		time.Sleep(s.rf.options.heartbeat + 5*time.Millisecond) // the next heartbeat is answered
		mustEqual(t, "healed", r.result(), "1")
	})
}

// What a refused message says does not count: its sender may have been restarted, and have voted for another leader.
func TestReadRefusalsDoNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := readingScene(t, 3)
		defer s.end()
		s.intercept(func(_ int, m Message) (Reply, bool) {
			time.Sleep(time.Millisecond)
			_, term := m.sender()
			return &AppendEntriesReply{Term: term}, true
		})
		r := startReading(t.Context(), s.rf)
		time.Sleep(time.Second)
		mustEqual(t, "the read", r.result(), "waits")
	})
}

// A leader that is deposed ends its reads: by a higher term, without a majority, and by Kill.
func TestReadDeposed(t *testing.T) {
	for name, depose := range map[string]func(s *scene){
		"a higher term": func(s *scene) { s.deliver(&RequestVoteArgs{Term: 99, CandidateID: 1}) },
		"no majority":   func(*scene) { time.Sleep((quorumHeartbeats + 2) * labDefaults().heartbeat) },
		"kill":          func(s *scene) { s.rf.Kill() },
	} {
		synctest.Test(t, func(t *testing.T) {
			s := readingScene(t, 3)
			defer s.end()
			s.intercept(loseAll)
			r := startReading(t.Context(), s.rf)
			depose(s)
			mustEqual(t, name, r.result(), ErrDeposed.Error())
			mustEqual(t, name+", afterwards", startReading(t.Context(), s.rf).result(), ErrNotLeader.Error())
		})
	}
}

// A round of one term does not count in the next.
func TestReadNextTerm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := readingScene(t, 3)
		defer s.end()
		for range 3 { // several rounds are answered
			startReading(t.Context(), s.rf)
			time.Sleep(5 * time.Millisecond)
		}
		s.deliver(&RequestVoteArgs{Term: 5, CandidateID: 1})
		s.lead()
		s.start(2)
		time.Sleep(30 * time.Millisecond)
		s.intercept(loseAll)
		r := startReading(t.Context(), s.rf)
		time.Sleep(5 * time.Millisecond)
		mustEqual(t, "without answers in this term", r.result(), "waits")
		s.intercept(nil)
		time.Sleep(time.Second)
		mustEqual(t, "with answers", r.result(), "2")
	})
}

// A caller may give up. Others that share its round go on.
func TestReadContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := readingScene(t, 3)
		defer s.end()
		s.intercept(loseAll)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		defer cancel()
		first, second := startReading(ctx, s.rf), startReading(t.Context(), s.rf)
		time.Sleep(6 * time.Millisecond)
		mustEqual(t, "the first", first.result(), context.DeadlineExceeded.Error())
		mustEqual(t, "the second", second.result(), "waits")
		mustEqual(t, "waiting", len(s.rf.reads.waiting), 1)
		s.intercept(nil)
		time.Sleep(s.rf.options.heartbeat + 5*time.Millisecond) // the next heartbeat is answered
		mustEqual(t, "the second", second.result(), "1")
	})
}

// In a cluster of one, nobody needs to answer.
func TestReadAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := readingScene(t, 1)
		defer s.end()
		mustEqual(t, "the read", startReading(t.Context(), s.rf).result(), "1")
	})
}

// With each kind of link, a read takes one round trip after the messages that the link must wait for.
func TestReadLinks(t *testing.T) {
	for _, link := range []Link{LinkPool(1), LinkPool(4), LinkOrdered, LinkPerMessage} {
		synctest.Test(t, func(t *testing.T) {
			s := readingScene(t, 3, WithLink(link))
			defer s.end()
			for range 10 {
				s.start(2)
				r := startReading(t.Context(), s.rf)
				time.Sleep(s.rf.options.heartbeat / 2)
				if got := r.result(); got == "waits" {
					t.Errorf("link %v: the read waits", link)
				}
			}
		})
	}
}

// At no time does any server's ReadIndex return an index below one that was committed anywhere before the call, whatever
// happens to the cluster.
func TestReadIndexCoversCommitted(t *testing.T) {
	lab(t, func(t *testing.T) {
		for _, s := range []setup{{n: 3}, {n: 5, unreliable: true}, {n: 3, snapshot: true}} {
			readThroughFaults(t, s)
		}
	})
}

func readThroughFaults(t *testing.T, s setup) {
	cfg := s.start(t)
	defer cfg.cleanup()
	var stop atomic.Bool
	var got atomic.Int64
	var all sync.WaitGroup
	for i := range cfg.n {
		for range 2 {
			all.Go(func() {
				for ; !stop.Load(); time.Sleep(time.Duration(rand.Intn(10)) * time.Millisecond) {
					if readOnce(cfg, i) {
						got.Add(1)
					}
				}
			})
		}
	}
	all.Go(func() {
		for n := 0; !stop.Load(); n++ {
			if rf := cfg.raft(rand.Intn(cfg.n)); rf != nil {
				rf.Start(n)
			}
			time.Sleep(time.Duration(rand.Intn(5)) * time.Millisecond)
		}
	})
	for range 40 {
		i := rand.Intn(cfg.n)
		switch rand.Intn(3) {
		case 0:
			cfg.disconnect(i)
		case 1:
			cfg.connectEach(cfg.all()...)
		default:
			cfg.start1(i, cfg.applierFunc)
			cfg.connect(i)
		}
		cfg.sleep(time.Duration(rand.Intn(400)) * time.Millisecond)
	}
	stop.Store(true)
	cfg.connectEach(cfg.all()...)
	all.Wait()
	if n := got.Load(); n < 200 {
		t.Errorf("%+v: only %d reads", s, n)
	}
}

// readOnce reports whether a ReadIndex of server i has returned an index, and fails the test if that is too low.
func readOnce(cfg *config, i int) bool {
	rf := cfg.raft(i)
	if rf == nil {
		return false
	}
	committed := 0
	for j := range cfg.n {
		if other := cfg.raft(j); other != nil {
			committed = max(committed, other.Status().CommitIndex)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	index, err := rf.ReadIndex(ctx)
	if err == nil && index < committed {
		cfg.t.Errorf("server %d: ReadIndex returns %d, but %d was committed before", i, index, committed)
	}
	return err == nil
}
