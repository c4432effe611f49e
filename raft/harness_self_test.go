package raft

// Tests of the harness: each of its checks must fail on a cluster that is wrong.

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// fakeT records the errors of a check.
type fakeT struct {
	testing.TB
	errors []string
}

func (f *fakeT) Name() string                      { return "TestFake" }
func (f *fakeT) Helper()                           {}
func (f *fakeT) Failed() bool                      { return len(f.errors) > 0 }
func (f *fakeT) Error(args ...any)                 { f.errors = append(f.errors, fmt.Sprint(args...)) }
func (f *fakeT) Errorf(format string, args ...any) { f.Error(fmt.Sprintf(format, args...)) }
func (f *fakeT) Fatal(args ...any)                 { f.Error(args...); runtime.Goexit() }
func (f *fakeT) Fatalf(format string, args ...any) { f.Fatal(fmt.Sprintf(format, args...)) }

// errorsOf runs body to its end or its first fatal error, and returns its errors.
func errorsOf(body func(t *fakeT)) []string {
	f := &fakeT{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		body(f)
	}()
	<-done
	return f.errors
}

// labErrors runs body as lab does, but returns lab's errors and does not fail t. A data race is the exception: the
// testing package itself fails t for it.
func labErrors(t *testing.T, body func()) []string {
	return errorsOf(func(f *fakeT) {
		clocked(t, f, func(*testing.T) {
			before := goroutines()
			defer checkLeaks(f, before)
			body()
		})
	})
}

// wantError expects exactly one error of body, which must begin with want.
func wantError(t *testing.T, want string, body func(t *fakeT)) {
	t.Helper()
	if got := errorsOf(body); len(got) != 1 || !strings.HasPrefix(got[0], want) {
		t.Errorf("got errors %q, want one: %q", got, want)
	}
}

func command(index int, cmd any) ApplyMsg {
	return ApplyMsg{CommandValid: true, CommandIndex: index, CommandTerm: 1, Command: cmd}
}

func snapshotMsg(index int, snapshot []byte) ApplyMsg {
	return ApplyMsg{SnapshotValid: true, SnapshotIndex: index, Snapshot: snapshot}
}

// applied is a message that server i sends on its applyCh.
type applied struct {
	i int
	m ApplyMsg
}

func TestHarnessApplier(t *testing.T) {
	tests := []struct {
		name  string
		trace []applied
		want  string
	}{
		{"in order", []applied{{0, command(1, 7)}, {1, command(1, 7)}, {0, command(2, 8)}}, ""},
		{"applied again after a restart", []applied{{0, command(1, 7)}, {0, command(2, 8)}, {0, command(1, 7)}}, ""},
		{"not a command", []applied{{0, ApplyMsg{CommandIndex: 5}}}, ""},
		{"gap", []applied{{1, command(1, 7)}, {1, command(3, 9)}}, "apply error: server 1 apply out of order 3"},
		{"not from 1", []applied{{0, command(2, 8)}}, "apply error: server 0 apply out of order 2"},
		{"differs from another server", []applied{{0, command(1, 7)}, {2, command(1, 9)}},
			"apply error: commit index=1 server=2 9 != server=0 7"},
		{"differs from its own past", []applied{{0, command(1, 7)}, {0, command(1, 9)}},
			"apply error: commit index=1 server=0 9 != server=0 7"},
		{"types differ", []applied{{0, command(1, 7)}, {1, command(1, "7")}},
			"apply error: commit index=1 server=1 7 != server=0 7"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := setup{n: 3}.build(t)
			for _, s := range tt.trace {
				applyCh := make(chan ApplyMsg, 1)
				applyCh <- s.m
				close(applyCh)
				cfg.applier(s.i, applyCh)
			}
			wantApplyError(t, cfg, tt.want)
		})
	}
}

func wantApplyError(t *testing.T, cfg *config, want string) {
	t.Helper()
	got := ""
	if err := cfg.applyError(); err != nil {
		got = err.Error()
	}
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestHarnessApplierSnap(t *testing.T) {
	snap := func(index int, commands ...any) ApplyMsg {
		return snapshotMsg(index, encodeAll(index, append([]any{nil}, commands...)))
	}
	tests := []struct {
		name  string
		trace []applied
		want  string
	}{
		{"snapshot then next", []applied{{0, snap(2, 7, 8)}, {0, command(3, 9)}}, ""},
		{"snapshot repeated", []applied{{0, snap(2, 7, 8)}, {0, snap(2, 7, 8)}, {0, command(3, 9)}}, ""},
		{"skips one", []applied{{0, command(1, 7)}, {0, command(3, 9)}},
			"apply error: server 0 apply out of order, expected index 2, got 3"},
		{"repeats one", []applied{{0, command(1, 7)}, {0, command(1, 7)}},
			"apply error: server 0 apply out of order, expected index 2, got 1"},
		{"older than the snapshot", []applied{{1, snap(2, 7, 8)}, {1, command(2, 8)}},
			"apply error: server 1 apply out of order, expected index 3, got 2"},
		{"differs from a snapshot", []applied{{1, snap(2, 7, 8)}, {0, command(1, 6)}},
			"apply error: commit index=1 server=0 6 != server=1 7"},
		{"snapshot goes back", []applied{{0, snap(2, 7, 8)}, {0, snap(1, 7)}},
			"apply error: server 0 snapshot at index 1 after index 2 was applied"},
		{"snapshot of another index", []applied{{0, snapshotMsg(4, encodeAll(2, []any{nil, 7, 8}))}},
			"apply error: server 0 snapshot doesn't match m.SnapshotIndex"},
		{"nil snapshot", []applied{{0, snapshotMsg(1, nil)}}, "apply error: nil snapshot"},
		{"not a snapshot", []applied{{0, snapshotMsg(1, []byte("?"))}}, "apply error: snapshot decode error"},
		{"half a snapshot", []applied{{0, snapshotMsg(1, encodeAll(1))}}, "apply error: snapshot decode error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := setup{n: 2, snapshot: true}.build(t)
			for _, s := range tt.trace {
				if s.m.SnapshotValid {
					cfg.record(s.i, cfg.installSnap(s.i, s.m))
				} else {
					_, err := cfg.applyNext(s.i, s.m)
					cfg.record(s.i, err)
				}
			}
			wantApplyError(t, cfg, tt.want)
		})
	}
}

// TestHarnessTakesSnapshots checks that a reader takes snapshots at 9, 19, ..., and that a snapshot restores the log
// from which it was made.
func TestHarnessTakesSnapshots(t *testing.T) {
	cfg := setup{n: 2, snapshot: true}.build(t)
	var last []byte
	for index := 1; index <= 25; index++ {
		snapshot, err := cfg.applyNext(0, command(index, 100+index))
		if due := index == 9 || index == 19; err != "" || (snapshot != nil) != due {
			t.Errorf("index %v: error %q, snapshot taken: %v", index, err, snapshot != nil)
		}
		if snapshot != nil {
			last = snapshot
		}
	}
	if err := cfg.installSnap(1, snapshotMsg(19, last)); err != "" {
		t.Fatal(err)
	}
	if cfg.lastApplied[1] != 19 || cfg.logs[1][1] != 101 || cfg.logs[1][19] != 119 {
		t.Errorf("snapshot read back as %v up to %v", cfg.logs[1], cfg.lastApplied[1])
	}
}

// TestHarnessApplyErrorEndsTest checks that an apply error ends each method of the cluster promptly, whether the error
// comes before the call or during it, and that the error is reported once.
func TestHarnessApplyErrorEndsTest(t *testing.T) {
	steps := map[string]func(cfg *config){
		"sleep":          func(cfg *config) { cfg.sleep(time.Hour) },
		"checkOneLeader": func(cfg *config) { cfg.checkOneLeader() },
		"checkTerms":     func(cfg *config) { cfg.checkTerms() },
		"checkNoLeader":  func(cfg *config) { cfg.checkNoLeader() },
		"nCommitted":     func(cfg *config) { cfg.nCommitted(1) },
		"wait":           func(cfg *config) { cfg.wait(1, 1, -1) },
		"one":            func(cfg *config) { cfg.one(7, 1, true) },
		"end":            func(cfg *config) { cfg.end() },
		"cleanup":        func(cfg *config) {},
	}
	for name, step := range steps {
		t.Run(name, func(t *testing.T) {
			onVirtualClock(t, func(t *testing.T) {
				begun := time.Now()
				wantError(t, "apply error: bad", func(f *fakeT) {
					cfg := setup{n: 3}.build(f)
					defer cfg.cleanup()
					time.AfterFunc(time.Millisecond, func() { cfg.record(2, "bad") })
					cfg.pause(time.Second)
					step(cfg)
				})
				if took := time.Since(begun); took > 900*time.Millisecond {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

func TestHarnessLeaders(t *testing.T) {
	leader := func(i, term int) serverStatus { return serverStatus{i, term, true} }
	follower := func(i, term int) serverStatus { return serverStatus{i, term, false} }
	tests := []struct {
		all    []serverStatus
		leader int
		err    string
	}{
		{nil, -1, ""},
		{[]serverStatus{follower(0, 2), follower(1, 2)}, -1, ""},
		{[]serverStatus{follower(0, 2), leader(1, 2)}, 1, ""},
		{[]serverStatus{leader(0, 3), leader(1, 2), leader(2, 1)}, 0, ""},
		{[]serverStatus{leader(0, 1), leader(1, 2), leader(2, 3)}, 2, ""},
		{[]serverStatus{leader(0, 2), follower(1, 2), leader(2, 2)}, 0, "term 2 has 2 (>1) leaders"},
		{[]serverStatus{leader(0, 1), leader(1, 1), leader(2, 3)}, 2, "term 1 has 2 (>1) leaders"},
	}
	for _, tt := range tests {
		got, err := leaderOf(tt.all)
		if got != tt.leader || fmt.Sprint(err) != cmpOr(tt.err, "<nil>") {
			t.Errorf("%v: leader %v, error %v", tt.all, got, err)
		}
		if (noLeader(tt.all) == nil) != (tt.leader == -1) {
			t.Errorf("%v: noLeader says %v", tt.all, noLeader(tt.all))
		}
	}

	if term, err := commonTerm([]serverStatus{leader(0, 4), follower(1, 4)}); term != 4 || err != nil {
		t.Errorf("got the common term %v, %v; want 4", term, err)
	}
	if _, err := commonTerm([]serverStatus{leader(0, 4), follower(1, 3)}); err == nil {
		t.Error("different terms were not noticed")
	}
}

func cmpOr(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// TestHarnessGivesUp checks each limit of time and size on a cluster without servers.
func TestHarnessGivesUp(t *testing.T) {
	tests := []struct {
		want string
		step func(cfg *config)
		took time.Duration // 0: any
	}{
		{"one(7) failed to reach agreement", func(cfg *config) { cfg.one(7, 3, true) }, 10 * time.Second},
		{"only 0 decided for index 4; wanted 2", func(cfg *config) { cfg.wait(4, 2, -1) }, 30*time.Second + 710*time.Millisecond},
		{"expected one leader, got none", func(cfg *config) { cfg.checkOneLeader() }, 0},
		{"term changed too often", func(cfg *config) { cfg.untilTermHolds(func() bool { return false }) }, 12 * time.Second},
		{"1 committed but no majority", func(cfg *config) { cfg.logs[2][4] = 7; cfg.checkNoAgreement(4) }, 0},
		{"committed values do not match: index 4, 7, 8", func(cfg *config) {
			cfg.logs[0][4], cfg.logs[1][4] = 7, 8
			cfg.nCommitted(4)
		}, 0},
		{"Log size too large", func(cfg *config) {
			cfg.saved[1] = MakePersister()
			cfg.saved[1].Save(make([]byte, maxLogSize-1), make([]byte, 2*maxLogSize))
			cfg.checkLogSize() // just small enough: the snapshot does not count
			cfg.saved[1].Save(make([]byte, maxLogSize), nil)
			cfg.checkLogSize()
		}, 0},
		{"test took longer than 120 seconds", func(cfg *config) { cfg.sleep(120*time.Second + 1) }, 0},
		{"server 1: applyCh is still open", func(cfg *config) { cfg.awaitReader(1, make(chan struct{})) }, 5 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			onVirtualClock(t, func(t *testing.T) {
				begun := time.Now()
				wantError(t, tt.want, func(f *fakeT) {
					cfg := setup{n: 3}.build(f)
					defer cfg.cleanup()
					tt.step(cfg)
				})
				if took := time.Since(begun); tt.took > 0 && took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
			})
		})
	}
}

// onVirtualClock runs a test on the virtual clock, whatever -clock says: on the real one it would take minutes.
func onVirtualClock(t *testing.T, body func(t *testing.T)) {
	defer func(clock string) { *clockFlag = clock }(*clockFlag)
	*clockFlag = "virtual"
	lab(t, body)
}

// TestHarnessOneWantsItsCommand checks that one does not accept another command at its index.
func TestHarnessOneWantsItsCommand(t *testing.T) {
	onVirtualClock(t, func(t *testing.T) {
		cfg := setup{n: 3}.build(t)
		for i := range 3 {
			cfg.logs[i][1] = 8
		}
		if ok, err := cfg.agreed(1, 7, 3); ok || err != nil {
			t.Errorf("8 was accepted as 7 (%v)", err)
		}
		if ok, err := cfg.agreed(1, 8, 3); !ok || err != nil {
			t.Errorf("8 was not accepted as 8 (%v)", err)
		}
		if ok, _ := cfg.agreed(1, 8, 4); ok {
			t.Error("three servers were accepted as four")
		}
	})
}

func leakForTest(release <-chan struct{}) { <-release }

// TestHarnessLeaks checks that a goroutine left behind is reported by name, and that one that ends is not.
func TestHarnessLeaks(t *testing.T) {
	lab(t, func(t *testing.T) {
		before := goroutines()
		release := make(chan struct{})
		go leakForTest(release)
		left := leaked(before, 20*time.Millisecond)
		if len(left) != 1 || topFunction(left[0]) != "raft.leakForTest" {
			t.Errorf("found %q", left)
		}
		time.AfterFunc(20*time.Millisecond, func() { close(release) })
		wantNone := errorsOf(func(f *fakeT) { checkLeaks(f, withSelf(before)) })
		if len(wantNone) > 0 {
			t.Errorf("errors about a goroutine that ends: %q", wantNone)
		}
	})
	onVirtualClock(t, func(t *testing.T) {
		before := goroutines()
		release := make(chan struct{})
		defer close(release)
		go leakForTest(release)
		wantError(t, "1 goroutines left behind: raft.leakForTest\n", func(f *fakeT) {
			checkLeaks(f, withSelf(before))
		})
	})
}

// withSelf adds the calling goroutine to before, so that a leak check ignores it.
func withSelf(before map[string]string) map[string]string {
	id, _, _ := strings.Cut(allStacks(), " [")
	before[id] = ""
	return before
}

// TestHarnessDeadlock checks that a deadlock in a bubble fails only its own test.
func TestHarnessDeadlock(t *testing.T) {
	wantError(t, "TestX: deadlock: blocked\n", func(f *fakeT) {
		defer (&trial{name: "TestX"}).catch(f)
		panic(fmt.Errorf("deadlock: blocked"))
	})
}

func TestHarnessClockFlag(t *testing.T) {
	for name, ok := range map[string]bool{"virtual": true, "real": true, "": false, "Real": false} {
		if err := checkClock(name); (err == nil) != ok {
			t.Errorf("-clock=%s: %v", name, err)
		}
	}
}

func TestHarnessRandstring(t *testing.T) {
	a, b := randstring(20), randstring(20)
	if len(a) != 20 || a == b {
		t.Errorf("got %q and %q", a, b)
	}
}

// TestHarnessConnections checks that only connected servers reach each other.
func TestHarnessConnections(t *testing.T) {
	lab(t, func(t *testing.T) {
		cfg := make_config(t, 3, false, false)
		defer cfg.cleanup()
		cfg.disconnectEach(0, 4)
		if got := []bool{cfg.isConnected(0), cfg.isConnected(1), cfg.isConnected(2)}; !slices.Equal(got, []bool{false, false, true}) {
			t.Errorf("connected: %v", got)
		}
		cfg.connectEach(3)
		if leader := cfg.checkOneLeader(); leader == 1 {
			t.Error("a disconnected server leads")
		}
		cfg.crash1(2)
		if cfg.raft(2) != nil || cfg.isConnected(2) {
			t.Error("a crashed server is up or connected")
		}
		cfg.sleep(2 * RaftElectionTimeout)
		cfg.restartEach(2)
		cfg.one(1, 2, true)
	})
}
