package raft

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Messages that are lost, late or never answered: what a leader sends then, and what not. Its peers 1 and 2 answer at once
// unless the test says otherwise.

// leading starts a server with quiet peers, and waits until it leads and all is quiet: the next heartbeats are due 100 ms
// later.
func leading(t testing.TB, n int, disk *Persister, opts ...Option) *scene {
	t.Helper()
	s := newScene(t, n, disk, opts...)
	s.lead()
	s.awaitHeartbeat()
	time.Sleep(15 * time.Millisecond)
	for peer := range n {
		s.mail(peer)
	}
	return s
}

// awaitHeartbeat waits until the live server sends peer 1 something.
func (s *scene) awaitHeartbeat() {
	s.t.Helper()
	for s.mail(1); len(s.mail(1)) == 0; {
		time.Sleep(time.Millisecond)
	}
}

// The news of a commit that is lost goes out again at once; what a follower has answered to does not.
func TestLostCommitIsToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := leading(t, 3, MakePersister())
		defer s.end()
		var losses atomic.Int32
		s.between(func(peer int, m Message) (Reply, bool) {
			args := m.(*AppendEntriesArgs)
			return nil, peer == 1 && args.LeaderCommit > 0 && losses.Add(1) == 1
		})
		s.start("one")
		time.Sleep(20 * time.Millisecond)
		mustEqual(t, "to the peer that lost it", script(s.mail(1)), "0+1/0 1+0/1 1+0/1")
		mustEqual(t, "to the other", script(s.mail(2)), "0+1/0 1+0/1")
		mustEqual(t, "commitIndex of the peer that lost it", s.peers[1].Status().CommitIndex, 1)

		losses.Store(0) // the next heartbeat is lost, which tells nothing new
		time.Sleep(200 * time.Millisecond)
		mustEqual(t, "heartbeats, one of them lost", script(s.mail(1)), script(s.mail(2)))
		mustEqual(t, "something was lost", losses.Load() > 0, true)
	})
}

// When nothing is missing, a message that is lost is not sent again before the next heartbeat.
func TestLostHeartbeatIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := leading(t, 3, MakePersister())
		defer s.end()
		s.between(func(peer int, m Message) (Reply, bool) { return nil, peer == 1 })
		time.Sleep(time.Second)
		mustEqual(t, "heartbeats to a peer that they do not reach", script(s.mail(1)), script(s.mail(2)))
	})
}

// A commit waits a moment for the next command to travel with, and then is not told on its own.
func TestCommitTravelsWithNextCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := leading(t, 5, MakePersister())
		defer s.end()
		for index := 1; index <= 5; index += 2 {
			s.start("first")
			time.Sleep(4 * time.Millisecond) // it is committed
			s.between(func(peer int, m Message) (Reply, bool) {
				if peer > 1 {
					time.Sleep(20 * time.Millisecond)
				}
				return nil, false
			})
			s.start("second")
			time.Sleep(15 * time.Millisecond)
			mustEqual(t, "messages to the peer that has answered them", script(s.mail(1)),
				fmt.Sprintf("%d+1/%[1]d %d+1/%[2]d", index-1, index))
			s.between(nil)
			time.Sleep(200 * time.Millisecond)
			mustEqual(t, "commitIndex of a peer", s.peers[1].Status().CommitIndex, index+1)
			s.awaitHeartbeat()
			time.Sleep(15 * time.Millisecond)
			s.mail(1)
		}
	})
}

// A message that was given up, and then turns out to be lost, is one failure: a second one would make the peer count as
// unreachable, and keep entries from it.
func TestFailureCountsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := leading(t, 3, MakePersister(), WithLink(LinkPool(2)))
		defer s.end()
		patience := labDefaults().heartbeat / 2
		var messages atomic.Int32
		s.between(func(peer int, m Message) (Reply, bool) {
			if peer != 1 { // or else there is a commit to tell
				return nil, true
			}
			switch messages.Add(1) {
			case 1: // with the entry
				time.Sleep(patience + 20*time.Millisecond)
				return nil, true
			case 2: // goes out when the first one is given up
				time.Sleep(40 * time.Millisecond)
				return nil, true
			}
			return nil, false
		})
		s.start("one")
		time.Sleep(patience + 10*time.Millisecond)
		mustEqual(t, "messages when the first is given up", script(s.mail(1)), "0+1/0 1+0/0")
		time.Sleep(20 * time.Millisecond)
		mustEqual(t, "messages when it has failed", script(s.mail(1)), "0+1/0 1+0/1")
		mustEqual(t, "commitIndex of the peer", s.peers[1].Status().CommitIndex, 1)
	})
}

// Messages that nobody answers are failures, too: after a few of them a peer gets heartbeats only, until it answers one.
func TestHangingPeerGetsHeartbeatsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := leading(t, 3, MakePersister())
		defer s.end()
		s.between(func(peer int, m Message) (Reply, bool) {
			if peer == 1 {
				time.Sleep(10 * time.Second)
			}
			return nil, peer == 1
		})
		time.Sleep(time.Second)
		s.mail(1)
		for k := range 50 {
			s.start(k)
			time.Sleep(20 * time.Millisecond)
		}
		mail := s.mail(1)
		for _, l := range mail {
			mustEqual(t, "entries", entriesIn(l.Message), 0)
		}
		if n := len(mail); n < 8 || n > 10 {
			t.Errorf("%d heartbeats in a second", n)
		}
		s.between(nil)
		time.Sleep(150 * time.Millisecond)
		mustEqual(t, "lastIndex of the peer when it answers", s.peers[1].Status().LastIndex, 50)
	})
}

// A message whose answer takes its time, but less than half a heartbeat, is not sent again, whatever goes to others meanwhile.
func TestSlowAnswerIsAwaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := leading(t, 3, MakePersister())
		defer s.end()
		s.between(func(peer int, m Message) (Reply, bool) {
			if peer == 1 {
				time.Sleep(50 * time.Millisecond)
			}
			return nil, false
		})
		for k := range 5 {
			s.start(k)
			time.Sleep(9 * time.Millisecond)
		}
		mustEqual(t, "messages to the slow peer", script(s.mail(1)), "0+1/0")
		time.Sleep(20 * time.Millisecond)
		mustEqual(t, "and then", script(s.mail(1)), "1+4/5")
	})
}

// Of several messages under way only what was in the lost one is sent again.
func TestLostMessageIsSentAgainAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := leading(t, 3, MakePersister(), WithLink(LinkPool(2)))
		defer s.end()
		s.between(func(peer int, m Message) (Reply, bool) {
			if peer == 1 && m.(*AppendEntriesArgs).PrevLogIndex == 0 {
				time.Sleep(30 * time.Millisecond)
			}
			return nil, peer == 2
		})
		s.start("one")
		time.Sleep(time.Millisecond)
		var once atomic.Bool
		s.between(func(peer int, m Message) (Reply, bool) {
			if peer == 1 && once.CompareAndSwap(false, true) {
				return nil, true
			}
			time.Sleep(30 * time.Millisecond)
			return nil, peer == 2
		})
		s.start("two")
		time.Sleep(10 * time.Millisecond)
		mustEqual(t, "messages", script(s.mail(1)), "0+1/0 1+1/0 1+1/0")
	})
}

// On an ordered link every answer is dropped that a later message's has overtaken, also when others came in between.
func TestOrderedLinkDropsAllOvertaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := leading(t, 3, MakePersister(), WithLink(LinkOrdered))
		defer s.end()
		var n atomic.Int32
		s.between(func(peer int, m Message) (Reply, bool) {
			if peer == 2 {
				return nil, true
			}
			switch n.Add(1) {
			case 1: // both are given up
				time.Sleep(300 * time.Millisecond)
				return &AppendEntriesReply{Term: 1, Success: true}, true
			case 2:
				time.Sleep(250 * time.Millisecond)
				return &AppendEntriesReply{Term: 1, Success: true}, true
			}
			return &AppendEntriesReply{Term: 1, ConflictIndex: 1}, true
		})
		s.start("one")
		time.Sleep(500 * time.Millisecond)
		mustEqual(t, "commitIndex", s.rf.Status().CommitIndex, 0)
	})
}

// A message that was lost overtakes nothing.
func TestOrderedLinkCountsWhatOvertookLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := leading(t, 3, MakePersister(), WithLink(LinkOrdered))
		defer s.end()
		var n atomic.Int32
		s.between(func(peer int, m Message) (Reply, bool) {
			if peer == 2 {
				return nil, true
			}
			if n.Add(1) == 1 {
				time.Sleep(90 * time.Millisecond) // it is given up meanwhile
				return nil, false
			}
			return nil, true
		})
		s.start("one")
		time.Sleep(100 * time.Millisecond)
		mustEqual(t, "several messages", n.Load() > 1, true)
		mustEqual(t, "commitIndex", s.rf.Status().CommitIndex, 1)
	})
}
