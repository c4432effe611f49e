//go:build go1.25

package raft

import "sort"

// backUpLocked moves nextIndex back after the consistency check failed at PrevLogIndex: "the leader decrements nextIndex and
// retries the AppendEntries RPC" (§5.3). If the follower's log is too short, nextIndex goes to the end of that log, and
// otherwise as far back as WithBackup says. It reports whether the reply counts. It does not if the follower refused the
// message for another reason, or claims to lack an entry that it has acknowledged.
func (rf *Raft) backUpLocked(f *follower, args *AppendEntriesArgs, reply *AppendEntriesReply) bool {
	prev := args.PrevLogIndex
	if reply.ConflictIndex < 1 || reply.ConflictIndex > prev || !plausible(reply.ConflictTerm) {
		return false
	}
	next := reply.ConflictIndex
	if reply.ConflictTerm > 0 {
		next = rf.nextIndexAfterConflictLocked(f, prev, reply)
	}
	f.backUpTo(next)
	if prev <= f.matchIndex {
		return false
	}
	f.probing = true
	return true
}

// backUpTo moves nextIndex back to next, but never to an entry that the follower is known to have.
func (f *follower) backUpTo(next int) {
	f.nextIndex = max(f.matchIndex+1, min(f.nextIndex, next))
}

// nextIndexAfterConflictLocked returns the nextIndex to try after the follower reported a conflicting entry at prev.
// BackupByTerm is the paper's optimization. The follower names the term of that entry and its first index of that term
// (conflict), and "the leader can decrement nextIndex to bypass all of the conflicting entries in that term" (§5.3). If the
// leader has the entry at that index, too, it only goes behind its own entries of that term.
func (rf *Raft) nextIndexAfterConflictLocked(f *follower, prev int, reply *AppendEntriesReply) int {
	agreed := max(f.matchIndex, min(rf.log.base, prev-1))
	switch by := rf.options.backup; {
	case by.entries() > 0:
		return max(prev+1-by.entries(), agreed+1)
	case by == BackupByHalf:
		return agreed + (prev-agreed)/2 + 1
	}
	next := max(reply.ConflictIndex, rf.log.base)
	if rf.log.matches(next, reply.ConflictTerm) { // up to prev the follower has only that term
		next += sort.Search(prev-next, func(k int) bool { return rf.log.term(next+k) != reply.ConflictTerm })
	}
	return next
}
