package raft

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// Scripted schedules on whole clusters, in which single links fail.

// link enables or cuts the link between two servers, in both directions.
func (cfg *config) link(a, b int, up bool) {
	cfg.mu.Lock()
	defer cfg.mu.Unlock()
	cfg.net.Enable(cfg.endnames[a][b], up)
	cfg.net.Enable(cfg.endnames[b][a], up)
}

// leaders returns the running servers that believe that they lead.
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

// A leader of four servers that reaches only one follower cannot commit anything. The other three servers are
// connected. They must be able to elect a leader, although one of them still hears the old leader.
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
			t.Fatal("the new leader's command did not commit")
		}
	})
}

// A disconnected server keeps asking for PreVotes. When it is reconnected, no server's term changes.
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

// A server that does not hear the leader, but reaches the followers that do, cannot be elected and disturbs no server.
func TestServerDeafToLeader(t *testing.T) {
	lab(t, func(t *testing.T) {
		cfg := setup{n: 5, options: func(int) []Option { return []Option{WithPreVote(true)} }}.start(t)
		defer cfg.cleanup()
		leader := cfg.checkOneLeader()
		term := cfg.checkTerms()
		cfg.link(leader, (leader+1)%5, false)
		for k := range 10 {
			cfg.sleep(2 * time.Second)
			cfg.one(k, 4, false)
		}
		if found := cfg.leaders(); cfg.checkTerms() != term || len(found) != 1 || found[0] != leader {
			t.Fatalf("leaders are %v in term %d; want %d in term %d", found, cfg.checkTerms(), leader, term)
		}
		cfg.link(leader, (leader+1)%5, true)
		cfg.one("all", 5, false)
	})
}

// An unreachable follower that needs a snapshot gets heartbeats, and not the snapshot again and again.
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

// After failed elections, a server's next timeouts are longer. When it hears a leader again, its timeout is an ordinary
// election timeout.
func TestElectionAfterFailedOnes(t *testing.T) {
	parallel(t)
	lab(t, func(t *testing.T) {
		cfg := setup{n: 3}.start(t)
		defer cfg.cleanup()
		leader := cfg.checkOneLeader()
		away := (leader + 1) % 3
		for round := range 20 {
			cfg.disconnect(away)
			cfg.sleep(5*time.Second + time.Duration(round)*37*time.Millisecond)
			cfg.connect(away)
			cfg.sleep(150 * time.Millisecond)
			rf := cfg.raft(away)
			rf.mu.Lock()
			late := rf.nextTick.Sub(rf.electionTimer.deadline)
			leads := rf.role == Leader // without PreVote it may have been elected
			rf.mu.Unlock()
			if late > 0 && !leads {
				t.Fatalf("round %d: the ticker looks %v after the election deadline", round, late)
			}
		}
	})
}

// A service may modify the snapshot that it receives.
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

// A leader without a majority steps down, but not at once: the lab of 2025 expects it to lead for a second after the
// majority has committed another command (TestLeaderPartition4A).
func TestMinorityLeaderDoesNotStepDownAtOnce(t *testing.T) {
	lab(t, func(t *testing.T) {
		cfg := setup{n: 3}.start(t)
		defer cfg.cleanup()
		cfg.one("first", 3, true)
		old := cfg.checkOneLeader()
		term, _ := cfg.raft(old).GetState()
		cfg.disconnect(old)
		cfg.startMany(old, 100)
		cfg.one("second", 2, true)
		cfg.sleep(time.Second)
		if now, leads := cfg.raft(old).GetState(); !leads || now != term {
			t.Errorf("it leads: %v, in term %d; want it to lead in term %d", leads, now, term)
		}
		cfg.sleep(2 * time.Second)
		if _, leads := cfg.raft(old).GetState(); leads {
			t.Error("it still leads after three seconds")
		}
	})
}

// alone connects the given servers to each other and to no others.
func (cfg *config) alone(servers ...int) {
	cfg.disconnectEach(cfg.all()...)
	cfg.connectEach(servers...)
}

// leadAlone connects the servers only to each other, and requires that server want is elected.
func (cfg *config) leadAlone(want int, servers ...int) {
	cfg.alone(servers...)
	cfg.sleep(5 * time.Second)
	for _, i := range servers {
		if _, leads := cfg.raft(i).GetState(); leads != (i == want) {
			cfg.t.Fatalf("server %d leads: %v; want server %d to lead %v", i, leads, want, servers)
		}
	}
}

// mustHold requires that server i's log ends at index, with an entry of term.
func (cfg *config) mustHold(i, index, term int) {
	rf := cfg.raft(i)
	rf.mu.Lock()
	defer rf.mu.Unlock()
	if rf.log.lastIndex() != index || rf.log.lastTerm() != term {
		cfg.t.Fatalf("server %d's log ends with (%d, term %d), want (%d, term %d)",
			i, rf.log.lastIndex(), rf.log.lastTerm(), index, term)
	}
}

// mustNotCommit requires that no server applies index within two seconds.
func (cfg *config) mustNotCommit(index int) {
	cfg.sleep(2 * time.Second)
	if n, command := cfg.nCommitted(index); n > 0 {
		cfg.t.Fatalf("%d servers have applied %v at index %d", n, command, index)
	}
}

// Figure 8, step by step: an entry of term 2 reaches a majority only after its leader is elected again in term 4. That
// must not commit it, because S5 may still replace it by its entry of term 3 (d). After the leader has committed an
// entry of its own term, it stays (e).
func TestFigure8StepByStep(t *testing.T) {
	for _, e := range []bool{false, true} {
		t.Run(map[bool]string{false: "d", true: "e"}[e], func(t *testing.T) {
			lab(t, func(t *testing.T) {
				cfg := setup{n: 5}.start(t)
				defer cfg.cleanup()
				s1 := cfg.checkOneLeader()
				s2, s3, s4, s5 := (s1+1)%5, (s1+2)%5, (s1+3)%5, (s1+4)%5
				cfg.one("index 1", 5, false)

				cfg.alone(s1, s2) // (a)
				index, term2, _ := cfg.raft(s1).Start("S1's of term 2")
				cfg.sleep(time.Second)
				cfg.mustHold(s2, index, term2)
				cfg.crash1(s1)

				cfg.alone(s3, s4, s5) // (b)
				cfg.sleep(5 * time.Second)
				for _, i := range []int{s3, s4} { // S5 is the leader of the three
					if _, leads := cfg.raft(i).GetState(); leads {
						s3, s4, s5 = s5, s3+s4-i, i
						break
					}
				}
				cfg.alone(s5)
				_, term3, ok := cfg.raft(s5).Start("S5's of term 3")
				cfg.sleep(time.Second)
				cfg.mustHold(s5, index, term3)
				if !ok || term3 <= term2 {
					t.Fatalf("S5 leads: %v, in term %d after %d", ok, term3, term2)
				}
				cfg.crash1(s5)

				cfg.start1(s1, cfg.applierFunc) // (c); without S2, whose log is as up to date as S1's
				cfg.crash1(s2)
				cfg.leadAlone(s1, s1, s3, s4)
				cfg.start1(s2, cfg.applierFunc)
				cfg.alone(s1, s2, s3)
				cfg.sleep(time.Second)
				cfg.mustHold(s2, index, term2)
				cfg.mustHold(s3, index, term2)
				cfg.mustNotCommit(index)
				if e {
					if got := cfg.one("S1's of term 4", 3, false); got != index+1 {
						t.Fatalf("it has index %d", got)
					}
				}
				cfg.crash1(s1)

				cfg.start1(s5, cfg.applierFunc)
				want, survivor := "S5's of term 3", s5
				if e {
					want, survivor = "S1's of term 2", s3
				}
				cfg.leadAlone(survivor, s3, s4, s5)
				cfg.one("at last", 3, false)
				cfg.start1(s1, cfg.applierFunc)
				cfg.connectEach(cfg.all()...)
				cfg.one("all", 5, true)
				if n, command := cfg.nCommitted(index); n != 5 || command != want {
					t.Fatalf("%d servers have applied %v at index %d, want all %q", n, command, index, want)
				}
			})
		})
	}
}

// An entry of an older term commits without a new command when it is on every server, and no earlier.
func TestOlderTailCommitsOnEveryServer(t *testing.T) {
	lab(t, func(t *testing.T) {
		cfg := setup{n: 5}.start(t)
		defer cfg.cleanup()
		leader := cfg.checkOneLeader()
		cfg.alone(leader)
		index, term, _ := cfg.raft(leader).Start("tail")
		cfg.sleep(3 * time.Second) // it steps down
		servers := []int{leader, leader + 1, leader + 2}
		for _, next := range []int{leader + 3, leader + 4, 0} {
			cfg.alone(servers...)
			cfg.sleep(5 * time.Second)
			for _, i := range servers {
				cfg.mustHold(i%5, index, term)
			}
			if len(servers) == 5 {
				break
			}
			cfg.mustNotCommit(index)
			servers = append(servers, next)
		}
		if now, leads := cfg.raft(leader).GetState(); !leads || now == term {
			t.Fatalf("server %d leads: %v, in term %d; want it to lead in a later term than %d", leader, leads, now, term)
		}
		if command := cfg.wait(index, 5, -1); command != "tail" {
			t.Fatalf("%v is committed at index %d", command, index)
		}
	})
}

// A reply that arrives after Kill changes neither the killed server nor the disk of its restart.
func TestReplyAfterRestart(t *testing.T) {
	for _, reply := range []Reply{nil, &AppendEntriesReply{Term: 3, Success: true}, &AppendEntriesReply{Term: 9},
		&AppendEntriesReply{Term: 3, ConflictTerm: 1, ConflictIndex: 1}} {
		synctest.Test(t, func(t *testing.T) {
			rf := newLeader(t, 3, 3, from(1).terms(1, 3))
			peer, network := connectScripted(rf)
			defer network.Cleanup()
			go rf.applier()
			startReplicator(rf, rf.followers[1])
			<-peer.asked
			disk := rf.store.persister.Copy()
			rf.Kill()
			next := newQuiet(t, 3, disk)
			before := observableOf(rf)
			if reply == nil {
				network.DeleteServer(1)
				reply = new(AppendEntriesReply)
			}
			peer.answers <- *reply.(*AppendEntriesReply)
			time.Sleep(10 * time.Second)
			if after := observableOf(rf); after != before {
				t.Errorf("a killed server changed:\n before %+v\n after  %+v", before, after)
			}
			verify(t, next)
			mustEqual(t, "term after the restart", next.currentTerm, 3)
		})
	}
}

// A snapshot overtakes the entries that were sent before it. The replies arrive in either order.
func TestSnapshotOvertakesEntries(t *testing.T) {
	for _, answersFirst := range []string{"snapshot", "entries"} {
		t.Run(answersFirst, func(t *testing.T) {
			rf := newLeader(t, 3, 1, nil, WithLink(LinkPerMessage))
			f, other := rf.followers[1], newPeer(t, 1, 1, nil)
			exchange(t, rf, f, other)
			for n := range 4 {
				rf.Start(n)
			}
			entries := sendNext(rf, f)
			setMatch(rf, []int{0, 4})
			rf.Snapshot(3, []byte("service"))
			rf.mu.Lock()
			f.nextIndex = 1 // as if the entries were lost
			rf.mu.Unlock()
			snapshot := sendNext(rf, f)
			answers := []Reply{deliver(t, other, snapshot.message), deliver(t, other, entries.message)}
			mustEqual(t, "both accepted", granted(answers[0]) && granted(answers[1]), true)
			mustEqual(t, "last index", other.log.lastIndex(), 4)
			mustEqual(t, "snapshot, commitIndex", [2]int{other.snapshot.index, other.commitIndex}, [2]int{3, 3})
			calls := []*call{snapshot, entries}
			if answersFirst == "entries" {
				answers[0], answers[1], calls[0], calls[1] = answers[1], answers[0], calls[1], calls[0]
			}
			for k := range calls {
				rf.onReplyLocked(f, calls[k], answers[k])
			}
			mustEqual(t, "matchIndex, nextIndex", [2]int{f.matchIndex, f.nextIndex}, [2]int{4, 5})
			exchange(t, rf, f, other)
			mustEqual(t, "commitIndex", other.commitIndex, 4)
			wantApplied(t, other, []int{3, 4})
		})
	}
}

// Two snapshots arrive in either order: the newer one is kept, and is handed over once.
func TestTwoSnapshotsCloseTogether(t *testing.T) {
	message := func(index int) *InstallSnapshotArgs {
		return &InstallSnapshotArgs{Term: 2, LeaderID: 1, LastIncludedIndex: index, LastIncludedTerm: 1, Data: fmt.Append(nil, "up to ", index)}
	}
	for _, order := range [][]int{{5, 8}, {8, 5}} {
		rf := newFollower(t, 3, 2, from(1).terms(1, 1, 1, 1, 1, 1, 1, 1, 2))
		for _, index := range order {
			mustEqual(t, "accepted", granted(deliver(t, rf, message(index))), true)
		}
		rf.Snapshot(6, []byte("the service's own, late"))
		mustEqual(t, "snapshot", string(rf.snapshot.data), "up to 8")
		mustEqual(t, "log", logTerms(t, rf), "[2]")
		verify(t, rf)
		wantApplied(t, rf, []int{8})
	}
}

// wantApplied checks the indices of the commands and snapshots that a quiet server hands over.
func wantApplied(t testing.TB, rf *Raft, want []int) {
	t.Helper()
	applyCh := make(chan ApplyMsg, 10)
	rf.applyCh = applyCh
	d, todo := decoder{definitions: &rf.definitions, streams: make(map[uint64]*stream)}, toApply{}
	for rf.lastApplied < rf.commitIndex {
		rf.waitToApply(&todo)
		rf.apply(&d, &todo)
		rf.lastApplied = max(rf.lastApplied, todo.last)
	}
	var got []int
	for len(applyCh) > 0 {
		m := <-applyCh
		got = append(got, m.CommandIndex+m.SnapshotIndex)
	}
	if !slices.Equal(got, want) {
		t.Errorf("handed over: %v, want %v", got, want)
	}
}
