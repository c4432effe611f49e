package raft

import (
	"bytes"
	"fmt"
	"math/rand"
	"testing"
)

const testHead = 8 // length of the heads in these tests

// A plainDisk is a slow and simple Persister, with which the tests compare it.
type plainDisk struct{ state, snapshot string }

func checkDisk(t *testing.T, ps *Persister, want plainDisk) {
	t.Helper()
	state, snapshot := ps.ReadRaftState(), ps.ReadSnapshot()
	if state == nil || snapshot == nil {
		t.Error("a reader returned nil")
	}
	mustEqual(t, "state", string(state), want.state)
	mustEqual(t, "snapshot", string(snapshot), want.snapshot)
	mustEqual(t, "sizes", [2]int{ps.RaftStateSize(), ps.SnapshotSize()}, [2]int{len(want.state), len(want.snapshot)})
	for _, b := range [][]byte{state, snapshot} {
		for k := range b {
			b[k] = '!' // a reader may modify its copy
		}
	}
}

// A diskLab makes random changes to several disks, which are copies of each other, and to their plainDisks.
type diskLab struct {
	rng     *rand.Rand
	disks   []*Persister
	twins   []plainDisk
	letters int
	memory  []byte // holds the pieces
}

// bytes returns n bytes that differ from those before.
func (l *diskLab) bytes(n int) []byte {
	l.letters++
	return bytes.Repeat([]byte{byte('a' + l.letters%26)}, n)
}

// pieces returns new bytes in several pieces, some of them empty. Some follow the last ones in memory, others do not.
func (l *diskLab) pieces() (tail [][]byte) {
	for range l.rng.Intn(4) {
		start := len(l.memory)
		if l.rng.Intn(4) == 0 {
			l.memory, start = make([]byte, 0, 1<<16), 0
		}
		l.memory = append(l.memory, l.bytes(l.rng.Intn(30))...)
		tail = append(tail, l.memory[start:])
	}
	return tail
}

func (l *diskLab) step(t *testing.T) {
	k := l.rng.Intn(len(l.disks))
	ps, twin := l.disks[k], &l.twins[k]
	state, snapshot := l.bytes(testHead+l.rng.Intn(40)), l.bytes(l.rng.Intn(9))
	switch l.rng.Intn(8) {
	case 0:
		*twin = plainDisk{string(state), string(snapshot)}
		ps.Save(state, snapshot)
	case 1:
		*twin = plainDisk{string(state), string(snapshot)}
		ps.SaveStateAndSnapshot(state, snapshot)
	case 2:
		twin.state = string(state)
		ps.SaveRaftState(state)
	case 3:
		if len(l.disks) < 6 {
			l.disks, l.twins = append(l.disks, ps.Copy()), append(l.twins, *twin)
		}
	case 4, 5:
		if len(twin.state) >= testHead {
			l.change(ps, twin, state[:testHead], snapshot)
		}
	default:
		head, tail := state[:testHead], l.pieces()
		twin.state = string(head) + twin.state[min(testHead, len(twin.state)):] + string(bytes.Join(tail, nil))
		ps.Append(head, tail...)
	}
	copy(state, bytes.Repeat([]byte{'?'}, len(state))) // the disk must have made a copy
	copy(snapshot, bytes.Repeat([]byte{'?'}, len(snapshot)))
	for k, ps := range l.disks {
		checkDisk(t, ps, l.twins[k])
	}
}

// change removes and adds bytes at both ends in one call of Change, and sometimes replaces the snapshot.
func (l *diskLab) change(ps *Persister, twin *plainDisk, head, snapshot []byte) {
	body := twin.state[testHead:]
	drop := l.rng.Intn(len(body) + 1)
	c := Change{Head: head, Drop: drop, Cut: l.rng.Intn(len(body) - drop + 1), Tail: l.pieces(), Replace: l.rng.Intn(2) == 0}
	if l.rng.Intn(2) == 0 {
		c.Front = l.bytes(l.rng.Intn(20))
	}
	if c.Replace {
		c.Snapshot = bytes.Clone(snapshot)
		twin.snapshot = string(snapshot)
	}
	ps.Change(c)
	twin.state = string(head) + string(c.Front) + body[drop:len(body)-c.Cut] + string(bytes.Join(c.Tail, nil))
}

// An impossible change panics and changes nothing.
func TestPersisterImpossibleChange(t *testing.T) {
	ps := MakePersister()
	ps.Append([]byte("headhead"), []byte("tail"))
	for _, c := range []Change{{Drop: 5}, {Cut: 5}, {Drop: 3, Cut: 2}, {Drop: -1}, {Cut: -1}} {
		c.Head = []byte("HEADHEAD")
		wantPanic(t, func() { ps.Change(c) }, "Persister.Change", "from a body of 4")
		checkDisk(t, ps, plainDisk{state: "headheadtail"})
	}
}

func TestPersisterAgainstTwin(t *testing.T) {
	parallel(t)
	for seed := range int64(20) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			l := &diskLab{rng: rand.New(rand.NewSource(seed)), disks: []*Persister{new(Persister)}, twins: make([]plainDisk, 1)}
			for range 60 {
				if l.step(t); t.Failed() {
					return
				}
			}
		})
	}
}

// TestPersisterCopiesChangeApart tries every order of a few operations on a disk, before and after it is copied, and on
// its copy.
func TestPersisterCopiesChangeApart(t *testing.T) {
	operations := []func(ps *Persister, twin *plainDisk, letter string){
		func(*Persister, *plainDisk, string) {},
		func(ps *Persister, twin *plainDisk, letter string) {
			*twin = plainDisk{"headhead" + letter, "snap" + letter}
			ps.Save([]byte(twin.state), []byte(twin.snapshot))
		},
		func(ps *Persister, twin *plainDisk, letter string) {
			twin.state = "headheadSTATE" + letter
			ps.SaveRaftState([]byte(twin.state))
		},
		func(ps *Persister, twin *plainDisk, letter string) {
			head := "HEADHEA" + letter
			twin.state = head + twin.state[min(testHead, len(twin.state)):] + letter + letter
			ps.Append([]byte(head), []byte(letter+letter))
		},
	}
	n := len(operations)
	for order := range n * n * n * n {
		t.Run(fmt.Sprint(order/n/n/n, order/n/n%n, order/n%n, order%n), func(t *testing.T) {
			ps, twin := MakePersister(), plainDisk{}
			operations[order/n/n/n](ps, &twin, "a")
			operations[order/n/n%n](ps, &twin, "b")
			other, otherTwin := ps.Copy(), twin
			operations[order/n%n](ps, &twin, "c")
			operations[order%n](other, &otherTwin, "d")
			operations[3](ps, &twin, "e")
			operations[3](other, &otherTwin, "f")
			checkDisk(t, ps, twin)
			checkDisk(t, other, otherTwin)
		})
	}
}

func TestPersisterZeroValue(t *testing.T) {
	for _, ps := range []*Persister{new(Persister), MakePersister(), new(Persister).Copy()} {
		checkDisk(t, ps, plainDisk{})
	}
	ps := new(Persister)
	ps.Append([]byte("headhead"))
	checkDisk(t, ps, plainDisk{state: "headhead"})
	ps.Save([]byte("state"), []byte("snapshot"))
	ps.Save(nil, nil) // 2023: a nil snapshot erases the saved one
	checkDisk(t, ps, plainDisk{})
	ps.Append([]byte("headhead"), []byte("tail"))
	checkDisk(t, ps, plainDisk{state: "headheadtail"})
}

func TestPersisterAppendWantsTheSameHead(t *testing.T) {
	ps := MakePersister()
	ps.Append([]byte("headhead"), []byte("tail"))
	wantPanic(t, func() { ps.Append([]byte("short")) }, "Persister.Change or Append", "5 bytes", "8")
	wantPanic(t, func() { ps.Append([]byte("too long a head")) }, "Persister.Change or Append", "15 bytes", "8")
	checkDisk(t, ps, plainDisk{state: "headheadtail"})
	ps.SaveRaftState([]byte("stub"))
	wantPanic(t, func() { ps.Append([]byte("headhead")) }, "Persister.Change or Append", "8 bytes", "4")
}
