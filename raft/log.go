package raft

import (
	"fmt"
	"sort"
)

// An entry is one slot of the log.
type entry struct {
	term    int
	data    []byte // the command, encoded once (command.go); never written again
	command any    // the command itself, where it was accepted, until it is applied
}

// A raftLog is the log of §5.3 with its beginning cut off by compaction (§7). It is pure data: it knows no
// lock, no network and no disk.
//
// Slices of entries that leave the log stay valid: neither append nor truncateFrom nor compact writes a
// slot that somebody else may be reading.
type raftLog struct {
	base     int     // index of the last entry cut off; 0 when none is
	baseTerm int     // its term
	entries  []entry // entries[k] has index base+1+k; terms never fall
}

func (l *raftLog) lastIndex() int { return l.base + len(l.entries) }

func (l *raftLog) lastTerm() int { return l.term(l.lastIndex()) }

// term returns the term of the entry at index, which must be between base and lastIndex.
func (l *raftLog) term(index int) int {
	if index == l.base {
		return l.baseTerm
	}
	return l.at(index).term
}

// at returns the entry at index, which must be between base+1 and lastIndex.
func (l *raftLog) at(index int) *entry {
	if index <= l.base || index > l.lastIndex() {
		panic(fmt.Sprintf("raft: no entry %d in a log of %d..%d", index, l.base+1, l.lastIndex()))
	}
	return &l.entries[index-l.base-1]
}

// from returns the entries at first and after it, at most limit bytes of commands (but at least one entry),
// for reading.
func (l *raftLog) from(first, limit int) []entry {
	if first > l.lastIndex() {
		return nil
	}
	l.at(first)
	tail := l.entries[first-l.base-1:]
	for k := range tail {
		limit -= len(tail[k].data)
		if limit < 0 && k > 0 {
			return tail[:k:k]
		}
	}
	return tail[:len(tail):len(tail)]
}

// matches is the consistency check of §5.3: does the log have an entry at index, and of this term?
func (l *raftLog) matches(index, term int) bool {
	return index >= l.base && index <= l.lastIndex() && l.term(index) == term
}

// upToDate reports whether a log that ends with (lastIndex, lastTerm) is at least as up-to-date as this one:
// the later last term wins, then the longer log (§5.4.1).
func (l *raftLog) upToDate(lastIndex, lastTerm int) bool {
	if lastTerm != l.lastTerm() {
		return lastTerm > l.lastTerm()
	}
	return lastIndex >= l.lastIndex()
}

// firstNew returns how many of the entries, the first of which belongs at index first, the log has already:
// they agree with it up to there (§5.3).
func (l *raftLog) firstNew(first int, entries []entry) int {
	for k := range entries {
		if !l.matches(first+k, entries[k].term) {
			return k
		}
	}
	return len(entries)
}

// conflict tells a leader whose consistency check failed at prev where to go on: the term of our entry at
// prev and the first index that we have of that term, or term 0 and the index after our last one when the log
// ends before prev (§5.3, "the optimization").
func (l *raftLog) conflict(prev int) (term, index int) {
	if prev > l.lastIndex() {
		return 0, l.lastIndex() + 1
	}
	term = l.term(prev)
	return term, l.base + 1 + sort.Search(len(l.entries), func(k int) bool { return l.entries[k].term >= term })
}

func (l *raftLog) append(entries ...entry) { l.entries = append(l.entries, entries...) }

// truncateFrom drops the entry at index and all that follow it. The clipped capacity makes the next append
// take a new array, so that a slice that has left the log keeps its contents.
func (l *raftLog) truncateFrom(index int) {
	l.at(index)
	keep := index - l.base - 1
	l.entries = l.entries[:keep:keep]
}

// compact cuts off the entries up to and including index. What is kept moves to an array of its own, so that
// what is cut off becomes garbage (§7).
func (l *raftLog) compact(index int) {
	if index == l.base {
		return
	}
	l.baseTerm = l.at(index).term
	l.entries = append([]entry(nil), l.entries[index-l.base:]...)
	l.base = index
}

// reset discards the whole log; it goes on after an entry (index, term) that a snapshot covers (§7).
func (l *raftLog) reset(index, term int) {
	*l = raftLog{base: index, baseTerm: term}
}
