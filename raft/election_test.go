package raft

import (
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"
)

// §5.2: "Each server will vote for at most one candidate in a given term, on a first-come-first-served basis"; §5.4.1:
// "the voter denies its vote if its own log is more up-to-date than that of the candidate." The voter is in term 3,
// with a log of terms 1, 1, 2.
func TestRequestVoteRule(t *testing.T) {
	for _, c := range []struct {
		name     string
		votedFor int
		args     RequestVoteArgs
		granted  bool
		term     int // afterwards
		vote     int
	}{
		{"free vote", nobody, RequestVoteArgs{Term: 3, CandidateID: 1, LastLogIndex: 3, LastLogTerm: 2}, true, 3, 1},
		{"voted for it already", 1, RequestVoteArgs{Term: 3, CandidateID: 1, LastLogIndex: 3, LastLogTerm: 2}, true, 3, 1},
		{"voted for another", 2, RequestVoteArgs{Term: 3, CandidateID: 1, LastLogIndex: 3, LastLogTerm: 2}, false, 3, 2},
		{"voted for itself", 0, RequestVoteArgs{Term: 3, CandidateID: 1, LastLogIndex: 3, LastLogTerm: 2}, false, 3, 0},
		{"newer term frees the vote", 2, RequestVoteArgs{Term: 4, CandidateID: 1, LastLogIndex: 3, LastLogTerm: 2}, true, 4, 1},
		{"older term", nobody, RequestVoteArgs{Term: 2, CandidateID: 1, LastLogIndex: 3, LastLogTerm: 2}, false, 3, nobody},
		{"longer log", nobody, RequestVoteArgs{Term: 3, CandidateID: 1, LastLogIndex: 4, LastLogTerm: 2}, true, 3, 1},
		{"shorter log", nobody, RequestVoteArgs{Term: 3, CandidateID: 1, LastLogIndex: 2, LastLogTerm: 2}, false, 3, nobody},
		{"shorter log, newer term", 2, RequestVoteArgs{Term: 5, CandidateID: 1, LastLogIndex: 2, LastLogTerm: 2}, false, 5, nobody},
		{"longer log of an older last term", nobody, RequestVoteArgs{Term: 4, CandidateID: 1, LastLogIndex: 9, LastLogTerm: 1}, false, 4, nobody},
		{"shorter log of a newer last term", nobody, RequestVoteArgs{Term: 4, CandidateID: 1, LastLogIndex: 1, LastLogTerm: 3}, true, 4, 1},
		{"empty log", nobody, RequestVoteArgs{Term: 4, CandidateID: 1, LastLogIndex: 0, LastLogTerm: 0}, false, 4, nobody},
		{"PreVote", nobody, RequestVoteArgs{Term: 4, CandidateID: 1, LastLogIndex: 3, LastLogTerm: 2, PreVote: true}, true, 3, nobody},
		{"PreVote after a vote in this term", 2, RequestVoteArgs{Term: 4, CandidateID: 1, LastLogIndex: 3, LastLogTerm: 2, PreVote: true}, true, 3, 2},
		{"PreVote for a term not newer", nobody, RequestVoteArgs{Term: 3, CandidateID: 1, LastLogIndex: 3, LastLogTerm: 2, PreVote: true}, false, 3, nobody},
		{"PreVote with a shorter log", nobody, RequestVoteArgs{Term: 4, CandidateID: 1, LastLogIndex: 2, LastLogTerm: 2, PreVote: true}, false, 3, nobody},
	} {
		t.Run(c.name, func(t *testing.T) {
			rf := newFollower(t, 3, 3, from(1).terms(1, 1, 2))
			rf.votedFor = c.votedFor
			rf.saveLocked()
			rf.electionTimer.deadline = time.Time{}
			mustEqual(t, "granted", granted(deliver(t, rf, &c.args)), c.granted)
			after := restored(t, rf) // saved before the reply
			mustEqual(t, "term and vote", [2]int{after.term, after.votedFor}, [2]int{c.term, c.vote})
			// §5.2: only a granted vote resets the voter's election timer; a PreVote changes nothing.
			mustEqual(t, "election timer reset", !rf.electionTimer.deadline.IsZero(), c.granted && !c.args.PreVote)
		})
	}
}

// Requests that no correct candidate can send are refused and change nothing. The voter is in term 3.
func TestRequestVoteMalformed(t *testing.T) {
	const huge = math.MaxInt
	for _, args := range []RequestVoteArgs{
		{Term: 4, CandidateID: 0, LastLogIndex: 3, LastLogTerm: 2},
		{Term: 4, CandidateID: 3, LastLogIndex: 3, LastLogTerm: 2},
		{Term: 4, CandidateID: -1, LastLogIndex: 3, LastLogTerm: 2},
		{Term: 4, CandidateID: huge, LastLogIndex: 3, LastLogTerm: 2},
		{Term: 4, CandidateID: math.MinInt, LastLogIndex: 3, LastLogTerm: 2},
		{Term: -1, CandidateID: 1, LastLogIndex: 3, LastLogTerm: 2},
		{Term: math.MinInt, CandidateID: 1, LastLogIndex: 3, LastLogTerm: 2},
		{Term: huge, CandidateID: 1, LastLogIndex: 3, LastLogTerm: 2},
		{Term: maxNumber + 1, CandidateID: 1, LastLogIndex: 3, LastLogTerm: 2},
		{Term: 4, CandidateID: 1, LastLogIndex: -1, LastLogTerm: 2},
		{Term: 4, CandidateID: 1, LastLogIndex: huge, LastLogTerm: 2},
		{Term: 4, CandidateID: 1, LastLogIndex: 3, LastLogTerm: -1},
		{Term: 4, CandidateID: 1, LastLogIndex: 3, LastLogTerm: huge},
		{Term: 4, CandidateID: 1, LastLogIndex: 3, LastLogTerm: 5},
		{Term: 4, CandidateID: 1, LastLogIndex: 3, LastLogTerm: 4}, // a candidate of term 4 cannot have an entry of term 4
		{Term: 4, CandidateID: 1, LastLogIndex: 0, LastLogTerm: 3},
	} {
		for _, args.PreVote = range []bool{false, true} {
			t.Run(fmt.Sprintf("%+v", args), func(t *testing.T) {
				wantRefused(t, newFollower(t, 3, 3, from(1).terms(1, 1, 2)), &args)
			})
		}
	}
	t.Run("term 0", func(t *testing.T) { // no server is a candidate in term 0
		wantRefused(t, newFollower(t, 3, 0, nil), &RequestVoteArgs{CandidateID: 1})
	})
	t.Run("entries of no term", func(t *testing.T) {
		wantRefused(t, newFollower(t, 3, 0, nil), &RequestVoteArgs{Term: 1, CandidateID: 1, LastLogIndex: 5})
	})
}

// A server that leads or hears a leader grants no PreVotes. It grants them again after the leader has been silent for
// the minimum election timeout (dissertation, §4.2.3 and §9.6).
func TestPreVoteWithLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ask := &RequestVoteArgs{Term: 4, CandidateID: 2, LastLogIndex: 9, LastLogTerm: 3, PreVote: true}
		rf := newFollower(t, 3, 3, nil)
		deliver(t, rf, &AppendEntriesArgs{Term: 3, LeaderID: 1})
		wantRefused(t, rf, ask)
		time.Sleep(rf.options.timeoutMin - time.Nanosecond)
		wantRefused(t, rf, ask)
		time.Sleep(time.Nanosecond)
		before := observableOf(rf)
		mustEqual(t, "granted when the leader is silent", granted(deliver(t, rf, ask)), true)
		mustEqual(t, "state", observableOf(rf), before)

		leader := newLeader(t, 3, 3, nil)
		time.Sleep(time.Hour)
		wantRefused(t, leader, ask)
	})
}

// Every heartbeat counts: a follower refuses PreVotes however long the leader has led, and grants them after the leader
// has been silent for the minimum election timeout.
func TestPreVoteUnderLongLeadership(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ask := &RequestVoteArgs{Term: 4, CandidateID: 2, LastLogIndex: 1, LastLogTerm: 3, PreVote: true}
		rf := newFollower(t, 3, 3, from(1).terms(3))
		for range 100 {
			deliver(t, rf, appendMsg(3, 1, 3, 1))
			for range 2 {
				time.Sleep(rf.options.timeoutMin/2 - time.Nanosecond)
				wantRefused(t, rf, ask)
			}
		}
		time.Sleep(2 * time.Nanosecond)
		mustEqual(t, "granted when the leader is silent", granted(deliver(t, rf, ask)), true)
		deliver(t, rf, &InstallSnapshotArgs{Term: 3, LeaderID: 1, LastIncludedIndex: 2, LastIncludedTerm: 3, Data: []byte("snapshot")})
		ask.LastLogIndex = 2
		time.Sleep(rf.options.timeoutMin - time.Nanosecond)
		wantRefused(t, rf, ask)
	})
}

// A leader of an earlier term does not prevent PreVotes, even if it was heard just now.
func TestPreVoteAfterLeadersTerm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf := newFollower(t, 3, 3, from(1).terms(3))
		deliver(t, rf, appendMsg(3, 1, 3, 1))
		mustEqual(t, "a vote for a worse log", granted(deliver(t, rf, &RequestVoteArgs{Term: 4, CandidateID: 2})), false)
		ask := &RequestVoteArgs{Term: 5, CandidateID: 1, LastLogIndex: 1, LastLogTerm: 3, PreVote: true}
		mustEqual(t, "a PreVote", granted(deliver(t, rf, ask)), true)
	})
}

// PreVotes of one attempt count in the next.
func TestPreVotesAddUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf := newFollower(t, 5, 3, from(1).terms(1))
		for _, peer := range []int{1, 2} {
			locked(rf, rf.startElectionLocked)
			vote(rf, peer, &RequestVoteArgs{Term: 4, PreVote: true}, RequestVoteReply{Term: 3, VoteGranted: true})
			time.Sleep(time.Second)
		}
		mustEqual(t, "role and term with a PreVote of each attempt", fmt.Sprint(rf.role, rf.currentTerm), "candidate 4")
	})
}

// newCandidate returns a quiet candidate, server 0 of n, in term, and its request.
func newCandidate(t testing.TB, n, term int) (*Raft, *RequestVoteArgs) {
	rf := newFollower(t, n, term-1, from(1).terms(1))
	rf.mu.Lock()
	defer rf.mu.Unlock()
	rf.startCandidacyLocked()
	return rf, &RequestVoteArgs{Term: term, CandidateID: 0, LastLogIndex: 1, LastLogTerm: 1}
}

// vote gives rf a peer's reply.
func vote(rf *Raft, peer int, args *RequestVoteArgs, reply RequestVoteReply) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	if !rf.staleVoteLocked(args) {
		rf.onVoteReplyLocked(peer, &reply)
	}
}

// A ballot is a reply to a request for a vote.
type ballot struct {
	peer    int
	preVote bool
	asked   int // the term of the request
	term    int // the term of the reply
	granted bool
}

// §5.2: "A candidate wins an election if it receives votes from a majority of the servers in the full cluster for the same
// term." The candidate is one of five, in term 3.
func TestCountingVotes(t *testing.T) {
	yes := func(peer int) ballot { return ballot{peer, false, 3, 3, true} }
	no := func(peer int) ballot { return ballot{peer, false, 3, 3, false} }
	for _, c := range []struct {
		name    string
		ballots []ballot
		role    Role
		term    int
	}{
		{"own vote only", nil, Candidate, 3},
		{"one more", []ballot{yes(1)}, Candidate, 3},
		{"majority", []ballot{yes(1), yes(2)}, Leader, 3},
		{"the same one twice", []ballot{yes(1), yes(1), yes(1)}, Candidate, 3},
		{"refusals", []ballot{no(1), no(2), no(3), no(4)}, Candidate, 3},
		{"majority in spite of refusals", []ballot{no(1), yes(2), no(3), yes(4)}, Leader, 3},
		{"late grants of an older term", []ballot{{1, false, 2, 2, true}, {2, false, 2, 2, true}}, Candidate, 3},
		{"PreVotes are not votes", []ballot{{1, true, 3, 2, true}, {2, true, 4, 3, true}, {3, true, 4, 3, true}}, Candidate, 3},
		{"newer term", []ballot{yes(1), {2, false, 3, 7, false}}, Follower, 7},
		{"votes after a newer term", []ballot{{1, false, 3, 7, false}, yes(2), yes(3), yes(4)}, Follower, 7},
		{"late newer term of an older request", []ballot{{1, false, 2, 7, false}}, Candidate, 3},
		{"impossible terms", []ballot{{1, false, 3, -1, true}, {2, false, 3, math.MaxInt, true}}, Candidate, 3},
		{"votes after the election", []ballot{yes(1), yes(2), yes(3), yes(4)}, Leader, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			rf, _ := newCandidate(t, 5, 3)
			for _, b := range c.ballots {
				args := &RequestVoteArgs{Term: b.asked, LastLogIndex: 1, LastLogTerm: 1, PreVote: b.preVote}
				vote(rf, b.peer, args, RequestVoteReply{Term: b.term, VoteGranted: b.granted})
				verify(t, rf)
			}
			mustEqual(t, "role", rf.role, c.role)
			mustEqual(t, "saved term", restored(t, rf).term, c.term)
		})
	}
}

// With the PreVotes of a majority, a server becomes a candidate. It saves the new term and its own vote before it asks
// for votes.
func TestCountingPreVotes(t *testing.T) {
	rf := newQuiet(t, 5, MakePersister(), WithVotePolicy(VoteSelfFirst))
	rf.currentTerm = 2
	rf.saveLocked()
	rf.mu.Lock()
	rf.startElectionLocked()
	rf.mu.Unlock()
	before := restored(t, rf)
	mustEqual(t, "term and vote while it asks", [2]int{before.term, before.votedFor}, [2]int{2, nobody})
	args := &RequestVoteArgs{Term: 3, LastLogIndex: 1, LastLogTerm: 1, PreVote: true}
	vote(rf, 1, args, RequestVoteReply{Term: 2, VoteGranted: true})
	vote(rf, 1, args, RequestVoteReply{Term: 2, VoteGranted: true})
	vote(rf, 2, args, RequestVoteReply{Term: 2, VoteGranted: false})
	mustEqual(t, "role with two PreVotes", rf.role, Follower)
	vote(rf, 3, args, RequestVoteReply{Term: 2, VoteGranted: true})
	mustEqual(t, "role with three", rf.role, Candidate)
	after := restored(t, rf)
	mustEqual(t, "term and vote", [2]int{after.term, after.votedFor}, [2]int{3, 0})
	vote(rf, 4, args, RequestVoteReply{Term: 2, VoteGranted: true})
	mustEqual(t, "votes, after a late PreVote", rf.campaign.count(), 1)
}

// A late vote does not count as a PreVote when the candidate already asks for PreVotes again.
func TestLateVoteIsNoPreVote(t *testing.T) {
	rf, args := newCandidate(t, 3, 3)
	rf.mu.Lock()
	rf.startElectionLocked()
	rf.mu.Unlock()
	vote(rf, 1, args, RequestVoteReply{Term: 3, VoteGranted: true})
	mustEqual(t, "role and term", fmt.Sprint(rf.role, rf.currentTerm), "follower 3")
	vote(rf, 1, &RequestVoteArgs{Term: 4, PreVote: true}, RequestVoteReply{Term: 3, VoteGranted: true})
	mustEqual(t, "role and term with a PreVote", fmt.Sprint(rf.role, rf.currentTerm), "candidate 4")
}

// A PreVote for an earlier term does not count for the term that the server asks for now.
func TestPreVoteOfOlderTerm(t *testing.T) {
	rf := newFollower(t, 3, 3, nil)
	locked(rf, rf.startElectionLocked, func() { rf.becomeFollowerLocked(7) }, rf.startElectionLocked)
	for _, term := range []int{4, 7, 9} {
		vote(rf, 1, &RequestVoteArgs{Term: term, PreVote: true}, RequestVoteReply{Term: 3, VoteGranted: true})
	}
	mustEqual(t, "role and term after old PreVotes", fmt.Sprint(rf.role, rf.currentTerm), "follower 7")
	vote(rf, 1, &RequestVoteArgs{Term: 8, PreVote: true}, RequestVoteReply{Term: 3, VoteGranted: true})
	mustEqual(t, "role and term after one for the next", fmt.Sprint(rf.role, rf.currentTerm), "candidate 8")
}

// A refusal with a newer term ends the campaign for PreVotes.
func TestPreVoteRefusedByNewerTerm(t *testing.T) {
	rf := newFollower(t, 3, 2, nil)
	rf.mu.Lock()
	rf.startElectionLocked()
	rf.mu.Unlock()
	args := &RequestVoteArgs{Term: 3, PreVote: true}
	vote(rf, 1, args, RequestVoteReply{Term: 5})
	mustEqual(t, "term after a refusal of term 5", restored(t, rf).term, 5)
	mustEqual(t, "campaign over", rf.campaign.granted == nil, true)
}

// §5.2: "If the leader's term ... is at least as large as the candidate's current term, then the candidate recognizes the
// leader as legitimate and returns to follower state."
func TestCandidateMeetsLeader(t *testing.T) {
	for _, c := range []struct {
		term int
		role Role
	}{{2, Candidate}, {3, Follower}, {4, Follower}} {
		rf, args := newCandidate(t, 3, 3)
		deliver(t, rf, &AppendEntriesArgs{Term: c.term, LeaderID: 1})
		mustEqual(t, fmt.Sprint("role after a heartbeat of term ", c.term), rf.role, c.role)
		if c.role == Follower {
			vote(rf, 2, args, RequestVoteReply{Term: 3, VoteGranted: true})
			mustEqual(t, "role after a late vote", rf.role, Follower)
		}
	}
}

// A leader that is deposed by a candidate with a worse log becomes a candidate again soon; one that is deposed by a
// better log does not.
func TestDeposedLeaderStandsSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			index, term int
			soon        bool
		}{{0, 0, true}, {1, 1, true}, {2, 1, false}, {1, 3, false}} {
			rf := newLeader(t, 3, 3, from(1).terms(1, 1))
			reply := deliver(t, rf, &RequestVoteArgs{Term: 4, CandidateID: 1, LastLogIndex: c.index, LastLogTerm: c.term})
			mustEqual(t, "role", rf.role, Follower)
			mustEqual(t, "granted", granted(reply), !c.soon)
			mustEqual(t, fmt.Sprintf("becomes a candidate before others time out, after %+v", c),
				time.Until(rf.electionTimer.deadline) == rf.options.heartbeat, c.soon)
		}
		rf := newFollower(t, 3, 3, from(1).terms(1, 1))
		deadline := rf.electionTimer.deadline
		deliver(t, rf, &RequestVoteArgs{Term: 4, CandidateID: 1})
		mustEqual(t, "deadline of a follower", rf.electionTimer.deadline, deadline)
	})
}

// §5.2: "Raft uses randomized election timeouts". After failed attempts they double, and then double again.
func TestElectionTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf := newFollower(t, 3, 1, nil)
		for attempts, factor := range []time.Duration{1, 1, 1, 2, 4, 4, 4} {
			rf.electionsStarted = attempts
			seen := make(map[time.Duration]bool)
			for range 100 {
				rf.resetElectionTimerLocked()
				timeout := time.Until(rf.electionTimer.deadline)
				seen[timeout] = true
				if timeout < factor*rf.options.timeoutMin || timeout > factor*rf.options.timeoutMax {
					t.Errorf("after %d attempts: %v", attempts, timeout)
				}
			}
			if len(seen) < 50 {
				t.Errorf("after %d attempts: only %d different timeouts of 100", attempts, len(seen))
			}
		}
	})
}

// Without any answers, a server's timeout doubles at once, and then again. With the first answer it is as usual.
func TestElectionTimeoutUnanswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 100 {
			rf := newFollower(t, 3, 1, nil)
			for n, factors := range [][2]time.Duration{{2, 1}, {4, 1}, {4, 2}, {4, 4}, {4, 4}} {
				wantTimeout := func(when string, factor time.Duration) {
					timeout := time.Until(rf.electionTimer.deadline)
					if timeout < factor*rf.options.timeoutMin || timeout > factor*rf.options.timeoutMax {
						t.Errorf("attempt %d, %s: %v", n+1, when, timeout)
					}
				}
				rf.mu.Lock()
				rf.startElectionLocked()
				rf.mu.Unlock()
				wantTimeout("unanswered", factors[0])
				vote(rf, 1, &RequestVoteArgs{Term: 2, PreVote: true}, RequestVoteReply{Term: 1})
				wantTimeout("answered", factors[1])
			}
		}
	})
}

// In one attempt, a peer that answers is asked once. In the next attempt, only peers that have not granted a PreVote
// are asked.
func TestEachPeerIsAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, 5, newFollower(t, 3, 7, from(1).terms(1)).store.persister, WithElectionTimeout(200*time.Millisecond, 200*time.Millisecond))
		defer s.end()
		s.intercept(func(peer int, m Message) (Reply, bool) {
			return &RequestVoteReply{Term: 7, VoteGranted: peer == 1}, true
		})
		time.Sleep(210 * time.Millisecond)
		for peer := 1; peer < 5; peer++ {
			mustEqual(t, fmt.Sprint("requests to peer ", peer), messagesText(s.sentTo(peer)), "?8")
		}
		time.Sleep(200 * time.Millisecond)
		mustEqual(t, "requests to the peer that has granted", messagesText(s.sentTo(1)), "")
		mustEqual(t, "requests to another", messagesText(s.sentTo(2)), "?8")
	})
}

// Make starts the election timer: a server asks for votes after the minimum and before the maximum election timeout.
func TestFirstElectionTimeout(t *testing.T) {
	for name, disk := range map[string]*Persister{
		"a new server": MakePersister(), "a restarted one": newFollower(t, 3, 7, from(1).terms(1)).store.persister,
	} {
		for range 20 {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, 3, disk.Copy())
				defer s.end()
				s.intercept(loseAll)
				begun := time.Now()
				time.Sleep(labDefaults().timeoutMax)
				synctest.Wait()
				messages := s.sentTo(1)
				if len(messages) == 0 {
					t.Fatalf("%s has not asked for a vote in %v", name, labDefaults().timeoutMax)
				}
				if after := messages[0].at.Sub(begun); after < labDefaults().timeoutMin {
					t.Errorf("%s asks for a vote after %v", name, after)
				}
				args := messages[0].Message.(*RequestVoteArgs)
				want := map[string]string{"a new server": "1 false", "a restarted one": "8 true"}[name]
				mustEqual(t, "term and PreVote of the first request of "+name, fmt.Sprint(args.Term, args.PreVote), want)
			})
		}
	}
}

// The minimum and maximum timeout may be equal.
func TestFixedElectionTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, 3, MakePersister(), WithElectionTimeout(200*time.Millisecond, 200*time.Millisecond))
		defer s.end()
		begun := time.Now()
		s.lead()
		mustEqual(t, "first request after", s.sentTo(1)[0].at.Sub(begun), 200*time.Millisecond)
	})
}

func TestTermsNeverDecrease(t *testing.T) {
	rf := newFollower(t, 3, 5, nil)
	for _, term := range []int{5, 4, 0} {
		wantPanic(t, func() { rf.becomeFollowerLocked(term) }, "server 0", "from term 5", fmt.Sprint("to ", term))
	}
	wantPanic(t, func() { rf.becomeLeaderLocked() }, "server 0", "from follower to leader", "term 5")
}

// A killed server refuses every message, and nothing changes any more.
func TestKilledServerRefuses(t *testing.T) {
	rf := newFollower(t, 3, 3, from(1).terms(1))
	go rf.applier()
	rf.Kill()
	wantRefused(t, rf, &RequestVoteArgs{Term: 4, CandidateID: 1, LastLogIndex: 5, LastLogTerm: 3})
	wantRefused(t, rf, &RequestVoteArgs{Term: 4, CandidateID: 1, LastLogIndex: 5, LastLogTerm: 3, PreVote: true})
	wantRefused(t, rf, &AppendEntriesArgs{Term: 4, LeaderID: 1})
	wantRefused(t, rf, &InstallSnapshotArgs{Term: 4, LeaderID: 1, LastIncludedIndex: 9, LastIncludedTerm: 3, Data: []byte("snapshot")})
}
