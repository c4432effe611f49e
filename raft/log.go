//go:build go1.25

package raft

import (
	"bytes"
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
type raftLog struct {
	base     int       // index of the last entry cut off; 0 when none is
	baseTerm int       // its term
	length   int       // number of entries; the first has index base+1; terms never fall
	chunks   [][]entry // the entries, chunkSize in each but the last: a long log grows without being copied
}

const chunkSize = 512

func (l *raftLog) lastIndex() int { return l.base + l.length }

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
	k := index - l.base - 1
	if k < 0 || k >= l.length {
		panic(fmt.Sprintf("raft: no entry %d in a log of %d..%d", index, l.base+1, l.lastIndex()))
	}
	return &l.chunks[k/chunkSize][k%chunkSize]
}

// appendTo appends to dst copies of the entries from first on, at most count of them and limit bytes of records, but
// at least one entry if there is one.
func (l *raftLog) appendTo(dst []entry, first, count, limit int) []entry {
	for index := first; index <= min(l.lastIndex(), first+count-1); index++ {
		e := l.at(index)
		limit -= recordSize(e)
		if limit < 0 && index > first {
			break
		}
		dst = append(dst, *e)
	}
	return dst
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
	return term, l.base + 1 + sort.Search(l.length, func(k int) bool { return l.term(l.base+1+k) >= term })
}

func (l *raftLog) append(entries ...entry) {
	for _, e := range entries {
		if l.length%chunkSize == 0 {
			var chunk []entry // the first one grows as it must: most logs are short
			if l.length > 0 {
				chunk = make([]entry, 0, chunkSize)
			}
			l.chunks = append(l.chunks, chunk)
		}
		last := len(l.chunks) - 1
		l.chunks[last] = append(l.chunks[last], e)
		l.length++
	}
}

// truncateFrom drops the entry at index and all that follow it.
func (l *raftLog) truncateFrom(index int) {
	l.at(index)
	l.length = index - l.base - 1
	full, rest := l.length/chunkSize, l.length%chunkSize
	if rest > 0 {
		clear(l.chunks[full][rest:])
		l.chunks[full] = l.chunks[full][:rest]
		full++
	}
	clear(l.chunks[full:])
	l.chunks = l.chunks[:full]
}

// compact cuts off the entries up to and including index. What is kept moves to memory of its own, so that all that
// is cut off becomes garbage (§7).
func (l *raftLog) compact(index int) {
	if index == l.base {
		return
	}
	kept := raftLog{base: index, baseTerm: l.term(index)}
	for i := index + 1; i <= l.lastIndex(); i++ {
		e := *l.at(i)
		e.data = bytes.Clone(e.data)
		kept.append(e)
	}
	*l = kept
}

// reset discards the whole log; it goes on after an entry (index, term) that a snapshot covers (§7).
func (l *raftLog) reset(index, term int) {
	*l = raftLog{base: index, baseTerm: term}
}
