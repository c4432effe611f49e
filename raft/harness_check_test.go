package raft

// What a test asks of the cluster: leaders, agreement and counts. begin and end print the lab's lines.

import (
	"errors"
	"fmt"
	"math/rand"
	"time"
)

// RaftElectionTimeout is the time that the lab's tests allow for an election.
const RaftElectionTimeout = 1000 * time.Millisecond

// maxLogSize is the lab's limit on the raft state, in bytes, of a server that takes snapshots.
const maxLogSize = 2000

// check ends the test if there is an apply error or if err is not nil.
func (cfg *config) check(err error) {
	cfg.t.Helper()
	if broken := cfg.applyError(); broken != nil {
		cfg.reported = true
		err = broken
	}
	if err != nil {
		cfg.t.Fatal(err)
	}
}

// pause sleeps for d, or until an apply error. Any goroutine may call it.
func (cfg *config) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-cfg.broken:
	case <-cfg.watch.broken:
	}
}

// sleep pauses for d, and ends the test if there is an apply error.
func (cfg *config) sleep(d time.Duration) {
	cfg.t.Helper()
	if d >= 100*time.Millisecond {
		cfg.recording.step("wait %v", d)
	}
	cfg.nap(d)
}

// nap does what sleep does, for the harness itself: it is no step of the test.
func (cfg *config) nap(d time.Duration) {
	cfg.t.Helper()
	cfg.pause(d)
	cfg.check(nil)
}

func (cfg *config) rpcCount(server int) int        { return cfg.net.GetCount(server) }
func (cfg *config) rpcTotal() int                  { return cfg.net.GetTotalCount() }
func (cfg *config) bytesTotal() int64              { return cfg.net.GetTotalBytes() }
func (cfg *config) setunreliable(unreliable bool)  { cfg.net.Reliable(!unreliable) }
func (cfg *config) setlongreordering(longrel bool) { cfg.net.LongReordering(longrel) }

// rpcsReceived sums rpcCount over all servers.
func (cfg *config) rpcsReceived() int {
	sum := 0
	for i := range cfg.n {
		sum += cfg.rpcCount(i)
	}
	return sum
}

// LogSize returns the size in bytes of the largest raft state of all servers, crashed ones included.
func (cfg *config) LogSize() int {
	cfg.mu.Lock()
	defer cfg.mu.Unlock()
	size := 0
	for _, p := range cfg.saved {
		if p != nil {
			size = max(size, p.RaftStateSize())
		}
	}
	return size
}

func (cfg *config) checkLogSize() {
	cfg.t.Helper()
	if cfg.LogSize() >= maxLogSize {
		cfg.t.Fatal("Log size too large")
	}
}

// serverStatus is what a server's GetState returns.
type serverStatus struct {
	server, term int
	leader       bool
}

// connectedStatus returns the status of every connected server.
func (cfg *config) connectedStatus() []serverStatus {
	var all []serverStatus
	for i := range cfg.n {
		if rf := cfg.raft(i); rf != nil && cfg.isConnected(i) {
			term, leader := rf.GetState()
			all = append(all, serverStatus{i, term, leader})
		}
	}
	return all
}

// leaderOf returns the leader of the highest term, or -1 if no server leads. Leaders of lower terms are allowed: they
// may not have learned of the higher term yet.
func leaderOf(all []serverStatus) (leader int, err error) {
	leader, highest := -1, 0
	leaders := make(map[int]int)
	for _, s := range all {
		if !s.leader {
			continue
		}
		leaders[s.term]++
		if leaders[s.term] > 1 {
			err = fmt.Errorf("term %v has %v (>1) leaders", s.term, leaders[s.term])
		}
		if leader == -1 || s.term > highest {
			leader, highest = s.server, s.term
		}
	}
	return leader, err
}

// checkOneLeader waits for a leader among the connected servers and returns it.
func (cfg *config) checkOneLeader() int {
	cfg.t.Helper()
	cfg.recording.step("checkOneLeader")
	for range 10 {
		cfg.nap(time.Duration(450+rand.Intn(100)) * time.Millisecond)
		leader, err := leaderOf(cfg.connectedStatus())
		cfg.check(err)
		if leader != -1 {
			cfg.recording.step("checkOneLeader: server %d", leader)
			return leader
		}
	}
	cfg.t.Fatal("expected one leader, got none")
	return -1
}

// commonTerm returns the term that all servers are in, or -1 for an empty list.
func commonTerm(all []serverStatus) (int, error) {
	term := -1
	for _, s := range all {
		if term != -1 && s.term != term {
			return -1, errors.New("servers disagree on term")
		}
		term = s.term
	}
	return term, nil
}

func (cfg *config) checkTerms() int {
	cfg.t.Helper()
	term, err := commonTerm(cfg.connectedStatus())
	cfg.check(err)
	cfg.recording.step("checkTerms: %d", term)
	return term
}

func noLeader(all []serverStatus) error {
	for _, s := range all {
		if s.leader {
			return fmt.Errorf("expected no leader among connected servers, but %v claims to be leader", s.server)
		}
	}
	return nil
}

func (cfg *config) checkNoLeader() {
	cfg.t.Helper()
	cfg.recording.step("checkNoLeader")
	cfg.check(noLeader(cfg.connectedStatus()))
}

// committed returns the number of servers that have applied index, and the command. Any goroutine may call it.
func (cfg *config) committed(index int) (count int, command any, err error) {
	if err := cfg.applyError(); err != nil {
		return 0, nil, err
	}
	cfg.mu.Lock()
	defer cfg.mu.Unlock()
	for _, log := range cfg.logs {
		got, ok := log[index]
		if !ok {
			continue
		}
		if count > 0 && command != got {
			return 0, nil, fmt.Errorf("committed values do not match: index %v, %v, %v", index, command, got)
		}
		count, command = count+1, got
	}
	return count, command, nil
}

func (cfg *config) nCommitted(index int) (int, any) {
	cfg.t.Helper()
	count, command, err := cfg.committed(index)
	cfg.check(err)
	return count, command
}

// checkNoAgreement ends the test if a server has applied index.
func (cfg *config) checkNoAgreement(index int) {
	cfg.t.Helper()
	cfg.recording.step("checkNoAgreement at %d", index)
	if n, _ := cfg.nCommitted(index); n > 0 {
		cfg.t.Fatalf("%v committed but no majority", n)
	}
}

// wait waits until n servers have applied index and returns the command, or -1 if a server passes startTerm first. A
// startTerm of -1 allows any term.
func (cfg *config) wait(index, n, startTerm int) any {
	cfg.t.Helper()
	cfg.recording.step("wait until %d servers have applied %d", n, index)
	nap := 10 * time.Millisecond
	for range 30 {
		if count, _ := cfg.nCommitted(index); count >= n {
			break
		}
		cfg.nap(nap)
		if nap < time.Second {
			nap *= 2
		}
		if startTerm > -1 && cfg.termPast(startTerm) {
			return -1
		}
	}
	count, command := cfg.nCommitted(index)
	if count < n {
		cfg.t.Fatalf("only %d decided for index %d; wanted %d", count, index, n)
	}
	return command
}

// termPast reports whether a running server, connected or not, is in a term after this one.
func (cfg *config) termPast(term int) bool {
	for i := range cfg.n {
		if rf := cfg.raft(i); rf != nil {
			if t, _ := rf.GetState(); t > term {
				return true
			}
		}
	}
	return false
}

// one starts cmd, waits until at least expectedServers have applied it, and returns its index. If the leader loses cmd,
// one starts it again with retry, and ends the test without.
func (cfg *config) one(cmd any, expectedServers int, retry bool) int {
	cfg.t.Helper()
	index, err := cfg.agree(cmd, expectedServers, retry)
	cfg.check(err)
	return index
}

// agree does what one does, but returns the error, so any goroutine may call it. Once cleanup has begun, it returns -1.
func (cfg *config) agree(cmd any, expectedServers int, retry bool) (index int, err error) {
	cfg.recording.step("one(%s): wants %d servers", shortly(cmd), expectedServers)
	last := 0
	for begun := time.Now(); time.Since(begun) < 10*time.Second; {
		if cfg.finished.Load() {
			return -1, nil
		}
		if index, last = cfg.submit(cmd, last); index == -1 {
			if err := cfg.applyError(); err != nil {
				return -1, err
			}
			cfg.pause(50 * time.Millisecond)
			continue
		}
		done, err := cfg.agreed(index, cmd, expectedServers)
		if done {
			cfg.recording.step("one(%s) = %d", shortly(cmd), index)
		}
		if done || err != nil {
			return index, err
		}
		if !retry {
			break
		}
	}
	return -1, fmt.Errorf("one(%v) failed to reach agreement", cmd)
}

// submit calls Start on the connected servers in turn, from the one after last, until one accepts cmd. It returns the
// index, or -1, and the server that it tried last.
func (cfg *config) submit(cmd any, last int) (index, tried int) {
	for range cfg.n {
		last = (last + 1) % cfg.n
		if rf := cfg.raft(last); rf != nil && cfg.isConnected(last) {
			if index, _, ok := rf.Start(cmd); ok {
				return index, last
			}
		}
	}
	return -1, last
}

// agreed waits at most 2 s for expectedServers to apply cmd at index, and reports whether they did.
func (cfg *config) agreed(index int, cmd any, expectedServers int) (bool, error) {
	for begun := time.Now(); time.Since(begun) < 2*time.Second; cfg.pause(20 * time.Millisecond) {
		count, got, err := cfg.committed(index)
		if err != nil {
			return false, err
		}
		if count > 0 && count >= expectedServers && got == cmd {
			return true, nil
		}
	}
	return false, nil
}

// begin prints a test's title and stores the counters from which end computes its figures.
func (cfg *config) begin(description string) {
	fmt.Printf("%s ...\n", description)
	cfg.recording.step("%s", description)
	cfg.t0 = time.Now()
	cfg.rpcs0 = cfg.rpcTotal()
	cfg.bytes0 = cfg.bytesTotal()
	cfg.mu.Lock()
	defer cfg.mu.Unlock()
	cfg.maxIndex0 = cfg.maxIndex
}

// end prints the line of a test that passed: seconds, peers, RPCs, bytes and agreements.
func (cfg *config) end() {
	cfg.check(nil)
	cfg.checkTimeout()
	if cfg.t.Failed() {
		return
	}
	cfg.mu.Lock()
	agreements := cfg.maxIndex - cfg.maxIndex0
	cfg.mu.Unlock()
	fmt.Printf("  ... Passed --  %4.1f  %d %4d %7d %4d\n", time.Since(cfg.t0).Seconds(),
		cfg.n, cfg.rpcTotal()-cfg.rpcs0, cfg.bytesTotal()-cfg.bytes0, agreements)
}

// checkTimeout fails the test if it took longer than the lab allows.
func (cfg *config) checkTimeout() {
	cfg.t.Helper()
	if !cfg.t.Failed() && time.Since(cfg.made) > 120*time.Second {
		cfg.t.Error("test took longer than 120 seconds")
	}
}
