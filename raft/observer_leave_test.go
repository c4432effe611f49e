package raft

// Checks of the messages and replies that a server sends and of what it applies. The state on which each depends must
// already be saved.

import (
	"reflect"
	"time"
)

// afterViolation is how long a message takes after a violation. Without it, faulty servers might exchange messages for
// ever while the virtual clock stands still, and the test would not end.
const afterViolation = 10 * time.Millisecond

func (w *watch) sending(rf *Raft, m Message, to int) {
	if w.violation() != nil {
		time.Sleep(afterViolation)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.checkedServer(rf)
	if s == nil {
		return
	}
	switch m := m.(type) {
	case *RequestVoteArgs:
		term := m.Term
		if m.PreVote {
			term-- // a PreVote names the next term
			w.note(s, "-> %d: would you vote in term %d? log %d of term %d", to, m.Term, m.LastLogIndex, m.LastLogTerm)
		} else {
			w.note(s, "-> %d: vote in term %d! log %d of term %d", to, m.Term, m.LastLogIndex, m.LastLogTerm)
		}
		w.termSaved(s, term)
	case *AppendEntriesArgs:
		records, _ := recordsOf(m)
		last := m.PrevLogIndex + len(records)
		w.note(s, "-> %d: term %d, after %d of term %d up to %d, commit %d", to, m.Term, m.PrevLogIndex, m.PrevLogTerm, last, m.LeaderCommit)
		w.checkLeads(s, m, last)
		if m.LeaderCommit > s.commit {
			w.violated(s, onlyCommitted, m.Term, m.LeaderCommit, "it sends server %d this commitIndex, but its own is %d", to, s.commit)
		}
	case *InstallSnapshotArgs:
		w.note(s, "-> %d: term %d, snapshot at %d of term %d", to, m.Term, m.LastIncludedIndex, m.LastIncludedTerm)
		w.checkLeads(s, m, m.LastIncludedIndex)
		w.checkPrefix(s, "the snapshot that it sends", m.LastIncludedIndex, m.LastIncludedTerm)
		w.checkData(s, m.LastIncludedIndex, m.Data)
	}
}

// termSaved checks that a term that s sends is saved. It reports whether that is still the current term.
func (w *watch) termSaved(s *watched, term int) bool {
	saved := s.disk.head.currentTerm
	if term > saved {
		w.violated(s, savedFirst, term, 0, "it sends this term, but the saved one is %d", saved)
	}
	return term == saved
}

// checkLeads checks a message that only a leader sends, and that the entries up to last, which it sends, are saved.
func (w *watch) checkLeads(s *watched, m Message, last int) {
	_, term := m.sender()
	current := w.termSaved(s, term)
	r := w.leaderships[term]
	if r == nil || r.server != s {
		w.violated(s, electionSafety, term, 0, "it sends %T, but does not lead", m)
		return
	}
	if current && r.own && s.disk.head.votedFor != s.id {
		w.violated(s, savedFirst, term, 0, "it leads, but its saved vote is %d", s.disk.head.votedFor)
	}
	if current && last > s.disk.last() {
		w.violated(s, savedFirst, term, last, "it sends this entry, but has saved only those up to %d", s.disk.last())
	}
}

func (w *watch) answering(rf *Raft, m Message, reply Reply) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.checkedServer(rf)
	if s == nil {
		return
	}
	to, term := m.sender()
	current := w.termSaved(s, reply.term())
	promises := granted(reply)
	if q, ok := m.(*RequestVoteArgs); ok && q.PreVote {
		w.noteAnswer(s, promises, "-> %d: would vote, term %d", "-> %d: would not vote, term %d", to, reply.term())
		return
	}
	w.noteAnswer(s, promises, "-> %d: yes, term %d", "-> %d: no, term %d", to, reply.term())
	if !promises {
		return
	}
	if reply.term() != term {
		w.violated(s, oneVote, term, 0, "it says yes to server %d, but in term %d", to, reply.term())
	}
	switch m := m.(type) {
	case *RequestVoteArgs:
		w.checkVote(s, m, current)
	case *AppendEntriesArgs:
		w.checkAppendAck(s, m, current)
	case *InstallSnapshotArgs:
		w.checkAck(s, entryID{m.LastIncludedIndex, term}, current)
	}
}

func (w *watch) noteAnswer(s *watched, promises bool, yes, no string, to, term int) {
	if promises {
		w.note(s, yes, to, term)
	} else {
		w.note(s, no, to, term)
	}
}

// checkVote checks a granted vote. If current, the server is still in the term of the vote, so its disk must show what
// the vote depends on.
func (w *watch) checkVote(s *watched, m *RequestVoteArgs, current bool) {
	h, last := &s.disk.head, s.disk.at(s.disk.last()).term
	other, voted := s.granted[m.Term]
	switch {
	case voted && other != m.CandidateID:
		w.violated(s, oneVote, m.Term, 0, "it votes for server %d, after server %d", m.CandidateID, other)
	case w.leaderships[m.Term] != nil && w.leaderships[m.Term].server == s && w.leaderships[m.Term].own:
		w.violated(s, oneVote, m.Term, 0, "it votes for server %d, but leads in this term", m.CandidateID)
	case current && h.votedFor != m.CandidateID:
		w.violated(s, savedFirst, m.Term, 0, "it votes for server %d, but its saved vote is %d", m.CandidateID, h.votedFor)
	case current && last < m.Term && (m.LastLogTerm < last || m.LastLogTerm == last && m.LastLogIndex < s.disk.last()):
		w.violated(s, electionRestriction, m.Term, s.disk.last(), "its log ends there with term %d, that of server %d at %d with term %d",
			last, m.CandidateID, m.LastLogIndex, m.LastLogTerm)
	}
	s.granted[m.Term] = m.CandidateID
}

// checkAppendAck checks that the entries that a reply acknowledges are on the disk.
func (w *watch) checkAppendAck(s *watched, m *AppendEntriesArgs, current bool) {
	records, err := recordsOf(m)
	if err != nil {
		w.violated(s, savedFirst, m.Term, m.PrevLogIndex, "it acknowledges entries that cannot be decoded: %v", err)
		return
	}
	n := len(records)
	w.checkAck(s, entryID{m.PrevLogIndex + n, m.Term}, current)
	if !current || w.err != nil {
		return
	}
	d := &s.disk
	for index, term := m.PrevLogIndex, m.PrevLogTerm; ; index++ {
		if index >= d.head.base && d.at(index).term != term {
			w.violated(s, savedFirst, m.Term, index, "it acknowledges this entry with term %d, but has it with term %d", term, d.at(index).term)
			return
		}
		if index == m.PrevLogIndex+n {
			return
		}
		term = records[index-m.PrevLogIndex].term
	}
}

func (w *watch) checkAck(s *watched, up entryID, current bool) {
	if current && up.index > s.disk.last() {
		w.violated(s, savedFirst, up.term, up.index, "it acknowledges this entry, but has saved only those up to %d", s.disk.last())
	}
	if up.term > s.acked.term || up.term == s.acked.term && up.index > s.acked.index {
		s.acked = up
	}
}

func (w *watch) applying(rf *Raft, m ApplyMsg) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.checkedServer(rf)
	if s == nil {
		return
	}
	if m.EventValid {
		if at := m.Event.CommitIndex; at > s.applied {
			w.violated(s, eachOnce, s.term, at, "it reports %v, but has applied only entries up to %d", m.Event.Kind, s.applied)
		}
		return
	}
	index := m.CommandIndex
	if m.SnapshotValid {
		index = m.SnapshotIndex
		w.note(s, "applies a snapshot at %d", index)
	} else {
		w.note(s, "applies %d", index)
	}
	switch {
	case index > s.commit:
		w.violated(s, onlyCommitted, s.term, index, "it applies this entry, but its commitIndex is %d", s.commit)
	case m.SnapshotValid && index <= s.applied || m.CommandValid && index != s.applied+1:
		w.violated(s, eachOnce, s.term, index, "it applies this entry after entry %d", s.applied)
	case m.SnapshotValid:
		w.checkPrefix(s, "the snapshot that it applies", index, m.SnapshotTerm)
		w.checkData(s, index, m.Snapshot)
		if at := s.disk.head.snapshotIndex; index > at {
			w.violated(s, savedFirst, s.term, index, "it applies this snapshot, but its saved one is at %d", at)
		}
	default:
		w.checkCommand(s, index, m.Command)
		w.checkPrefix(s, "the command that it applies", index, m.CommandTerm)
	}
	s.applied = index
}

// checkCommand checks that all servers apply the same command at an index, also after restarts.
func (w *watch) checkCommand(s *watched, index int, command any) {
	if _, answered := command.(RaftState); answered {
		command = RaftState{} // each server applies its own
	}
	first, ok := w.applied[index]
	if !ok {
		w.applied[index] = command
	} else if !reflect.DeepEqual(first, command) {
		w.violated(s, stateMachineSafety, s.term, index, "it applies %#v, but %#v was applied there before", command, first)
	}
}

// recordsOf returns the entries in a message.
func recordsOf(m *AppendEntriesArgs) (found []entry, err error) {
	for _, piece := range m.Entries {
		for b := []byte(piece); len(b) > 0; {
			var e entry
			if e.term, e.data, b, err = readRecord(b); err != nil {
				return nil, err
			}
			found = append(found, e)
		}
	}
	return found, nil
}
