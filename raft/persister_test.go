package raft

import (
	"bytes"
	"fmt"
	"math/rand"
	"testing"
)

const testHead = 8 // length of the heads that these tests append with

// A plainDisk is the slow, obvious twin of a Persister.
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
			b[k] = '!' // what was read is the reader's own
		}
	}
}

// A diskLab does random things to several disks, copies of one another, and to their twins.
type diskLab struct {
	rng     *rand.Rand
	disks   []*Persister
	twins   []plainDisk
	kept    [][]byte // what Append returned
	keptAs  []string
	letters int
}

// bytes returns n bytes unlike those before.
func (l *diskLab) bytes(n int) []byte {
	l.letters++
	return bytes.Repeat([]byte{byte('a' + l.letters%26)}, n)
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
	default:
		head, tail, give := state[:testHead], l.bytes(l.rng.Intn(30)), l.rng.Intn(2) == 0
		if l.rng.Intn(20) == 0 {
			tail = l.bytes(pieceSize/4 - 1 + l.rng.Intn(3))
		}
		twin.state = string(head) + twin.state[min(testHead, len(twin.state)):] + string(tail)
		saved := ps.Append(head, tail, give)
		l.kept, l.keptAs = append(l.kept, saved), append(l.keptAs, string(tail))
		if !give {
			copy(tail, bytes.Repeat([]byte{'?'}, len(tail)))
		}
	}
	copy(state, bytes.Repeat([]byte{'?'}, len(state))) // what was saved is the disk's own
	copy(snapshot, bytes.Repeat([]byte{'?'}, len(snapshot)))
	for k, ps := range l.disks {
		checkDisk(t, ps, l.twins[k])
	}
	for k, saved := range l.kept {
		mustEqual(t, "what Append returned", string(saved), l.keptAs[k])
	}
}

func TestPersisterAgainstTwin(t *testing.T) {
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

// Every order of a few operations on an original, before and after it is copied, and on the copy.
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
			ps.Append([]byte(head), []byte(letter+letter), false)
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
	ps.Append([]byte("headhead"), nil, false)
	checkDisk(t, ps, plainDisk{state: "headhead"})
	ps.Save([]byte("state"), []byte("snapshot"))
	ps.Save(nil, nil) // 2023: a nil snapshot erases the saved one
	checkDisk(t, ps, plainDisk{})
	ps.Append([]byte("headhead"), []byte("tail"), false)
	checkDisk(t, ps, plainDisk{state: "headheadtail"})
}

func TestPersisterAppendWantsTheSameHead(t *testing.T) {
	ps := MakePersister()
	ps.Append([]byte("headhead"), []byte("tail"), false)
	wantPanic(t, func() { ps.Append([]byte("short"), nil, false) }, "Persister.Append", "5 bytes", "8")
	wantPanic(t, func() { ps.Append([]byte("too long a head"), nil, false) }, "Persister.Append", "15 bytes", "8")
	checkDisk(t, ps, plainDisk{state: "headheadtail"})
	ps.SaveRaftState([]byte("stub"))
	wantPanic(t, func() { ps.Append([]byte("headhead"), nil, false) }, "Persister.Append", "8 bytes", "4")
}
