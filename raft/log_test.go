package raft

import (
	"bytes"
	"fmt"
	"math/rand"
	"slices"
	"testing"
)

// A plainLog is a slow and simple raftLog, with which the tests compare it.
type plainLog struct {
	base, baseTerm int
	entries        []entry
}

func (l *plainLog) last() int { return l.base + len(l.entries) }

func (l *plainLog) termAt(index int) int {
	if index == l.base {
		return l.baseTerm
	}
	return l.entries[index-l.base-1].term
}

func (l *plainLog) matches(index, term int) bool {
	return index >= l.base && index <= l.last() && l.termAt(index) == term
}

func (l *plainLog) conflict(prev int) (term, index int) {
	if prev > l.last() {
		return 0, l.last() + 1
	}
	for index = l.base + 1; index <= l.last() && l.termAt(index) < l.termAt(prev); index++ {
	}
	return l.termAt(prev), index
}

func (l *plainLog) firstNew(first int, entries []entry) (n int) {
	for n < len(entries) && l.matches(first+n, entries[n].term) {
		n++
	}
	return n
}

func (l *plainLog) appendTo(first, count, limit int) (found []entry) {
	size := 0
	for index := first; index <= l.last() && len(found) < count; index++ {
		e := l.entries[index-l.base-1]
		size += len(appendRecord(nil, e.term, e.data))
		if size > limit && len(found) > 0 {
			break
		}
		found = append(found, e)
	}
	return found
}

func sameEntries(a, b []entry) bool {
	return slices.EqualFunc(a, b, func(a, b entry) bool { return a.term == b.term && string(a.data) == string(b.data) })
}

// compareLogs compares the results of all methods of both logs.
func compareLogs(t *testing.T, rng *rand.Rand, l *raftLog, twin *plainLog) {
	t.Helper()
	mustEqual(t, "base", [2]int{l.base, l.baseTerm}, [2]int{twin.base, twin.baseTerm})
	mustEqual(t, "last", [2]int{l.lastIndex(), l.lastTerm()}, [2]int{twin.last(), twin.termAt(twin.last())})
	for index := twin.base + 1; index <= twin.last(); index++ {
		if e, want := l.at(index), twin.entries[index-twin.base-1]; !sameEntries([]entry{e}, []entry{want}) {
			t.Fatalf("entry %d: %v, want %v", index, e, want)
		}
	}
	index := twin.base + rng.Intn(len(twin.entries)+3)
	term := rng.Intn(twin.termAt(twin.last()) + 2)
	mustEqual(t, "matches", l.matches(index, term), twin.matches(index, term))
	term, first := l.conflict(index)
	wantTerm, wantFirst := twin.conflict(index)
	mustEqual(t, "conflict", [2]int{term, first}, [2]int{wantTerm, wantFirst})
	index++
	count, limit := 1+rng.Intn(100), rng.Intn(3000)
	if got, want := entriesOf(l.appendTo(nil, index, count, limit)), twin.appendTo(index, count, limit); !sameEntries(got, want) {
		t.Fatalf("appendTo from %d, at most %d, limit %d: %d entries, want %d", index, count, limit, len(got), len(want))
	}
	next := from(index).terms(nextTerms(rng, twin.baseTerm, 5)...)
	mustEqual(t, "firstNew", l.firstNew(index, split(rng, next)), twin.firstNew(index, next))
}

// split returns the entries in random segments.
func split(rng *rand.Rand, entries []entry) (b batch) {
	for len(entries) > 0 {
		n := 1 + rng.Intn(len(entries))
		b = append(b, segmentOf(entries[:n]...))
		entries = entries[n:]
	}
	return b
}

// nextTerms returns n terms that do not fall.
func nextTerms(rng *rand.Rand, term, n int) []int {
	terms := make([]int, n)
	for k := range terms {
		if rng.Intn(20) == 0 {
			term++
		}
		terms[k] = max(term, 1)
	}
	return terms
}

func TestLogAgainstTwin(t *testing.T) {
	parallel(t)
	for seed := range int64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			rng := rand.New(rand.NewSource(seed))
			var l raftLog
			var twin plainLog
			for range 80 {
				changeLogs(rng, &l, &twin)
				compareLogs(t, rng, &l, &twin)
			}
		})
	}
}

// changeLogs makes the same random change to both logs, often at a boundary of segments.
func changeLogs(rng *rand.Rand, l *raftLog, twin *plainLog) {
	length := len(twin.entries)
	near := rng.Intn(length + 1)
	if n := len(l.segments); n > 0 && rng.Intn(2) == 0 {
		near = min(max(l.segments[rng.Intn(n)].first-l.base-1+rng.Intn(3)-1, 0), length)
	}
	switch op := rng.Intn(10); {
	case op < 6 && length < 2000:
		entries := from(twin.last() + 1).terms(nextTerms(rng, twin.termAt(twin.last()), []int{1, rng.Intn(9), rng.Intn(900)}[rng.Intn(3)])...)
		for _, s := range split(rng, entries) {
			give := rng.Intn(2) == 0
			if records := bytes.Join(l.append(nil, s, give), nil); string(records) != string(s.records()) {
				panic("append returns different records")
			}
			if !give {
				clear(s.memory) // the log has a copy
			}
		}
		twin.entries = append(twin.entries, entries...)
	case op < 8 && near < length:
		l.truncateFrom(twin.base + near + 1)
		twin.entries = slices.Clone(twin.entries[:near])
	case op < 9:
		l.compact(twin.base + near)
		*twin = plainLog{twin.base + near, twin.termAt(twin.base + near), slices.Clone(twin.entries[near:])}
	case rng.Intn(4) == 0:
		*twin = plainLog{base: twin.last() + 5, baseTerm: twin.termAt(twin.last()) + 1}
		l.reset(twin.base, twin.baseTerm)
	}
}

// logFrom returns a log that begins after (base, baseTerm).
func logFrom(base, baseTerm int, terms ...int) *raftLog {
	l := &raftLog{base: base, baseTerm: baseTerm}
	l.append(nil, segmentOf(from(base+1).terms(terms...)...), false)
	return l
}

// §5.4.1: "If the logs have last entries with different terms, then the log with the later term is more up-to-date. If
// the logs end with the same term, then whichever log is longer is more up-to-date."
func TestLogUpToDate(t *testing.T) {
	for _, c := range []struct {
		log         *raftLog
		index, term int
		want        bool
	}{
		{logFrom(0, 0), 0, 0, true},
		{logFrom(0, 0), 1, 1, true},
		{logFrom(0, 0, 1), 0, 0, false},
		{logFrom(0, 0, 1, 1), 1, 1, false},
		{logFrom(0, 0, 1, 1), 2, 1, true},
		{logFrom(0, 0, 1, 1), 3, 1, true},
		{logFrom(0, 0, 1, 1), 1, 2, true},
		{logFrom(0, 0, 1, 2), 9, 1, false},
		{logFrom(5, 3), 5, 3, true},
		{logFrom(5, 3), 4, 3, false},
		{logFrom(5, 3), 9, 2, false},
		{logFrom(5, 3, 4), 6, 4, true},
	} {
		if got := c.log.upToDate(c.index, c.term); got != c.want {
			t.Errorf("(%d, term %d) against (%d, term %d): %v", c.index, c.term, c.log.lastIndex(), c.log.lastTerm(), got)
		}
	}
}

// §5.3: "the follower can include the term of the conflicting entry and the first index it stores for that term".
func TestLogConflict(t *testing.T) {
	for _, c := range []struct {
		log               *raftLog
		prev, term, index int
	}{
		{logFrom(0, 0), 4, 0, 1},
		{logFrom(0, 0, 1, 1, 2), 4, 0, 4},
		{logFrom(0, 0, 1, 1, 2), 3, 2, 3},
		{logFrom(0, 0, 1, 1, 2), 2, 1, 1},
		{logFrom(0, 0, 1, 2, 2, 2, 5), 4, 2, 2},
		{logFrom(7, 2, 2, 2, 3), 9, 2, 8},
		{logFrom(7, 2, 2, 2, 3), 10, 3, 10},
		{logFrom(7, 2), 12, 0, 8},
	} {
		term, index := c.log.conflict(c.prev)
		mustEqual(t, fmt.Sprint("conflict at ", c.prev), [2]int{term, index}, [2]int{c.term, c.index})
	}
}

func TestLogAppendToLimit(t *testing.T) {
	var l raftLog
	for _, size := range []int{10, 20, 30, 0, 5} { // and each record has two bytes more
		l.append(nil, segmentOf(entry{term: 1, data: make([]byte, size)}), false)
	}
	for _, c := range []struct{ first, limit, want int }{
		{1, 0, 1}, {1, 11, 1}, {1, 33, 1}, {1, 34, 2}, {1, 68, 4}, {1, 74, 4}, {1, 75, 5}, {1, maxBatch, 5},
		{3, 1, 1}, {4, 0, 1}, {4, 9, 2}, {5, 0, 1}, {6, 100, 0}, {9, 100, 0},
	} {
		before := segmentOf(from(7).terms(7)...)
		got := l.appendTo(batch{before}, c.first, maxNumber, c.limit)
		if got.length() != 1+c.want || got.term(0) != 7 {
			t.Errorf("from %d, limit %d: %d entries, want %d after those given", c.first, c.limit, got.length()-1, c.want)
		}
	}
}

func TestLogPanicsNameIndexAndLog(t *testing.T) {
	l := logFrom(4, 1, 1, 1, 2)
	for _, index := range []int{-1, 0, 3, 8, 99} {
		want := []string{fmt.Sprintf("no entry %d ", index), "5 to 7"}
		wantPanic(t, func() { l.at(index) }, want...)
		wantPanic(t, func() { l.term(index) }, want...)
		wantPanic(t, func() { l.truncateFrom(index) }, want...)
		wantPanic(t, func() { l.compact(index) }, want...)
	}
	wantPanic(t, func() { l.truncateFrom(4) }, "no entry 4 ", "5 to 7")
	if !sameEntries(allEntries(l), from(5).terms(1, 1, 2)) {
		t.Error("a refused call changed the log")
	}
}

// The entries that compact keeps share no memory with those that it removes.
func TestLogCompactMovesData(t *testing.T) {
	s := segmentOf(from(1).terms(slices.Repeat([]int{1}, 2000)...)...) // large enough that the log does not copy it
	want := from(2).terms(slices.Repeat([]int{1}, 1999)...)
	var l raftLog
	l.append(nil, s, true)
	mustEqual(t, "the log keeps the memory that it was given", &l.segments[0].memory[0], &s.memory[0])
	l.compact(1)
	clear(s.memory)
	mustEqual(t, "the rest is the same", sameEntries(allEntries(&l), want), true)
}

// Entries that were taken from the log do not change when the log does.
func TestLogNeverWritesTwice(t *testing.T) {
	for keep := range 6 {
		l := logFrom(0, 0, 1, 1, 1, 1, 1)
		taken := l.appendTo(nil, 1, maxNumber, maxNumber)
		disk := l.segments[0].records()
		if keep < 5 {
			l.truncateFrom(keep + 1)
		}
		for k := range 300 {
			l.append(nil, segmentOf(from(l.lastIndex()+1+k).terms(2)...), false)
		}
		mustEqual(t, fmt.Sprint("after truncation to ", keep), sameEntries(entriesOf(taken), from(1).terms(1, 1, 1, 1, 1)), true)
		mustEqual(t, "records", string(disk), string(taken[0].records()))
	}
}

// Small batches are gathered, so that a log of a million entries does not have a million pieces of memory.
func TestLogGathersSmallBatches(t *testing.T) {
	var l raftLog
	size := 0
	for range 20_000 {
		size += len(l.append(nil, segmentOf(from(1).terms(1)...), rand.Intn(2) == 0)[0])
	}
	if most := size/(maxGrowing/2) + 20; len(l.segments) > most {
		t.Errorf("%d bytes are in %d pieces, want at most %d", size, len(l.segments), most)
	}
}

func TestAcceptedAgainstTwin(t *testing.T) {
	parallel(t)
	for seed := range int64(20) {
		rng := rand.New(rand.NewSource(seed))
		var a accepted
		twin := make(map[int]any) // by index
		last, applied, command := 0, 0, 0
		for range 300 {
			switch rng.Intn(4) {
			case 0:
				last += rng.Intn(4) * rng.Intn(400) // entries of another leader
			case 1:
				var commands []any
				for range 1 + rng.Intn(5)*rng.Intn(5)*rng.Intn(50) {
					command++
					twin[last+1+len(commands)] = command
					commands = append(commands, command)
				}
				a.add(last+1, commands)
				last += len(commands)
			case 2:
				from := applied + 1 + rng.Intn(last-applied+1)
				for index := from; index <= last; index++ {
					delete(twin, index)
				}
				a.truncateFrom(from)
				last = from - 1
			default:
				first := applied + 1
				applied += rng.Intn(last - applied + 1)
				got := a.take([]any{"before"}, first, applied)
				mustEqual(t, "length", len(got), 1+applied-first+1)
				for index := first; index <= applied; index++ {
					mustEqual(t, fmt.Sprint("seed ", seed, " index ", index), got[1+index-first], twin[index])
				}
			}
			if a.length() > last-applied+commandsPerChunk {
				t.Fatalf("%d commands are stored for %d entries", a.length(), last-applied)
			}
			for i, chunk := range a.chunks {
				for k, command := range chunk[:cap(chunk)] {
					if command != nil && (i == 0 && k < a.taken || k >= len(chunk)) {
						t.Fatalf("%v is kept from the garbage collector", command)
					}
				}
			}
		}
	}
}

// A stored command is removed with its entry.
func TestLogForgetsCommandsWithTheirEntries(t *testing.T) {
	for _, c := range []struct {
		name   string
		lose   func(l *raftLog)
		second any // the command stored for entry 2 afterwards
	}{
		{"nothing lost", func(*raftLog) {}, "second"},
		{"entries before it removed", func(l *raftLog) { l.compact(1) }, "second"},
		{"replaced", func(l *raftLog) { l.truncateFrom(2) }, nil},
		{"all replaced", func(l *raftLog) { l.truncateFrom(1) }, nil},
		{"covered by a snapshot", func(l *raftLog) { l.compact(2); l.reset(1, 1); l.append(nil, segmentOf(from(2).terms(1)...), false) }, nil},
		{"replaced by a snapshot", func(l *raftLog) { l.reset(1, 2) }, nil},
	} {
		l := logFrom(0, 0, 1, 1)
		l.accepted.add(1, []any{"first", "second"})
		c.lose(l)
		l.append(nil, segmentOf(from(l.lastIndex()+1).terms(3, 3, 3)...), false)
		mustEqual(t, c.name, l.accepted.take(nil, 2, 2)[0], c.second)
	}
}

// Commands of entries that compact removes are removed, even if they were not taken.
func TestCompactionLetsCommandsGo(t *testing.T) {
	l := logFrom(0, 0, 1, 1, 1, 1, 1)
	l.accepted.add(1, []any{"first", "second", "third", "fourth", "fifth"})
	l.compact(2)
	mustEqual(t, "the commands", [3]any{l.accepted.at(1), l.accepted.at(2), l.accepted.at(3)}, [3]any{nil, nil, "third"})
}

// Many waiting commands are not copied, and their memory is freed later.
func TestAcceptedShrinks(t *testing.T) {
	var a accepted
	const n = 100 * commandsPerChunk
	a.add(1, make([]any, n))
	a.take(nil, 1, n-commandsPerChunk)
	mustEqual(t, "chunks while the last are waiting", len(a.chunks), 1)
	a.take(nil, n-commandsPerChunk+1, n)
	mustEqual(t, "chunks when none is waiting", len(a.chunks), 0)
	moved := allocated(func() {
		for index := 1; index < 10*n; index += commandsPerChunk {
			a.add(index, make([]any, commandsPerChunk))
		}
	})
	if each := moved / (10 * n); each > 40 {
		t.Errorf("%d bytes are allocated for each command, which takes two words", each)
	}
}

// For all sizes of batches, the log takes little more memory than their records, and no piece of memory is much larger
// than a segment may be.
func TestLogMemory(t *testing.T) {
	number := entry{term: 1, data: []byte{formInt, 1}}
	few, more, many := slices.Repeat([]entry{number}, 2), slices.Repeat([]entry{number}, 250), slices.Repeat([]entry{number}, 1250)
	large := []entry{{term: 1, data: make([]byte, 40_000)}}
	huge := slices.Repeat([]entry{{term: 1, data: make([]byte, 1000)}}, 1000)
	for name, batches := range map[string][][]entry{
		"few": {few}, "many": {many}, "few, many": {few, many}, "more, many": {more, many}, "more, large": {more, large},
		"few, large": {few, large}, "number, large, number": {few[:1], large, few}, "huge": {huge}, "huge, few": {huge, few},
	} {
		for _, give := range []bool{false, true} {
			var l raftLog
			records, entries, capacity := 0, 0, 0
			for records < 10*maxSegment {
				for _, b := range batches {
					s := segmentOf(b...)
					records, entries = records+s.size(), entries+s.length()
					s.ends, s.memory = slices.Clip(s.ends), slices.Clip(s.memory)
					l.append(nil, s, give)
				}
			}
			for _, s := range l.segments {
				capacity += cap(s.memory) - s.start + 4*cap(s.ends) + 64
				if !give && cap(s.memory) > maxSegment && s.length() > 1 {
					t.Fatalf("%s: a segment of %d bytes", name, cap(s.memory))
				}
			}
			if most := 3 * (records + 4*entries) / 2; capacity > most {
				t.Errorf("%s (give: %v): %d bytes of memory for %d of records and %d entries", name, give, capacity, records, entries)
			}
		}
	}
}
