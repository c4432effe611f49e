package rsm_test

import (
	"sync"
	"testing"
	"time"

	"6.824/kvraft/rpc"
)

func TestBasic4A(t *testing.T) {
	run(t, "Test RSM basic", -1, func(ts *test) {
		for i := range 10 {
			if rep := ts.oneInc(); rep.N != i+1 {
				ts.t.Fatalf("expected %d instead of %d", i+1, rep.N)
			}
			ts.checkCounter(i+1, servers)
		}
	})
}

func TestConcurrent4A(t *testing.T) {
	run(t, "Test concurrent submit", -1, func(ts *test) {
		const n = 50
		var all sync.WaitGroup
		for range n {
			all.Go(func() { ts.oneInc() })
		}
		all.Wait()
		ts.checkCounter(n, servers)
	})
}

func TestLeaderFailure4A(t *testing.T) {
	run(t, "Test Leader Failure", -1, func(ts *test) {
		rep := ts.oneInc()
		ts.checkCounter(rep.N, servers)
		leader := ts.lastLeader()
		ts.disconnect(leader)
		rep = ts.oneInc()
		ts.checkCounter(rep.N, servers-1)
		ts.connect(leader)
		ts.checkCounter(rep.N, servers)
	})
}

// A leader in a minority must not carry out what it was asked to, nor give up soon. When it is deposed, it must tell.
func TestLeaderPartition4A(t *testing.T) {
	run(t, "Test Leader Partition", -1, func(ts *test) {
		const n = 100
		rep := ts.oneInc()
		ts.checkCounter(rep.N, servers)
		leader := ts.lastLeader()
		others := []int{(leader + 1) % servers, (leader + 2) % servers}
		ts.Partition(others, []int{leader})
		done, old := make(chan submitted, n), mustServer(ts, leader)
		for range n {
			go func() {
				err, rep := old.Submit(Dec{})
				done <- submitted{err, rep}
			}()
		}
		time.Sleep(10 * time.Millisecond)
		rep, _ = ts.onePartition(others, Inc{}).(IncRep)
		time.Sleep(time.Second)
		if len(done) == n {
			ts.t.Fatalf("Dec's in minority completed; Submit returns %v", <-done)
		}
		ts.Heal()
		timeout := time.After(time.Second)
		for range n {
			select {
			case s := <-done:
				if s.err == rpc.OK || s.rep != nil {
					ts.t.Fatalf("Submit in minority completed %v", s)
				}
			case <-timeout:
				ts.t.Fatal("Submit after healing didn't return")
			}
		}
		ts.checkCounter(rep.N, servers)
	})
}

func mustServer(ts *test, i int) server {
	s, up := ts.Server(i)
	if !up {
		ts.t.Fatalf("server %d is down", i)
	}
	return s
}

// incAndRestart makes a hundred increments, restarts all servers, and makes one more.
func incAndRestart(ts *test) {
	ts.t.Helper()
	const n = 100
	for i := range n {
		if rep := ts.oneInc(); rep.N != i+1 {
			ts.t.Fatalf("expected %d instead of %d", i+1, rep.N)
		}
		ts.checkCounter(i+1, servers)
	}
	ts.shutdown()
	time.Sleep(time.Second)
	ts.startAll()
	if rep := ts.oneInc(); rep.N != n+1 {
		ts.t.Fatalf("expected %d got %d", n+1, rep.N)
	}
	time.Sleep(time.Second)
}

func TestRestartReplay4A(t *testing.T) {
	run(t, "Test Restart", -1, func(ts *test) {
		incAndRestart(ts)
		ts.checkCounter(101, servers)
	})
}

// nullAndShutDown shuts all servers down while a hundred clients submit. They must end soon.
func nullAndShutDown(ts *test) {
	ts.t.Helper()
	const n = 100
	done := make(chan bool, n)
	for range n {
		go func() {
			ts.onePartition(nil, Null{})
			done <- true
		}()
	}
	time.Sleep(20 * time.Millisecond)
	ts.shutdown()
	timeout := time.After(patient + time.Second)
	for range n {
		select {
		case <-done:
		case <-timeout:
			ts.t.Fatal("Submit didn't stop after shutdown")
		}
	}
}

func TestShutdown4A(t *testing.T) {
	run(t, "Test Shutdown", -1, nullAndShutDown)
}

func TestRestartSubmit4A(t *testing.T) {
	run(t, "Test Restart and submit", -1, func(ts *test) {
		incAndRestart(ts)
		nullAndShutDown(ts)
		ts.startAll()
		rep := ts.oneInc()
		ts.checkCounter(rep.N, servers)
	})
}

func TestSnapshot4C(t *testing.T) {
	run(t, "Test creating and restoring snapshot", 1000, func(ts *test) {
		const n, most = 100, 1000
		for range n {
			ts.oneInc()
		}
		ts.checkCounter(n, servers)
		if size := ts.maxState(); size > 2*most {
			ts.t.Fatalf("logs were not trimmed (%d > 2 * %d)", size, most)
		}
		ts.shutdown()
		ts.startAll()
		ts.oneInc()
		ts.checkCounter(n+1, servers)
	})
}
