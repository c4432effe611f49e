package raft

// The lab's tests. Each body is only the scenario; run makes and cleans up its cluster.

import (
	"errors"
	"fmt"
	"math/rand"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// run makes a cluster and runs a scenario on it, on the chosen clock.
func run(t *testing.T, s setup, title string, scenario func(cfg *config)) {
	t.Helper()
	lab(t, func(t *testing.T) {
		cfg := s.start(t)
		defer cfg.cleanup()
		cfg.begin(title)
		scenario(cfg)
		cfg.end()
	})
}

func TestInitialElection2A(t *testing.T) {
	run(t, setup{n: 3}, "Test (2A): initial election", func(cfg *config) {
		cfg.checkOneLeader()

		// Let followers learn of the election before comparing terms.
		cfg.sleep(50 * time.Millisecond)
		term1 := cfg.checkTerms()
		if term1 < 1 {
			cfg.t.Fatalf("term is %v, but should be at least 1", term1)
		}

		cfg.sleep(2 * RaftElectionTimeout)
		if cfg.checkTerms() != term1 {
			fmt.Print("warning: term changed even though there were no failures")
		}
		cfg.checkOneLeader()
	})
}

func TestReElection2A(t *testing.T) {
	run(t, setup{n: 3}, "Test (2A): election after network failure", func(cfg *config) {
		leader1 := cfg.checkOneLeader()

		cfg.disconnect(leader1)
		cfg.checkOneLeader()

		// The old leader's return must not disturb the new one.
		cfg.connect(leader1)
		leader2 := cfg.checkOneLeader()

		cfg.disconnectEach(leader2, leader2+1)
		cfg.sleep(2 * RaftElectionTimeout)
		cfg.checkNoLeader()

		cfg.connectEach(leader2 + 1)
		cfg.checkOneLeader()

		cfg.connect(leader2)
		cfg.checkOneLeader()
	})
}

func TestManyElections2A(t *testing.T) {
	run(t, setup{n: 7}, "Test (2A): multiple elections", func(cfg *config) {
		cfg.checkOneLeader()
		for range 9 {
			three := []int{rand.Intn(7), rand.Intn(7), rand.Intn(7)}
			cfg.disconnectEach(three...)
			cfg.checkOneLeader()
			cfg.connectEach(three...)
		}
		cfg.checkOneLeader()
	})
}

func TestBasicAgree2B(t *testing.T) {
	run(t, setup{n: 3}, "Test (2B): basic agreement", func(cfg *config) {
		for index := 1; index <= 3; index++ {
			if n, _ := cfg.nCommitted(index); n > 0 {
				cfg.t.Fatal("some have committed before Start()")
			}
			cfg.oneAt(index, 100*index, 3)
		}
	})
}

// oneAt calls one without retry, and expects the given index.
func (cfg *config) oneAt(index int, cmd any, expectedServers int) {
	cfg.t.Helper()
	if got := cfg.one(cmd, expectedServers, false); got != index {
		cfg.t.Fatalf("got index %v but expected %v", got, index)
	}
}

func TestRPCBytes2B(t *testing.T) {
	run(t, setup{n: 3}, "Test (2B): RPC byte count", func(cfg *config) {
		cfg.one(99, 3, false)
		bytes0 := cfg.bytesTotal()
		sent := int64(0)
		for index := 2; index <= 11; index++ {
			cmd := randstring(5000)
			cfg.oneAt(index, cmd, 3)
			sent += int64(len(cmd))
		}

		// Each command should be sent to each follower just once.
		got, expected := cfg.bytesTotal()-bytes0, 3*sent+50000
		if got > expected {
			cfg.t.Fatalf("too many RPC bytes; got %v, expected %v", got, expected)
		}
	})
}

// mustStart starts cmd on the leader and expects it at index.
func (cfg *config) mustStart(leader int, cmd any, index int) {
	cfg.t.Helper()
	got, _, ok := cfg.raft(leader).Start(cmd)
	if !ok {
		cfg.t.Fatal("leader rejected Start()")
	}
	if got != index {
		cfg.t.Fatalf("expected index %v, got %v", index, got)
	}
}

func TestFollowerFailure2B(t *testing.T) {
	run(t, setup{n: 3}, "Test (2B): test progressive failure of followers", func(cfg *config) {
		cfg.one(101, 3, false)

		leader1 := cfg.checkOneLeader()
		cfg.disconnectEach(leader1 + 1)
		cfg.one(102, 2, false)
		cfg.sleep(RaftElectionTimeout)
		cfg.one(103, 2, false)

		leader2 := cfg.checkOneLeader()
		cfg.disconnectEach(leader2+1, leader2+2)
		cfg.mustStart(leader2, 104, 4)
		cfg.sleep(2 * RaftElectionTimeout)
		cfg.checkNoAgreement(4)
	})
}

func TestLeaderFailure2B(t *testing.T) {
	run(t, setup{n: 3}, "Test (2B): test failure of leaders", func(cfg *config) {
		cfg.one(101, 3, false)

		cfg.disconnect(cfg.checkOneLeader())
		cfg.one(102, 2, false)
		cfg.sleep(RaftElectionTimeout)
		cfg.one(103, 2, false)

		cfg.disconnect(cfg.checkOneLeader())
		cfg.startEverywhere(func() any { return 104 }, nil)
		cfg.sleep(2 * RaftElectionTimeout)
		cfg.checkNoAgreement(4)
	})
}

func TestFailAgree2B(t *testing.T) {
	run(t, setup{n: 3}, "Test (2B): agreement after follower reconnects", func(cfg *config) {
		cfg.one(101, 3, false)

		leader := cfg.checkOneLeader()
		cfg.disconnectEach(leader + 1)
		cfg.one(102, 2, false)
		cfg.one(103, 2, false)
		cfg.sleep(RaftElectionTimeout)
		cfg.one(104, 2, false)
		cfg.one(105, 2, false)

		cfg.connectEach(leader + 1)
		cfg.one(106, 3, true)
		cfg.sleep(RaftElectionTimeout)
		cfg.one(107, 3, true)
	})
}

func TestFailNoAgree2B(t *testing.T) {
	run(t, setup{n: 5}, "Test (2B): no agreement if too many followers disconnect", func(cfg *config) {
		cfg.one(10, 5, false)

		leader := cfg.checkOneLeader()
		cfg.disconnectEach(leader+1, leader+2, leader+3)
		cfg.mustStart(leader, 20, 2)
		cfg.sleep(2 * RaftElectionTimeout)
		cfg.checkNoAgreement(2)

		// The reconnected majority may have elected another leader, which need not have index 2.
		cfg.connectEach(leader+1, leader+2, leader+3)
		leader2 := cfg.checkOneLeader()
		index, _, ok := cfg.raft(leader2).Start(30)
		if !ok {
			cfg.t.Fatal("leader2 rejected Start()")
		}
		if index < 2 || index > 3 {
			cfg.t.Fatalf("unexpected index %v", index)
		}
		cfg.one(1000, 5, true)
	})
}

// untilTermHolds makes up to five attempts at something that succeeds only while the term stays the same.
func (cfg *config) untilTermHolds(attempt func() bool) {
	cfg.t.Helper()
	for try := range 5 {
		if try > 0 {
			cfg.sleep(3 * time.Second)
		}
		if attempt() {
			return
		}
	}
	cfg.t.Fatal("term changed too often")
}

// everyTermIs reports whether all servers are in the given term.
func (cfg *config) everyTermIs(term int) bool {
	for i := range cfg.n {
		if t, _ := cfg.raft(i).GetState(); t != term {
			return false
		}
	}
	return true
}

func TestConcurrentStarts2B(t *testing.T) {
	run(t, setup{n: 3}, "Test (2B): concurrent Start()s", func(cfg *config) {
		cfg.untilTermHolds(cfg.concurrentStarts)
	})
}

// concurrentStarts starts five commands concurrently and expects all of them in the log. It returns false if the term
// changed.
func (cfg *config) concurrentStarts() bool {
	rf := cfg.raft(cfg.checkOneLeader())
	_, term, ok := rf.Start(1)
	if !ok {
		return false
	}

	const many = 5
	indices := make(chan int, many)
	for i := range many {
		go func() {
			defer endTestOnPanic()
			index, t, ok := rf.Start(100 + i)
			if !ok || t != term {
				index = -1
			}
			indices <- index
		}()
	}
	var accepted []int
	for range many {
		if index := <-indices; index != -1 {
			accepted = append(accepted, index)
		}
	}
	if !cfg.everyTermIs(term) {
		return false
	}

	var cmds []int
	for _, index := range accepted {
		cmd, isInt := cfg.wait(index, cfg.n, term).(int)
		if !isInt {
			cfg.t.Fatalf("value %v is not an int", cmd)
		}
		if cmd == -1 {
			return false
		}
		cmds = append(cmds, cmd)
	}
	for i := range many {
		if !slices.Contains(cmds, 100+i) {
			cfg.t.Fatalf("cmd %v missing in %v", 100+i, cmds)
		}
	}
	return true
}

func TestRejoin2B(t *testing.T) {
	run(t, setup{n: 3}, "Test (2B): rejoin of partitioned leader", func(cfg *config) {
		cfg.one(101, 3, true)

		// The first leader appends entries that no other server gets.
		leader1 := cfg.checkOneLeader()
		cfg.disconnect(leader1)
		for cmd := 102; cmd <= 104; cmd++ {
			cfg.raft(leader1).Start(cmd)
		}
		cfg.one(103, 2, true)

		leader2 := cfg.checkOneLeader()
		cfg.disconnect(leader2)
		cfg.connect(leader1)
		cfg.one(104, 2, true)

		cfg.connect(leader2)
		cfg.one(105, 3, true)
	})
}

func TestBackup2B(t *testing.T) {
	run(t, setup{n: 5}, "Test (2B): leader backs up quickly over incorrect follower logs", (*config).backUp)
}

// backUp makes leaders repair logs that differ from theirs by fifty entries.
func (cfg *config) backUp() {
	cfg.one(rand.Int(), 5, true)

	// Fifty entries that cannot commit, on leader1 in a minority.
	leader1 := cfg.checkOneLeader()
	cfg.disconnectEach(leader1+2, leader1+3, leader1+4)
	cfg.startMany(leader1, 50)
	cfg.sleep(RaftElectionTimeout / 2)
	cfg.disconnectEach(leader1, leader1+1)

	// Fifty that commit, on the other three servers.
	cfg.connectEach(leader1+2, leader1+3, leader1+4)
	cfg.oneMany(50, 3)

	// Fifty more that cannot commit, on leader2 in a minority.
	leader2 := cfg.checkOneLeader()
	other := (leader1 + 2) % 5
	if other == leader2 {
		other = (leader2 + 1) % 5
	}
	cfg.disconnect(other)
	cfg.startMany(leader2, 50)
	cfg.sleep(RaftElectionTimeout / 2)

	// Fifty that commit, with a leader from the first minority or other as the leader.
	cfg.disconnectEach(cfg.all()...)
	cfg.connectEach(leader1, leader1+1, other)
	cfg.oneMany(50, 3)

	cfg.connectEach(cfg.all()...)
	cfg.one(rand.Int(), 5, true)
}

// startMany starts random commands on one server. They need not commit.
func (cfg *config) startMany(server, count int) {
	for range count {
		cfg.raft(server).Start(rand.Int())
	}
}

// oneMany calls one for count random commands, one after another.
func (cfg *config) oneMany(count, expectedServers int) {
	cfg.t.Helper()
	for range count {
		cfg.one(rand.Int(), expectedServers, true)
	}
}

func TestCount2B(t *testing.T) {
	run(t, setup{n: 3}, "Test (2B): RPC counts aren't too high", func(cfg *config) {
		cfg.checkOneLeader()
		if n := cfg.rpcsReceived(); n < 1 || n > 30 {
			cfg.t.Fatalf("too many or few RPCs (%v) to elect initial leader", n)
		}

		var after int
		cfg.untilTermHolds(func() (ok bool) {
			after, ok = cfg.countTenEntries()
			return ok
		})

		cfg.sleep(RaftElectionTimeout)
		if n := cfg.rpcsReceived() - after; n > 3*20 {
			cfg.t.Fatalf("too many RPCs (%v) for 1 second of idleness", n)
		}
	})
}

// countTenEntries checks how many RPCs a burst of entries takes, and returns how many RPCs were received in all.
func (cfg *config) countTenEntries() (after int, ok bool) {
	const iters = 10
	rf := cfg.raft(cfg.checkOneLeader())
	before := cfg.rpcsReceived()
	starti, term, ok := rf.Start(1)
	if !ok {
		return 0, false
	}

	var cmds []int
	for k := 1; k <= iters+1; k++ {
		cmd := int(rand.Int31())
		index, t, ok := rf.Start(cmd)
		if !ok || t != term {
			return 0, false
		}
		if index != starti+k {
			cfg.t.Fatal("Start() failed")
		}
		cmds = append(cmds, cmd)
	}

	for k := 1; k <= iters; k++ {
		got := cfg.wait(starti+k, cfg.n, term)
		if got == -1 {
			return 0, false
		}
		if got != cmds[k-1] {
			cfg.t.Fatalf("wrong value %v committed for index %v; expected %v", got, starti+k, cmds)
		}
	}

	after = cfg.rpcsReceived()
	if !cfg.everyTermIs(term) {
		return 0, false
	}
	if n := after - before; n > (iters+1+3)*3 {
		cfg.t.Fatalf("too many RPCs (%v) for %v entries", n, iters)
	}
	return after, true
}

// The persistence tests stop servers. Up to 2024 the lab disconnects them; from 2025 on it shuts them down. So each
// scenario gets a function that stops a server.

func TestPersist12C(t *testing.T) {
	run(t, setup{n: 3}, "Test (2C): basic persistence", func(cfg *config) {
		cfg.basicPersistence(cfg.disconnectEach)
	})
}

func (cfg *config) basicPersistence(stop func(...int)) {
	cfg.one(11, 3, true)

	for i := range cfg.n {
		cfg.start1(i, cfg.applierFunc)
	}
	for i := range cfg.n {
		cfg.disconnect(i)
		cfg.connect(i)
	}
	cfg.one(12, 3, true)

	leader1 := cfg.checkOneLeader()
	stop(leader1)
	cfg.restartEach(leader1)
	cfg.one(13, 3, true)

	leader2 := cfg.checkOneLeader()
	stop(leader2)
	cfg.one(14, 2, true)
	cfg.restartEach(leader2)
	cfg.wait(4, 3, -1) // leader2 must catch up before another server is stopped

	i3 := cfg.checkOneLeader() + 1
	stop(i3)
	cfg.one(15, 2, true)
	cfg.restartEach(i3)
	cfg.one(16, 3, true)
}

func TestPersist22C(t *testing.T) {
	run(t, setup{n: 5}, "Test (2C): more persistence", func(cfg *config) {
		cfg.morePersistence(cfg.disconnectEach, cfg.connectEach)
	})
}

func (cfg *config) morePersistence(stop, resume func(...int)) {
	index := 1
	next := func(expectedServers int) {
		cfg.t.Helper()
		cfg.one(10+index, expectedServers, true)
		index++
	}
	for range 5 {
		next(5)
		leader1 := cfg.checkOneLeader()
		stop(leader1+1, leader1+2)
		next(3)
		stop(leader1, leader1+3, leader1+4)

		cfg.restartEach(leader1+1, leader1+2)
		cfg.sleep(RaftElectionTimeout)
		cfg.restartEach(leader1 + 3)
		next(3)
		resume(leader1+4, leader1)
	}
	cfg.one(1000, 5, true)
}

func TestPersist32C(t *testing.T) {
	run(t, setup{n: 3}, "Test (2C): partitioned leader and one follower crash, leader restarts", func(cfg *config) {
		cfg.leaderPersistence(cfg.disconnectEach, cfg.connectEach)
	})
}

func (cfg *config) leaderPersistence(stop, resume func(...int)) {
	cfg.one(101, 3, true)

	leader := cfg.checkOneLeader()
	stop(leader + 2)
	cfg.one(102, 2, true)

	cfg.crashEach(leader, leader+1)
	resume(leader + 2)
	cfg.restartEach(leader)
	cfg.one(103, 2, true)

	cfg.restartEach(leader + 1)
	cfg.one(104, 3, true)
}

// TestPersistShutdown2C runs the persistence tests as the lab does from 2025 on: servers are shut down, not just
// disconnected, and a restarted server must apply its log again.
func TestPersistShutdown2C(t *testing.T) {
	t.Run("basic", func(t *testing.T) {
		run(t, setup{n: 3, forgetful: true}, "Test (2C): basic persistence, shutdown", func(cfg *config) {
			cfg.basicPersistence(cfg.crashEach)
		})
	})
	t.Run("more", func(t *testing.T) {
		run(t, setup{n: 5, forgetful: true}, "Test (2C): more persistence, shutdown", func(cfg *config) {
			cfg.morePersistence(cfg.crashEach, cfg.restartEach)
		})
	})
	t.Run("leader", func(t *testing.T) {
		run(t, setup{n: 3, forgetful: true}, "Test (2C): leader restarts, shutdown", func(cfg *config) {
			cfg.leaderPersistence(cfg.crashEach, cfg.restartEach)
		})
	})
}

// startEverywhere starts a command on every running server. It returns the last server that accepted one and is
// eligible, or -1. A nil eligible accepts all servers.
func (cfg *config) startEverywhere(cmd func() any, eligible func(server int) bool) int {
	leader := -1
	for i := range cfg.n {
		rf := cfg.raft(i)
		if rf == nil {
			continue
		}
		if _, _, ok := rf.Start(cmd()); ok && (eligible == nil || eligible(i)) {
			leader = i
		}
	}
	return leader
}

// shortOrLong sleeps for a random time, usually too short for an entry to commit.
func (cfg *config) shortOrLong() {
	cfg.t.Helper()
	if rand.Intn(1000) < 100 {
		cfg.sleep(time.Duration(rand.Intn(500)) * time.Millisecond)
	} else {
		cfg.sleep(time.Duration(rand.Intn(13)) * time.Millisecond)
	}
}

func TestFigure82C(t *testing.T) {
	run(t, setup{n: 5}, "Test (2C): Figure 8", func(cfg *config) {
		cfg.one(rand.Int(), 1, true)

		// Leaders crash before or after their entries reach a follower. A majority is always up, or soon up again.
		up := 5
		for range 1000 {
			leader := cfg.startEverywhere(func() any { return rand.Int() }, nil)
			cfg.shortOrLong()
			if leader != -1 {
				cfg.crash1(leader)
				up--
			}
			if s := rand.Intn(5); up < 3 && cfg.raft(s) == nil {
				cfg.restartEach(s)
				up++
			}
		}

		cfg.restartCrashed()
		cfg.one(rand.Int(), 5, true)
	})
}

func (cfg *config) restartCrashed() {
	for i := range cfg.n {
		if cfg.raft(i) == nil {
			cfg.restartEach(i)
		}
	}
}

func TestUnreliableAgree2C(t *testing.T) {
	run(t, setup{n: 5, unreliable: true}, "Test (2C): unreliable agreement", func(cfg *config) {
		errs := make(chan error, 49*4)
		for it := 1; it < 50; it++ {
			for j := range 4 {
				go func() {
					defer endTestOnPanic()
					_, err := cfg.agree(100*it+j, 1, true)
					errs <- err
				}()
			}
			cfg.one(it, 1, true)
		}

		cfg.setunreliable(false)
		for range cap(errs) {
			cfg.check(<-errs)
		}
		cfg.one(100, 5, true)
	})
}

func TestFigure8Unreliable2C(t *testing.T) {
	run(t, setup{n: 5, unreliable: true}, "Test (2C): Figure 8 (unreliable)", (*config).figure8Unreliable)
}

func (cfg *config) figure8Unreliable() {
	cmd := func() any { return rand.Intn(10000) }
	cfg.one(cmd(), 1, true)

	up := 5
	for it := range 1000 {
		if it == 200 {
			cfg.setlongreordering(true)
		}
		leader := cfg.startEverywhere(cmd, cfg.isConnected)
		cfg.shortOrLong()
		if leader != -1 && rand.Intn(1000) < 500 {
			cfg.disconnect(leader)
			up--
		}
		if s := rand.Intn(5); up < 3 && !cfg.isConnected(s) {
			cfg.connect(s)
			up++
		}
	}

	cfg.connectEach(cfg.all()...)
	cfg.one(cmd(), 5, true)
}

func TestReliableChurn2C(t *testing.T) {
	run(t, setup{n: 5}, "Test (2C): churn", (*config).churn)
}

func TestUnreliableChurn2C(t *testing.T) {
	run(t, setup{n: 5, unreliable: true}, "Test (2C): unreliable churn", (*config).churn)
}

// churned holds the values that a client saw committed.
type churned struct {
	values []int
	err    error
}

// churn has clients start commands while servers crash and restart. At the end, the log must have every value that a
// client saw committed.
func (cfg *config) churn() {
	var stop atomic.Bool
	defer stop.Store(true)
	clients := make([]chan churned, 3)
	for me := range clients {
		clients[me] = make(chan churned, 1)
		go func() {
			defer endTestOnPanic()
			clients[me] <- cfg.churnClient(me, &stop)
		}()
	}

	for range 20 {
		cfg.churnServers()
		// Too short for the cluster to recover from an outage.
		cfg.sleep(RaftElectionTimeout * 7 / 10)
	}
	cfg.sleep(RaftElectionTimeout)
	cfg.setunreliable(false)
	cfg.restartCrashed()
	cfg.connectEach(cfg.all()...)

	stop.Store(true)
	var values []int
	for _, client := range clients {
		got := <-client
		cfg.check(got.err)
		values = append(values, got.values...)
	}
	cfg.sleep(RaftElectionTimeout)

	logged := make(map[int]bool)
	for index := cfg.one(rand.Int(), cfg.n, true); index > 0; index-- {
		v, ok := cfg.wait(index, cfg.n, -1).(int)
		if !ok {
			cfg.t.Fatal("not an int")
		}
		logged[v] = true
	}
	for _, v := range values {
		if !logged[v] {
			cfg.t.Fatal("didn't find a value")
		}
	}
}

// churnServers at random disconnects a server, reconnects or restarts one, and crashes one.
func (cfg *config) churnServers() {
	if rand.Intn(1000) < 200 {
		cfg.disconnect(rand.Intn(cfg.n))
	}
	if rand.Intn(1000) < 500 {
		i := rand.Intn(cfg.n)
		if cfg.raft(i) == nil {
			cfg.start1(i, cfg.applierFunc)
		}
		cfg.connect(i)
	}
	if rand.Intn(1000) < 200 {
		if i := rand.Intn(cfg.n); cfg.raft(i) != nil {
			cfg.crash1(i)
		}
	}
}

// churnClient starts random values until stop is set, and returns those that it saw committed.
func (cfg *config) churnClient(me int, stop *atomic.Bool) (seen churned) {
	for !stop.Load() && !cfg.finished.Load() && seen.err == nil {
		x := rand.Int()
		index := -1
		for i := range cfg.n {
			if rf := cfg.raft(i); rf != nil {
				if got, _, ok := rf.Start(x); ok {
					index = got
				}
			}
		}
		if index == -1 {
			cfg.pause(time.Duration(79+17*me) * time.Millisecond)
			continue
		}
		var mine bool
		if mine, seen.err = cfg.sawCommit(index, x); mine {
			seen.values = append(seen.values, x)
		}
	}
	return seen
}

// sawCommit reports whether x is soon committed at index. If nothing is, that is no error: the leader may be
// disconnected.
func (cfg *config) sawCommit(index, x int) (bool, error) {
	for _, ms := range []int{10, 20, 50, 100, 200} {
		count, cmd, err := cfg.committed(index)
		if err != nil {
			return false, err
		}
		if count > 0 {
			v, ok := cmd.(int)
			if !ok {
				return false, errors.New("wrong command type")
			}
			return v == x, nil
		}
		cfg.pause(time.Duration(ms) * time.Millisecond)
	}
	return false, nil
}

// outage is the way in which a snapshot test stops its victim.
type outage int

const (
	noOutage outage = iota
	disconnectVictim
	crashVictim
)

func TestSnapshotBasic2D(t *testing.T) {
	run(t, setup{n: 3, snapshot: true}, "Test (2D): snapshots basic", func(cfg *config) {
		cfg.snapshots(noOutage)
	})
}

func TestSnapshotInstall2D(t *testing.T) {
	run(t, setup{n: 3, snapshot: true}, "Test (2D): install snapshots (disconnect)", func(cfg *config) {
		cfg.snapshots(disconnectVictim)
	})
}

func TestSnapshotInstallUnreliable2D(t *testing.T) {
	s := setup{n: 3, snapshot: true, unreliable: true}
	run(t, s, "Test (2D): install snapshots (disconnect+unreliable)", func(cfg *config) {
		cfg.snapshots(disconnectVictim)
	})
}

func TestSnapshotInstallCrash2D(t *testing.T) {
	run(t, setup{n: 3, snapshot: true}, "Test (2D): install snapshots (crash)", func(cfg *config) {
		cfg.snapshots(crashVictim)
	})
}

func TestSnapshotInstallUnCrash2D(t *testing.T) {
	s := setup{n: 3, snapshot: true, unreliable: true}
	run(t, s, "Test (2D): install snapshots (unreliable+crash)", func(cfg *config) {
		cfg.snapshots(crashVictim)
	})
}

// TestSnapshot2021Rules2D runs the snapshot tests with readers by the rules of 2021.
func TestSnapshot2021Rules2D(t *testing.T) {
	s := setup{n: 3, snapshot2021: true, unreliable: true}
	t.Run("disconnect", func(t *testing.T) {
		run(t, s, "Test (2D): install snapshots, rules of 2021 (disconnect+unreliable)", func(cfg *config) {
			cfg.snapshots(disconnectVictim)
		})
	})
	t.Run("crash", func(t *testing.T) {
		run(t, s, "Test (2D): install snapshots, rules of 2021 (unreliable+crash)", func(cfg *config) {
			cfg.snapshots(crashVictim)
		})
	})
}

// snapshots stops a victim round after round, each time until it needs a snapshot to catch up.
func (cfg *config) snapshots(what outage) {
	cfg.one(rand.Int(), cfg.n, true)
	leader1 := cfg.checkOneLeader()
	for i := range 30 {
		sender, victim := leader1, (leader1+1)%cfg.n
		if i%3 == 1 {
			sender, victim = victim, sender
		}

		expected := cfg.n - 1
		switch what {
		case noOutage:
			expected = cfg.n
		case disconnectVictim:
			cfg.disconnect(victim)
			cfg.one(rand.Int(), expected, true)
		case crashVictim:
			cfg.crash1(victim)
			cfg.one(rand.Int(), expected, true)
		}

		cfg.startMany(sender, 5+rand.Intn(10))
		cfg.one(rand.Int(), expected, true)
		cfg.checkLogSize()

		switch what {
		case noOutage:
			continue
		case disconnectVictim:
			cfg.connect(victim)
		case crashVictim:
			cfg.restartEach(victim)
		}
		cfg.one(rand.Int(), cfg.n, true)
		leader1 = cfg.checkOneLeader()
	}
}

func TestSnapshotAllCrash2D(t *testing.T) {
	run(t, setup{n: 3, snapshot: true}, "Test (2D): crash and restart all servers", (*config).crashAllRepeatedly)
}

// TestSnapshotAllCrashUnreliable2D is the lab's test from 2025 on.
func TestSnapshotAllCrashUnreliable2D(t *testing.T) {
	s := setup{n: 3, snapshot: true, unreliable: true}
	run(t, s, "Test (2D): crash and restart all servers (unreliable)", (*config).crashAllRepeatedly)
}

func (cfg *config) crashAllRepeatedly() {
	cfg.one(rand.Int(), cfg.n, true)
	for range 5 {
		cfg.oneMany(5+rand.Intn(10), cfg.n)
		index1 := cfg.one(rand.Int(), cfg.n, true)

		cfg.crashEach(cfg.all()...)
		cfg.restartEach(cfg.all()...)

		index2 := cfg.one(rand.Int(), cfg.n, true)
		if index2 < index1+1 {
			cfg.t.Fatalf("index decreased from %v to %v", index1, index2)
		}
	}
}

func TestSnapshotInit2D(t *testing.T) {
	run(t, setup{n: 3, snapshot: true}, "Test (2D): snapshot initialization after crash", (*config).crashAllTwice)
}

// TestSnapshotInitUnreliable2D is the lab's test from 2025 on.
func TestSnapshotInitUnreliable2D(t *testing.T) {
	s := setup{n: 3, snapshot: true, unreliable: true}
	run(t, s, "Test (2D): snapshot initialization after crash (unreliable)", (*config).crashAllTwice)
}

// crashAllTwice finds a Raft that does not load its snapshot at a restart, and whose next save then erases it.
func (cfg *config) crashAllTwice() {
	cfg.one(rand.Int(), cfg.n, true)
	cfg.oneMany(SnapShotInterval+1, cfg.n) // enough for a snapshot

	cfg.crashEach(cfg.all()...)
	cfg.restartEach(cfg.all()...)
	cfg.one(rand.Int(), cfg.n, true) // makes every server save

	cfg.crashEach(cfg.all()...)
	cfg.restartEach(cfg.all()...)
	cfg.one(rand.Int(), cfg.n, true)
}
