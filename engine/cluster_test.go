package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	lab "6.824/raft"
	"go.etcd.io/etcd/server/v3/storage/wal"
)

// Segments of the log are small, so that tests see many.
func TestMain(m *testing.M) {
	wal.SegmentSizeBytes = 64 << 10
	if config := os.Getenv(childVariable); config != "" {
		runChild(config)
		return
	}
	os.Exit(m.Run())
}

const (
	testTick    = 10 * time.Millisecond
	testTimeout = 15 * time.Second
)

// A cluster is some servers in this process, with real directories and connections.
type cluster struct {
	testing.TB
	addresses map[int]string
	servers   map[int]*server
	dir       string
	configure func(*Config)
	mayStop   bool // servers may stop by themselves
}

// A server is a Node with a service that notes what it applies.
type server struct {
	*Node
	c      *cluster
	id     int
	record *recorder
}

// newCluster starts n servers. Configure may change their configs; it may be nil.
func newCluster(t testing.TB, n int, configure func(*Config)) *cluster {
	t.Helper()
	c := &cluster{TB: t, addresses: map[int]string{}, servers: map[int]*server{}, dir: t.TempDir(), configure: configure}
	t.Cleanup(func() {
		for id := range c.servers {
			c.kill(id)
		}
	})
	for id := 1; id <= n; id++ {
		c.addresses[id] = freeAddress(t)
	}
	for id := 1; id <= n; id++ {
		c.start(id, false)
	}
	return c
}

// freeAddress returns an address that nobody listens on. On Linux it is a random one of all loopback addresses, with a port that the
// system does not give to outgoing connections. It is not tried: a process that another test just starts would share the listener for a
// moment, and the server could not have the address.
func freeAddress(t testing.TB) string {
	if runtime.GOOS == "linux" {
		return fmt.Sprintf("127.%d.%d.%d:%d", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254), 10000+rand.IntN(20000))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (c *cluster) config(id int, join bool) Config {
	config := Config{
		ID: id, Cluster: "test", Dir: c.path(id), Peers: c.addresses, Join: join, Tick: testTick, CloseOnKill: true,
		Logger: slog.New(slog.NewTextHandler(logWriter{c.TB}, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	if c.configure != nil {
		c.configure(&config)
	}
	return config
}

func (c *cluster) path(id int) string { return filepath.Join(c.dir, fmt.Sprint(id)) }

// start starts a server, for the first time or again.
func (c *cluster) start(id int, join bool) *server {
	c.Helper()
	s, err := c.tryStart(id, join)
	if err != nil {
		c.Fatal(err)
	}
	return s
}

func (c *cluster) tryStart(id int, join bool) (*server, error) {
	applyCh := make(chan lab.ApplyMsg)
	node, err := Open(c.config(id, join), applyCh)
	if err != nil {
		return nil, err
	}
	s := &server{Node: node, c: c, id: id, record: &recorder{}}
	c.servers[id] = s
	go s.record.run(c.TB, s.Node, applyCh)
	return s, nil
}

func (c *cluster) kill(id int) {
	if s := c.servers[id]; s != nil {
		if err := s.Err(); err != nil && !errors.Is(err, ErrStopped) && !c.mayStop {
			c.Errorf("server %d has stopped by itself: %v", id, err)
		}
		s.Kill()
		delete(c.servers, id)
	}
}

// leader waits until one of the servers leads all that run.
func (c *cluster) leader() *server {
	c.Helper()
	var leader *server
	c.eventually("there is no leader", func() bool {
		for _, s := range c.servers {
			term, leads := s.GetState()
			if !leads {
				continue
			}
			leader = s
			for _, other := range c.servers {
				if t, _ := other.GetState(); t != term || other.Leader() != s.id {
					leader = nil
				}
			}
			if leader != nil {
				return true
			}
		}
		return false
	})
	return leader
}

// follower returns a server that does not lead.
func (c *cluster) follower() *server {
	leader := c.leader()
	for _, s := range c.servers {
		if s != leader {
			return s
		}
	}
	c.Fatal("there is no follower")
	return nil
}

func (c *cluster) eventually(complaint string, f func() bool) {
	c.Helper()
	for deadline := time.Now().Add(testTimeout); !f(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.Fatal(complaint)
		}
	}
}

// one has a command agreed on: started on a leader, as often as it takes, and applied by all servers that run. It returns
// the index.
func (c *cluster) one(command any) int {
	c.Helper()
	for deadline := time.Now().Add(testTimeout); time.Now().Before(deadline); {
		index, term, ok := c.leader().Start(command)
		if !ok {
			continue
		}
		for time.Now().Before(deadline) {
			if c.allApplied(index) {
				if got := c.any().record.at(index); got == command {
					return index
				}
				break
			}
			if now, _ := c.any().GetState(); now > term && !c.someApplied(index) {
				break
			}
			time.Sleep(time.Millisecond)
		}
	}
	c.Fatalf("no agreement on %v", command)
	return 0
}

func (c *cluster) any() *server {
	for _, s := range c.servers {
		return s
	}
	c.Fatal("no server runs")
	return nil
}

func (c *cluster) allApplied(index int) bool {
	for _, s := range c.servers {
		if s.record.last() < index {
			return false
		}
	}
	return true
}

func (c *cluster) someApplied(index int) bool {
	for _, s := range c.servers {
		if s.record.last() >= index {
			return true
		}
	}
	return false
}

// checkSame fails unless all servers have applied the same commands.
func (c *cluster) checkSame() {
	c.Helper()
	want := 0
	for _, s := range c.servers {
		want = max(want, s.record.last())
	}
	c.eventually("some server lags behind", func() bool { return c.allApplied(want) })
	first := c.any().record.all()
	for _, s := range c.servers {
		got := s.record.all()
		for i := range want {
			if i >= len(got) || i >= len(first) || got[i] != first[i] {
				c.Fatalf("server %d has applied another command %d than the others", s.id, i+1)
			}
		}
	}
}

func (c *cluster) applyCh() chan lab.ApplyMsg { return make(chan lab.ApplyMsg) }

func withTimeout(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	t.Cleanup(cancel)
	return ctx
}

// A logWriter writes to a test's log.
type logWriter struct{ testing.TB }

func (w logWriter) Write(b []byte) (int, error) {
	w.Logf("%s", b)
	return len(b), nil
}

// A switchOn holds a number that one goroutine sets and others read.
type switchOn struct{ value atomic.Int64 }

func (f *switchOn) set(id int)     { f.value.Store(int64(id)) }
func (f *switchOn) is(id int) bool { return f.value.Load() == int64(id) }
