package engine

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	chaosSeed  = flag.Uint64("chaos.seed", 1, "seed of TestChaos")
	chaosSteps = flag.Int("chaos.steps", 20, "faults that TestChaos causes")
)

// A network connects the servers of a cluster, and can cut them off from each other.
type network struct {
	mu    sync.Mutex
	cut   map[[2]int]bool // from, to: nobody hears anything on this way
	conns map[[2]int][]net.Conn
	owner map[string]int // of an address
}

var errCut = errors.New("the network is cut")

// dialFrom returns a function that connects server from to others.
func (n *network) dialFrom(from int) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, kind, address string) (net.Conn, error) {
		n.mu.Lock()
		way := [2]int{from, n.owner[address]}
		isCut := n.cut[way]
		n.mu.Unlock()
		if isCut {
			return nil, errCut
		}
		conn, err := new(net.Dialer).DialContext(ctx, kind, address)
		if err == nil {
			n.mu.Lock()
			n.conns[way] = append(n.conns[way], conn)
			n.mu.Unlock()
		}
		return conn, err
	}
}

// set cuts the ways for which f reports true, and opens the others.
func (n *network) set(servers int, f func(from, to int) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for from := 1; from <= servers; from++ {
		for to := 1; to <= servers; to++ {
			way := [2]int{from, to}
			if n.cut[way] = f(from, to); n.cut[way] {
				for _, conn := range n.conns[way] {
					conn.Close()
				}
				n.conns[way] = nil
			}
		}
	}
}

// A claim is what Start has said about a command.
type claim struct{ index, term int }

// claims notes what Start has said, and compares it with what servers apply.
type claims struct {
	testing.TB
	mu      sync.Mutex
	made    map[string]claim
	applied map[int]string
	right   int // claims that were seen to come true
}

func (c *claims) note(command string, index, term int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made[command] = claim{index, term}
}

// check compares a command that a server has applied with the claim about it, and with what other servers have applied.
func (c *claims) check(server, index, term int, command string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if before, ok := c.applied[index]; ok && before != command {
		c.Errorf("server %d has applied %q as command %d, another server %q", server, command, index, before)
	}
	c.applied[index] = command
	if made, ok := c.made[command]; ok {
		if made != (claim{index, term}) {
			c.Errorf("server %d has applied %q as command %d of term %d; Start said %v", server, command, index, term, made)
		}
		c.right++
	}
}

// TestChaos cuts off, kills and restarts servers at random, and starts commands on the leader. A command must be applied with
// the index and the term that Start has returned, or not at all. All servers must apply the same commands.
func TestChaos(t *testing.T) {
	t.Parallel()
	const servers = 3
	random := rand.New(rand.NewPCG(*chaosSeed, 0))
	n := &network{cut: map[[2]int]bool{}, conns: map[[2]int][]net.Conn{}, owner: map[string]int{}}
	c := newCluster(t, servers, func(config *Config) {
		n.mu.Lock()
		defer n.mu.Unlock()
		for id, address := range config.Peers {
			n.owner[address] = id
		}
		config.Dial = n.dialFrom(config.ID)
	})
	all := &claims{TB: t, made: map[string]claim{}, applied: map[int]string{}}
	watch := func() {
		for _, s := range c.servers {
			s.record.watch(func(index, term int, command any) { all.check(s.id, index, term, command.(string)) })
			s.record.snapshotEvery(40)
		}
	}
	watch()
	number := 0
	for range *chaosSteps {
		chaosStep(c, n, random, servers)
		watch()
		for until := time.Now().Add(time.Duration(50+random.IntN(250)) * time.Millisecond); time.Now().Before(until); {
			for _, s := range c.servers {
				number++
				command := fmt.Sprint(number, strings.Repeat("-", random.IntN(2000)))
				if index, term, ok := s.Start(command); ok {
					all.note(command, index, term)
				}
			}
			time.Sleep(time.Duration(random.IntN(3)) * time.Millisecond)
		}
	}
	n.set(servers, func(int, int) bool { return false })
	for id := range servers {
		if c.servers[id+1] == nil {
			c.start(id+1, false)
		}
	}
	watch()
	c.one("the end")
	c.checkSame()
	all.mu.Lock()
	defer all.mu.Unlock()
	t.Logf("seed %d: %d commands were started, %d have an index, and came true %d times", *chaosSeed, len(all.made), len(all.applied), all.right)
	if all.right < 10**chaosSteps {
		t.Errorf("Start came true only %d times: the test shows nothing", all.right)
	}
}

// chaosStep causes a fault, or ends some.
func chaosStep(c *cluster, n *network, random *rand.Rand, servers int) {
	id := 1 + random.IntN(servers)
	switch random.IntN(6) {
	case 0:
		c.kill(id)
	case 1, 2:
		for id := range servers {
			if c.servers[id+1] == nil {
				c.start(id+1, false)
			}
		}
		n.set(servers, func(int, int) bool { return false })
	case 3: // one server is alone
		n.set(servers, func(from, to int) bool { return from == id || to == id })
	case 4: // one server can speak and hears nothing
		n.set(servers, func(from, to int) bool { return to == id })
	case 5: // one way is cut
		to := 1 + random.IntN(servers)
		n.set(servers, func(a, b int) bool { return a == id && b == to })
	}
}
