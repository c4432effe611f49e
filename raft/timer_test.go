package raft

import (
	"fmt"
	"math/rand"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"6.824/labrpc"
)

// A starved is a cluster of five on a network without faults. Its servers run and stop by turns: their tickers wake up
// late, and messages to and from them wait.
type starved struct {
	stop, run time.Duration
	sleepers  atomic.Uint32 // the servers that stop, as bits
	cutOff    atomic.Int32  // an unreachable server, or nobody
	servers   []*Raft
}

const everybody = 1<<5 - 1

// hold waits until the server runs.
func (s *starved) hold(server int) {
	for s.sleepers.Load()>>server&1 == 1 {
		since := time.Duration(time.Now().UnixNano()) % (s.stop + s.run)
		if since >= s.stop {
			break
		}
		time.Sleep(min(s.stop-since, 25*time.Millisecond))
	}
	time.Sleep(time.Duration(rand.Int63n(int64(2 * time.Millisecond)))) // the order is random
}

func startStarved(stop, run time.Duration) *starved {
	s := &starved{stop: stop, run: run}
	s.cutOff.Store(nobody)
	ready := make(chan struct{})
	for i := range 5 {
		applyCh := make(chan ApplyMsg)
		send := func(to int, m Message) Reply {
			<-ready
			s.hold(i)
			if cut := int(s.cutOff.Load()); cut == i || cut == to {
				return nil
			}
			s.hold(to)
			reply := s.servers[to].OnMessage(m)
			s.hold(i)
			return reply
		}
		s.servers = append(s.servers, Make(make([]*labrpc.ClientEnd, 5), i, MakePersister(), applyCh,
			WithTransport(send), WithCloseOnKill(), func(o *options) { o.onTickerWake = func() { s.hold(i) } }))
		go func() {
			for range applyCh {
			}
		}()
	}
	close(ready)
	return s
}

func (s *starved) kill() {
	s.sleepers.Store(0) // a server that stops does not end
	for _, rf := range s.servers {
		rf.Kill()
	}
	time.Sleep(time.Minute)
}

// leader returns the leader among the reachable servers, and the highest term.
func (s *starved) leader() (leader, term int) {
	leader = nobody
	for i, rf := range s.servers {
		if i == int(s.cutOff.Load()) {
			continue
		}
		t, leads := rf.GetState()
		if term = max(term, t); leads {
			leader = i
		}
	}
	return leader, term
}

var starvations = []struct{ stop, run time.Duration }{
	{90 * time.Millisecond, 10 * time.Millisecond},
	{150 * time.Millisecond, 50 * time.Millisecond},
	{200 * time.Millisecond, 50 * time.Millisecond},
	{300 * time.Millisecond, 100 * time.Millisecond},
	{time.Second, 100 * time.Millisecond},
	{10 * time.Second, 100 * time.Millisecond},
}

func testStarved(t *testing.T, test func(t *testing.T, s *starved)) {
	parallel(t)
	for _, c := range starvations {
		t.Run(fmt.Sprintf("stopped for %v, running for %v", c.stop, c.run), func(t *testing.T) {
			for round := range 4 {
				synctest.Test(t, func(t *testing.T) {
					s := startStarved(c.stop, c.run)
					defer s.kill()
					time.Sleep(time.Second + time.Duration(round)*17*time.Millisecond)
					test(t, s)
				})
			}
		})
	}
}

// If all servers stop, no server starts an election.
func TestStarvedTogether(t *testing.T) {
	testStarved(t, func(t *testing.T, s *starved) {
		leader, term := s.leader()
		s.sleepers.Store(everybody)
		for range 200 {
			time.Sleep(100 * time.Millisecond)
			now, nowTerm := s.leader()
			mustEqual(t, "leader and term", [2]int{now, nowTerm}, [2]int{leader, term})
		}
	})
}

// An unreachable leader is replaced within five seconds even if servers stop, provided that they run three times in
// that time.
func TestStarvedWithoutLeader(t *testing.T) {
	testStarved(t, func(t *testing.T, s *starved) {
		s.sleepers.Store(everybody)
		time.Sleep(3 * time.Second)
		leader, _ := s.leader()
		s.cutOff.Store(int32(leader))
		time.Sleep(max(5*time.Second, 3*(s.stop+s.run)))
		if next, _ := s.leader(); next == nobody {
			t.Error("no server leads")
		}
	})
}

// If only the leader stops, it is replaced, and does not depose its successor when it runs again. A follower that stops
// deposes no leader either.
func TestStarvedAlone(t *testing.T) {
	testStarved(t, func(t *testing.T, s *starved) {
		leader, term := s.leader()
		s.sleepers.Store(1 << ((leader + 1) % 5))
		time.Sleep(20 * time.Second)
		now, nowTerm := s.leader()
		mustEqual(t, "leader and term while a follower is starved", [2]int{now, nowTerm}, [2]int{leader, term})
	})
}

// A leader that was stopped once is replaced, and becomes a follower when it runs again.
func TestStoppedLeader(t *testing.T) {
	parallel(t)
	for round := range 20 {
		synctest.Test(t, func(t *testing.T) {
			s := startStarved(time.Hour, time.Nanosecond)
			defer s.kill()
			time.Sleep(time.Second + time.Duration(round)*17*time.Millisecond)
			leader, _ := s.leader()
			stopped := s.servers[leader]
			s.sleepers.Store(1 << leader)
			s.cutOff.Store(int32(leader))
			next, term := s.leader()
			for begun := time.Now(); next == nobody; next, term = s.leader() { // split votes take more than one election
				if time.Since(begun) > 5*time.Second {
					t.Fatalf("leader %d was not replaced in time", leader)
				}
				time.Sleep(labDefaults().heartbeat)
			}
			s.sleepers.Store(0)
			s.cutOff.Store(nobody)
			time.Sleep(10 * time.Second)
			now, nowTerm := s.leader()
			mustEqual(t, "leader and term after the old one is back", [2]int{now, nowTerm}, [2]int{next, term})
			mustEqual(t, "term of the old leader", stopped.Status().Term, term)
		})
	}
}

// Checks are a moment apart, and the last moment ends at the deadline. If a check is late, the next ones are still a
// moment apart.
func TestChecksBeforeDeadline(t *testing.T) {
	const moment = 10 * time.Millisecond
	for _, late := range []time.Duration{0, moment, time.Second, time.Hour} {
		start := time.Now()
		var timer electionTimer
		timer.start(start, 4*checks*moment)
		for k := range checks {
			now := timer.next()
			mustEqual(t, "expired before the check", timer.expired(now.Add(-1)), false)
			if k == checks/2 {
				now = now.Add(late)
			}
			mustEqual(t, "expired at the check", timer.expired(now), false)
			if late > moment || k != checks/2 {
				mustEqual(t, "time from a check to the next", timer.next().Sub(now), moment)
			}
		}
		deadline := start
		if late > moment {
			deadline = start.Add(late)
		}
		mustEqual(t, "the deadline moves by", timer.next().Sub(start), deadline.Sub(start))
		mustEqual(t, "expired before the deadline", timer.expired(deadline.Add(-1)), false)
		mustEqual(t, "expired at the deadline", timer.expired(deadline), true)
	}
}

// After a leader has found its majority again, it makes the full number of checks the next time that the majority is
// silent.
func TestLeaderChecksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf := newLeader(t, 3, 2, nil)
		check := func(times int) {
			for range times {
				rf.heartbeatDutyLocked(time.Now())
				time.Sleep(rf.electionTimer.interval)
			}
		}
		time.Sleep(time.Hour)
		check(checks)
		rf.followers[1].lastAnswer = time.Now()
		check(1)
		time.Sleep(time.Hour)
		check(checks)
		mustEqual(t, "role while it checks again", rf.role, Leader)
		check(1)
		mustEqual(t, "role", rf.role, Follower)
	})
}
