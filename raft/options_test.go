package raft

import (
	"fmt"
	"math"
	"reflect"
	"testing"
	"testing/synctest"
	"time"
)

// Make panics for options that cannot work, with a message that names them.
func TestImpossibleOptions(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name    string
		options []Option
		want    string
	}{
		{"no heartbeat", []Option{WithHeartbeat(0)}, "WithHeartbeat(0s)"},
		{"negative heartbeat", []Option{WithHeartbeat(-ms)}, "WithHeartbeat(-1ms)"},
		{"no timeout", []Option{WithElectionTimeout(0, 0)}, "WithElectionTimeout(0s, 0s)"},
		{"negative timeout", []Option{WithElectionTimeout(-ms, ms)}, "WithElectionTimeout(-1ms, 1ms)"},
		{"min above max", []Option{WithElectionTimeout(301*ms, 300*ms)}, "WithElectionTimeout(301ms, 300ms)"},
		{"timeout that overflows when doubled", []Option{WithElectionTimeout(ms*200, math.MaxInt64)}, "at most 8760h0m0s"},
		{"timeout above a year", []Option{WithElectionTimeout(maxTimeout+1, maxTimeout+1)}, "at most 8760h0m0s"},
		{"timeout equal to the heartbeat", []Option{WithElectionTimeout(115*ms, 300*ms)}, "heartbeat of 115ms"},
		{"heartbeat too short to be measured", []Option{WithHeartbeat(time.Nanosecond)}, "WithHeartbeat(1ns)"},
		{"heartbeat above the timeout", []Option{WithHeartbeat(time.Second)}, "timeout of 160ms"},
		{"no such link", []Option{WithLink(0)}, "WithLink(0)"},
		{"no such way to back up", []Option{WithBackup(BackupByOne + 1)}, "WithBackup(3)"},
		{"no such way to back up, below", []Option{WithBackup(BackupByTerm - 1)}, "WithBackup(-1)"},
		{"negative trailing log", []Option{WithTrailingLog(-1)}, "WithTrailingLog(-1)"},
		{"no such vote policy", []Option{WithVotePolicy(VoteSelfLast + 1)}, "WithVotePolicy(VotePolicy(2))"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantPanic(t, func() {
				Make(deadEnds(3), 0, MakePersister(), make(chan ApplyMsg), c.options...)
			}, "Make: server 0", c.want)
		})
	}
}

// Every combination of timings is refused, or an election timeout lasts between its minimum and four times its maximum, and
// no sum of heartbeat intervals overflows.
func TestAllTimings(t *testing.T) {
	durations := []time.Duration{math.MinInt64, -1, 0, 1, time.Millisecond, 115 * time.Millisecond, time.Hour,
		maxTimeout - 1, maxTimeout, maxTimeout + 1, math.MaxInt64 / 40, math.MaxInt64 / 20, math.MaxInt64 / 16, math.MaxInt64 / 8,
		math.MaxInt64 / 4, math.MaxInt64 / 2, math.MaxInt64 - 1, math.MaxInt64}
	synctest.Test(t, func(t *testing.T) {
		ends := deadEnds(3)
		for _, heartbeat := range durations {
			for _, least := range durations {
				for _, most := range durations {
					rf, err := newRaft(ends, 0, MakePersister(), make(chan ApplyMsg), []Option{WithHeartbeat(heartbeat), WithElectionTimeout(least, most)})
					possible := time.Millisecond <= heartbeat && heartbeat < least && least <= most && most <= maxTimeout
					mustEqual(t, fmt.Sprint("accepted ", heartbeat, least, most), err == nil, possible)
					if possible {
						checkTimings(t, rf)
					}
				}
			}
		}
	})
}

func checkTimings(t *testing.T, rf *Raft) {
	t.Helper()
	o := &rf.options
	for attempts := range 6 {
		rf.electionsStarted = attempts
		rf.resetElectionTimerLocked()
		left, next := time.Until(rf.electionTimer.deadline), time.Until(rf.electionTimer.next())
		if left < o.timeoutMin || left > 4*o.timeoutMax || next <= 0 || next > left {
			t.Fatalf("%v, %v to %v: attempt %d waits for %v, first check after %v", o.heartbeat, o.timeoutMin, o.timeoutMax, attempts, left, next)
		}
	}
	for _, intervals := range []time.Duration{preVoteHeartbeats, quorumHeartbeats, snapshotHeartbeats} {
		if now := time.Now(); now.Add(intervals*o.heartbeat).Sub(now)/intervals != o.heartbeat {
			t.Fatalf("%d heartbeat intervals of %v overflow", intervals, o.heartbeat)
		}
	}
}

// Servers with the longest timings elect a leader, which stays leader while it hears from the others.
func TestLongestTimings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := setup{n: 3, options: func(int) []Option {
			return []Option{WithHeartbeat(maxTimeout / 2), WithElectionTimeout(maxTimeout-1, maxTimeout)}
		}}.start(t)
		defer cfg.cleanup()
		leader, term := -1, 0
		for range 40 {
			cfg.sleep(maxTimeout / 2)
			for i := range 3 {
				s := cfg.raft(i).Status()
				if s.Role != Leader {
					continue
				}
				if leader >= 0 && (i != leader || s.Term != term) {
					t.Errorf("server %d leads term %d after server %d led term %d", i, s.Term, leader, term)
				}
				leader, term = i, s.Term
			}
		}
		if leader < 0 {
			t.Error("no leader in twenty years")
		}
		cfg.made = time.Now() // the lab's limit of 120 s does not apply
	})
}

// The longest allowed election timeout can be doubled twice.
func TestLongestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf, err := newRaft(deadEnds(3), 0, MakePersister(), make(chan ApplyMsg),
			[]Option{WithHeartbeat(maxTimeout - 1), WithElectionTimeout(maxTimeout, maxTimeout), WithPreVote(false)})
		if err != nil {
			t.Fatal(err)
		}
		for attempts := range 5 {
			rf.electionsStarted = attempts
			rf.resetElectionTimerLocked()
			mustEqual(t, "timeout", time.Until(rf.electionTimer.deadline), maxTimeout<<max(0, min(attempts-2, 2)))
		}
	})
}

// The smallest values that work are accepted.
func TestLeastOptions(t *testing.T) {
	const ms = time.Millisecond
	for name, options := range map[string][]Option{
		"heartbeat":                         {WithHeartbeat(ms)},
		"timeout just above the heartbeat":  {WithElectionTimeout(115*ms+1, 115*ms+1)},
		"timeout of its own, heartbeat too": {WithHeartbeat(ms), WithElectionTimeout(ms+1, ms+2)},
		"trailing log":                      {WithTrailingLog(0)},
		"pool":                              {WithLink(LinkPool(1))},
	} {
		if _, err := newRaft(deadEnds(3), 0, MakePersister(), make(chan ApplyMsg), options); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The defaults are those that the comment on Option names.
func TestDefaultOptions(t *testing.T) {
	var named options
	for _, option := range []Option{
		WithHeartbeat(115 * time.Millisecond), WithElectionTimeout(160*time.Millisecond, 320*time.Millisecond),
		WithVotePolicy(VoteSelfLast), WithConcession(false), WithPreVote(true), WithStandSoon(true),
		WithLink(LinkPool(1)), WithBackup(BackupByTerm), WithTrailingLog(0),
	} {
		option(&named)
	}
	named.maxEntries, named.maxBacklog = maxEntries, 256<<20
	if got := labDefaults(); !reflect.DeepEqual(got, named) {
		t.Errorf("the defaults are %+v, want %+v", got, named)
	}
}

// Make panics without a Persister or applyCh, or if me is outside the cluster.
func TestImpossibleServer(t *testing.T) {
	wantPanic(t, func() { Make(deadEnds(3), 0, nil, make(chan ApplyMsg)) }, "server 0", "no Persister")
	wantPanic(t, func() { Make(deadEnds(3), 0, MakePersister(), nil) }, "server 0", "no applyCh")
	wantPanic(t, func() { WithTransport(nil) }, "WithTransport(nil)")
	wantPanic(t, func() { Make(deadEnds(3), 3, MakePersister(), make(chan ApplyMsg)) }, "server 3", "cluster of 3")
	wantPanic(t, func() { Make(deadEnds(3), -1, MakePersister(), make(chan ApplyMsg)) }, "server -1", "cluster of 3")
}

// A pool must allow at least one message.
func TestImpossiblePool(t *testing.T) {
	for _, n := range []int{0, -1, -2} {
		wantPanic(t, func() { LinkPool(n) }, "LinkPool(", "at least 1")
	}
}
