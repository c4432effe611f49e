package raft

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"sync"
	"testing"
	"time"

	"6.824/labgob"
	"6.824/labrpc"
)

var (
	chaosSeed  = flag.Int64("chaos.seed", 1, "first seed of TestChaos")
	chaosSeeds = flag.Int("chaos.seeds", 20, "number of seeds of TestChaos")
)

// TestChaos lets a cluster of random size suffer random faults under random load, all drawn from a seed: crashes of
// one or all, also between saving and answering, links cut one by one and in one direction, leaders cut off, unreliable
// and reordering networks, snapshots that lag behind, slow readers, disks that save everything each time, options of
// Make. What is applied must agree at every moment, and when all is healed every server must get everything, once. The
// seed fixes the faults; how goroutines interleave is in it only on a host that is seeded, too (replay/).
func TestChaos(t *testing.T) {
	parallel(t)
	failed := 0
	begin := time.Now()
	for k := range *chaosSeeds {
		seed := *chaosSeed + int64(k)
		ok := t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			lab(t, func(t *testing.T) {
				c := newChaos(seed)
				defer c.end()
				for n := 0; n < 250 && c.watch.violation() == nil; n++ {
					c.step()
					c.observe()
				}
				c.heal()
				if err := c.agree(6 * time.Second); err != nil {
					t.Error(err)
				}
				if err := c.watch.violation(); err != nil {
					t.Error(err)
				}
				for _, err := range c.errs {
					t.Error(err)
				}
			})
		})
		if !ok {
			failed++
			t.Logf("the same faults again: make chaos SEED=%d N=1", seed)
		}
		chaosProgress(k+1, failed, time.Since(begin))
	}
}

// chaosProgress shows how far many seeds have come.
func chaosProgress(done, failed int, took time.Duration) {
	if *chaosSeeds > 100 && (done%10 == 0 || done == *chaosSeeds) {
		fmt.Fprintf(os.Stderr, "\rchaos: %d of %d seeds, %d failed, %v ", done, *chaosSeeds, failed, took.Round(time.Second))
		if done == *chaosSeeds {
			fmt.Fprintln(os.Stderr)
		}
	}
}

// chaos is a cluster and what it has been seen to do.
type chaos struct {
	random   *rand.Rand
	n        int
	net      *labrpc.Network
	rafts    []*Raft // nil: crashed
	disks    []*Persister
	readers  []chan struct{} // closed when the reader of applyCh has ended
	ends     [][]string
	links    [][]bool // links[i][j]: i can reach j
	named    int      // ends and commands made so far
	snapshot bool     // servers take snapshots
	watch    *watch   // of Raft's properties
	whole    bool     // servers save their whole state each time, as with the course's Persister

	mu      sync.Mutex
	doors   []*door        // of the servers that run
	applied [][]string     // applied[i][k] is the command at index k that server i has applied since it started
	agreed  map[int]string // the command at an index, wherever it was applied first
	indices map[string]int // where a command is
	leaders map[int]int    // who led in a term
	errs    []error
}

func newChaos(seed int64) *chaos {
	random := rand.New(rand.NewSource(seed))
	n := []int{1, 3, 3, 4, 5, 5, 7}[random.Intn(7)]
	c := &chaos{
		random: random, n: n, net: labrpc.MakeNetwork(),
		rafts: make([]*Raft, n), disks: make([]*Persister, n), readers: make([]chan struct{}, n), applied: make([][]string, n), doors: make([]*door, n),
		snapshot: random.Intn(4) > 0, whole: random.Intn(3) == 0,
		agreed: make(map[int]string), indices: make(map[string]int), leaders: make(map[int]int), watch: newWatch(n),
	}
	c.net.LongDelays(random.Intn(2) == 0)
	for i := range n {
		c.ends = append(c.ends, make([]string, n))
		c.links = append(c.links, make([]bool, n))
		c.disks[i] = MakePersister()
	}
	for i := range n {
		c.start(i)
	}
	c.linkAll()
	return c
}

func (c *chaos) fail(format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf(format, args...))
}

// start starts server i from its disk, after a crash as at first.
func (c *chaos) start(i int) {
	ends := make([]*labrpc.ClientEnd, c.n)
	for j := range ends {
		c.named++
		c.ends[i][j] = fmt.Sprint(i, "-", j, "-", c.named)
		ends[j] = c.net.MakeEnd(c.ends[i][j])
		c.net.Connect(c.ends[i][j], j)
	}
	c.disks[i] = c.disks[i].Copy()
	c.mu.Lock()
	c.applied[i] = []string{"nothing"}
	if data := c.disks[i].ReadSnapshot(); len(data) > 0 {
		c.ingestLocked(i, data)
	}
	c.mu.Unlock()
	applyCh := make(chan ApplyMsg)
	rf := Make(ends, i, c.disks[i], applyCh, append(anyOptions(c.random), WithCloseOnKill(), c.watch.option())...)
	if c.whole {
		rf.mu.Lock()
		rf.store.growing = nil
		rf.mu.Unlock()
	}
	c.rafts[i], c.readers[i] = rf, make(chan struct{})
	go c.read(i, rf, applyCh, c.readers[i], rand.New(rand.NewSource(c.random.Int63())))
	type Raft struct{ *door } // labrpc calls the service after its type
	c.doors[i] = &door{rf: rf, shut: func() { c.net.DeleteServer(i) }}
	server := labrpc.MakeServer()
	server.AddService(labrpc.MakeService(&Raft{c.doors[i]}))
	c.net.AddServer(i, server)
}

// A door is where messages enter a server. A doomed server dies at its next message, after it has saved what the
// answer promises and before the answer leaves.
type door struct {
	rf   *Raft
	shut func()

	mu     sync.Mutex
	doomed bool
	dead   bool
}

func (d *door) RequestVote(args *RequestVoteArgs, reply *RequestVoteReply) {
	d.rf.RequestVote(args, reply)
	d.leave()
}

func (d *door) AppendEntries(args *AppendEntriesArgs, reply *AppendEntriesReply) {
	d.rf.AppendEntries(args, reply)
	d.leave()
}

func (d *door) InstallSnapshot(args *InstallSnapshotArgs, reply *InstallSnapshotReply) {
	d.rf.InstallSnapshot(args, reply)
	d.leave()
}

func (d *door) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.doomed {
		d.shut() // so that the network drops the reply
		d.rf.Kill()
		d.doomed, d.dead = false, true
	}
}

// doom says whether the server is to die at its next message, and returns whether it has died.
func (d *door) doom(yes bool) (dead bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.doomed = yes && !d.dead
	return d.dead
}

// crash loses all of server i but its disk. No reply leaves it after the disk was taken away.
func (c *chaos) crash(i int) {
	c.doors[i].doom(false)
	c.net.DeleteServer(i)
	for j := range c.n {
		c.net.Enable(c.ends[i][j], false)
	}
	c.disks[i] = c.watch.cut(i, c.disks[i])
	c.rafts[i].Kill()
	<-c.readers[i]
	c.rafts[i] = nil
}

// read is server i's state machine.
func (c *chaos) read(i int, rf *Raft, applyCh chan ApplyMsg, ended chan struct{}, random *rand.Rand) {
	defer close(ended)
	for m := range applyCh {
		if m.EventValid {
			continue
		}
		if index, data := c.take(i, m, random); data != nil {
			rf.Snapshot(index, data)
		}
		if random.Intn(50) == 0 {
			time.Sleep(time.Duration(random.Intn(100)) * time.Millisecond)
		}
	}
}

// take applies a message, and decides whether to take a snapshot of what is applied, or of what was a little before.
func (c *chaos) take(i int, m ApplyMsg, random *rand.Rand) (index int, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.SnapshotValid {
		if last := len(c.applied[i]) - 1; m.SnapshotIndex <= last {
			c.fail("server %d: snapshot at %d after index %d", i, m.SnapshotIndex, last)
		}
		c.ingestLocked(i, m.Snapshot)
		return 0, nil
	}
	if m.CommandIndex != len(c.applied[i]) {
		c.fail("server %d: index %d, want %d", i, m.CommandIndex, len(c.applied[i]))
		return 0, nil
	}
	c.applied[i] = append(c.applied[i], fmt.Sprintf("%#v", m.Command))
	c.compareLocked(i, m.CommandIndex)
	if !c.snapshot || random.Intn(7) > 0 {
		return 0, nil
	}
	index = m.CommandIndex - random.Intn(3)
	var buf bytes.Buffer
	if err := labgob.NewEncoder(&buf).Encode(c.applied[i][:max(index, 0)+1]); err != nil {
		c.fail("snapshot: %v", err)
	}
	return index, buf.Bytes()
}

func (c *chaos) ingestLocked(i int, data []byte) {
	var state []string
	if err := labgob.NewDecoder(bytes.NewReader(data)).Decode(&state); err != nil {
		c.fail("server %d: snapshot: %v", i, err)
		return
	}
	c.applied[i] = state
	for index := 1; index < len(state); index++ {
		c.compareLocked(i, index)
	}
}

// compareLocked is state machine safety (Figure 3).
func (c *chaos) compareLocked(i, index int) {
	command := c.applied[i][index]
	if other, ok := c.agreed[index]; ok && other != command {
		c.fail("index %d: server %d applied %s, another %s", index, i, command, other)
	}
	if other, ok := c.indices[command]; ok && other != index {
		c.fail("server %d: %s at index %d is at %d, too", i, command, index, other)
	}
	c.agreed[index], c.indices[command] = command, index
}

// observe is election safety (Figure 3).
func (c *chaos) observe() {
	for i, rf := range c.rafts {
		if rf == nil {
			continue
		}
		if term, leads := rf.GetState(); leads {
			if other, ok := c.leaders[term]; ok && other != i {
				c.mu.Lock()
				c.fail("servers %d and %d both led in term %d", i, other, term)
				c.mu.Unlock()
			}
			c.leaders[term] = i
		}
	}
}

// lastLeader returns who led in the highest term.
func (c *chaos) lastLeader() (leader int) {
	term := 0
	for t, i := range c.leaders {
		if t > term {
			term, leader = t, i
		}
	}
	return leader
}

// step does something to the cluster, and mostly lets some time pass.
func (c *chaos) step() {
	i, j := c.random.Intn(c.n), c.random.Intn(c.n)
	switch k := c.random.Intn(32); {
	case k < 4:
		c.link(i, j, !c.links[i][j])
	case k == 4:
		if c.random.Intn(2) == 0 {
			i = c.lastLeader()
		}
		for j := range c.n {
			c.link(i, j, false)
			c.link(j, i, false)
		}
	case k == 5:
		c.linkAll()
	case k == 6:
		c.net.Reliable(c.random.Intn(2) == 0)
	case k == 7:
		c.net.LongReordering(c.random.Intn(2) == 0)
	case k < 12 && c.rafts[i] != nil:
		c.crash(i)
	case k < 17 && c.rafts[i] == nil:
		c.restart(i)
	case k == 17:
		c.crashAll()
		c.restartAll()
	case k < 20 && c.rafts[i] != nil:
		if c.doors[i].doom(true) {
			c.crash(i)
		}
	default:
		c.load(c.random.Intn(5))
	}
	if c.random.Intn(3) > 0 {
		time.Sleep(time.Duration(c.random.Intn(1<<c.random.Intn(10))) * time.Millisecond)
	}
}

func (c *chaos) link(i, j int, up bool) {
	c.links[i][j] = up
	c.net.Enable(c.ends[i][j], up && c.rafts[i] != nil)
}

func (c *chaos) linkAll() {
	for i := range c.n {
		for j := range c.n {
			c.link(i, j, true)
		}
	}
}

func (c *chaos) restart(i int) {
	c.start(i)
	for j := range c.n {
		c.link(i, j, c.links[i][j])
	}
}

func (c *chaos) crashAll() {
	for i, rf := range c.rafts {
		if rf != nil {
			c.crash(i)
		}
	}
}

func (c *chaos) restartAll() {
	for i, rf := range c.rafts {
		if rf == nil {
			c.restart(i)
		}
	}
}

// load starts commands of all sorts on every server.
func (c *chaos) load(commands int) {
	for _, rf := range c.rafts {
		for range commands {
			c.named++
			n := c.named
			command := []any{n, fmt.Sprint("s", n), kvCommand{Op: "Put", Seq: n}, []byte{byte(n), byte(n >> 8), byte(n >> 16)}, n}[c.random.Intn(5)]
			if rf != nil {
				rf.Start(command)
			}
		}
	}
}

func (c *chaos) heal() {
	for i, rf := range c.rafts {
		if rf != nil && c.doors[i].doom(false) {
			c.crash(i)
		}
	}
	c.restartAll()
	c.net.Reliable(true)
	c.net.LongReordering(false)
	c.linkAll()
}

// agree waits until every server has applied whatever any server has ever applied, and something new.
func (c *chaos) agree(limit time.Duration) error {
	c.mu.Lock()
	before := len(c.agreed)
	c.mu.Unlock()
	for begin := time.Now(); time.Since(begin) < limit; time.Sleep(100 * time.Millisecond) {
		c.load(1)
		time.Sleep(200 * time.Millisecond)
		c.observe()
		c.mu.Lock()
		done := len(c.agreed) > before
		for i := range c.n {
			done = done && len(c.applied[i])-1 == len(c.agreed)
		}
		c.mu.Unlock()
		if done {
			return nil
		}
	}
	return errors.New("no agreement of all servers within the time after everything was healed")
}

func (c *chaos) end() {
	c.crashAll()
	c.net.Cleanup()
}
