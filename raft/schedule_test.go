package raft

import (
	"testing"
	"time"
)

// Deliberate schedules on whole clusters, in which links fail one by one.

// link enables or cuts the link between two servers, in both directions.
func (cfg *config) link(a, b int, up bool) {
	cfg.mu.Lock()
	defer cfg.mu.Unlock()
	cfg.net.Enable(cfg.endnames[a][b], up)
	cfg.net.Enable(cfg.endnames[b][a], up)
}

// leaders returns the servers that believe they lead, crashed ones left out.
func (cfg *config) leaders() (found []int) {
	for i := range cfg.n {
		if rf := cfg.raft(i); rf != nil {
			if _, leads := rf.GetState(); leads {
				found = append(found, i)
			}
		}
	}
	return found
}

// A leader that reaches one follower of four servers can commit nothing. The other three are a connected majority:
// they must not be kept from electing one of them by the one that still hears the old leader.
func TestLeaderWithoutQuorumGivesWay(t *testing.T) {
	lab(t, func(t *testing.T) {
		cfg := setup{n: 4}.start(t)
		defer cfg.cleanup()
		old := cfg.checkOneLeader()
		for _, k := range []int{2, 3} {
			cfg.link(old, (old+k)%4, false)
		}
		cfg.sleep(5 * time.Second)
		found := cfg.leaders()
		if len(found) != 1 || found[0] == old {
			t.Fatalf("leaders are %v after five seconds, want one other than %d", found, old)
		}
		if index, _, ok := cfg.raft(found[0]).Start("new"); !ok || cfg.wait(index, 3, -1) != "new" {
			t.Fatal("the new leader's command does not commit")
		}
	})
}

// A server that is cut off asks again and again whether it could be elected; when it is back, nobody's term changes.
func TestReturnOfCutOffServer(t *testing.T) {
	lab(t, func(t *testing.T) {
		cfg := setup{n: 5, options: func(int) []Option { return []Option{WithPreVote(true)} }}.start(t)
		defer cfg.cleanup()
		leader := cfg.checkOneLeader()
		term := cfg.checkTerms()
		cfg.disconnect((leader + 1) % 5)
		cfg.sleep(10 * time.Second)
		cfg.connect((leader + 1) % 5)
		cfg.sleep(2 * time.Second)
		if now := cfg.checkTerms(); now != term {
			t.Fatalf("the term went from %d to %d", term, now)
		}
	})
}

// An unreachable follower that lacks what the log no longer has gets heartbeats, not a snapshot for each.
func TestNoSnapshotsToUnreachable(t *testing.T) {
	lab(t, func(t *testing.T) {
		cfg := setup{n: 3}.start(t)
		defer cfg.cleanup()
		leader := cfg.checkOneLeader()
		cfg.disconnect((leader + 1) % 3)
		index := 0
		for n := range 20 {
			index = cfg.one(n, 2, false)
		}
		const size = 1 << 20
		cfg.raft(leader).Snapshot(index, make([]byte, size))
		cfg.sleep(time.Second)
		before := cfg.bytesTotal()
		cfg.sleep(10 * time.Second)
		if sent := cfg.bytesTotal() - before; sent >= size {
			t.Fatalf("%d bytes sent in ten idle seconds with a peer that does not answer", sent)
		}
		cfg.connect((leader + 1) % 3)
		cfg.sleep(time.Second)
		if got := cfg.raft((leader + 1) % 3).Status().SnapshotIndex; got != index {
			t.Fatalf("the peer's snapshot is at %d a second after its return, want %d", got, index)
		}
	})
}

// When a leader is heard again after failed elections, the follower's patience is that of an election timeout again,
// not the long one that the failures had led to.
func TestElectionAfterFailedOnes(t *testing.T) {
	lab(t, func(t *testing.T) {
		cfg := setup{n: 3}.start(t)
		defer cfg.cleanup()
		leader := cfg.checkOneLeader()
		lonely := (leader + 1) % 3
		for round := range 20 {
			cfg.disconnect(lonely)
			cfg.sleep(5*time.Second + time.Duration(round)*37*time.Millisecond)
			cfg.connect(lonely)
			cfg.sleep(150 * time.Millisecond)
			rf := cfg.raft(lonely)
			rf.mu.Lock()
			late := rf.nextTick.Sub(rf.deadline)
			leads := rf.role == Leader // without PreVote it may have been elected
			rf.mu.Unlock()
			if late > 0 && !leads {
				t.Fatalf("round %d: the ticker looks %v after the election deadline", round, late)
			}
		}
	})
}

// The service may do what it likes with the snapshot that it is handed.
func TestDeliveredSnapshotIsACopy(t *testing.T) {
	rf := newFollower(t, 3, 1, nil)
	deliver(t, rf, &InstallSnapshotArgs{Term: 1, LeaderID: 1, LastIncludedIndex: 5, LastIncludedTerm: 1, Data: []byte("state")})
	todo := toApply{}
	if !rf.waitToApply(&todo) {
		t.Fatal("nothing to apply")
	}
	applyCh := make(chan ApplyMsg, 1)
	rf.applyCh = applyCh
	rf.apply(&decoder{}, &todo)
	clear((<-applyCh).Snapshot)
	if got := string(rf.snapshot.data); got != "state" {
		t.Fatalf("Raft's snapshot became %q", got)
	}
}
