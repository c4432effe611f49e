package raft

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// What a leader sends after messages are lost, late or not answered. Peers answer at once unless a test changes that.

// leading starts a scene and waits until the server leads and nothing is in flight, shortly after its heartbeats.
func leading(t testing.TB, n int, disk *Persister, opts ...Option) *scene {
	t.Helper()
	s := newScene(t, n, disk, opts...)
	s.lead()
	s.awaitHeartbeat()
	time.Sleep(15 * time.Millisecond)
	for peer := range n {
		s.sentTo(peer)
	}
	return s
}

// awaitHeartbeat waits until the live server sends a message to peer 1.
func (s *scene) awaitHeartbeat() {
	s.t.Helper()
	for s.sentTo(1); len(s.sentTo(1)) == 0; {
		time.Sleep(time.Millisecond)
	}
}

// holdPeer1 returns a function for intercept that holds messages to peer 1 for d, and then loses them if lose is true.
func holdPeer1(d time.Duration, lose bool) func(peer int, m Message) (Reply, bool) {
	return func(peer int, m Message) (Reply, bool) {
		if peer == 1 {
			time.Sleep(d)
		}
		return nil, lose && peer == 1
	}
}

// A lost message that told a follower of a commit is sent again at once. A lost heartbeat is not.
func TestLostCommitIsToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := leading(t, 3, MakePersister())
		defer s.end()
		var losses atomic.Int32
		s.intercept(func(peer int, m Message) (Reply, bool) {
			args := m.(*AppendEntriesArgs)
			return nil, peer == 1 && args.LeaderCommit > 0 && losses.Add(1) == 1
		})
		s.start("one")
		time.Sleep(20 * time.Millisecond)
		mustEqual(t, "to the peer that lost it", messagesText(s.sentTo(1)), "0+1/0 1+0/1 1+0/1")
		mustEqual(t, "to the other", messagesText(s.sentTo(2)), "0+1/0 1+0/1")
		mustEqual(t, "commitIndex of the peer that lost it", s.peers[1].Status().CommitIndex, 1)

		losses.Store(0) // the next heartbeat is lost, which has no new commit
		time.Sleep(200 * time.Millisecond)
		mustEqual(t, "heartbeats, one of them lost", messagesText(s.sentTo(1)), messagesText(s.sentTo(2)))
		mustEqual(t, "something was lost", losses.Load() > 0, true)
	})
}

// A lost heartbeat is not sent again before the next one is due.
func TestLostHeartbeatIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := leading(t, 3, MakePersister())
		defer s.end()
		s.intercept(func(peer int, m Message) (Reply, bool) { return nil, peer == 1 })
		time.Sleep(time.Second)
		mustEqual(t, "heartbeats to a peer that they do not reach", messagesText(s.sentTo(1)), messagesText(s.sentTo(2)))
	})
}

// A commit is told with the next command if that is started soon, and then not in a message of its own.
func TestCommitTravelsWithNextCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := leading(t, 5, MakePersister())
		defer s.end()
		for index := 1; index <= 5; index += 2 {
			s.start("first")
			time.Sleep(4 * time.Millisecond) // it is committed
			s.intercept(func(peer int, m Message) (Reply, bool) {
				if peer > 1 {
					time.Sleep(20 * time.Millisecond)
				}
				return nil, false
			})
			s.start("second")
			time.Sleep(15 * time.Millisecond)
			mustEqual(t, "messages to the peer that has answered them", messagesText(s.sentTo(1)),
				fmt.Sprintf("%d+1/%[1]d %d+1/%[2]d", index-1, index))
			s.intercept(nil)
			time.Sleep(200 * time.Millisecond)
			mustEqual(t, "commitIndex of a peer", s.peers[1].Status().CommitIndex, index+1)
			s.awaitHeartbeat()
			time.Sleep(15 * time.Millisecond)
			s.sentTo(1)
		}
	})
}

// A message that is given up and then lost is one failure. A second failure would make the peer count as unreachable.
func TestFailureCountsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := leading(t, 3, MakePersister(), WithLink(LinkPool(2)))
		defer s.end()
		patience := labDefaults().heartbeat / 2
		var messages atomic.Int32
		s.intercept(func(peer int, m Message) (Reply, bool) {
			if peer != 1 { // otherwise there would be a commit to tell
				return nil, true
			}
			switch messages.Add(1) {
			case 1: // with the entry
				time.Sleep(patience + 20*time.Millisecond)
				return nil, true
			case 2: // sent when the first is given up
				time.Sleep(40 * time.Millisecond)
				return nil, true
			}
			return nil, false
		})
		s.start("one")
		time.Sleep(patience + 10*time.Millisecond)
		mustEqual(t, "messages when the first is given up", messagesText(s.sentTo(1)), "0+1/0 1+0/0")
		time.Sleep(20 * time.Millisecond)
		mustEqual(t, "messages when it has failed", messagesText(s.sentTo(1)), "0+1/0 1+0/1")
		mustEqual(t, "commitIndex of the peer", s.peers[1].Status().CommitIndex, 1)
	})
}

// Messages without answers are failures, too: after maxFailures of them a peer gets only heartbeats until it answers.
func TestHangingPeerGetsHeartbeatsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := leading(t, 3, MakePersister())
		defer s.end()
		s.intercept(holdPeer1(10*time.Second, true))
		time.Sleep(time.Second)
		s.sentTo(1)
		for k := range 50 {
			s.start(k)
			time.Sleep(20 * time.Millisecond)
		}
		messages := s.sentTo(1)
		for _, l := range messages {
			mustEqual(t, "entries", entriesIn(l.Message), 0)
		}
		if n := len(messages); n < 8 || n > 10 {
			t.Errorf("%d heartbeats in a second", n)
		}
		s.intercept(nil)
		time.Sleep(150 * time.Millisecond)
		mustEqual(t, "lastIndex of the peer when it answers", s.peers[1].Status().LastIndex, 50)
	})
}

// A message that is answered within half a heartbeat interval is not sent again.
func TestSlowAnswerIsAwaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := leading(t, 3, MakePersister())
		defer s.end()
		s.intercept(holdPeer1(50*time.Millisecond, false))
		for k := range 5 {
			s.start(k)
			time.Sleep(9 * time.Millisecond)
		}
		mustEqual(t, "messages to the slow peer", messagesText(s.sentTo(1)), "0+1/0")
		time.Sleep(20 * time.Millisecond)
		mustEqual(t, "and then", messagesText(s.sentTo(1)), "1+4/5")
	})
}

// Of several messages in flight, only the entries of the lost one are sent again.
func TestLostMessageIsSentAgainAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := leading(t, 3, MakePersister(), WithLink(LinkPool(2)))
		defer s.end()
		s.intercept(func(peer int, m Message) (Reply, bool) {
			if peer == 1 && m.(*AppendEntriesArgs).PrevLogIndex == 0 {
				time.Sleep(30 * time.Millisecond)
			}
			return nil, peer == 2
		})
		s.start("one")
		time.Sleep(time.Millisecond)
		var once atomic.Bool
		s.intercept(func(peer int, m Message) (Reply, bool) {
			if peer == 1 && once.CompareAndSwap(false, true) {
				return nil, true
			}
			time.Sleep(30 * time.Millisecond)
			return nil, peer == 2
		})
		s.start("two")
		time.Sleep(10 * time.Millisecond)
		mustEqual(t, "messages", messagesText(s.sentTo(1)), "0+1/0 1+1/0 1+1/0")
	})
}

// An ordered link drops every reply that the reply to a later message has overtaken.
func TestOrderedLinkDropsAllOvertaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := leading(t, 3, MakePersister(), WithLink(LinkOrdered))
		defer s.end()
		var n atomic.Int32
		s.intercept(func(peer int, m Message) (Reply, bool) {
			if peer == 2 {
				return nil, true
			}
			switch n.Add(1) {
			case 1: // the first two are given up
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

// On an ordered link, a reply counts if only lost messages have overtaken it.
func TestOrderedLinkCountsWhatOvertookLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := leading(t, 3, MakePersister(), WithLink(LinkOrdered))
		defer s.end()
		var n atomic.Int32
		s.intercept(func(peer int, m Message) (Reply, bool) {
			if peer == 2 {
				return nil, true
			}
			if n.Add(1) == 1 {
				time.Sleep(90 * time.Millisecond) // it is given up during that time
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
