package engine

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	lab "6.824/raft"
	"go.etcd.io/etcd/client/pkg/v3/fileutil"
	"go.etcd.io/raft/v3/raftpb"
)

// A benchServer is a Node whose service counts, and wakes those who wait for a command.
type benchServer struct {
	*Node
	mu      sync.Mutex
	waiting map[int]chan int // by index; gets the term
	applied map[int]int      // term by index, of commands that nobody has waited for yet
}

func (s *benchServer) run(applyCh <-chan lab.ApplyMsg) {
	for m := range applyCh {
		s.mu.Lock()
		if w := s.waiting[m.CommandIndex]; w != nil {
			delete(s.waiting, m.CommandIndex)
			w <- m.CommandTerm
		} else if _, leads := s.GetState(); leads {
			s.applied[m.CommandIndex] = m.CommandTerm
		}
		s.mu.Unlock()
	}
}

// do has a command agreed on and waits until it is applied here.
func (s *benchServer) do(b *testing.B, command []byte) {
	index, term, ok := s.Start(command)
	if !ok {
		b.Error("the leader has lost its lead")
		return
	}
	s.mu.Lock()
	got, ok := s.applied[index]
	delete(s.applied, index)
	w := make(chan int, 1)
	if !ok {
		s.waiting[index] = w
	}
	s.mu.Unlock()
	if !ok {
		got = <-w
	}
	if got != term {
		b.Error("another command was applied")
	}
}

// A slowDisk makes each sync of entries longer, and counts them.
type slowDisk struct {
	walFile
	delay time.Duration
	syncs *atomic.Int64
}

func (d slowDisk) Save(hard *raftpb.HardState, entries []*raftpb.Entry) error {
	if len(entries) > 0 {
		d.syncs.Add(1)
		time.Sleep(d.delay)
	}
	return d.walFile.Save(hard, entries)
}

// A slowConn delivers what is written after a delay, in order.
type slowConn struct {
	net.Conn
	queue chan delayed
}

type delayed struct {
	data []byte
	due  time.Time
}

func slowDial(delay time.Duration) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil || delay == 0 {
			return conn, err
		}
		c := &slowConn{conn, make(chan delayed, 1<<16)}
		go func() {
			for d := range c.queue {
				time.Sleep(time.Until(d.due))
				if _, err := conn.Write(d.data); err != nil {
					return
				}
			}
		}()
		return delayingConn{c, delay}, nil
	}
}

type delayingConn struct {
	*slowConn
	delay time.Duration
}

func (c delayingConn) Write(b []byte) (int, error) {
	c.queue <- delayed{append([]byte(nil), b...), time.Now().Add(c.delay)}
	return len(b), nil
}

// BenchmarkCommit measures the time from Start to applyCh on the leader of three servers in this process, by clients that
// each wait for one command before the next. "ratio" is that time over one sync and one round trip, as measured at the same
// place, with the injected delays. "syncs/op" counts those of the leader.
func BenchmarkCommit(b *testing.B) {
	for _, config := range []struct {
		clients   int
		sync, way time.Duration
	}{{1, 5 * time.Millisecond, time.Millisecond}, {1, 0, 0}, {256, 0, 0}} {
		b.Run(fmt.Sprintf("clients=%d/sync=%v/roundtrip=%v", config.clients, config.sync, 2*config.way), func(b *testing.B) {
			syncs := map[int]*atomic.Int64{1: {}, 2: {}, 3: {}}
			c := newCluster(b, 3, func(cc *Config) {
				cc.Tick = 100 * time.Millisecond
				cc.Dial = slowDial(config.way)
				cc.wrap = func(w walFile) walFile { return slowDisk{w, config.sync, syncs[cc.ID]} }
			})
			for id := range c.addresses {
				c.kill(id) // its service is not the one to measure
			}
			benchmark(b, c, config.clients, floorOf(b, config.sync, config.way), syncs)
		})
	}
}

// floorOf measures how long the delays take that no commit can avoid: one sync of a small write, and one round trip.
func floorOf(b *testing.B, sync, way time.Duration) time.Duration {
	f, err := os.CreateTemp(b.TempDir(), "")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if err := fileutil.Preallocate(f, 1<<20, true); err != nil {
		b.Fatal(err)
	}
	const rounds = 100
	begun := time.Now()
	for range rounds {
		for _, delay := range []time.Duration{way, sync, way} {
			if delay > 0 {
				time.Sleep(delay)
			}
		}
		if _, err := f.Write(make([]byte, 160)); err != nil {
			b.Fatal(err)
		}
		if err := fileutil.Fdatasync(f); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(begun) / rounds
}

func benchmark(b *testing.B, c *cluster, clients int, floor time.Duration, syncs map[int]*atomic.Int64) {
	servers := map[int]*benchServer{}
	for id := range c.addresses {
		applyCh := make(chan lab.ApplyMsg, 128)
		n, err := Open(c.config(id, false), applyCh)
		if err != nil {
			b.Fatal(err)
		}
		defer n.Kill()
		servers[id] = &benchServer{Node: n, waiting: map[int]chan int{}, applied: map[int]int{}}
		go servers[id].run(applyCh)
	}
	var leader *benchServer
	c.eventually("there is no leader", func() bool {
		for _, s := range servers {
			if _, leads := s.GetState(); leads {
				leader = s
			}
		}
		return leader != nil
	})
	command := make([]byte, 100)
	leader.do(b, command)
	before := syncs[leader.config.ID].Load()
	b.ResetTimer()
	var left atomic.Int64
	left.Store(int64(b.N))
	var running sync.WaitGroup
	for range clients {
		running.Go(func() {
			for left.Add(-1) >= 0 {
				leader.do(b, command)
			}
		})
	}
	running.Wait()
	b.StopTimer()
	b.ReportMetric(float64(syncs[leader.config.ID].Load()-before)/float64(b.N), "syncs/op")
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(floor), "ratio")
}
