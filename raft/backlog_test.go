package raft

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Followers learn of a commit with the next command, or after commitDelay. They learn of many entries or bytes at once.
func TestManyCommitsAreAnnouncedSoon(t *testing.T) {
	for _, c := range []struct {
		name    string
		count   int
		command string
		waits   bool // the leader waits before it tells followers
	}{
		{"one entry", 1, "x", true},
		{"almost a kilobyte", 1, strings.Repeat("x", maxUnannouncedBytes-10), true},
		{"more than one", 1, strings.Repeat("x", maxUnannouncedBytes), false},
		{"thirty entries", 30, "x", false},
		{"more than a kilobyte in three entries", 3, strings.Repeat("x", maxUnannouncedBytes/2), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := setup{n: 3}.start(t)
				defer cfg.cleanup()
				leader := cfg.checkOneLeader()
				cfg.sleep(time.Second)
				for range c.count {
					cfg.raft(leader).Start(c.command)
				}
				time.Sleep(2 * shortCommitDelay)
				mustEqual(t, "the leader's commitIndex", cfg.raft(leader).Status().CommitIndex, c.count)
				all := true
				for k := range 2 {
					untold := c.count - cfg.raft((leader+k+1)%3).Status().CommitIndex
					if untold > maxUnannounced || untold*len(c.command) > maxUnannouncedBytes {
						t.Errorf("a follower does not know that the last %d entries are committed", untold)
					}
					all = all && untold == 0
				}
				if c.waits && all { // one may have got the entries only after they were committed
					t.Error("both followers know at once")
				}
				time.Sleep(2 * commitDelay)
				for k := range 2 {
					mustEqual(t, "a follower's commitIndex later", cfg.raft((leader+k+1)%3).Status().CommitIndex, c.count)
				}
			})
		})
	}
}

// A follower whose service does not read takes entries up to its bound and then none, while the others continue. It
// still follows the leader, and its Status has the backlog. When its service reads again, it gets the missing entries,
// each once.
func TestMaxBacklog(t *testing.T) {
	const each, bound = 1000, 20_000
	for _, link := range thinLinks {
		t.Run(link.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := startThin(1e12, time.Millisecond, WithLink(link), WithMaxBacklog(bound))
				defer n.kill()
				leader := n.leader(t)
				slow := (leader.me + 1) % 3
				n.mu.Lock()
				n.servers[slow].Kill()
				applyCh := make(chan ApplyMsg)
				rf := Make(deadEnds(3), slow, MakePersister(), applyCh, append(n.opts, WithTransport(func(to int, m Message) Reply { return n.carry(slow, to, m) }))...)
				n.servers[slow] = rf
				clear(n.sent)
				n.mu.Unlock()
				time.Sleep(time.Second)
				term, _ := leader.GetState()
				const count = 200
				for range count {
					leader.Start(strings.Repeat("x", each))
					time.Sleep(5 * time.Millisecond)
				}
				time.Sleep(5 * time.Second)
				mustEqual(t, "commitIndex", leader.Status().CommitIndex, count)
				s := rf.Status()
				if s.BacklogBytes <= bound || s.BacklogBytes > bound+5*each || s.Backlog != s.CommitIndex || s.LastIndex > s.CommitIndex+5 {
					t.Errorf("the follower's status is %v, with a backlog of %d entries", s, s.Backlog)
				}
				mustEqual(t, "its term and leader", [2]int{s.Term, s.Leader}, [2]int{term, leader.me})
				n.mu.Lock()
				sent := n.sent[[2]int{leader.me, slow}]
				n.mu.Unlock()
				if sent > s.LastIndex*each*13/10+5*each {
					t.Errorf("%d bytes were sent to it", sent)
				}
				for index := 1; index <= count; index++ {
					mustEqual(t, "index", (<-applyCh).CommandIndex, index)
				}
				time.Sleep(time.Second)
				mustEqual(t, "its backlog at the end", rf.Status().Backlog, 0)
				rf.Kill()
				now, leads := leader.GetState()
				mustEqual(t, "term", now, term)
				mustEqual(t, "it leads", leads, true)
			})
		})
	}
}

// A full follower takes entries again when at least half of its bound is free.
func TestFullFollowerResumesAtHalf(t *testing.T) {
	rf := newFollower(t, 3, 1, nil, WithMaxBacklog(300))
	hundred := entry{1, append([]byte{formString}, strings.Repeat("x", 96)...)}
	give := func(prev, commit int) *AppendEntriesReply {
		args := &AppendEntriesArgs{Term: 1, LeaderID: 1, PrevLogIndex: prev, PrevLogTerm: min(prev, 1), LeaderCommit: commit}
		args.carry(hundred)
		return deliver(t, rf, args).(*AppendEntriesReply)
	}
	for prev := range 4 {
		mustEqual(t, "full below the bound", give(prev, prev).Full, false)
	}
	deliver(t, rf, appendMsg(1, 4, 1, 4))
	reply := give(4, 5)
	mustEqual(t, "success and full above it", [2]bool{reply.Success, reply.Full}, [2]bool{false, true})
	mustEqual(t, "last index, commitIndex", [2]int{rf.log.lastIndex(), rf.commitIndex}, [2]int{4, 4})
	rf.lastApplied = 2
	mustEqual(t, "full with two thirds", give(4, 5).Full, true)
	mustEqual(t, "a heartbeat's success", deliver(t, rf, appendMsg(1, 4, 1, 4)).(*AppendEntriesReply).Success, true)
	rf.lastApplied = 3
	reply = give(4, 5)
	mustEqual(t, "success and full with one third", [2]bool{reply.Success, reply.Full}, [2]bool{true, false})
}

// A full follower still learns commitIndex, and does not keep early entries.
func TestFullFollower(t *testing.T) {
	rf := newFollower(t, 3, 1, from(1).terms(1, 1, 1, 1), WithMaxBacklog(4))
	rf.commitIndex = 3
	message := appendMsg(1, 4, 1, 4, 1)
	mustEqual(t, "the reply", deliver(t, rf, message).(*AppendEntriesReply).Full, true)
	mustEqual(t, "last index, commitIndex", [2]int{rf.log.lastIndex(), rf.commitIndex}, [2]int{4, 4})
	deliver(t, rf, appendMsg(1, 6, 1, 4, 1))
	mustEqual(t, "entries kept", len(rf.reordered.kept), 0)
	rf.lastApplied = 4
	mustEqual(t, "the reply after all is applied", deliver(t, rf, message).(*AppendEntriesReply).Success, true)
	mustEqual(t, "last index", rf.log.lastIndex(), 5)
}

// A leader sends a full follower only heartbeats. When a reply says that it is no longer full, the leader sends the
// refused entries again.
func TestLeaderOfFullFollower(t *testing.T) {
	for _, link := range []Link{LinkPool(1), LinkPool(4), LinkPerMessage, LinkOrdered} {
		rf := newLeader(t, 3, 1, nil, WithLink(link))
		f, other := rf.followers[1], newPeer(t, 1, 1, nil)
		exchange(t, rf, f, other)
		rf.Start("refused")
		c := sendNext(rf, f)
		rf.onReplyLocked(f, c, &AppendEntriesReply{Term: 1, Full: true})
		mustEqual(t, "failures", f.failures, 0)
		rf.Start("waits")
		mustEqual(t, "something to send", rf.hasWorkLocked(f), false)
		f.heartbeatDue = true
		heartbeat := sendNext(rf, f)
		mustEqual(t, "a heartbeat's entries", heartbeat.entries.length(), 0)
		rf.onReplyLocked(f, heartbeat, &AppendEntriesReply{Term: 1, Success: true, Full: true})
		mustEqual(t, "something to send after it", rf.hasWorkLocked(f), false)
		f.heartbeatDue = true
		exchange(t, rf, f, other)
		mustEqual(t, "something to send when it is no longer full", rf.hasWorkLocked(f), true)
		exchange(t, rf, f, other)
		mustEqual(t, "matchIndex", f.matchIndex, 2)
	}
}
