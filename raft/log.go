//go:build go1.25

package raft

import (
	"fmt"
	"sort"
)

// A raftLog is the log of §5.3 with its beginning cut off by compaction (§7). It is pure data: it knows no
// lock, no network and no disk.
type raftLog struct {
	base     int       // index of the last entry cut off; 0 when none is
	baseTerm int       // its term
	segments []segment // the entries, none of them empty; the first has index base+1; terms never fall
	gathers  bool      // the last segment is one for small batches
	start    mark      // before the first record
	end      mark      // behind the last one
	accepted accepted  // commands of its entries
}

const (
	// pieceSize bounds, in bytes, the memory that small batches are gathered in.
	pieceSize = 64 << 10
	// largeBatch is the size in bytes of one that has its own.
	largeBatch = 4 << 10
)

func (l *raftLog) lastIndex() int {
	if n := len(l.segments); n > 0 {
		return l.segments[n-1].first + l.segments[n-1].length() - 1
	}
	return l.base
}

func (l *raftLog) lastTerm() int { return l.term(l.lastIndex()) }

// term returns the term of the entry at index, which must be between base and lastIndex.
func (l *raftLog) term(index int) int {
	if index == l.base {
		return l.baseTerm
	}
	i, k := l.find(index)
	return l.segments[i].term(k)
}

// at returns the entry at index, which must be between base+1 and lastIndex.
func (l *raftLog) at(index int) entry {
	i, k := l.find(index)
	return l.segments[i].at(k)
}

// find returns the segment of the entry at index, and its place in there.
func (l *raftLog) find(index int) (i, k int) {
	if index <= l.base || index > l.lastIndex() {
		panic(fmt.Sprintf("raft: no entry %d in a log of %d..%d", index, l.base+1, l.lastIndex()))
	}
	i = len(l.segments) - 1
	if index < l.segments[i].first {
		i = sort.Search(i, func(i int) bool { return l.segments[i].first > index }) - 1
	}
	return i, index - l.segments[i].first
}

// size returns how many bytes of records the entries from first up to and including last have.
func (l *raftLog) size(first, last int) int {
	if first > last {
		return 0
	}
	return l.position(last+1) - l.position(first)
}

// position returns how many bytes all records before index have, those cut off included.
func (l *raftLog) position(index int) int {
	if index > l.lastIndex() {
		return l.end.at
	}
	i, k := l.find(index)
	s := &l.segments[i]
	return s.begin.at + s.offset(k) - s.start
}

// appendTo appends to dst the entries from first on, at most count of them and limit bytes of records, but at least one
// entry if there is one. What becomes of the log does not change them.
func (l *raftLog) appendTo(dst batch, first, count, limit int) batch {
	count = min(count, l.lastIndex()-first+1)
	for atLeast := 1; count > 0; atLeast = 0 {
		i, k := l.find(first)
		s := &l.segments[i]
		most := min(s.length()-k, count)
		n := max(s.fitting(k, most, limit), atLeast)
		if n > 0 {
			dst = append(dst, s.slice(k, k+n))
		}
		if n < most {
			break
		}
		first, count, limit = first+n, count-n, limit-dst[len(dst)-1].size()
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
func (l *raftLog) firstNew(first int, b batch) (n int) {
	for i := range b {
		for k := range b[i].ends {
			if !l.matches(first+n, b[i].term(k)) {
				return n
			}
			n++
		}
	}
	return n
}

// conflict tells a leader whose consistency check failed at prev where to go on: the term of our entry at
// prev and the first index that we have of that term, or term 0 and the index after our last one when the log
// ends before prev (§5.3, "the optimization").
func (l *raftLog) conflict(prev int) (term, index int) {
	if prev > l.lastIndex() {
		return 0, l.lastIndex() + 1
	}
	term = l.term(prev)
	return term, l.base + 1 + sort.Search(l.lastIndex()-l.base, func(k int) bool { return l.term(l.base+1+k) >= term })
}

// append puts the entries of s at the end, and appends their records as the log has them to dst. If share, the log may
// keep s's memory instead of a copy, as it does if that is large.
func (l *raftLog) append(dst [][]byte, s segment, share bool) [][]byte {
	for s.size() > maxSegment && s.length() > 1 {
		n := max(s.fitting(0, s.length(), maxSegment), 1)
		part := s.slice(0, n)
		dst = append(dst, l.appendRecords(&part, share))
		s = s.slice(n, s.length())
	}
	if s.length() > 0 {
		dst = append(dst, l.appendRecords(&s, share))
	}
	return dst
}

func (l *raftLog) appendRecords(s *segment, share bool) []byte {
	records := l.appendSegment(s, share)
	l.end = l.end.after(records)
	return records
}

// appendSegment returns the records as the log has them.
func (l *raftLog) appendSegment(s *segment, share bool) []byte {
	if share && s.size() >= largeBatch {
		end := s.offset(s.length())
		l.segments = append(l.segments, segment{l.lastIndex() + 1, s.memory[:end:end], s.start, s.ends, l.end})
		l.gathers = false
		return s.records()
	}
	to := l.room(s.size(), s.length())
	begin := len(to.memory)
	to.memory = append(to.memory, s.records()...)
	for _, end := range s.ends {
		to.ends = append(to.ends, end-uint32(s.start)+uint32(begin))
	}
	return to.memory[begin:]
}

// room returns the last segment, or a new one, with memory for n records of size bytes in all.
func (l *raftLog) room(size, n int) *segment {
	capacity, ends, small := size, n, size < largeBatch
	if l.gathers {
		last := &l.segments[len(l.segments)-1]
		if cap(last.memory)-len(last.memory) >= size {
			return last
		}
		if small {
			capacity = max(size, min(2*len(last.memory), pieceSize))
			ends += capacity * last.length() / len(last.memory) // if the records to come are as long
		}
	}
	l.gathers = small
	l.segments = append(l.segments, segment{
		first:  l.lastIndex() + 1,
		memory: make([]byte, 0, capacity),
		ends:   make([]uint32, 0, ends),
		begin:  l.end,
	})
	return &l.segments[len(l.segments)-1]
}

// truncateFrom drops the entry at index and all that follow it. The cost is that of these entries and of the one segment
// that is cut. Their memory is not used again: others may hold it.
func (l *raftLog) truncateFrom(index int) {
	i, k := l.find(index)
	s := &l.segments[i]
	l.end = s.begin
	if k > 0 {
		end := s.offset(k)
		l.end = l.end.after(s.memory[s.start:end])
		s.memory, s.ends = s.memory[:end:end], s.ends[:k:k]
		i++
	}
	clear(l.segments[i:])
	l.segments, l.gathers = l.segments[:i], false
	l.accepted.truncateFrom(index)
}

// compact cuts off the entries up to and including index (§7). The cost is that of these entries and of the one segment that is
// cut: what is kept of that moves to memory of its own, so that all that is cut off becomes garbage.
func (l *raftLog) compact(index int) {
	if index == l.base {
		return
	}
	term, last := l.term(index), l.lastIndex()
	if index == last {
		l.reset(index, term)
		return
	}
	i, k := l.find(index + 1)
	s := &l.segments[i]
	l.start = s.begin
	var moved []segment
	if k > 0 {
		l.start = l.start.after(s.memory[s.start:s.offset(k)])
		moved = s.copyFrom(k, l.start)
		i++
	}
	l.base, l.baseTerm, l.segments = index, term, replaceFirst(l.segments, i, moved)
	l.accepted.take(nil, index+1, index)
}

// reset discards the whole log; it goes on after an entry (index, term) that a snapshot covers (§7).
func (l *raftLog) reset(index, term int) {
	*l = raftLog{base: index, baseTerm: term, start: l.end, end: l.end}
}
