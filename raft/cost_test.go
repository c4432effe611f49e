package raft

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// allocated returns the number of bytes that f allocates. It shows copying, because copies are made into allocated
// memory.
func allocated(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

// longLog returns a follower of server 1 in term 1 with n committed entries of 100 bytes.
func longLog(t testing.TB, n int) *Raft {
	t.Helper()
	rf := newFollower(t, 3, 1, nil)
	const each = 1000
	entries := make([]entry, each)
	for k := range entries {
		entries[k] = entry{1, append([]byte{formString}, strings.Repeat("x", 96)...)}
	}
	for last := 0; last < n; last += each {
		args := &AppendEntriesArgs{Term: 1, LeaderID: 1, PrevLogIndex: last, PrevLogTerm: min(last, 1), LeaderCommit: n - 1}
		args.carry(entries...)
		mustEqual(t, "accepted", granted(rf.OnMessage(sealed(args))), true)
	}
	return rf
}

// Work under the lock must not copy what stays: not a large snapshot, taken or received, and not the rest of a long log
// when its beginning or end is removed.
func TestCostUnderLock(t *testing.T) {
	const n, most = 20_000, 1 << 19 // that log takes two megabytes, in memory and on the disk
	large := make([]byte, 16<<20)
	sum := checksum(large)
	locked := func(rf *Raft, f func()) func() {
		return func() {
			rf.mu.Lock()
			defer rf.mu.Unlock()
			f()
		}
	}
	for _, c := range []struct {
		name string
		step func(rf *Raft) func()
	}{
		{"a large snapshot", func(rf *Raft) func() {
			return locked(rf, func() { rf.compactLocked(snapshot{1, 1, large, sum}) })
		}},
		{"a large snapshot is received", func(rf *Raft) func() {
			return locked(rf, func() { rf.takeSnapshotLocked(snapshot{n + 1000, 1, large, sum}) })
		}},
		{"a large snapshot in the middle of the log is received", func(rf *Raft) func() {
			rf.commitIndex = 0
			return locked(rf, func() { rf.takeSnapshotLocked(snapshot{n / 2, 1, large, sum}) })
		}},
		{"the first entry is removed", func(rf *Raft) func() { return func() { rf.Snapshot(1, []byte("x")) } }},
		{"one entry after another is removed", func(rf *Raft) func() {
			rf.Snapshot(1, nil)
			return func() { rf.Snapshot(2, []byte("x")) }
		}},
		{"all but one are removed", func(rf *Raft) func() { return func() { rf.Snapshot(n-1, []byte("x")) } }},
		{"the last entry is replaced", func(rf *Raft) func() {
			m := sealed(appendMsg(2, n-1, 1, 0, 2))
			return func() { mustEqual(t, "accepted", granted(rf.OnMessage(m)), true) }
		}},
		{"the term changes", func(rf *Raft) func() {
			return func() { rf.OnMessage(sealed(&RequestVoteArgs{Term: 9, CandidateID: 1})) }
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			rf := longLog(t, n)
			if bytes := allocated(c.step(rf)); bytes > most {
				t.Errorf("%d bytes were allocated, want at most %d", bytes, most)
			}
			verify(t, rf)
		})
	}
}

// A backlog is not copied each time that the service takes a snapshot of a part of it.
func TestCostOfManySnapshots(t *testing.T) {
	const n = 20_000
	cost := func(every int) int {
		rf := longLog(t, n)
		return allocated(func() {
			for index := every; index < n; index += every {
				rf.Snapshot(index, []byte("state"))
			}
		})
	}
	// Of the entries that stay, only those in one segment are copied.
	if few, many := cost(10_000), cost(100); many > few+n/100*(maxSegment+1<<10) {
		t.Errorf("two snapshots allocate %d bytes, two hundred %d", few, many)
	}
}

// BenchmarkUnderLock measures work under the lock at large sizes: a million entries, 200 MB.
func BenchmarkUnderLock(b *testing.B) {
	large := make([]byte, 200<<20)
	sum := checksum(large)
	for name, step := range map[string]func(rf *Raft, k int){
		"snapshot of 200 MB, one entry goes": func(rf *Raft, k int) { rf.compactLocked(snapshot{k + 1, 1, large, sum}) },
		"truncate one of a million": func(rf *Raft, k int) {
			rf.takeEntriesLocked(rf.log.lastIndex(), batch{segmentOf(entry{1, encoded(k)})}, nil)
		},
	} {
		b.Run(name, func(b *testing.B) {
			rf := longLog(b, 1_000_000)
			if strings.HasPrefix(name, "truncate") {
				rf.commitIndex = 0
			}
			b.ResetTimer()
			for k := range b.N {
				step(rf, k)
			}
		})
	}
}

// BenchmarkBacklogSnapshots hands over a backlog of 100,000 commands to a service that takes snapshots at several
// intervals.
func BenchmarkBacklogSnapshots(b *testing.B) {
	for _, every := range []int{0, 1000, 100} {
		b.Run(fmt.Sprint("every ", every), func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				ch := make(chan ApplyMsg)
				rf := Make(deadEnds(1), 0, MakePersister(), ch, WithCloseOnKill())
				for leads := false; !leads; _, leads = rf.GetState() {
					time.Sleep(time.Millisecond)
				}
				const total = 100_000
				for k := range total {
					rf.Start(k)
				}
				b.StartTimer()
				for m := range ch {
					if every > 0 && m.CommandIndex%every == 0 {
						rf.Snapshot(m.CommandIndex, []byte("state"))
					}
					if m.CommandIndex == total {
						break
					}
				}
				b.StopTimer()
				rf.Kill()
			}
		})
	}
}
