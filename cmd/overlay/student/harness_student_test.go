//go:build student

package raft_test

// What the harness does for a student's Raft. In this repository's package raft, harness_library_test.go declares the same
// names. The student's Raft may block its callers, send after Kill, and lack what later years of the course have added.

import (
	"fmt"
	"iter"
	"reflect"
	"runtime/debug"
	"sync"
	"time"

	"6.824/cmd/overlay/guard"
	"6.824/labrpc"
	student "6.824/raft"
	"6.824/record"
)

// An Option is what only this repository's Raft takes.
type Option struct{}

// An applyChannel is the channel that a server is made with.
type applyChannel = chan studentMsg

// An ApplyMsg has the fields of the course's ApplyMsg of all years.
type ApplyMsg struct {
	CommandValid bool
	Command      any
	CommandIndex int

	SnapshotValid bool
	Snapshot      []byte
	SnapshotTerm  int
	SnapshotIndex int
}

// toApplyMsg copies the fields that the student's ApplyMsg has.
func toApplyMsg(m studentMsg) (msg ApplyMsg) {
	from, to := reflect.ValueOf(m), reflect.ValueOf(&msg).Elem()
	for i := range to.NumField() {
		field := from.FieldByName(to.Type().Field(i).Name)
		if field.IsValid() && field.Type() == to.Field(i).Type() {
			to.Field(i).Set(field)
		}
	}
	return msg
}

// A Raft is a student's server, from Make to Kill.
type Raft struct {
	cfg     *config
	server  int
	student *student.Raft
	applyCh applyChannel
	killed  chan struct{}
	told    *record.Server // nil if the test is not recorded

	mu    sync.Mutex
	stuck bool // a call did not return
}

// Methods that not every year's Raft has.
type (
	killer        interface{ Kill() }
	snapshotter   interface{ Snapshot(int, []byte) }
	condInstaller interface {
		CondInstallSnapshot(int, int, []byte) bool
	}
)

// maxStack bounds a goroutine's stack, in bytes, so that endless recursion ends within a second.
const maxStack = 32 << 20

// setUp prepares the guard, and watches the virtual clock.
func setUp() error {
	guard.Package, guard.Names = studentPackage, lockNames
	guard.Panicked = func(reason any) { theTrial.print(fmt.Sprintf("panic: %v", reason)) }
	debug.SetMaxStack(maxStack)
	if virtualClock() {
		go watchClock()
	}
	return nil
}

// makeRaft starts server i, but does not connect it.
func (cfg *config) makeRaft(i int, ends []*labrpc.ClientEnd, persister *Persister) (*Raft, applyChannel) {
	if _, ok := any((*student.Raft)(nil)).(snapshotter); !ok && (cfg.snapshot || cfg.snapshot2021) {
		cfg.t.Fatal("Raft has no method Snapshot(index int, snapshot []byte), which part D needs")
	}
	cfg.watch.begin(cfg.net)
	rf := &Raft{cfg: cfg, server: i, applyCh: make(applyChannel), killed: make(chan struct{})}
	cfg.watch.starting(rf, cfg.endnames[i])
	rf.within("Make", callLimit, func() { rf.student = newStudent(ends, i, persister, rf.applyCh) })
	cfg.check(nil)
	return rf, rf.applyCh
}

// serviceOf returns the service of a server's RPC handlers.
func serviceOf(rf *Raft) *labrpc.Service { return labrpc.MakeService(rf.student) }

// messages returns what a server sends on applyCh until it is killed.
func (cfg *config) messages(applyCh applyChannel) iter.Seq[ApplyMsg] {
	rf := cfg.watch.raftOf(applyCh)
	return func(yield func(ApplyMsg) bool) {
		for {
			select {
			case <-rf.killed:
				return
			case m, open := <-applyCh:
				msg := toApplyMsg(m)
				rf.applies(&msg)
				if !open || !yield(msg) {
					return
				}
			}
		}
	}
}

// applies tells the watch what the service receives.
func (rf *Raft) applies(m *ApplyMsg) {
	index, command := m.CommandIndex, m.Command
	switch {
	case m.SnapshotValid:
		index, command = m.SnapshotIndex, nil
	case !m.CommandValid:
		return
	}
	if rf.told != nil { // first, so that the page shows it before a violation
		rf.told.Applied(index, command)
	}
	if m.CommandValid {
		rf.cfg.watch.wire.Applied(rf.server, index)
		rf.cfg.watch.judge()
	}
}

// awaitReader waits for the reader of a killed server to end. It may be in a call of Snapshot, which may never return.
func (cfg *config) awaitReader(i int, reader <-chan struct{}) {
	select {
	case <-reader:
	case <-time.After(killLimit):
		cfg.watch.warn(fmt.Sprintf("Snapshot of server %d has not returned %v after Kill", i, killLimit))
	}
}

// The time that a call of the student's may take. One that holds a lock during an RPC can take several RPCs' time.
const (
	callLimit = time.Minute
	killLimit = 5 * time.Second
)

// within calls f and reports whether it returns within the limit.
func (rf *Raft) within(name string, limit time.Duration, f func()) bool {
	rf.mu.Lock()
	stuck := rf.stuck
	rf.mu.Unlock()
	if stuck {
		return false
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer guard.Panics()
		f()
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	broken := rf.cfg.watch.broken
	if name == "Kill" {
		broken = nil
	}
	select {
	case <-done:
		return true
	case <-broken: // the test ends
		return false
	case <-timer.C:
	}
	rf.mu.Lock()
	rf.stuck = true
	rf.mu.Unlock()
	switch text := fmt.Sprintf("%s of server %d has not returned for %v", name, rf.server, limit); {
	case name != "Kill":
		rf.cfg.watch.fail(text)
	case limit == killLimit:
		rf.cfg.watch.warn(text)
	}
	return false
}

func (rf *Raft) Start(command any) (index, term int, leads bool) {
	var i, t int
	var l bool
	if !rf.within("Start", callLimit, func() { i, t, l = rf.student.Start(command) }) {
		return -1, 0, false
	}
	if l && rf.told != nil {
		rf.told.Accepted(i, t, command)
	}
	return i, t, l
}

func (rf *Raft) GetState() (term int, leads bool) {
	var t int
	var l bool
	if !rf.within("GetState", callLimit, func() { t, l = rf.cfg.watch.getState(rf) }) {
		return 0, false
	}
	return t, l
}

func (rf *Raft) Snapshot(index int, snapshot []byte) {
	rf.cfg.watch.wire.Snapshot(rf.server, index)
	if rf.told != nil {
		rf.told.Snapshot(index, 0, false)
	}
	rf.within("Snapshot", callLimit, func() { any(rf.student).(snapshotter).Snapshot(index, snapshot) })
}

// CondInstallSnapshot asks the student's Raft, if it can be asked, whether to install a snapshot.
func (rf *Raft) CondInstallSnapshot(term, index int, snapshot []byte) bool {
	c, asks := any(rf.student).(condInstaller)
	if !asks {
		return true
	}
	install := false
	returned := rf.within("CondInstallSnapshot", callLimit, func() { install = c.CondInstallSnapshot(term, index, snapshot) })
	return returned && install && !rf.isKilled()
}

func (rf *Raft) isKilled() bool {
	select {
	case <-rf.killed:
		return true
	default:
		return false
	}
}

// Kill kills the server. What it still sends on applyCh is received and dropped, until the test ends.
func (rf *Raft) Kill() {
	limit := killLimit
	if rf.cfg.finished.Load() && rf.cfg.t.Failed() {
		rf.cfg.watch.explain()
		limit /= 10 // most servers may be stuck
	}
	if k, ok := any(rf.student).(killer); ok {
		rf.within("Kill", limit, k.Kill)
	}
	close(rf.killed)
	go rf.drain()
}

func (rf *Raft) drain() {
	for {
		select {
		case _, open := <-rf.applyCh:
			if !open {
				return
			}
		case <-rf.cfg.watch.ended:
			return
		}
	}
}
