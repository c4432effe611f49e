//go:build go1.25

package raft

import "sort"

// backUpLocked moves nextIndex back after a failed consistency check (§5.3): to the end of the follower's log if that is
// too short, and otherwise as far as WithBackup says. A reply that was overtaken by a later one changes nothing.
func (rf *Raft) backUpLocked(f *follower, args *AppendEntriesArgs, reply *AppendEntriesReply) bool {
	prev := args.PrevLogIndex
	if reply.ConflictIndex < 1 || reply.ConflictIndex > prev || !plausible(reply.ConflictTerm) {
		return false
	}
	next := reply.ConflictIndex
	if reply.ConflictTerm > 0 {
		next = rf.backUpFrom(f, prev, reply)
	}
	f.backTo(next)
	if prev <= f.matchIndex {
		return false
	}
	f.probing = true
	return true
}

// backTo has the entries from index next on sent again, but for those that the follower is known to have.
func (f *follower) backTo(next int) {
	f.nextIndex = max(f.matchIndex+1, min(f.nextIndex, next))
}

// backUpFrom returns the nextIndex to try after the logs turned out to differ at prev.
func (rf *Raft) backUpFrom(f *follower, prev int, reply *AppendEntriesReply) int {
	agreed := max(f.matchIndex, min(rf.log.base, prev-1))
	switch by := rf.options.backup; {
	case by.entries() > 0:
		return max(prev+1-by.entries(), agreed+1)
	case by == BackupByHalf:
		return agreed + (prev-agreed)/2 + 1
	}
	next := max(reply.ConflictIndex, rf.log.base)
	if rf.log.matches(next, reply.ConflictTerm) { // up to prev the follower has that term only
		next += sort.Search(prev-next, func(k int) bool { return rf.log.term(next+k) != reply.ConflictTerm })
	}
	return next
}
