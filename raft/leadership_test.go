package raft

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// Half of the servers elect nobody, since the other half could elect another (§5.2).
func TestHalfIsNoMajority(t *testing.T) {
	rf, args := newCandidate(t, 4, 3)
	vote(rf, 1, args, RequestVoteReply{Term: 3, VoteGranted: true})
	mustEqual(t, "role with two votes of four", rf.role, Candidate)
	vote(rf, 2, args, RequestVoteReply{Term: 3, VoteGranted: true})
	mustEqual(t, "role with three", rf.role, Leader)
}

// Servers that start at the same moment draw different election timeouts, or they would split every vote (§5.2).
func TestServersDrawTheirOwnTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var drawn [2][]time.Duration
		for server := range drawn {
			rf := newQuiet(t, 3, MakePersister())
			for range 10 {
				drawn[server] = append(drawn[server], time.Until(rf.deadline))
				rf.postponeElectionLocked()
			}
		}
		if slices.Equal(drawn[0], drawn[1]) {
			t.Errorf("two servers both drew %v", drawn[0])
		}
	})
}

// "State on leaders: reinitialized after election" (Figure 2): between two terms of lead a follower may have lost what
// it had acknowledged.
func TestLeaderBeginsAnew(t *testing.T) {
	rf := newLeader(t, 3, 2, from(1).terms(1, 1, 2))
	setMatch(rf, []int{2, 0})
	deliver(t, rf, appendMsg(3, 3, 2, 0, 3))
	rf.becomeCandidateLocked()
	rf.becomeLeaderLocked()
	f := rf.followers[1]
	mustEqual(t, "matchIndex, nextIndex", [2]int{f.matchIndex, f.nextIndex}, [2]int{0, 5})
}

// A refusal because the message's term was older is no failed consistency check: it comes when the leader leads again,
// in a newer term, and says nothing of the follower's log.
func TestRefusalOfOlderTermMovesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf := newLeader(t, 3, 2, from(1).terms(1, 1))
		peer, network := connectScripted(rf)
		defer network.Cleanup()
		go rf.applier()
		defer rf.Kill()
		go rf.replicator(rf.followers[1])
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
