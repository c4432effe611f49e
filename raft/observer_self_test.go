package raft

// Tests of the watch: it must find and describe each kind of violation, and must find none in runs that Raft allows.

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// A stage is a cluster of quiet servers under a watch. A test drives each step of theirs, correct or not.
type stage struct {
	*watch
	t     *testing.T
	rafts []*Raft
	shown []string
}

func newStage(t *testing.T, n int) *stage {
	s := &stage{watch: newWatch(n), t: t, rafts: make([]*Raft, n)}
	s.show = func(text string) { s.shown = append(s.shown, text) }
	for i := range n {
		s.start(i, MakePersister())
	}
	return s
}

func (s *stage) start(i int, ps *Persister) *Raft {
	rf := newQuietServer(s.t, len(s.rafts), i, ps, withObserver(s.watch), WithVotePolicy(VoteSelfFirst))
	s.rafts[i] = rf
	return rf
}

func (s *stage) restart(i int) *Raft { return s.start(i, s.takeDisk(i, s.rafts[i].store.persister)) }

// campaign makes server i a candidate and asks the voters for their votes.
func (s *stage) campaign(i int, voters ...int) *Raft {
	rf := s.rafts[i]
	rf.becomeCandidateLocked()
	rf.campaign = rf.newCampaign(false)
	for _, v := range voters {
		s.rafts[v].OnMessage(sealed(voteRequest(rf)))
	}
	return rf
}

func (s *stage) elect(i int, voters ...int) *Raft {
	rf := s.campaign(i, voters...)
	rf.becomeLeaderLocked()
	return rf
}

func voteRequest(rf *Raft) *RequestVoteArgs {
	return &RequestVoteArgs{Term: rf.currentTerm, CandidateID: rf.me, LastLogIndex: rf.log.lastIndex(), LastLogTerm: rf.log.lastTerm()}
}

// append appends entries of these terms to rf's log and saves them, as a leader does.
func (s *stage) append(rf *Raft, terms ...int) {
	entries := from(rf.log.lastIndex() + 1).terms(terms...)
	rf.saveEntriesLocked(false, segmentOf(entries...))
}

// entriesMessage returns the leader's AppendEntries with all entries after prev.
func entriesMessage(leader *Raft, prev int) *AppendEntriesArgs {
	m := &AppendEntriesArgs{
		Term: leader.currentTerm, LeaderID: leader.me, LeaderCommit: leader.commitIndex,
		PrevLogIndex: prev, PrevLogTerm: leader.log.term(prev),
	}
	m.carry(entriesOf(leader.log.appendTo(nil, prev+1, maxNumber, maxNumber))...)
	return m
}

// replicate sends the leader's entries after prev to the servers.
func (s *stage) replicate(leader *Raft, prev int, to ...int) {
	for _, i := range to {
		m := entriesMessage(leader, prev)
		s.sending(leader, m, i)
		if !granted(s.rafts[i].OnMessage(sealed(m))) {
			s.t.Errorf("server %d refuses %+v", i, m)
		}
	}
}

// agreed makes server 0 the leader of term 1 with two committed entries, and returns it.
func agreed(s *stage) *Raft {
	leader := s.elect(0, 1)
	s.append(leader, 1, 1)
	s.replicate(leader, 0, 1)
	leader.commitLocked(2)
	return leader
}

// read reads from a server that believes that server 1 has answered it.
func (s *stage) read(rf *Raft) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	rf.followers[1].confirmed = rf.reads.sent + 1
	s.readIndex(ctx, rf)
}

// force makes server i the leader of term, whether or not it could win, with votes that the watch accepts.
func (s *stage) force(i, term int) *Raft {
	rf := s.rafts[i]
	rf.currentTerm, rf.votedFor = term, i
	rf.setRoleLocked(Candidate, nobody)
	rf.saveLocked()
	s.servers[(i+1)%len(s.servers)].granted[term] = i
	rf.setRoleLocked(Leader, i)
	return rf
}

var violations = []struct {
	name string
	want string // the beginning of the violation
	also string // a later part of it
	play func(s *stage)
}{
	{"two leaders", "election safety: violated by server 2 in term 1 at index 0", "server 0 leads", func(s *stage) {
		s.elect(0, 1)
		s.force(2, 1)
	}},
	{"leader of a minority", "election safety: violated by server 1 in term 1 at index 0", "1 votes", func(s *stage) {
		s.elect(1)
	}},
	{"a PreVote counted as a vote", "election safety: violated by server 0 in term 1 at index 0", "1 votes", func(s *stage) {
		m := voteRequest(s.rafts[0])
		m.Term, m.PreVote = 1, true
		s.rafts[1].OnMessage(sealed(m))
		s.elect(0)
	}},
	{"entries from no leader", "election safety: violated by server 1 in term 1 at index 0", "*raft.AppendEntriesArgs", func(s *stage) {
		s.elect(0, 1)
		s.sending(s.rafts[1], entriesMessage(s.rafts[1], 0), 2)
	}},
	{"a read on a deposed leader", readsAreRecent + ": violated by server 0 in term 1 at index 2", "up to 3", func(s *stage) {
		old := agreed(s)
		leader := s.elect(1, 2)
		s.append(leader, 2)
		s.replicate(leader, 0, 2)
		leader.commitLocked(3)
		s.read(old)
	}},
	{"a read of an entry that is not committed", onlyCommitted + ": violated by server 0 in term 1 at index 3", "up to 2", func(s *stage) {
		leader := agreed(s)
		s.append(leader, 1)
		leader.commitIndex = 3
		s.read(leader)
	}},
	{"leader drops an entry", "leader append-only: violated by server 0 in term 1 at index 3", "entry of term 1", func(s *stage) {
		leader := agreed(s)
		s.append(leader, 1)
		leader.log.truncateFrom(3)
		leader.saveAllLocked(false)
	}},
	{"leader replaces an entry", "leader append-only: violated by server 0 in term 2 at index 2", "entry of term 1", func(s *stage) {
		s.elect(0, 1)
		s.append(s.rafts[0], 1, 1)
		leader := s.elect(0, 1)
		leader.log.truncateFrom(2)
		leader.log.append(nil, segmentOf(from(2).terms(2)...), false)
		leader.saveAllLocked(false)
	}},
	{"entries differ", "log matching: violated by server 1 in term 1 at index 2", "that of server 0", func(s *stage) {
		s.append(s.rafts[0], 1, 1)
		other := from(1).terms(1, 1)
		other[1].data = from(9).terms(1)[0].data
		s.rafts[1].saveEntriesLocked(false, segmentOf(other...))
	}},
	{"entries before differ", "log matching: violated by server 1 in term 2 at index 2", "that of server 0", func(s *stage) {
		s.append(s.rafts[0], 1, 2)
		s.append(s.rafts[1], 2, 2)
	}},
	{"log after an unknown entry", "log matching: violated by server 1 in term 3 at index 7", "no log ever had", func(s *stage) {
		s.rafts[1].log.reset(7, 3)
		s.rafts[1].saveAllLocked(false)
	}},
	{"leader lacks an entry", "leader completeness: violated by server 2 in term 2 at index 2", "server 0 committed in term 1", func(s *stage) {
		agreed(s)
		s.force(2, 2)
	}},
	{"leader lacks an entry that commits later", "leader completeness: violated by server 2 in term 2 at index 2", "server 0 commits in term 1", func(s *stage) {
		leader := s.elect(0, 1)
		s.append(leader, 1, 1)
		s.replicate(leader, 0, 1)
		s.force(2, 2)
		leader.commitLocked(2)
	}},
	{"commit of another log", "state machine safety: violated by server 2 in term 0 at index 2", "has term 2 here", func(s *stage) {
		agreed(s)
		s.append(s.rafts[2], 1, 2)
		s.rafts[2].commitLocked(2)
	}},
	{"commit without a leader", "state machine safety: violated by server 1 in term 0 at index 1", "committed, 0", func(s *stage) {
		s.append(s.rafts[1], 1)
		s.rafts[1].commitLocked(1)
	}},
	{"commit beyond the log", "state machine safety: violated by server 1 in term 1 at index 3", "ends at 2", func(s *stage) {
		agreed(s)
		s.rafts[1].commitLocked(3)
	}},
	{"another command", "state machine safety: violated by server 1 in term 1 at index 1", `"b", but "a"`, func(s *stage) {
		leader := agreed(s)
		s.replicate(leader, 2, 1)
		s.applying(leader, command(1, "a"))
		s.applying(s.rafts[1], command(1, "b"))
	}},
	{"snapshot of another term", "state machine safety: violated by server 0 in term 1 at index 2", "has term 9", func(s *stage) {
		leader := agreed(s)
		s.applying(leader, ApplyMsg{SnapshotValid: true, SnapshotIndex: 2, SnapshotTerm: 9})
	}},
	{"snapshot of another index", "state machine safety: violated by server 0 in term 1 at index 1", "no server has saved", func(s *stage) {
		leader := agreed(s)
		leader.Snapshot(2, []byte("two"))
		s.sending(leader, &InstallSnapshotArgs{Term: 1, LastIncludedIndex: 1, LastIncludedTerm: 1, Data: []byte("two")}, 2)
	}},
	{"term goes back", "terms never go back: violated by server 0 in term 1 at index 0", "was 2", func(s *stage) {
		s.rafts[0].becomeFollowerLocked(2)
		s.rafts[0].currentTerm = 1
		s.rafts[0].setRoleLocked(Candidate, nobody)
	}},
	{"term goes back by a restart", "terms never go back: violated by server 0 in term 0 at index 0", "was 2", func(s *stage) {
		s.rafts[0].becomeFollowerLocked(2)
		s.start(0, MakePersister())
	}},
	{"commitIndex goes back", "commit indices never go back: violated by server 0 in term 1 at index 1", "was 2", func(s *stage) {
		leader := agreed(s)
		leader.commitIndex = 1
		leader.setRoleLocked(Leader, 0)
	}},
	{"two votes", "one usable vote per term: violated by server 1 in term 1 at index 0", "was 0 and is 2", func(s *stage) {
		s.campaign(0, 1)
		s.rafts[1].votedFor = nobody
		s.campaign(2, 1)
	}},
	{"two votes, one unsaved", "one usable vote per term: violated by server 1 in term 1 at index 0", "for server 2, after server 0", func(s *stage) {
		s.campaign(0, 1)
		s.answering(s.rafts[1], &RequestVoteArgs{Term: 1, CandidateID: 2}, &RequestVoteReply{Term: 1, VoteGranted: true})
	}},
	{"vote lost in a restart", "one usable vote per term: violated by server 1 in term 1 at index 0", "was 0 and is -1", func(s *stage) {
		s.campaign(0, 1)
		rf := newQuiet(s.t, 3, MakePersister())
		rf.becomeFollowerLocked(1)
		s.start(1, rf.store.persister)
	}},
	{"leader votes for another", "one usable vote per term: violated by server 0 in term 1 at index 0", "was 0 and is 2", func(s *stage) {
		leader := s.elect(0, 1)
		leader.votedFor = 2
		leader.saveLocked()
	}},
	{"late votes after a concession", "one usable vote per term: violated by server 0 in term 1 at index 0", "server 2", func(s *stage) {
		s.campaign(0, 1)
		s.rafts[0].votedFor = nobody
		s.campaign(2, 0)
		s.rafts[0].setRoleLocked(Leader, 0)
	}},
	{"term unsaved", "saved before it leaves: violated by server 1 in term 1 at index 0", "saved one is 0", func(s *stage) {
		s.answering(s.rafts[1], &RequestVoteArgs{Term: 1}, &RequestVoteReply{Term: 1})
	}},
	{"candidate's term unsaved", "saved before it leaves: violated by server 0 in term 1 at index 0", "saved one is 0", func(s *stage) {
		s.sending(s.rafts[0], &RequestVoteArgs{Term: 1}, 1)
	}},
	{"vote unsaved", "saved before it leaves: violated by server 1 in term 1 at index 0", "saved vote is -1", func(s *stage) {
		s.rafts[1].becomeFollowerLocked(1)
		s.answering(s.rafts[1], &RequestVoteArgs{Term: 1, CandidateID: 2}, &RequestVoteReply{Term: 1, VoteGranted: true})
	}},
	{"leader's vote unsaved", "saved before it leaves: violated by server 0 in term 1 at index 0", "saved vote is -1", func(s *stage) {
		s.rafts[0].becomeFollowerLocked(1)
		s.campaign(2)
		s.servers[1].granted[1] = 0
		s.rafts[0].votedFor = 0
		s.rafts[0].setRoleLocked(Leader, 0)
		s.sending(s.rafts[0], entriesMessage(s.rafts[0], 0), 1)
	}},
	{"entry unsaved", "saved before it leaves: violated by server 0 in term 1 at index 1", "up to 0", func(s *stage) {
		leader := s.elect(0, 1)
		leader.log.append(nil, segmentOf(from(1).terms(1)...), false)
		s.sending(leader, entriesMessage(leader, 0), 1)
	}},
	{"acknowledgement unsaved", "saved before it leaves: violated by server 1 in term 1 at index 1", "up to 0", func(s *stage) {
		leader := s.elect(0, 1)
		s.append(leader, 1)
		s.answering(s.rafts[1], entriesMessage(leader, 0), &AppendEntriesReply{Term: 1, Success: true})
	}},
	{"acknowledgement of other entries", "saved before it leaves: violated by server 1 in term 1 at index 2", "term 1, but has it with term 2", func(s *stage) {
		leader := s.elect(0, 1)
		s.append(leader, 1, 1)
		s.append(s.rafts[1], 1, 2)
		s.answering(s.rafts[1], entriesMessage(leader, 0), &AppendEntriesReply{Term: 1, Success: true})
	}},
	{"log unsaved", "saved before it leaves: violated by server 0 in term 1 at index 1", "saved is (0, 2]", func(s *stage) {
		leader := agreed(s)
		leader.log.truncateFrom(2)
		leader.setRoleLocked(Follower, nobody)
	}},
	{"snapshot not saved with its head", "saved before it leaves: violated by server 0 in term 1 at index 2", "not from one save", func(s *stage) {
		leader := agreed(s)
		leader.log.compact(2)
		leader.snapshot = newSnapshot(2, 1, []byte("state"))
		leader.saveAllLocked(false)
	}},
	{"vote for a shorter log", "election restriction (§5.4.1): violated by server 0 in term 2 at index 2", "server 2 at 0", func(s *stage) {
		agreed(s)
		s.campaign(2)
		s.campaign(2)
		s.rafts[0].becomeFollowerLocked(2)
		s.rafts[0].votedFor = 2
		s.rafts[0].saveLocked()
		s.answering(s.rafts[0], voteRequest(s.rafts[2]), &RequestVoteReply{Term: 2, VoteGranted: true})
	}},
	{"commit on a minority", "commit rule (§5.4.2): violated by server 0 in term 1 at index 1", "1 of 3", func(s *stage) {
		leader := s.elect(0, 1)
		s.append(leader, 1)
		leader.commitLocked(1)
	}},
	{"an entry counted without acknowledgement", "commit rule (§5.4.2): violated by server 0 in term 1 at index 1", "server 2", func(s *stage) {
		leader := s.elect(0, 1)
		s.append(leader, 1)
		s.replicate(leader, 0, 1)
		leader.followers[2].matchIndex = 1
		leader.commitLocked(1)
	}},
	{"Figure 8", "commit rule (§5.4.2): violated by server 0 in term 2 at index 1", "entry of term 1 that 2 of 3", func(s *stage) {
		s.append(s.elect(0, 1), 1)
		leader := s.elect(0, 1)
		s.replicate(leader, 0, 1)
		leader.commitLocked(1)
	}},
	{"acknowledged entry lost", "committed and acknowledged entries stay: violated by server 1 in term 1 at index 3", "ends at 2", func(s *stage) {
		leader := agreed(s)
		s.append(leader, 1)
		s.replicate(leader, 2, 1)
		s.rafts[1].log.truncateFrom(3)
		s.rafts[1].saveAllLocked(false)
	}},
	{"committed entry lost", "committed and acknowledged entries stay: violated by server 1 in term 2 at index 2", "server 0 committed in term 1", func(s *stage) {
		agreed(s)
		s.rafts[1].becomeFollowerLocked(2)
		s.rafts[1].log.truncateFrom(2)
		s.rafts[1].saveAllLocked(false)
	}},
	{"snapshot goes back", "committed and acknowledged entries stay: violated by server 0 in term 1 at index 1", "was at 2", func(s *stage) {
		leader := agreed(s)
		leader.Snapshot(2, []byte("two"))
		leader.snapshot.index = 1
		leader.saveLocked()
	}},
	{"apply beyond commitIndex", "only committed entries are applied: violated by server 1 in term 1 at index 1", "commitIndex is 0", func(s *stage) {
		agreed(s)
		s.applying(s.rafts[1], command(1, "a"))
	}},
	{"snapshot of an uncommitted entry", "only committed entries are applied: violated by server 0 in term 1 at index 3", "committed one is 2", func(s *stage) {
		leader := agreed(s)
		s.append(leader, 1)
		leader.log.compact(3)
		leader.snapshot = newSnapshot(3, 1, nil)
		leader.saveAllLocked(true)
	}},
	{"too high a LeaderCommit", "only committed entries are applied: violated by server 0 in term 1 at index 3", "its own is 2", func(s *stage) {
		m := entriesMessage(agreed(s), 2)
		m.LeaderCommit = 3
		s.sending(s.rafts[0], m, 1)
	}},
	{"applied twice", "each index is applied once and in order: violated by server 0 in term 1 at index 1", "after entry 1", func(s *stage) {
		leader := agreed(s)
		s.applying(leader, command(1, "a"))
		s.applying(leader, command(1, "a"))
	}},
	{"applied with another term", "state machine safety: violated by server 0 in term 1 at index 1", "has term 2 for this entry of term 1", func(s *stage) {
		m := command(1, "a")
		m.CommandTerm = 2
		s.applying(agreed(s), m)
	}},
	{"gap", "each index is applied once and in order: violated by server 0 in term 1 at index 2", "after entry 0", func(s *stage) {
		s.applying(agreed(s), command(2, "b"))
	}},
	{"old snapshot applied", "each index is applied once and in order: violated by server 0 in term 1 at index 1", "after entry 2", func(s *stage) {
		leader := agreed(s)
		leader.Snapshot(2, []byte("two"))
		s.applying(leader, ApplyMsg{SnapshotValid: true, SnapshotIndex: 2, SnapshotTerm: 1, Snapshot: []byte("two")})
		s.applying(leader, ApplyMsg{SnapshotValid: true, SnapshotIndex: 1, SnapshotTerm: 1})
	}},
}

// TestWatchSees checks that the watch finds each violation and prints it once.
func TestWatchSees(t *testing.T) {
	for _, v := range violations {
		t.Run(v.name, func(t *testing.T) {
			s := newStage(t, 3)
			v.play(s)
			err := s.violation()
			if err == nil || !strings.HasPrefix(err.Error(), v.want+": ") || !strings.Contains(err.Error(), v.also) {
				t.Fatalf("got %v\nwant %s: … %s", err, v.want, v.also)
			}
			select {
			case <-s.broken:
			default:
				t.Error("broken is not closed")
			}
			s.start(1, MakePersister()) // not checked any more
			if len(s.shown) != 1 || !strings.HasPrefix(s.shown[0], err.Error()+"\n") {
				t.Errorf("shown: %q", s.shown)
			}
		})
	}
}

// A leader of an early term may commit an entry late, after a leader of a later term did. From then on, the leaders of
// the terms in between must have the entry, too.
func TestWatchSeesLateCommit(t *testing.T) {
	for _, late := range []bool{false, true} {
		s := newStage(t, 5)
		first := s.elect(0, 1, 2)
		s.append(first, 1)
		s.replicate(first, 0, 1, 2)
		s.rafts[1].becomeFollowerLocked(2)
		third := s.elect(1, 2, 3)
		s.append(third, 3)
		s.replicate(third, 0, 2, 3)
		third.commitLocked(2)
		if late {
			first.commitLocked(1)
		}
		s.rafts[4].becomeFollowerLocked(1)
		second := s.campaign(4)
		s.servers[0].granted[2], s.servers[3].granted[2] = 4, 4
		second.becomeLeaderLocked()
		err := s.violation()
		if got := err != nil && strings.Contains(err.Error(), "server 0 committed in term 1"); got != late || err != nil && !late {
			t.Errorf("with a late commit %v: %v", late, err)
		}
	}
}

// TestWatchAllows checks that the watch accepts unusual runs that Raft allows.
func TestWatchAllows(t *testing.T) {
	for name, play := range map[string]func(s *stage){
		"replication, snapshots and a restart": func(s *stage) {
			leader := agreed(s)
			s.applying(leader, command(1, "a"))
			s.applying(leader, command(2, "b"))
			leader.Snapshot(1, []byte("one"))
			s.append(leader, 1)
			s.replicate(leader, 2, 1)
			leader.commitLocked(3)
			leader.Snapshot(3, []byte("three"))
			m := &InstallSnapshotArgs{Term: 1, LastIncludedIndex: 3, LastIncludedTerm: 1, Data: []byte("three")}
			s.sending(leader, m, 2)
			s.rafts[2].OnMessage(sealed(m))
			s.applying(s.rafts[2], ApplyMsg{SnapshotValid: true, SnapshotIndex: 3, SnapshotTerm: 1, Snapshot: m.Data})
			leader = s.restart(0)
			s.elect(1, 2)
			s.append(s.rafts[1], 2)
			s.replicate(s.rafts[1], 3, 0, 2)
			s.rafts[1].commitLocked(4)
			s.replicate(s.rafts[1], 4, 0)
			fourth := command(4, "d")
			fourth.CommandTerm = 2
			s.applying(leader, fourth)
		},
		"an entry replaced that a later leader commits": func(s *stage) {
			s.append(s.rafts[0], 1)
			s.append(s.rafts[1], 1)
			s.append(s.rafts[2], 1) // all have entry 1, but only two servers count for it: server 2 is in term 0
			s.rafts[0].becomeFollowerLocked(2)
			s.rafts[1].becomeFollowerLocked(2)
			leader := s.elect(0, 1)
			s.append(leader, 3)
			s.replicate(leader, 1, 1)
			leader.commitLocked(2)
			s.rafts[2].becomeFollowerLocked(2) // a leader of term 2 replaces its entry
			s.rafts[2].log.truncateFrom(1)
			s.rafts[2].log.append(nil, segmentOf(from(1).terms(2)...), false)
			s.rafts[2].saveAllLocked(false)
		},
		"a leader whose votes come late": func(s *stage) {
			late := s.campaign(0, 1)
			leader := s.elect(1, 2) // in term 2; it commits before the first candidate has its votes
			s.append(leader, 2)
			s.replicate(leader, 0, 2)
			leader.commitLocked(1)
			late.becomeLeaderLocked()
		},
		"a crashed server that still runs": func(s *stage) {
			old := agreed(s)
			s.restart(0)
			s.append(old, 1, 1)
			old.commitLocked(4)
			old.votedFor = 2
			old.saveLocked()
			s.answering(old, &RequestVoteArgs{Term: 9, CandidateID: 1}, &RequestVoteReply{Term: 9, VoteGranted: true})
		},
		"a vote for itself after all others": func(s *stage) {
			s.rafts[0].becomeFollowerLocked(1)
			s.rafts[1].OnMessage(sealed(voteRequest(s.rafts[0])))
			s.rafts[0].votedFor = 0
			s.rafts[0].saveLocked()
			s.rafts[0].setRoleLocked(Leader, 0)
			s.replicate(s.rafts[0], 0, 1)
		},
		"a concession": func(s *stage) {
			s.campaign(0)
			s.rafts[0].votedFor = nobody
			s.rafts[0].saveLocked()
			s.elect(2, 0)
			s.replicate(s.rafts[2], 0, 0)
		},
		"an older term's entry that every server has": func(s *stage) {
			s.append(s.elect(0, 1), 1)
			leader := s.elect(0, 1)
			s.replicate(leader, 0, 1, 2)
			leader.commitLocked(1)
		},
		"entries kept behind a snapshot": func(s *stage) {
			leader := agreed(s)
			leader.snapshot = newSnapshot(2, 1, []byte("two"))
			leader.saveAllLocked(true)
			s.append(leader, 1)
			s.replicate(leader, 0, 2)
			s.restart(0)
		},
		"uncommitted entries replaced": func(s *stage) {
			s.append(s.elect(0, 1), 1, 1)
			leader := s.elect(1, 2)
			for leader.currentTerm < 2 {
				leader = s.elect(1, 2)
			}
			s.append(leader, 2)
			s.replicate(leader, 0, 0, 2)
			leader.commitLocked(1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, whole := range []bool{false, true} {
				s := newStage(t, 3)
				for _, rf := range s.rafts {
					if whole { // as with the course's Persister
						rf.store.changer = nil
					}
				}
				play(s)
				if s.violation() != nil {
					t.Errorf("whole states %v: %s", whole, s.shown[0])
				}
				for i, rf := range s.rafts {
					mustEqual(t, fmt.Sprintf("server %d's last index", i), s.servers[i].disk.last(), rf.log.lastIndex())
				}
			}
		})
	}
}

// TestWatchPicture checks that the picture has a column with the last events of each server, the latest at the bottom.
func TestWatchPicture(t *testing.T) {
	onVirtualClock(t, func(t *testing.T) {
		s := newStage(t, 3)
		leader := s.elect(0, 1)
		for range 2 * lastEvents {
			time.Sleep(50 * time.Millisecond)
			s.sending(leader, entriesMessage(leader, 0), 1)
		}
		s.takeDisk(2, MakePersister())
		time.Sleep(time.Millisecond)
		s.applying(s.rafts[1], command(7, nil))
		lines := strings.Split(s.shown[0], "\n")
		for from, want := range map[int][]string{
			0: {
				"only committed entries are applied: violated by server 1 in term 1 at index 7: it applies this entry, but its commitIndex is 0",
				"             | server 0                                          | server 1                                      | server 2 (down)",
				"          0s |                                                   | starts: term 0, vote -1, log 1..0, snapshot 0 | starts: term 0, vote -1, log 1..0, snapshot 0",
			},
			len(lines) - 3: {
				"        1.2s | -> 1: term 1, after 0 of term 0 up to 0, commit 0 |                                               | crashes",
				"      1.201s |                                                   | applies 7                                     |",
				"",
			},
		} {
			if got := lines[from:][:len(want)]; !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant in line %d\n%s", s.shown[0], from, strings.Join(want, "\n"))
			}
		}
		mustEqual(t, "messages shown", strings.Count(s.shown[0], "-> 1: term 1"), lastEvents)
	})
}

// TestWatchEndsTest checks that a violation promptly ends a test that sleeps, with one error.
func TestWatchEndsTest(t *testing.T) {
	onVirtualClock(t, func(t *testing.T) {
		begun := time.Now()
		wantError(t, electionSafety, func(f *fakeT) {
			cfg := setup{n: 3}.start(f)
			defer cfg.cleanup()
			cfg.watch.show = func(string) {}
			leader := cfg.checkOneLeader()
			rf := cfg.raft((leader + 1) % 3)
			rf.mu.Lock()
			rf.setRoleLocked(Leader, rf.me)
			rf.mu.Unlock()
			cfg.sleep(time.Hour)
		})
		if took := time.Since(begun); took > time.Minute {
			t.Errorf("took %v", took)
		}
	})
}
