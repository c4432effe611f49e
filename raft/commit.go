//go:build go1.25

package raft

import (
	"slices"
	"time"
)

// A commit of at most maxUntold entries and maxUntoldBytes bytes may wait commitDelay for the next command to carry it.
const (
	commitDelay      = 5 * time.Millisecond
	shortCommitDelay = 250 * time.Microsecond
	maxUntold        = 8
	maxUntoldBytes   = 1 << 10
)

// advanceCommitLocked is the leader's commit rule: "if there exists an N such that N > commitIndex, a majority of
// matchIndex[i] ≥ N, and log[N].term == currentTerm: set commitIndex = N" (Figure 2, §5.4.2).
//
// An older term's entry commits behind one of ours, since a majority alone does not keep a later leader from lacking
// it (Figure 8). But it commits too when every server has it: each of them took it in this term, before it could
// vote in a later one, so no later leader lacks it.
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

// scheduleCommitNoticeLocked sees to it that followers learn of a new commitIndex: with the next command, or without one after a
// short while, which is shorter if there is much that they do not know of.
func (rf *Raft) scheduleCommitNoticeLocked() {
	delay := commitDelay
	for _, f := range rf.followers {
		if f != nil && f.commitSent < rf.commitIndex && rf.manyUntoldLocked(f.commitSent) {
			delay = shortCommitDelay
		}
	}
	if !rf.commitNotice.IsZero() && delay == commitDelay {
		return
	}
	if t := time.Now().Add(delay); rf.commitNotice.IsZero() || t.Before(rf.commitNotice) {
		rf.commitNotice = t
		rf.wakeTickerAtLocked(t)
	}
}

// manyUntoldLocked reports whether what is committed after index is more than may be told late.
func (rf *Raft) manyUntoldLocked(index int) bool {
	index = max(index, rf.log.base)
	return rf.commitIndex-index > maxUntold || rf.log.size(index+1, rf.commitIndex) > maxUntoldBytes
}

// appendMatchLocked appends to dst, by server, up to where it is known to hold our log, we among them.
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

// commitLocked raises commitIndex, which never falls, and wakes the applier.
func (rf *Raft) commitLocked(index int) {
	if index > rf.commitIndex {
		rf.commitIndex = index
		rf.proposals.committed.Store(int64(index))
		rf.observeChangeLocked()
		rf.applyCond.Signal()
	}
}
