package raft

import (
	"fmt"
	"math/rand"
	"slices"
	"testing"
)

// The Persisters of the course's years, which differ in their methods to save. Each writes to a Persister of this
// package, which the tests read and crash.
type (
	persister2018 struct{ disk *Persister } // up to 2022
	persister2023 struct{ disk *Persister }
)

func (p persister2018) SaveRaftState(state []byte) { p.disk.SaveRaftState(state) }
func (p persister2018) SaveStateAndSnapshot(state, data []byte) {
	p.disk.SaveStateAndSnapshot(state, data)
}
func (p persister2023) Save(state, data []byte) { p.disk.Save(state, data) }

// A year makes a Persister of that year from one of this package.
type year struct {
	name string
	of   func(disk *Persister) any
}

var years = []year{
	{"ours", func(disk *Persister) any { return disk }},
	{"2018", func(disk *Persister) any { return persister2018{disk} }},
	{"2023", func(disk *Persister) any { return persister2023{disk} }},
}

// use makes rf save with a Persister of the year from now on.
func (y year) use(rf *Raft) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	rf.store.disk = y.of(rf.store.persister)
	rf.store.changer, _ = rf.store.disk.(changer)
}

// watchSaves returns a function that returns the disks that crashes would have left: a copy after each change since its
// last call.
func watchSaves(disk *Persister) (changes func() []*Persister) {
	var copies []*Persister
	disk.saved = func() { // with the disk's lock held
		copies = append(copies, &Persister{head: slices.Clone(disk.head), body: slices.Clone(disk.body), size: disk.size, snapshot: disk.snapshot})
	}
	return func() []*Persister {
		defer func() { copies = nil }()
		return copies
	}
}

// After a crash at any save, the disk restores a server whose state is not older than before and whose snapshot belongs
// to its log. After the last save of a step, it restores the whole persistent state.
func TestCrashAtEverySave(t *testing.T) {
	parallel(t)
	for _, y := range years {
		for seed := range int64(4) {
			t.Run(fmt.Sprint(y.name, ", seed ", seed), func(t *testing.T) {
				rng := rand.New(rand.NewSource(seed))
				rf := newFollower(t, 3, 1, nil)
				y.use(rf)
				changes := watchSaves(rf.store.persister)
				snapshots := 0
				for range 80 {
					before := savedOf(rf)
					deliver(t, rf, randomMessage(t, rng, rf))
					if index := rf.commitIndex; rng.Intn(5) == 0 {
						rf.Snapshot(index, fmt.Append(nil, "up to ", index))
					}
					all := changes()
					for k, crashed := range all {
						after := savedOf(newQuiet(t, 3, crashed))
						if after.term < before.term || after.snapshotIndex < before.snapshotIndex {
							t.Fatalf("save %d of %d left %+v after %+v", k+1, len(all), after, before)
						}
						if (after.snapshotIndex > 0) != (len(after.snapshot) > 0) {
							t.Fatalf("save %d of %d left %+v", k+1, len(all), after)
						}
						if k == len(all)-1 {
							mustEqual(t, "after the last save", after, savedOf(rf))
						}
						before = after
					}
					if len(all) == 0 {
						mustEqual(t, "without a save", before, savedOf(rf))
					}
					snapshots = rf.snapshot.index
				}
				if snapshots == 0 {
					t.Error("there was no snapshot")
				}
			})
		}
	}
}

// Raft appends to a Persister of this package, and saves the whole state with the others.
func TestOnlyOurPersisterGrows(t *testing.T) {
	for _, y := range years {
		rf := newFollower(t, 3, 5, nil)
		if y.name != "ours" { // Make detects it by itself
			y.use(rf)
		}
		deliver(t, rf, appendMsg(5, 0, 0, 0, 5, 5))
		mustEqual(t, y.name+" is appended to", rf.store.persister.head != nil, y.name == "ours")
	}
}

// A disk that was saved by the Persister of one year can be used with that of another.
func TestYearsShareTheirFormat(t *testing.T) {
	disk := MakePersister()
	for round := range 3 {
		for k, y := range years {
			rf := newQuiet(t, 3, disk)
			y.use(rf)
			n := 2 * (len(years)*round + k)
			deliver(t, rf, appendMsg(5, n, min(n, 1)*5, n+1, 5, 5))
			mustEqual(t, "lastIndex", restored(t, rf).base+len(allEntries(&rf.log)), n+2)
			rf.Snapshot(n+1, fmt.Append(nil, "up to ", n+1))
			verify(t, rf)
			mustEqual(t, "snapshot", restored(t, rf).snapshot, fmt.Sprint("up to ", n+1))
			disk = rf.store.persister.Copy()
		}
	}
}

// A Persister without a method to save causes a panic.
func TestPersisterWithoutMethods(t *testing.T) {
	rf := newFollower(t, 3, 1, nil)
	year{"none", func(*Persister) any { return struct{}{} }}.use(rf)
	wantPanic(t, func() { rf.OnMessage(sealed(&RequestVoteArgs{Term: 2, CandidateID: 1})) }, "the Persister has neither SaveRaftState nor Save")
}

// startCourse starts server i with a Persister of the year.
func (cfg *config) startCourse(i int, y year) {
	cfg.start1(i, cfg.applierFunc)
	y.use(cfg.raft(i))
	cfg.connect(i)
}

// Clusters with the course's Persisters agree, restart after crashes, and take snapshots.
func TestClusterWithCoursePersister(t *testing.T) {
	parallel(t)
	for _, y := range years[1:] {
		for _, unreliable := range []bool{false, true} {
			t.Run(fmt.Sprint(y.name, ", unreliable: ", unreliable), func(t *testing.T) {
				lab(t, func(t *testing.T) {
					cfg := setup{n: 3, unreliable: unreliable, snapshot: true}.start(t)
					defer cfg.cleanup()
					cfg.courseScenario(y)
				})
			})
		}
	}
}

func (cfg *config) courseScenario(y year) {
	for _, i := range cfg.all() {
		cfg.startCourse(i, y)
	}
	for round := range 6 {
		victim := (cfg.checkOneLeader() + round) % cfg.n
		cfg.crash1(victim)
		for k := range SnapShotInterval + 3 {
			cfg.one(100*round+k, cfg.n-1, true)
		}
		cfg.startCourse(victim, y)
		cfg.one(100*round+99, cfg.n, true)
	}
	for _, i := range cfg.all() {
		cfg.startCourse(i, y)
	}
	cfg.one(999, cfg.n, true)
	for _, i := range cfg.all() {
		if rf := cfg.raft(i); rf.Status().SnapshotIndex == 0 || rf.store.changer != nil {
			cfg.t.Errorf("server %d has taken no snapshot, or has used Append", i)
		}
	}
}
