package raft

// The cluster of TestChaos: its servers start, crash, and crash at a message.

import (
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"sync"
	"time"

	"6.824/labrpc"
)

// chaos is a cluster that runs a scenario, and what it was seen to do.
type chaos struct {
	scenario
	net       *labrpc.Network
	rafts     []*Raft // nil: crashed
	disks     []*Persister
	lives     []int           // how many times each server was started
	readers   []chan struct{} // closed when the reader of applyCh ends
	ends      [][]string
	links     [][]bool   // links[i][j]: i can reach j
	named     int        // number of ends and commands made so far
	watch     *watch     // checks Raft's properties
	recording *recording // of this cluster; may be nil
	reads     sync.WaitGroup

	// corrupt, if it is not nil, plants a mistake: it gets the disk of a crashed server and returns the one for its
	// next start.
	corrupt func(server int, disk *Persister) *Persister

	// extra, if it is not nil, returns another option for a start of a server.
	extra func(server int) Option

	mu        sync.Mutex
	endpoints []*endpoint    // of the running servers
	applied   [][]string     // applied[i][k] is the command at index k that server i has applied since it started
	agreed    map[int]string // by index: the command that was last applied there
	indices   map[string]int // by command: its index
	leaders   map[int]int    // the leader of each term
	errs      []error
}

// newChaos returns a cluster whose servers are not started yet.
func newChaos(s scenario) *chaos {
	n := s.servers
	c := &chaos{
		scenario: s, net: labrpc.MakeNetwork(), rafts: make([]*Raft, n), disks: make([]*Persister, n), lives: make([]int, n),
		readers: make([]chan struct{}, n), applied: make([][]string, n), endpoints: make([]*endpoint, n),
		agreed: make(map[int]string), indices: make(map[string]int), leaders: make(map[int]int), watch: newWatch(n),
	}
	c.options = append(slices.Clone(s.options), make([]string, n)...)[:n]
	c.net.LongDelays(s.longDelays)
	for i := range n {
		c.ends = append(c.ends, make([]string, n))
		c.links = append(c.links, make([]bool, n))
		c.disks[i] = MakePersister()
	}
	return c
}

// recordIn records what the cluster does, and begins before its servers start.
func (c *chaos) recordIn(r *recording) {
	c.recording = r
	c.watch.recordIn(r)
}

// play runs the scenario up to the first error. If there is none, it heals the cluster and waits for agreement and
// for a read. It returns the errors and the number of faults that were injected. When it returns, the cluster has ended.
func (c *chaos) play() (errs []error, done int) {
	defer c.end()
	for i := range c.servers {
		c.start(i)
	}
	c.linkAll()
	for ; done < len(c.faults) && len(c.failures()) == 0; done++ {
		c.inject(c.faults[done])
		c.observe()
	}
	if len(c.failures()) == 0 {
		c.heal()
		c.agree(6 * time.Second)
		c.awaitRead(6 * time.Second)
	}
	return c.failures(), done
}

// start starts server i from its disk, for the first time or after a crash.
func (c *chaos) start(i int) {
	ends := make([]*labrpc.ClientEnd, c.servers)
	for j := range ends {
		c.named++
		c.ends[i][j] = fmt.Sprint(i, "-", j, "-", c.named)
		ends[j] = c.net.MakeEnd(c.ends[i][j])
		c.net.Connect(c.ends[i][j], j)
	}
	c.disks[i] = c.disks[i].Copy()
	c.mu.Lock()
	c.applied[i] = []string{"nothing"}
	if data := c.disks[i].ReadSnapshot(); len(data) > 0 && !strings.Contains(c.options[i], "snapshot=first") {
		c.ingestLocked(i, data)
	}
	c.mu.Unlock()
	applyCh := make(chan ApplyMsg)
	options, err := chosen(c.options[i])
	if err != nil {
		panic(err)
	}
	c.recording.started(i, c.ends[i], c.net)
	options = append(options, WithCloseOnKill(), c.watch.option(), c.recording.option(i))
	if c.extra != nil {
		options = append(options, c.extra(i))
	}
	rf := Make(ends, i, c.disks[i], applyCh, options...)
	if c.whole {
		rf.mu.Lock()
		rf.store.changer = nil
		rf.mu.Unlock()
	}
	c.rafts[i], c.readers[i] = rf, make(chan struct{})
	c.lives[i]++
	go c.read(i, rf, applyCh, c.readers[i], rand.New(rand.NewSource(c.seed*10007+int64(i)*101+int64(c.lives[i]))))
	type Raft struct{ *endpoint } // labrpc names a service after its type
	c.endpoints[i] = &endpoint{rf: rf, shut: func() {
		c.recording.crashing(i)
		c.net.DeleteServer(i)
	}}
	server := labrpc.MakeServer()
	server.AddService(labrpc.MakeService(&Raft{c.endpoints[i]}))
	c.net.AddServer(i, server)
}

// An endpoint serves a server's RPCs. A doomed server dies at its next message, after saving and before its reply
// leaves.
type endpoint struct {
	rf   *Raft
	shut func()

	mu     sync.Mutex
	doomed bool
	dead   bool
}

func (d *endpoint) RequestVote(args *RequestVoteArgs, reply *RequestVoteReply) {
	handlers{d.rf}.RequestVote(args, reply)
	d.leave()
}

func (d *endpoint) AppendEntries(args *AppendEntriesArgs, reply *AppendEntriesReply) {
	handlers{d.rf}.AppendEntries(args, reply)
	d.leave()
}

func (d *endpoint) InstallSnapshot(args *InstallSnapshotArgs, reply *InstallSnapshotReply) {
	handlers{d.rf}.InstallSnapshot(args, reply)
	d.leave()
}

func (d *endpoint) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.doomed {
		d.shut() // so that the network drops the reply
		d.rf.Kill()
		d.doomed, d.dead = false, true
	}
}

// setDoomed sets whether the server will die at its next message. It reports whether the server has already died.
func (d *endpoint) setDoomed(yes bool) (dead bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.doomed = yes && !d.dead
	return d.dead
}

// isDead reports whether the server has died at a message.
func (d *endpoint) isDead() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dead
}

// crash stops server i and keeps only its disk. No reply leaves the server after its disk was copied.
func (c *chaos) crash(i int) {
	c.endpoints[i].setDoomed(false)
	c.recording.crashing(i)
	c.net.DeleteServer(i)
	for j := range c.servers {
		c.net.Enable(c.ends[i][j], false)
	}
	c.disks[i] = c.watch.takeDisk(i, c.disks[i])
	if c.corrupt != nil {
		c.disks[i] = c.corrupt(i, c.disks[i])
	}
	c.rafts[i].Kill()
	<-c.readers[i]
	c.rafts[i] = nil
}

func (c *chaos) end() {
	c.crashAll()
	c.reads.Wait()
	c.net.Cleanup()
}
