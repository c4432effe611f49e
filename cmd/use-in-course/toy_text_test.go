package main

// The texts of the toy trees' files. PREFIX stands for what precedes "labrpc" in import paths.

// toyStudent is a student's raft.go that is not finished.
const toyStudent = `package raft

import "PREFIXlabrpc"

type Raft struct {
	peers []*labrpc.ClientEnd
	log   []LogEntry
}
`

const toyApplyMsg = `
type ApplyMsg struct {
	CommandValid bool
	Command      interface{}
	CommandIndex int
}

func Make(peers []*labrpc.ClientEnd, me int, persister *Persister, applyCh chan ApplyMsg) *Raft {
	return &Raft{peers: peers}
}
`

const toyPersister = `
type Persister struct{ a, b []byte }

func MakePersister() *Persister { return &Persister{} }

func (ps *Persister) Copy() *Persister      { return &Persister{ps.a, ps.b} }
func (ps *Persister) ReadRaftState() []byte { return ps.a }
func (ps *Persister) RaftStateSize() int    { return len(ps.a) }
func (ps *Persister) ReadSnapshot() []byte  { return ps.b }
func (ps *Persister) SnapshotSize() int     { return len(ps.b) }
`

const toyAPI = `package raftapi

type Raft interface {
	Start(command interface{}) (int, int, bool)
	GetState() (int, bool)
	Snapshot(index int, snapshot []byte)
	PersistBytes() int
	Kill()
}

type ApplyMsg struct {
	CommandValid  bool
	Command       interface{}
	CommandIndex  int
	SnapshotValid bool
	Snapshot      []byte
	SnapshotTerm  int
	SnapshotIndex int
}
`

const toyHarness = `package raft

import (
	"testing"

	"PREFIXlabrpc"
)

`

// toyConfig connects three servers. Its arguments are a call that returns a Persister, and further declarations.
const toyConfig = `type config struct {
	t       *testing.T
	net     *labrpc.Network
	rafts   []*Raft
	applied chan int
}

func make_config(t *testing.T, n int) *config {
	cfg := &config{t: t, net: labrpc.MakeNetwork(), applied: make(chan int, 100)}
	for i := 0; i < n; i++ {
		ends := make([]*labrpc.ClientEnd, n)
		for j := range ends {
			name := [2]int{i, j}
			ends[j] = cfg.net.MakeEnd(name)
			cfg.net.Connect(name, j)
			cfg.net.Enable(name, true)
		}
		ch := make(chan ApplyMsg)
		rf := Make(ends, i, %s, ch)
		go func() {
			for m := range ch {
				if m.CommandValid {
					DPrintf("applied")
					cfg.applied <- m.Command.(int)
				}
			}
		}()
		srv := labrpc.MakeServer()
		srv.AddService(labrpc.MakeService(rf))
		cfg.net.AddServer(i, srv)
		cfg.rafts = append(cfg.rafts, rf)
	}
	return cfg
}

%s
`

// toyTest elects a leader and lets three servers apply a command.
const toyTest = `package raft

import (
	"testing"
	"time"
)

func TestInitialElectionPART(t *testing.T) {
	cfg := make_config(t, 3)
	defer cfg.net.Cleanup()
	for accepted := false; !accepted; time.Sleep(20 * time.Millisecond) {
		for _, rf := range cfg.rafts {
			if _, _, ok := rf.Start(7); ok {
				accepted = true
				break
			}
		}
	}
	for range cfg.rafts {
		select {
		case got := <-cfg.applied:
			if got != 7 {
				t.Fatal(got)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("not applied")
		}
	}
	for _, rf := range cfg.rafts {
		rf.Kill()
	}
}
`
