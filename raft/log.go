//go:build go1.25

package raft

import (
	"fmt"
	"sort"
)

// A raftLog is the log of §5.3, without the entries that compaction has cut off (§7). It is pure data: it knows no lock,
// network or disk.
type raftLog struct {
	base     int       // index of the last entry cut off; 0 if none; WithTrailingLog may keep it below snapshot.index
	baseTerm int       // term of that entry; kept for the consistency check of the entry that follows it (§7)
	segments []segment // the entries, from index base+1 on; no segment is empty, and terms never fall
	growing  bool      // the last segment takes further small batches
	start    mark      // before the first record
	end      mark      // after the last record
	accepted accepted  // commands that Start accepted here
}

const (
	// maxGrowing bounds the memory, in bytes, of a segment to which small batches are added.
	maxGrowing = 64 << 10
	// largeBatch is the size in bytes from which a batch gets its own segment, unless it is copied and the last segment
	// has room.
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

// find returns the segment i that holds the entry at index, and the place k there. It panics if there is no such entry.
func (l *raftLog) find(index int) (i, k int) {
	if index <= l.base || index > l.lastIndex() {
		panic(fmt.Sprintf("raft: no entry %d in the log, which holds %d to %d", index, l.base+1, l.lastIndex()))
	}
	i = len(l.segments) - 1
	if index < l.segments[i].first {
		i = sort.Search(i, func(i int) bool { return l.segments[i].first > index }) - 1
	}
	return i, index - l.segments[i].first
}

// size returns the number of bytes of the records of entries first to last.
func (l *raftLog) size(first, last int) int {
	if first > last {
		return 0
	}
	return l.position(last+1) - l.position(first)
}

// position returns the number of bytes of all records before index, including those that were cut off.
func (l *raftLog) position(index int) int {
	if index > l.lastIndex() {
		return l.end.at
	}
	i, k := l.find(index)
	s := &l.segments[i]
	return s.begin.at + s.offset(k) - s.start
}

// appendTo appends to dst entries from index first on: at most count entries and limit bytes of records, but at least one
// entry if there is one. Later changes of the log do not affect them.
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

// matches reports whether the log has an entry of this term at index: the consistency check of §5.3.
func (l *raftLog) matches(index, term int) bool {
	return index >= l.base && index <= l.lastIndex() && l.term(index) == term
}

// upToDate reports whether a log that ends with (lastIndex, lastTerm) is at least as up-to-date as this one. The log with
// the later last term is more up-to-date; if the terms are equal, the longer log is (§5.4.1).
func (l *raftLog) upToDate(lastIndex, lastTerm int) bool {
	if lastTerm != l.lastTerm() {
		return lastTerm > l.lastTerm()
	}
	return lastIndex >= l.lastIndex()
}

// firstNew returns the place in b of the first entry that the log does not have, when b begins at index first. All
// entries before it agree with the log (§5.3), and the caller "ignores those entries" of a repeated request (§5.5).
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

// conflict returns what a follower answers when the consistency check failed at prev: "the term of the conflicting entry
// and the first index it stores for that term" (§5.3). If the log ends before prev, a case that the paper leaves open, it
// returns term 0 and the index after the last entry.
func (l *raftLog) conflict(prev int) (term, index int) {
	if prev > l.lastIndex() {
		return 0, l.lastIndex() + 1
	}
	term = l.term(prev)
	return term, l.base + 1 + sort.Search(l.lastIndex()-l.base, func(k int) bool { return l.term(l.base+1+k) >= term })
}

// append adds the entries of s to the log, in segments of at most maxSegment bytes. It appends to dst their records as
// the log holds them. If share, the log may keep the memory of s instead of a copy; it does so for large batches.
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

// appendRecords adds the entries of s and returns their records in the log's memory. It moves end.
func (l *raftLog) appendRecords(s *segment, share bool) []byte {
	records := l.appendSegment(s, share)
	l.end = l.end.after(records)
	return records
}

// appendSegment does the same as appendRecords, but does not move end.
func (l *raftLog) appendSegment(s *segment, share bool) []byte {
	if share && s.size() >= largeBatch {
		end := s.offset(s.length())
		l.segments = append(l.segments, segment{l.lastIndex() + 1, s.memory[:end:end], s.start, s.ends, l.end})
		l.growing = false
		return s.records()
	}
	to := l.segmentFor(s.size(), s.length())
	begin := len(to.memory)
	to.memory = append(to.memory, s.records()...)
	for _, end := range s.ends {
		to.ends = append(to.ends, end-uint32(s.start)+uint32(begin))
	}
	return to.memory[begin:]
}

// segmentFor returns the last segment, or a new one, with room for n records of size bytes in all.
func (l *raftLog) segmentFor(size, n int) *segment {
	capacity, ends, small := size, n, size < largeBatch
	if l.growing {
		last := &l.segments[len(l.segments)-1]
		if cap(last.memory)-len(last.memory) >= size {
			return last
		}
		if small {
			capacity = max(size, min(2*len(last.memory), maxGrowing))
			ends += capacity * last.length() / len(last.memory) // as if the next records were as long
		}
	}
	l.growing = small
	l.segments = append(l.segments, segment{
		first:  l.lastIndex() + 1,
		memory: make([]byte, 0, capacity),
		ends:   make([]uint32, 0, ends),
		begin:  l.end,
	})
	return &l.segments[len(l.segments)-1]
}

// truncateFrom drops the entry at index and all after it (§5.3). The cost depends only on these entries and on the
// segment that is cut. Their memory is not written again, since others may hold it.
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
	l.segments, l.growing = l.segments[:i], false
	l.accepted.truncateFrom(index)
}

// compact cuts off the entries up to and including index (§7). The cost depends only on these entries and on the segment
// that is cut. The rest of that segment is copied, so that the memory of the entries that were cut off becomes garbage.
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
	l.accepted.take(nil, index+1, index) // takes none, and drops those up to index
}

// reset drops all entries. The log continues after the entry (index, term), which a snapshot covers (§7).
func (l *raftLog) reset(index, term int) {
	*l = raftLog{base: index, baseTerm: term, start: l.end, end: l.end}
}
