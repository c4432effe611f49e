package raft

// What a test asks of the cluster: leaders, agreement, counts, and the lines that begin and end print.

import (
	"errors"
	"fmt"
	"math/rand"
	"time"
)

// RaftElectionTimeout is the lab's unit for "long enough to elect".
const RaftElectionTimeout = 1000 * time.Millisecond

// maxLogSize is how much raft state a server may keep once it has snapshots.
const maxLogSize = 2000

// check ends the test on err or on an apply error.
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

// pause sleeps, but not past an apply error. Any goroutine may call it.
func (cfg *config) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-cfg.broken:
	case <-cfg.watch.broken:
	}
}

// sleep pauses and ends the test on an apply error.
func (cfg *config) sleep(d time.Duration) {
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

// LogSize is the largest raft state in bytes of any server, up or down.
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

// serverStatus is what a server says of itself.
type serverStatus struct {
	server, term int
	leader       bool
}

// connectedStatus asks every connected server.
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

// leaderOf returns the leader of the highest term, or -1 if nobody leads. Leaders of lower terms are
// allowed: they may not know yet.
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

// checkOneLeader returns the leader among the connected servers once there is one.
func (cfg *config) checkOneLeader() int {
	cfg.t.Helper()
	for range 10 {
		cfg.sleep(time.Duration(450+rand.Intn(100)) * time.Millisecond)
		leader, err := leaderOf(cfg.connectedStatus())
		cfg.check(err)
		if leader != -1 {
			return leader
		}
	}
	cfg.t.Fatal("expected one leader, got none")
	return -1
}

// commonTerm returns the term that all agree on, or -1 if there is nobody.
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
	cfg.check(noLeader(cfg.connectedStatus()))
}

// committed tells how many servers have applied index, and what. Any goroutine may call it.
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

// checkNoAgreement demands that nobody has applied index.
func (cfg *config) checkNoAgreement(index int) {
	cfg.t.Helper()
	if n, _ := cfg.nCommitted(index); n > 0 {
		cfg.t.Fatalf("%v committed but no majority", n)
	}
}

// wait waits until n servers have applied index and returns the command, or -1 if the cluster leaves
// startTerm first (-1: any term will do).
func (cfg *config) wait(index, n, startTerm int) any {
	cfg.t.Helper()
	nap := 10 * time.Millisecond
	for range 30 {
		if count, _ := cfg.nCommitted(index); count >= n {
			break
		}
		cfg.sleep(nap)
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

// termPast tells whether any server that is up, connected or not, is past term.
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

// one gets cmd agreed on by at least expectedServers and returns its index. With retry it submits cmd
// again if the first leader loses it; without, that ends the test.
func (cfg *config) one(cmd any, expectedServers int, retry bool) int {
	cfg.t.Helper()
	index, err := cfg.agree(cmd, expectedServers, retry)
	cfg.check(err)
	return index
}

// agree is one for any goroutine: it returns the error that would end the test. Once cleanup has begun
// it gives up and returns -1.
func (cfg *config) agree(cmd any, expectedServers int, retry bool) (index int, err error) {
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
		if done || err != nil {
			return index, err
		}
		if !retry {
			break
		}
	}
	return -1, fmt.Errorf("one(%v) failed to reach agreement", cmd)
}

// submit offers cmd to the connected servers, beginning after last, until one accepts it. It returns
// the index, or -1, and the server that it tried last.
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

// agreed waits for expectedServers to apply cmd at index, for 2 s at most.
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

// begin prints a test's title and notes the counters that end reports on.
func (cfg *config) begin(description string) {
	fmt.Printf("%s ...\n", description)
	cfg.t0 = time.Now()
	cfg.rpcs0 = cfg.rpcTotal()
	cfg.bytes0 = cfg.bytesTotal()
	cfg.mu.Lock()
	defer cfg.mu.Unlock()
	cfg.maxIndex0 = cfg.maxIndex
}

// end prints, if the test passed: seconds, peers, RPCs, bytes, agreements.
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

// checkTimeout enforces the lab's limit on a test.
func (cfg *config) checkTimeout() {
	cfg.t.Helper()
	if !cfg.t.Failed() && time.Since(cfg.made) > 120*time.Second {
		cfg.t.Error("test took longer than 120 seconds")
	}
}
