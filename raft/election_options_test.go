package raft

import (
	"fmt"
	"math/rand"
	"testing"
	"testing/synctest"
	"time"
)

// newCandidateWith returns a quiet candidate, server 0 of n, in term 3 with one entry of term 1, and its request. It
// has VoteSelfFirst unless opts change that.
func newCandidateWith(t testing.TB, n int, opts ...Option) (*Raft, *RequestVoteArgs) {
	rf := newQuiet(t, n, MakePersister(), append([]Option{WithVotePolicy(VoteSelfFirst)}, opts...)...)
	rf.currentTerm = 2
	rf.log.append(nil, segmentOf(from(1).terms(1)...), false)
	rf.saveAllLocked(false)
	rf.mu.Lock()
	defer rf.mu.Unlock()
	rf.startCandidacyLocked()
	return rf, requestOf(rf)
}

// requestOf returns the candidate rf's request.
func requestOf(rf *Raft) *RequestVoteArgs {
	return &RequestVoteArgs{
		Term: rf.currentTerm, CandidateID: rf.me, LastLogIndex: rf.log.lastIndex(), LastLogTerm: rf.log.lastTerm(),
	}
}

// rivalOf returns the request of a candidate of rf's term and with rf's log.
func rivalOf(rf *Raft, id int) *RequestVoteArgs {
	args := requestOf(rf)
	args.CandidateID = id
	return args
}

// poll gives rf the same reply from each of these peers.
func poll(t testing.TB, rf *Raft, args *RequestVoteArgs, yes bool, peers ...int) {
	for _, peer := range peers {
		vote(rf, peer, args, RequestVoteReply{Term: args.Term, VoteGranted: yes})
		verify(t, rf)
	}
}

// wantVote checks the role and the saved term and vote.
func wantVote(t testing.TB, rf *Raft, when string, role Role, term, votedFor int) {
	t.Helper()
	now := restored(t, rf)
	mustEqual(t, "role, term and vote "+when, fmt.Sprint(rf.role, now.term, now.votedFor), fmt.Sprint(role, term, votedFor))
}

// A candidate's vote for itself is saved before the others are asked, or, with VoteSelfLast, when it wins.
func TestVotePolicy(t *testing.T) {
	for policy, before := range map[VotePolicy]int{VoteSelfFirst: 0, VoteSelfLast: nobody} {
		t.Run(policy.String(), func(t *testing.T) {
			rf, args := newCandidateWith(t, 5, WithVotePolicy(policy))
			wantVote(t, rf, "as it asks", Candidate, 3, before)
			poll(t, rf, args, true, 1, 1, 1)
			wantVote(t, rf, "with one vote of the others", Candidate, 3, before)
			poll(t, rf, args, false, 2)
			poll(t, rf, args, true, 3)
			wantVote(t, rf, "with two", Leader, 3, 0)
			mustEqual(t, "a rival is granted", granted(deliver(t, rf, rivalOf(rf, 2))), false)
			wantVote(t, rf, "after a rival", Leader, 3, 0)
		})
	}
	wantPanic(t, func() { newRaftWith(t, WithVotePolicy(7)) }, "WithVotePolicy(VotePolicy(7))")
}

func newRaftWith(t testing.TB, opts ...Option) {
	Make(deadEnds(3), 0, MakePersister(), make(chan ApplyMsg), opts...)
	t.Error("Make accepted impossible options")
}

// With VoteSelfLast, a candidate grants its vote to a rival of the same term whose log is up to date. After that,
// neither another rival nor the candidate itself gets the vote.
func TestVoteSelfLastVotesForRival(t *testing.T) {
	rival := func(rf *Raft, id int) bool { return granted(deliver(t, rf, rivalOf(rf, id))) }

	first, _ := newCandidateWith(t, 5)
	mustEqual(t, "with VoteSelfFirst a rival is granted", rival(first, 1), false)

	rf, args := newCandidateWith(t, 5, WithVotePolicy(VoteSelfLast))
	worse := &RequestVoteArgs{Term: 3, CandidateID: 1}
	mustEqual(t, "a rival with a worse log is granted", granted(deliver(t, rf, worse)), false)
	wantVote(t, rf, "after it", Candidate, 3, nobody)
	mustEqual(t, "a rival is granted", rival(rf, 1), true)
	wantVote(t, rf, "after the rival", Candidate, 3, 1)
	mustEqual(t, "another one is", rival(rf, 2), false)
	mustEqual(t, "the first one is again", rival(rf, 1), true)
	poll(t, rf, args, true, 1, 2)
	wantVote(t, rf, "with two of five votes", Candidate, 3, 1)
	poll(t, rf, args, true, 3)
	wantVote(t, rf, "with three", Leader, 3, 1)
	mustEqual(t, "the rival, asking the leader again, is granted", rival(rf, 1), true)
	wantVote(t, rf, "after that", Leader, 3, 1)
}

// Two candidates that grant each other their votes still need the vote of the third server of three.
func TestVoteSelfLastTrade(t *testing.T) {
	rf, args := newCandidateWith(t, 3, WithVotePolicy(VoteSelfLast))
	deliver(t, rf, rivalOf(rf, 1))
	poll(t, rf, args, true, 1)
	wantVote(t, rf, "after a trade", Candidate, 3, 1)
	poll(t, rf, args, true, 2)
	wantVote(t, rf, "with the third vote", Leader, 3, 1)
}

// A restart ends a campaign. A vote that was free is still free after it; a vote that was granted stays granted.
func TestVoteSelfLastRestart(t *testing.T) {
	restart := func(rf *Raft) *Raft {
		return newQuiet(t, 3, rf.store.persister.Copy(), WithVotePolicy(VoteSelfLast), WithConcession(true))
	}
	asked, args := newCandidateWith(t, 3, WithVotePolicy(VoteSelfLast))
	again := restart(asked)
	poll(t, again, args, true, 1, 2)
	wantVote(t, again, "of a follower that gets late votes", Follower, 3, nobody)
	mustEqual(t, "a rival is granted", granted(deliver(t, again, rivalOf(again, 2))), true)
	again = restart(again)
	mustEqual(t, "another one is, after another restart", granted(deliver(t, again, rivalOf(again, 1))), false)

	poll(t, asked, args, true, 1)
	wantVote(t, asked, "with one vote", Leader, 3, 0)
	mustEqual(t, "a rival of a leader that restarted is granted", granted(deliver(t, restart(asked), args)), false)
	wantVote(t, restart(asked), "after it", Follower, 3, 0)
}

// The server of a cluster of one needs only its own vote.
func TestVoteSelfLastAlone(t *testing.T) {
	rf, _ := newCandidateWith(t, 1, WithVotePolicy(VoteSelfLast))
	wantVote(t, rf, "in a cluster of one", Leader, 3, 0)
}

// With WithConcession, a candidate concedes when it cannot win any more, and not earlier. It is server 0, in term 3.
func TestConcession(t *testing.T) {
	on := WithConcession(true)
	for _, c := range []struct {
		name    string
		servers int
		options []Option
		ballots []ballot
		role    Role
		vote    int
	}{
		{"off", 3, nil, refusals(3, 1, 2), Candidate, 0},
		{"one of three", 3, []Option{on}, refusals(3, 1), Candidate, 0},
		{"one of three, twice", 3, []Option{on}, refusals(3, 1, 1), Candidate, 0},
		{"two of three", 3, []Option{on}, refusals(3, 1, 2), Follower, nobody},
		{"one of four", 4, []Option{on}, refusals(3, 2), Candidate, 0},
		{"two of four", 4, []Option{on}, refusals(3, 2, 1), Follower, nobody},
		{"two of five", 5, []Option{on}, refusals(3, 4, 1), Candidate, 0},
		{"three of five", 5, []Option{on}, refusals(3, 4, 1, 3), Follower, nobody},
		{"a late answer to an older request", 3, []Option{on}, refusals(2, 1, 2), Candidate, 0},
		{"refused by servers that did not hear of the term", 3, []Option{on},
			[]ballot{{1, false, 3, 2, false}, {2, false, 3, 0, false}}, Candidate, 0},
		{"PreVotes refused late", 3, []Option{on},
			[]ballot{{1, true, 3, 3, false}, {2, true, 4, 3, false}}, Candidate, 0},
		{"own vote still free", 3, []Option{on, WithVotePolicy(VoteSelfLast)}, refusals(3, 1, 2), Follower, nobody},
	} {
		t.Run(c.name, func(t *testing.T) {
			rf, _ := newCandidateWith(t, c.servers, c.options...)
			for _, b := range c.ballots {
				args := &RequestVoteArgs{Term: b.asked, LastLogIndex: 1, LastLogTerm: 1, PreVote: b.preVote}
				vote(rf, b.peer, args, RequestVoteReply{Term: b.term, VoteGranted: b.granted})
				verify(t, rf)
			}
			wantVote(t, rf, "afterwards", c.role, 3, c.vote)
		})
	}
}

func refusals(term int, peers ...int) (ballots []ballot) {
	for _, peer := range peers {
		ballots = append(ballots, ballot{peer: peer, asked: term, term: term})
	}
	return ballots
}

// A candidate that has conceded does not lead in that term, even if it gets more votes, and can grant its vote once.
func TestGrantsAfterConcession(t *testing.T) {
	for _, crash := range []bool{false, true} {
		t.Run(fmt.Sprint("restart=", crash), func(t *testing.T) {
			rf, args := newCandidateWith(t, 5, WithConcession(true))
			poll(t, rf, args, true, 4)
			poll(t, rf, args, false, 1, 2, 3)
			wantVote(t, rf, "after the concession", Follower, 3, nobody)
			if crash {
				rf = newQuiet(t, 5, rf.store.persister.Copy(), WithConcession(true), WithVotePolicy(VoteSelfFirst))
			}
			poll(t, rf, args, true, 1, 2, 3, 4)
			wantVote(t, rf, "after late votes", Follower, 3, nobody)
			mustEqual(t, "a rival is granted", granted(deliver(t, rf, rivalOf(rf, 2))), true)
			wantVote(t, rf, "after the rival", Follower, 3, 2)
			poll(t, rf, args, true, 1, 2, 3, 4)
			poll(t, rf, args, false, 1, 2, 3, 4)
			mustEqual(t, "another rival is", granted(deliver(t, rf, rivalOf(rf, 1))), false)
			wantVote(t, rf, "after it", Follower, 3, 2)
			rf.mu.Lock()
			rf.startCandidacyLocked()
			rf.mu.Unlock()
			poll(t, rf, args, true, 1, 2, 3, 4)
			wantVote(t, rf, "in the next term, after votes of the one before", Candidate, 4, 0)
		})
	}
}

// A concession frees only a vote that no one has used: not that of a server that was elected, and not one that a rival
// has.
func TestConcessionFreesNoOtherVote(t *testing.T) {
	rf, args := newCandidateWith(t, 5, WithConcession(true))
	poll(t, rf, args, true, 3, 4)
	poll(t, rf, args, false, 1, 2)
	wantVote(t, rf, "of a leader that two refused", Leader, 3, 0)
	rf.mu.Lock()
	rf.stepDownLocked()
	rf.mu.Unlock()
	poll(t, rf, args, false, 1, 2, 3, 4)
	wantVote(t, rf, "after it stepped down", Follower, 3, 0)
	wantRefused(t, rf, rivalOf(rf, 1))

	rf, args = newCandidateWith(t, 5, WithConcession(true), WithVotePolicy(VoteSelfLast))
	poll(t, rf, args, false, 2, 3)
	wantVote(t, rf, "with two refusals", Candidate, 3, nobody)
	deliver(t, rf, rivalOf(rf, 1)) // gets the candidate's own vote, which counts as a third refusal
	wantVote(t, rf, "after a rival", Follower, 3, 1)
	poll(t, rf, args, true, 1, 2, 3, 4)
	wantVote(t, rf, "after late votes", Follower, 3, 1)
	wantRefused(t, rf, rivalOf(rf, 2))
}

// Refused PreVotes are no reason to concede: the server keeps asking.
func TestNoConcessionOfPreVotes(t *testing.T) {
	rf, _ := newCandidateWith(t, 3, WithConcession(true))
	rf.mu.Lock()
	rf.startElectionLocked()
	rf.mu.Unlock()
	ask := requestOf(rf)
	ask.Term, ask.PreVote = 4, true
	for _, peer := range []int{1, 2} {
		vote(rf, peer, ask, RequestVoteReply{Term: 3})
	}
	wantVote(t, rf, "after refused PreVotes", Follower, 3, 0)
	vote(rf, 1, ask, RequestVoteReply{Term: 3, VoteGranted: true})
	wantVote(t, rf, "after a granted PreVote", Candidate, 4, 0)
}

// Without PreVote, a timeout increases the term at once; with PreVote, only the grants of a majority do.
func TestWithPreVote(t *testing.T) {
	for _, on := range []bool{true, false} {
		rf := newQuiet(t, 3, MakePersister(), WithPreVote(on), WithVotePolicy(VoteSelfFirst))
		rf.currentTerm = 2
		rf.saveLocked()
		for range 2 {
			rf.mu.Lock()
			rf.startElectionLocked()
			rf.mu.Unlock()
		}
		if on {
			wantVote(t, rf, "after two timeouts with PreVote", Follower, 2, nobody)
		} else {
			wantVote(t, rf, "after two timeouts without", Candidate, 4, 0)
		}
	}
}

// A leader that was deposed while a majority answered it becomes a candidate when its next heartbeat would have been
// due, before others time out, unless it has a leader again or has voted for another server.
func TestStandSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		soon := labDefaults().heartbeat
		depose := map[string]struct {
			by   func(rf *Raft)
			soon bool
		}{
			"a reply":     {func(rf *Raft) { hearOfTerm(rf, 4) }, true},
			"a worse log": {func(rf *Raft) { deliver(t, rf, &RequestVoteArgs{Term: 4, CandidateID: 1}) }, true},
			"a log that is as good": {func(rf *Raft) {
				deliver(t, rf, &RequestVoteArgs{Term: 4, CandidateID: 1, LastLogIndex: 1, LastLogTerm: 1})
			}, false},
			"a new leader": {func(rf *Raft) { deliver(t, rf, &AppendEntriesArgs{Term: 4, LeaderID: 1}) }, false},
		}
		for name, by := range depose {
			for _, c := range []struct {
				name   string
				on     bool
				silent time.Duration // since a majority answered
			}{{"at once", true, 0}, {"just in time", true, 159 * time.Millisecond},
				{"without a majority", true, 160 * time.Millisecond}, {"option off", false, 0}} {
				rf, args := newCandidateWith(t, 5, WithStandSoon(c.on))
				poll(t, rf, args, true, 1, 2)
				time.Sleep(c.silent)
				by.by(rf)
				mustEqual(t, fmt.Sprintf("role when deposed by %s, %s", name, c.name), rf.role, Follower)
				mustEqual(t, fmt.Sprintf("becomes a candidate soon when deposed by %s, %s", name, c.name),
					time.Until(rf.electionTimer.deadline) == soon, by.soon && c.on && c.silent < rf.options.timeoutMin)
			}
		}
	})
}

// hearOfTerm does what rf does at a reply of a newer term.
func hearOfTerm(rf *Raft, term int) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	rf.becomeFollowerLocked(term)
}

// Servers with different options elect leaders and agree.
func TestElectionOptionsMixed(t *testing.T) {
	parallel(t)
	for _, unreliable := range []bool{false, true} {
		lab(t, func(t *testing.T) {
			cfg := setup{n: 5, unreliable: unreliable, options: func(server int) []Option {
				return []Option{
					WithVotePolicy(VotePolicy(server % 2)), WithConcession(server%3 == 0),
					WithPreVote(server < 3), WithStandSoon(server != 1),
				}
			}}.start(t)
			defer cfg.cleanup()
			for n := range 15 {
				leader, _ := awaitCalm(cfg)
				cfg.disconnect(leader)
				cfg.one(n, 4, true)
				cfg.connect(leader)
				cfg.one(100+n, 5, true)
			}
		})
	}
}

// A contest is a cluster of candidates with different options in few terms. Requests and replies are delayed, repeated,
// lost and reordered, and servers restart from their disks.
type contest struct {
	t        *testing.T
	random   *rand.Rand
	servers  []*Raft
	options  [][]Option
	lives    []int // number of restarts of each server
	requests []request
	replies  []answer
	leaders  map[int]int // by term
	conceded int
	traded   int
}

type request struct {
	to, life int // life: the candidate's number of restarts
	args     *RequestVoteArgs
}

type answer struct {
	request
	reply RequestVoteReply
}

// A granted PreVote expires, because the server that granted it may follow a leader by then.
func TestOldPreVotesDoNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf := newFollower(t, 5, 3, from(1).terms(1))
		stand := func() {
			rf.mu.Lock()
			defer rf.mu.Unlock()
			rf.startElectionLocked()
		}
		promise := func(peer int) (term int) {
			rf.mu.Lock()
			defer rf.mu.Unlock()
			rf.onVoteReplyLocked(peer, &RequestVoteReply{Term: 3, VoteGranted: true})
			return rf.currentTerm
		}
		stand()
		promise(1)
		for range 20 {
			time.Sleep(3 * time.Second)
			stand()
		}
		mustEqual(t, "term after a PreVote of a minute ago and a new one", promise(2), 3)
		mustEqual(t, "term after two new ones", promise(3), 4)
	})
}

// §5.2, Election Safety: "at most one leader can be elected in a given term", under all options and schedules.
func TestElectionSafety(t *testing.T) {
	parallel(t)
	elected, conceded, traded := 0, 0, 0
	for seed := range int64(100) {
		c := newContest(t, seed)
		for range 300 {
			c.step()
		}
		elected, conceded, traded = elected+len(c.leaders), conceded+c.conceded, traded+c.traded
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if elected < 250 || conceded < 25 || traded < 25 {
		t.Errorf("only %d leaders, %d concessions and %d votes granted by candidates",
			elected, conceded, traded)
	}
}

func newContest(t *testing.T, seed int64) *contest {
	random := rand.New(rand.NewSource(seed))
	n := 3 + random.Intn(4)
	c := &contest{t: t, random: random, servers: make([]*Raft, n), lives: make([]int, n), leaders: make(map[int]int)}
	for i := range c.servers {
		c.options = append(c.options, []Option{WithVotePolicy(VotePolicy(random.Intn(2))), WithConcession(random.Intn(4) > 0)})
		c.start(i, MakePersister())
	}
	return c
}

func (c *contest) start(i int, persister *Persister) {
	c.servers[i] = newQuietServer(c.t, len(c.servers), i, persister, c.options[i]...)
	c.lives[i]++
}

func (c *contest) step() {
	i := c.random.Intn(len(c.servers))
	rf := c.servers[i]
	switch k := c.random.Intn(100); {
	case k < 5:
		c.stand(i)
	case k < 6:
		c.start(i, rf.store.persister.Copy())
	case k < 50 && len(c.requests) > 0:
		c.ask(pick(c.random, &c.requests))
	case len(c.replies) > 0:
		c.answer(pick(c.random, &c.replies))
	}
	for i, rf := range c.servers {
		if rf.role != Leader {
			continue
		}
		if other, ok := c.leaders[rf.currentTerm]; ok && other != i {
			c.t.Errorf("%d and %d both led in term %d", other, i, rf.currentTerm)
		}
		c.leaders[rf.currentTerm] = i
	}
}

// pick returns a random element of all, and usually removes it.
func pick[T any](random *rand.Rand, all *[]T) T {
	k := random.Intn(len(*all))
	one := (*all)[k]
	if random.Intn(4) > 0 {
		last := len(*all) - 1
		(*all)[k] = (*all)[last]
		*all = (*all)[:last]
	}
	return one
}

func (c *contest) stand(i int) {
	rf := c.servers[i]
	rf.mu.Lock()
	rf.startCandidacyLocked()
	rf.mu.Unlock()
	for to := range c.servers {
		if to != i {
			c.requests = append(c.requests, request{to, c.lives[i], requestOf(rf)})
		}
	}
}

func (c *contest) ask(r request) {
	rf := c.servers[r.to]
	stood := rf.role == Candidate && rf.currentTerm == r.args.Term
	reply := deliver(c.t, rf, r.args).(*RequestVoteReply)
	if stood && reply.VoteGranted {
		c.traded++
	}
	c.replies = append(c.replies, answer{r, *reply})
}

func (c *contest) answer(a answer) {
	rf := c.servers[a.args.CandidateID]
	if a.life != c.lives[a.args.CandidateID] {
		return // the candidate has restarted since the call
	}
	stood := rf.role == Candidate
	vote(rf, a.to, a.args, a.reply)
	if stood && rf.role == Follower && rf.currentTerm == a.args.Term {
		c.conceded++
	}
	verify(c.t, rf)
}
