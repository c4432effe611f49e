package raft

// The properties of one server, checked at each step. explore_cluster_check_test.go checks those of the cluster.

import (
	"fmt"
	"slices"
)

// A view is the part of a server's state that check compares before and after a step.
type view struct {
	term, vote int
	role       Role
	commit     int
	base       int
	snapshot   int
	log        []entry // after base
	service    int     // number of applied commands
}

func (v *view) last() int { return v.base + len(v.log) }

func (s *drivenServer) look() view {
	rf := s.rf
	return view{rf.currentTerm, rf.votedFor, rf.role, rf.commitIndex, rf.log.base, rf.snapshot.index, allEntries(&rf.log), len(s.service)}
}

// check checks how the server has changed in a step.
func (s *drivenServer) check(before view, in step, out *outcome) {
	s.checkSaved("a step ends")
	s.checkLog()
	s.checkReads()
	now := s.look()
	switch {
	case now.term < before.term:
		s.violate(termsRise, "from %d to %d", before.term, now.term)
	case now.term == before.term && now.vote != before.vote && before.vote != nobody && !s.concedes(before, now):
		s.violate(oneVote, "in term %d its vote was %d and is %d", now.term, before.vote, now.vote)
	case !s.holds && s.rf.lastApplied != now.service:
		s.violate(eachOnce, "lastApplied is %d, but the service has applied up to %d", s.rf.lastApplied, now.service)
	case now.commit < before.commit && !out.crashed:
		s.violate(commitsRise, "from %d to %d", before.commit, now.commit)
	case now.snapshot < before.snapshot:
		s.violate(committedStay, "its snapshot was at %d and is at %d", before.snapshot, now.snapshot)
	case now.term == s.acked.term && now.last() < s.acked.index:
		s.violate(committedStay, "it acknowledged index %d in term %d, but now its log ends at %d", s.acked.index, now.term, now.last())
	}
	if before.role == Leader && now.term == before.term {
		s.checkAppendOnly(before, now)
	}
}

// concedes reports whether a candidate took back its vote for itself, which WithConcession allows.
func (s *drivenServer) concedes(before, now view) bool {
	return s.rf.options.concession && before.role == Candidate && now.role == Follower && before.vote == s.rf.me && now.vote == nobody
}

// checkAppendOnly checks leader append-only (Figure 3), and that new entries are of the leader's term.
func (s *drivenServer) checkAppendOnly(before, now view) {
	for index := max(before.base, now.base) + 1; index <= before.last(); index++ {
		if index > now.last() || !equalEntries(before.log[index-before.base-1], now.log[index-now.base-1]) {
			s.violate(leaderAppendOnly, "it leads in term %d, and its log lost the entry at index %d", now.term, index)
			return
		}
	}
	for index := max(before.last(), now.base) + 1; index <= now.last(); index++ {
		if term := now.log[index-now.base-1].term; term != now.term {
			s.violate(logWellFormed, "it leads in term %d and appends an entry of term %d at index %d", now.term, term, index)
		}
	}
}

func equalEntries(a, b entry) bool { return a.term == b.term && string(a.data) == string(b.data) }

// checkLog checks the order of the log's terms, and the order of the server's indices.
func (s *drivenServer) checkLog() {
	rf := s.rf
	l, snap := &rf.log, rf.snapshot.index
	switch term := l.baseTerm; {
	case l.base < 0 || l.base > snap || snap > rf.commitIndex || rf.commitIndex > l.lastIndex() || rf.lastApplied > rf.commitIndex:
		s.violate(logWellFormed, "base %d, snapshot %d, lastApplied %d, commitIndex %d, last index %d", l.base, snap, rf.lastApplied, rf.commitIndex, l.lastIndex())
		return
	case snap >= l.base && l.term(snap) != rf.snapshot.term:
		s.violate(logWellFormed, "the snapshot at %d has term %d, the log has term %d there", snap, rf.snapshot.term, l.term(snap))
	default:
		for index := l.base + 1; index <= l.lastIndex(); index++ {
			if next := l.term(index); next < term || next > rf.currentTerm {
				s.violate(logWellFormed, "in term %d, an entry of term %d at index %d follows one of term %d", rf.currentTerm, next, index, term)
				return
			}
			term = l.term(index)
		}
	}
	if rf.role == Leader {
		s.checkLeader()
	}
}

func (s *drivenServer) checkLeader() {
	rf, ps := s.rf, &s.rf.proposals
	if ps.term != rf.currentTerm || ps.next != rf.log.lastIndex()+1+ps.queue.length() {
		s.violate(logWellFormed, "it leads in term %d with a log up to %d, but takes commands for term %d and index %d, with %d in the queue",
			rf.currentTerm, rf.log.lastIndex(), ps.term, ps.next, ps.queue.length())
	}
	for _, f := range rf.followers {
		if f != nil && (f.nextIndex <= f.matchIndex || f.nextIndex > rf.log.lastIndex()+1) {
			s.violate(logWellFormed, "follower %d has matchIndex %d and nextIndex %d, the log ends at %d", f.id, f.matchIndex, f.nextIndex, rf.log.lastIndex())
		}
	}
}

// checkSaved checks that a restart would restore the persistent state that the server has in memory.
func (s *drivenServer) checkSaved(when string) {
	rf := s.rf
	next := &Raft{peers: rf.peers, me: rf.me, votedFor: nobody, leader: nobody}
	saved := s.disk.saved
	s.disk.saved = nil
	err := next.restore(s.disk.ReadRaftState(), s.disk.ReadSnapshot())
	s.disk.saved = saved
	switch {
	case err != nil:
		s.violate(restarts, "%s: %v", when, err)
	case next.currentTerm != rf.currentTerm || next.votedFor != rf.votedFor:
		s.violate(savedEqualsMemory, "%s: term %d and vote %d are saved, %d and %d are in memory", when, next.currentTerm, next.votedFor, rf.currentTerm, rf.votedFor)
	case next.log.base != rf.log.base || next.log.baseTerm != rf.log.baseTerm ||
		!slices.EqualFunc(allEntries(&next.log), allEntries(&rf.log), equalEntries):
		s.violate(savedEqualsMemory, "%s: the log %s is saved, %s is in memory", when, logText(&next.log), logText(&rf.log))
	case next.snapshot.index != rf.snapshot.index || next.snapshot.term != rf.snapshot.term || string(next.snapshot.data) != string(rf.snapshot.data):
		s.violate(savedEqualsMemory, "%s: a snapshot at %d of term %d (% x) is saved, one at %d of term %d (% x) is in memory", when,
			next.snapshot.index, next.snapshot.term, next.snapshot.data, rf.snapshot.index, rf.snapshot.term, rf.snapshot.data)
	}
}

// promises checks what a reply promises, and remembers acknowledgements.
func (s *drivenServer) promises(m Message, reply Reply) {
	rf := s.rf
	_, term := m.sender()
	if reply.term() != rf.currentTerm {
		s.violate(savedFirst, "it replies with term %d in term %d", reply.term(), rf.currentTerm)
	}
	if !granted(reply) {
		return
	}
	switch m := m.(type) {
	case *RequestVoteArgs:
		last, lastTerm := rf.log.lastIndex(), rf.log.lastTerm()
		switch {
		case m.LastLogTerm < lastTerm || m.LastLogTerm == lastTerm && m.LastLogIndex < last:
			s.violate(electionRestriction, "its log ends at %d with term %d, that of server %d at %d with term %d",
				last, lastTerm, m.CandidateID, m.LastLogIndex, m.LastLogTerm)
		case !m.PreVote && (reply.term() != term || rf.votedFor != m.CandidateID):
			s.violate(oneVote, "it votes for server %d in term %d, but in term %d its vote is %d", m.CandidateID, term, rf.currentTerm, rf.votedFor)
		}
	case *AppendEntriesArgs:
		records, _ := recordsOf(m)
		s.acknowledges(m.Term, m.PrevLogIndex+len(records))
		for k, at := -1, m.PrevLogIndex; k < len(records); k, at = k+1, at+1 {
			want := m.PrevLogTerm
			if k >= 0 {
				want = records[k].term
			}
			if at >= rf.log.base && !rf.log.matches(at, want) {
				s.violate(savedFirst, "it acknowledges an entry of term %d at index %d, but its log is %s", want, at, logText(&rf.log))
			}
		}
	case *InstallSnapshotArgs:
		s.acknowledges(m.Term, m.LastIncludedIndex)
	}
}

func (s *drivenServer) acknowledges(term, index int) {
	switch {
	case s.rf.currentTerm != term:
		s.violate(savedFirst, "it acknowledges index %d to the leader of term %d in term %d", index, term, s.rf.currentTerm)
	case index > s.rf.log.lastIndex():
		s.violate(savedFirst, "it acknowledges index %d, but its log ends at %d", index, s.rf.log.lastIndex())
	case term > s.acked.term || index > s.acked.index:
		s.acked = entryID{index, term}
	}
}

// handleApplyMsg is the service: it checks and applies a message.
func (s *drivenServer) handleApplyMsg(m ApplyMsg) {
	switch index := m.CommandIndex; {
	case m.EventValid:
	case m.SnapshotValid:
		if m.SnapshotIndex <= len(s.service) || m.SnapshotIndex != len(m.Snapshot) {
			s.violate(eachOnce, "a snapshot at %d of %d commands after index %d", m.SnapshotIndex, len(m.Snapshot), len(s.service))
		}
		s.service = m.Snapshot
	case index != len(s.service)+1:
		s.violate(eachOnce, "index %d after %d", index, len(s.service))
	case index > s.rf.commitIndex:
		s.violate(onlyCommitted, "index %d, but commitIndex is %d", index, s.rf.commitIndex)
	default:
		command, ok := m.Command.(int)
		if !ok || command < 1 || command > 255 {
			s.violate(stateMachineSafety, "at index %d it applies %v, which no service started", index, m.Command)
		}
		s.service = append(s.service[:index-1:index-1], byte(command))
	}
}

// logText formats a log as its terms.
func logText(l *raftLog) string {
	terms := make([]int, 0, 8)
	for _, e := range allEntries(l) {
		terms = append(terms, e.term)
	}
	if l.base == 0 {
		return fmt.Sprint(terms)
	}
	return fmt.Sprintf("[%d:%d]%v", l.base, l.baseTerm, terms)
}
