package raft

import (
	"fmt"
	"math/rand"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"6.824/labrpc"
)

// A direct is a cluster without a network: a message is a call of OnMessage. Each time that a server sends or returns
// something, it checks that this would survive a restart (§5.1, Figure 2: "updated on stable storage before responding
// to RPCs").
type direct struct {
	t       *testing.T
	servers []*Raft
	disks   []*Persister
	ready   chan struct{} // closed after all servers are made
	readers sync.WaitGroup

	mu      sync.Mutex
	cut     []bool // the disconnected servers
	lossy   bool
	lasts   []ApplyMsg
	checked map[string]int // number of checks, by what was sent or returned
}

func newDirect(t *testing.T, n int, options ...Option) *direct {
	c := &direct{t: t, servers: make([]*Raft, n), disks: make([]*Persister, n), ready: make(chan struct{}),
		cut: make([]bool, n), lasts: make([]ApplyMsg, n), checked: make(map[string]int)}
	for i := range c.servers {
		applyCh := make(chan ApplyMsg)
		c.disks[i] = MakePersister()
		send := func(peer int, m Message) Reply { return c.carry(i, peer, m) }
		c.servers[i] = Make(make([]*labrpc.ClientEnd, n), i, c.disks[i], applyCh,
			append(options, WithCloseOnKill(), WithTransport(send))...)
		c.readers.Go(func() { c.read(i, applyCh) })
	}
	close(c.ready)
	return c
}

func (c *direct) kill() {
	for _, rf := range c.servers {
		rf.Kill()
	}
	c.readers.Wait()
}

// carry is the transport of server from.
func (c *direct) carry(from, to int, m Message) Reply {
	<-c.ready
	c.checkMessage(from, m)
	if c.lost(from, to) {
		time.Sleep(20 * time.Millisecond)
		return nil
	}
	time.Sleep(time.Millisecond)
	reply := c.servers[to].OnMessage(m)
	c.checkReply(to, m, reply)
	if c.lost(to, from) {
		return nil
	}
	return reply
}

func (c *direct) lost(from, to int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cut[from] || c.cut[to] || c.lossy && rand.Intn(10) == 0
}

// An onDisk is the state that a server would have after a restart now.
type onDisk struct {
	c  *direct
	id int
	*Raft
}

func (c *direct) disk(i int) onDisk {
	rf := &Raft{peers: make([]*labrpc.ClientEnd, len(c.servers)), me: i, votedFor: nobody, leader: nobody}
	ps := c.disks[i].Copy()
	if err := rf.restore(ps.ReadRaftState(), ps.ReadSnapshot()); err != nil {
		c.t.Errorf("server %d cannot restart from its disk: %v", i, err)
	}
	return onDisk{c, i, rf}
}

func (d onDisk) want(ok bool, what string, m any) {
	d.c.mu.Lock()
	d.c.checked[what]++
	d.c.mu.Unlock()
	if !ok {
		d.c.t.Errorf("server %d releases %s that is not saved: %+v (saved: term %d, vote %d, log %d to %d, snapshot %d)",
			d.id, what, m, d.currentTerm, d.votedFor, d.log.base+1, d.log.lastIndex(), d.snapshot.index)
	}
}

// has reports whether the disk holds an entry of the term at index, or a snapshot of it.
func (d onDisk) has(index, term int) bool {
	return index < d.log.base || d.log.matches(index, term)
}

// later reports whether the disk is in a later term than this one. Then its state of this term may have been replaced.
func (d onDisk) later(term int) bool { return d.currentTerm > term }

func (c *direct) checkMessage(from int, m Message) {
	d := c.disk(from)
	switch m := m.(type) {
	case *RequestVoteArgs:
		if m.PreVote {
			d.want(d.currentTerm >= m.Term-1, "a PreVote request's term", m)
			return
		}
		d.want(d.currentTerm >= m.Term, "a candidate's term", m)
		d.want(d.later(m.Term) || d.has(m.LastLogIndex, m.LastLogTerm), "a candidate's log", m)
	case *AppendEntriesArgs:
		d.want(d.currentTerm >= m.Term, "a leader's term", m)
		b, _, err := d.readEntries(m)
		last := m.PrevLogIndex + b.length()
		if len(b) > 0 && err == nil {
			d.want(d.later(m.Term) || d.has(last, b.term(b.length()-1)), "a leader's entries", m)
		}
	case *InstallSnapshotArgs:
		d.want(d.snapshot.index >= m.LastIncludedIndex, "a leader's snapshot", m)
	}
}

func (c *direct) checkReply(from int, m Message, reply Reply) {
	d := c.disk(from)
	d.want(d.currentTerm >= reply.term(), "a reply's term", reply)
	if !granted(reply) {
		return
	}
	switch m := m.(type) {
	case *RequestVoteArgs:
		if !m.PreVote {
			d.want(d.later(m.Term) || d.currentTerm == m.Term && d.votedFor == m.CandidateID, "a vote", m)
		}
	case *AppendEntriesArgs:
		b, _, err := d.readEntries(m)
		if last := m.PrevLogIndex + b.length(); len(b) > 0 && err == nil {
			d.want(d.later(m.Term) || d.has(last, b.term(b.length()-1)), "an acknowledgement of entries", m)
		}
	case *InstallSnapshotArgs:
		d.want(d.log.lastIndex() >= m.LastIncludedIndex, "an acknowledgement of a snapshot", m)
	}
}

// read checks what server i applies, and takes a snapshot after every seventh command.
func (c *direct) read(i int, applyCh chan ApplyMsg) {
	<-c.ready
	for m := range applyCh {
		d := c.disk(i)
		switch {
		case m.SnapshotValid:
			d.want(d.snapshot.index >= m.SnapshotIndex, "a snapshot", m)
		case m.CommandValid:
			d.want(d.log.lastIndex() >= m.CommandIndex, "a command", m)
			if m.CommandIndex%7 == 0 {
				c.servers[i].Snapshot(m.CommandIndex, fmt.Append(nil, m.CommandIndex))
				d = c.disk(i)
				d.want(d.snapshot.index >= m.CommandIndex && string(d.snapshot.data) != "", "the return of Snapshot", m)
			}
		}
		c.mu.Lock()
		c.lasts[i] = m
		c.mu.Unlock()
	}
}

// last returns the last message that server i has applied.
func (c *direct) last(i int) ApplyMsg {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lasts[i]
}

// leader returns the leader of the latest term, or -1.
func (c *direct) leader() int {
	leader, latest := -1, -1
	for i, rf := range c.servers {
		if term, leads := rf.GetState(); leads && term > latest {
			leader, latest = i, term
		}
	}
	return leader
}

// start starts a command on each server.
func (c *direct) start(command any) {
	for i, rf := range c.servers {
		if index, term, ok := rf.Start(command); ok {
			d := c.disk(i)
			d.want(d.later(term) || d.has(index, term), "the return of Start", index)
		}
	}
}

// The state on which a message, reply, return value or ApplyMsg depends is saved before a server releases it.
func TestNothingUnsavedIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newDirect(t, 3)
		defer c.kill()
		for round := range 60 {
			time.Sleep(time.Duration(rand.Intn(900)) * time.Millisecond)
			c.mu.Lock()
			c.lossy = round%4 == 3
			for i := range c.cut {
				c.cut[i] = round%3 != 0 && i == (round/3)%3
			}
			c.mu.Unlock()
			for k := range rand.Intn(12) {
				c.start(100*round + k)
			}
		}
		c.mu.Lock()
		clear(c.cut)
		c.lossy = false
		c.mu.Unlock()
		time.Sleep(5 * time.Second)
		c.start("last")
		time.Sleep(5 * time.Second)
		for i := range c.servers {
			mustEqual(t, "the last command", c.last(i).Command, any("last"))
			verify(t, c.servers[i])
		}
		for _, what := range []string{"a PreVote request's term", "a candidate's term", "a candidate's log", "a leader's term",
			"a leader's entries", "a leader's snapshot", "a reply's term", "a vote", "an acknowledgement of entries",
			"an acknowledgement of a snapshot", "a snapshot", "a command", "the return of Start", "the return of Snapshot"} {
			if c.checked[what] == 0 {
				t.Errorf("%s was never released", what)
			}
		}
	})
}

// A server that restarts with a compacted log knows the term of the last compacted entry. It accepts entries that
// follow it and refuses others.
func TestBaseIsSaved(t *testing.T) {
	rf := committed(t)
	rf.Snapshot(4, []byte("x")) // compacts entries 1 to 4; entry 4 is of term 2
	again := newQuiet(t, 3, rf.store.persister.Copy())
	mustEqual(t, "base", fmt.Sprint(again.log.base, again.log.baseTerm, again.commitIndex, again.lastApplied), "4 2 4 4")
	wantVote := func(lastIndex, lastTerm int, want bool) {
		args := &RequestVoteArgs{Term: again.currentTerm + 1, CandidateID: 1, LastLogIndex: lastIndex, LastLogTerm: lastTerm}
		mustEqual(t, fmt.Sprintf("vote for a log that ends at %d in term %d", lastIndex, lastTerm), granted(deliver(t, again, args)), want)
	}
	again.log.truncateFrom(5) // its log is empty, so its base decides how up-to-date it is
	again.saveAllLocked(false)
	again = newQuiet(t, 3, again.store.persister.Copy())
	wantVote(3, 2, false)
	wantVote(9, 1, false)
	wantVote(4, 2, true)
	mustEqual(t, "entries after another base", granted(deliver(t, again, appendMsg(9, 4, 1, 4, 9))), false)
	mustEqual(t, "entries after the base", granted(deliver(t, again, appendMsg(9, 4, 2, 4, 9))), true)
	mustEqual(t, "log", logTerms(t, again), "[9]")
}
