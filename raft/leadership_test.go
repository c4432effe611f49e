package raft

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Half of the servers cannot elect a leader, because the other half could elect another one (§5.2).
func TestHalfIsNoMajority(t *testing.T) {
	rf, args := newCandidate(t, 4, 3)
	vote(rf, 1, args, RequestVoteReply{Term: 3, VoteGranted: true})
	mustEqual(t, "role with two votes of four", rf.role, Candidate)
	vote(rf, 2, args, RequestVoteReply{Term: 3, VoteGranted: true})
	mustEqual(t, "role with three", rf.role, Leader)
}

// Servers that start at the same moment draw different election timeouts; otherwise they would split every vote (§5.2).
func TestServersDrawTheirOwnTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var drawn [2][]time.Duration
		for server := range drawn {
			rf := newQuiet(t, 3, MakePersister())
			for range 10 {
				drawn[server] = append(drawn[server], time.Until(rf.electionTimer.deadline))
				rf.resetElectionTimerLocked()
			}
		}
		if slices.Equal(drawn[0], drawn[1]) {
			t.Errorf("two servers both drew %v", drawn[0])
		}
	})
}

// "State on leaders: reinitialized after election" (Figure 2): between two terms of a leader, a follower may have lost
// entries that it had acknowledged.
func TestLeaderResetsFollowers(t *testing.T) {
	rf := newLeader(t, 3, 2, from(1).terms(1, 1, 2))
	setMatch(rf, []int{2, 0})
	f := rf.followers[1]
	f.add(&call{message: new(InstallSnapshotArgs), bytes: 9})
	f.add(&call{message: new(AppendEntriesArgs), bytes: 9})
	f.snapshotCall, f.failures, f.probing = f.calls[0], maxFailures, true // calls without replies
	f.hasAnswered, f.missingIndex, f.backlogFull, f.caughtUp = true, 3, true, true
	f.heartbeatRTT.add(time.Second)
	f.dataRTT.add(time.Minute)
	deliver(t, rf, appendMsg(3, 3, 2, 0, 3))
	mustEqual(t, "proposals open after deposition", rf.proposals.leading.Load(), false)
	rf.becomeCandidateLocked()
	rf.becomeLeaderLocked()
	mustEqual(t, "proposals open", rf.proposals.leading.Load(), true)
	mustEqual(t, "progress", f.progress, progress{nextIndex: 5})
	mustEqual(t, "failures", f.failures, 0)
	mustEqual(t, "calls, entries, snapshots, bytes in flight", [4]int{len(f.calls), f.entries, f.snapshots, f.bytes}, [4]int{})
	mustEqual(t, "a snapshot is awaited", f.snapshotCall != nil, false)
	mustEqual(t, "round trip times", [2]time.Duration{f.heartbeatRTT.shortest(), f.dataRTT.shortest()}, [2]time.Duration{time.Second, time.Minute})
	mustEqual(t, "a heartbeat is due", f.heartbeatDue, true)
}

// Failed elections lengthen a server's timeouts until there is a leader, itself or another.
func TestLongTimeoutsEndWithLeader(t *testing.T) {
	rf := newFollower(t, 3, 2, nil)
	rf.electionsStarted = 5
	deliver(t, rf, appendMsg(2, 0, 0, 0))
	mustEqual(t, "failed elections after a heartbeat", rf.electionsStarted, 0)
	rf.electionsStarted = 5
	rf.becomeCandidateLocked()
	rf.becomeLeaderLocked()
	mustEqual(t, "failed elections of a leader", rf.electionsStarted, 0)
}

// A leader that steps down waits for an election timeout before it becomes a candidate again.
func TestFormerLeaderWaits(t *testing.T) {
	for name, stepDown := range map[string]func(rf *Raft){
		"deposed": func(rf *Raft) { rf.becomeFollowerLocked(9) },
		"no quorum": func(rf *Raft) {
			for range checks {
				rf.heartbeatDutyLocked(time.Now())
				mustEqual(t, "role while it checks", rf.role, Leader)
				time.Sleep(rf.electionTimer.interval)
			}
			rf.heartbeatDutyLocked(time.Now())
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rf := newLeader(t, 3, 2, nil)
				time.Sleep(time.Hour)
				stepDown(rf)
				mustEqual(t, "role", rf.role, Follower)
				if wait := time.Until(rf.electionTimer.deadline); wait < rf.options.timeoutMin {
					t.Errorf("it becomes a candidate again after %v", wait)
				}
			})
		})
	}
}

// A lost request for a vote is sent again a limited number of times. One that is lost late is sent again only if
// another peer answers.
func TestLostRequestForVote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		patience := labDefaults().heartbeat / 2
		for _, c := range []struct {
			lostAfter time.Duration
			answers   bool // the other peer answers
			want      int32
		}{
			{0, false, maxFailures}, {patience - 1, false, maxFailures}, {patience, false, 1}, {time.Minute, false, 1},
			{0, true, maxFailures}, {patience, true, maxFailures}, {time.Minute, true, maxFailures},
		} {
			var requests atomic.Int32
			rf := newQuiet(t, 3, MakePersister(), WithTransport(func(peer int, m Message) Reply {
				if peer == 1 {
					requests.Add(1)
					time.Sleep(c.lostAfter)
				} else if c.answers {
					reply := &RequestVoteReply{Term: m.(*RequestVoteArgs).Term}
					reply.seal()
					return reply
				}
				return nil
			}))
			rf.mu.Lock()
			rf.startCandidacyLocked()
			rf.mu.Unlock()
			time.Sleep(time.Hour)
			mustEqual(t, fmt.Sprintf("number of requests that are lost after %v, with answers %v", c.lostAfter, c.answers), requests.Load(), c.want)
		}
	})
}

// A server that asks for PreVotes and then votes for another candidate does not become a candidate against it.
func TestVoterDoesNotCompete(t *testing.T) {
	rf := newFollower(t, 3, 3, nil)
	rf.mu.Lock()
	rf.startElectionLocked()
	rf.mu.Unlock()
	mustEqual(t, "granted", granted(deliver(t, rf, &RequestVoteArgs{Term: 3, CandidateID: 2})), true)
	asked := &RequestVoteArgs{Term: 4, CandidateID: 0, PreVote: true}
	rf.mu.Lock()
	defer rf.mu.Unlock()
	mustEqual(t, "a PreVote is stale", rf.staleVoteLocked(asked), true)
}

// TestWorkForReplicator checks when a leader with three entries has something to send.
func TestWorkForReplicator(t *testing.T) {
	for _, c := range []struct {
		name string
		f    *follower
		want bool
	}{
		{"up to date", &follower{progress: progress{nextIndex: 4}}, false},
		{"lacks an entry", &follower{progress: progress{nextIndex: 3}}, true},
		{"lacks an entry, but a message is in flight", &follower{progress: progress{nextIndex: 3}, inFlight: inFlight{calls: []*call{new(call)}, entries: 1}}, false},
		{"lacks an entry, but does not answer", &follower{progress: progress{nextIndex: 3}, inFlight: inFlight{failures: maxFailures}}, false},
		{"a heartbeat is due", &follower{progress: progress{nextIndex: 4}, duty: duty{heartbeatDue: true}}, true},
		{"a heartbeat is due while a message is in flight", &follower{progress: progress{nextIndex: 4}, inFlight: inFlight{calls: []*call{new(call)}, entries: 1}, duty: duty{heartbeatDue: true}}, true},
		{"a heartbeat is due, but it does not answer", &follower{progress: progress{nextIndex: 4}, inFlight: inFlight{failures: maxFailures}, duty: duty{heartbeatDue: true}}, true},
		{"the last message was lost", &follower{progress: progress{nextIndex: 4}, inFlight: inFlight{failures: 1}}, true},
		{"a commit to tell", &follower{progress: progress{nextIndex: 4}, duty: duty{commitDue: true}}, true},
		{"a commit to tell that it knows", &follower{progress: progress{nextIndex: 4}, duty: duty{commitDue: true, commitSent: 2}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			rf := newLeader(t, 3, 2, from(1).terms(2, 2, 2))
			rf.commitIndex = 2
			mustEqual(t, "work", rf.hasWorkLocked(c.f), c.want)
			rf.stepDownLocked()
			mustEqual(t, "work of a server that does not lead", rf.hasWorkLocked(c.f), false)
		})
	}
}

// A call without a reply does not delay new entries: another message is sent before the next heartbeat.
func TestHangingCallDelaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf := newLeader(t, 3, 2, nil)
		peer, network := connectScripted(rf)
		defer network.Cleanup()
		go rf.applier()
		defer rf.Kill()
		startReplicator(rf, rf.followers[1])
		go rf.ticker()
		<-peer.asked // it does not answer
		rf.Start("new")
		start := time.Now()
		m := <-peer.asked
		if waited := time.Since(start); waited >= rf.options.heartbeat || len(m.Entries) == 0 {
			t.Errorf("after %v, it got %+v", waited, m)
		}
		for range 2 {
			peer.answers <- AppendEntriesReply{Term: 2, Success: true}
		}
	})
}

// A refusal of an older term is no failed consistency check, even if it arrives when the server leads again in a newer
// term.
func TestRefusalOfOlderTermMovesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf := newLeader(t, 3, 2, from(1).terms(1, 1))
		peer, network := connectScripted(rf)
		defer network.Cleanup()
		go rf.applier()
		defer rf.Kill()
		startReplicator(rf, rf.followers[1])
		<-peer.asked
		deliver(t, rf, &AppendEntriesArgs{Term: 5, LeaderID: 1})
		rf.mu.Lock()
		rf.becomeCandidateLocked()
		rf.becomeLeaderLocked()
		rf.mu.Unlock()
		peer.answers <- AppendEntriesReply{Term: 5}
		mustEqual(t, "PrevLogIndex of the next message", (<-peer.asked).PrevLogIndex, 2)
		peer.answers <- AppendEntriesReply{Term: 6, Success: true}
	})
}

// leadAgain deposes the live server, whose log must not be empty, by a candidate that cannot win, and waits until it
// leads again.
func (s *scene) leadAgain() {
	s.t.Helper()
	term, _ := s.rf.GetState()
	s.deliver(&RequestVoteArgs{Term: term + 1, CandidateID: 2})
	for range 1000 {
		time.Sleep(time.Millisecond)
		if now, leads := s.rf.GetState(); leads && now > term {
			synctest.Wait() // its first heartbeats are in flight
			return
		}
	}
	s.t.Fatal("the server does not lead again")
}

// electing returns a function for intercept that delivers requests for votes at once, and passes all other messages to
// interceptor.
func electing(interceptor func(peer int, m Message) (Reply, bool)) func(peer int, m Message) (Reply, bool) {
	return func(peer int, m Message) (Reply, bool) {
		if args, ok := m.(*RequestVoteArgs); ok {
			return &RequestVoteReply{Term: args.Term - map[bool]int{true: 1}[args.PreVote], VoteGranted: true}, true
		}
		return interceptor(peer, m)
	}
}

// A new leader knows nothing about its peers. It sends them entries even if they were unreachable or had another log in
// an earlier term, or if messages of that term are still in flight.
func TestSecondLeadershipRetriesEachPeer(t *testing.T) {
	for name, before := range map[string]func(peer int, m Message) (Reply, bool){
		"answered":     func(int, Message) (Reply, bool) { return nil, false },
		"out of reach": loseAll,
		"hanging": func(int, Message) (Reply, bool) {
			time.Sleep(10 * time.Second)
			return nil, true
		},
		"another log": func(_ int, m Message) (Reply, bool) {
			prev := m.(*AppendEntriesArgs).PrevLogIndex
			return &AppendEntriesReply{Term: 2, ConflictTerm: 1, ConflictIndex: max(1, prev)}, true
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, 3, newFollower(t, 3, 1, from(1).terms(1, 1)).store.persister.Copy(), WithLink(LinkPool(2)))
				defer s.end()
				s.intercept(electing(before))
				s.lead()
				time.Sleep(time.Second)
				s.intercept(electing(func(int, Message) (Reply, bool) {
					time.Sleep(50 * time.Millisecond)
					return nil, false
				}))
				s.sentTo(1)
				s.leadAgain()
				s.start("new")
				time.Sleep(5 * time.Millisecond)
				messages := slices.DeleteFunc(s.sentTo(1), func(l sentMessage) bool { _, term := l.sender(); return term < s.rf.Status().Term })
				messages = slices.DeleteFunc(messages, func(l sentMessage) bool { _, vote := l.Message.(*RequestVoteArgs); return vote })
				commit := s.rf.Status().CommitIndex
				mustEqual(t, "its first messages", messagesText(messages), fmt.Sprintf("2+0/%d 2+1/%[1]d", commit))
			})
		})
	}
}

// A snapshot was in flight when the leader was deposed. It is sent again when the server leads again and finds that it
// is needed.
func TestSecondLeadershipResendsSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := newFollower(t, 3, 1, from(1).terms(1, 1, 1, 1))
		before.commitIndex = 3
		before.Snapshot(3, []byte("three"))
		s := newScene(t, 3, before.store.persister.Copy())
		defer s.end()
		s.intercept(electing(func(_ int, m Message) (Reply, bool) {
			if _, ok := m.(*InstallSnapshotArgs); ok {
				time.Sleep(10 * time.Second)
			}
			return nil, false
		}))
		s.lead()
		mustEqual(t, "the peer's snapshot", s.peers[1].Status().SnapshotIndex, 0)
		s.intercept(electing(func(int, Message) (Reply, bool) { return nil, false }))
		s.leadAgain()
		time.Sleep(20 * time.Millisecond)
		mustEqual(t, "the peer's snapshot and log", fmt.Sprint(s.peers[1].Status().SnapshotIndex, s.peers[1].Status().LastIndex), "3 4")
	})
}

// A leader that has stepped down ignores replies, even in the same term.
func TestRepliesAfterStepDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, 3, MakePersister(), WithEvents())
		defer s.end()
		s.lead()
		s.received()
		s.intercept(func(_ int, m Message) (Reply, bool) {
			if _, vote := m.(*RequestVoteArgs); vote {
				return nil, true
			}
			time.Sleep(5 * time.Second)
			return nil, false
		})
		s.start("late")
		time.Sleep(10 * time.Second)
		mustEqual(t, "lastIndex of a peer", s.peers[1].Status().LastIndex, 1)
		mustEqual(t, "events", applyText(s.received()), "LostLeadership(1 -1 -1 0)@0")
		mustEqual(t, "commitIndex", s.rf.Status().CommitIndex, 0)
	})
}
