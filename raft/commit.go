//go:build go1.25

package raft

import (
	"slices"
	"time"
)

const (
	// A leader announces a new commitIndex after commitDelay, unless an AppendEntries carries it earlier.
	commitDelay = 5 * time.Millisecond
	// The delay is shortCommitDelay if a follower has not been sent the commit of more than maxUnannounced entries or
	// maxUnannouncedBytes bytes.
	shortCommitDelay    = 250 * time.Microsecond
	maxUnannounced      = 8
	maxUnannouncedBytes = 1 << 10
)

// advanceCommitLocked is the leader's commit rule: "if there exists an N such that N > commitIndex, a majority of
// matchIndex[i] ≥ N, and log[N].term == currentTerm: set commitIndex = N" (Figure 2, §5.3, §5.4.2).
//
// An entry of an older term commits with a later one of the current term, since a majority that has it does not prevent the
// election of a leader that lacks it (Figure 8). This departs from the paper in one point: such an entry also commits when
// every server has it. That is safe. Each server acknowledged the entry in the current term, before it could vote in a
// later one, so every later leader has it.
func (rf *Raft) advanceCommitLocked() {
	if rf.role != Leader {
		return
	}
	match := rf.appendMatchLocked(make([]int, 0, 8))
	slices.Sort(match)
	everywhere, majority := match[0], match[(len(match)-1)/2]
	commit := everywhere
	if majority > rf.commitIndex && rf.log.term(majority) == rf.currentTerm {
		commit = majority
	}
	if commit > rf.commitIndex {
		rf.commitLocked(commit)
		rf.scheduleCommitNoticeLocked()
	}
}

// scheduleCommitNoticeLocked sets the time at which the ticker announces a new commitIndex to the followers that have not
// been sent it by then.
func (rf *Raft) scheduleCommitNoticeLocked() {
	delay := commitDelay
	for _, f := range rf.followers {
		if f != nil && f.commitSent < rf.commitIndex && rf.manyUnannouncedLocked(f.commitSent) {
			delay = shortCommitDelay
		}
	}
	if !rf.commitNoticeAt.IsZero() && delay == commitDelay {
		return
	}
	if t := time.Now().Add(delay); rf.commitNoticeAt.IsZero() || t.Before(rf.commitNoticeAt) {
		rf.commitNoticeAt = t
		rf.wakeTickerAtLocked(t)
	}
}

// manyUnannouncedLocked reports whether the committed entries after index are more than may wait commitDelay.
func (rf *Raft) manyUnannouncedLocked(index int) bool {
	index = max(index, rf.log.base)
	return rf.commitIndex-index > maxUnannounced || rf.log.size(index+1, rf.commitIndex) > maxUnannouncedBytes
}

// appendMatchLocked appends to dst the matchIndex of each follower, and for this server the index of its last entry.
func (rf *Raft) appendMatchLocked(dst []int) []int {
	for _, f := range rf.followers {
		if f == nil {
			dst = append(dst, rf.log.lastIndex())
		} else {
			dst = append(dst, f.matchIndex)
		}
	}
	return dst
}

// commitLocked raises commitIndex to index, if that is higher, and wakes the applier. It is the only writer of commitIndex
// after newRaft.
func (rf *Raft) commitLocked(index int) {
	if index > rf.commitIndex {
		rf.commitIndex = index
		rf.proposals.committed.Store(int64(index))
		rf.tellCommitLocked()
		rf.observeChangeLocked()
		rf.applyCond.Signal()
	}
}
