package raft

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"6.824/labgob"
	"6.824/labrpc"
)

// kvCommand is like a command of a kvraft lab.
type kvCommand struct {
	Op, Key, Value string
	Client         int64
	Seq            int
}

func init() { labgob.Register(kvCommand{}) }

// benchCommands are the kinds of commands, by name; command n differs from command n+1.
var benchCommands = []struct {
	name string
	make func(n int) any
}{
	{"int", func(n int) any { return n }},
	{"1000B", func(n int) any { return benchString[n%24 : n%24+1000] }},
	{"kv", func(n int) any { return kvCommand{"Append", "key", "some value", 1 << 40, n} }},
}

var benchString = strings.Repeat("0123456789", 103)

// firstClient is the command of client 0. It is 256 because an interface with a smaller int needs no memory, unlike
// real commands.
const firstClient = 256

// A benchCluster is a cluster on a reliable network. All servers have readers. The leader's reader counts commands, or
// wakes the clients that wait for them.
type benchCluster struct {
	net     *labrpc.Network
	servers []*Raft
	leader  *Raft
	term    int             // in which leader leads
	applied chan struct{}   // one element for each command that the leader applied
	answers []chan struct{} // answers[n] gets an element when the leader applied command firstClient+n
	deposed atomic.Bool     // the measurement is void
}

func newBenchCluster(b *testing.B, n, clients int) *benchCluster {
	c := &benchCluster{net: labrpc.MakeNetwork(), servers: make([]*Raft, n), answers: make([]chan struct{}, clients)}
	for k := range c.answers {
		c.answers[k] = make(chan struct{}, 1)
	}
	var leader atomic.Int32
	leader.Store(nobody)
	var received sync.WaitGroup
	stop := make(chan struct{})
	counts := make([]chan struct{}, n)
	for i := range c.servers {
		ends := make([]*labrpc.ClientEnd, n)
		for j := range ends {
			name := fmt.Sprintf("%d-%d", i, j)
			ends[j] = c.net.MakeEnd(name)
			c.net.Connect(name, j)
			c.net.Enable(name, true)
		}
		applyCh := make(chan ApplyMsg)
		counts[i] = make(chan struct{}, 1<<16)
		c.servers[i] = Make(ends, i, MakePersister(), applyCh, WithCloseOnKill())
		received.Go(func() {
			for m := range applyCh {
				if clients > 0 && int(leader.Load()) == i {
					select {
					case c.answers[m.Command.(int)-firstClient] <- struct{}{}:
					default: // the leader was deposed
					}
				}
				select {
				case counts[i] <- struct{}{}:
					continue
				default: // full
				}
				if clients == 0 && int(leader.Load()) == i { // otherwise clients wait for answers
					select {
					case counts[i] <- struct{}{}:
					case <-stop:
					}
				}
			}
		})
		server := labrpc.MakeServer()
		server.AddService(labrpc.MakeService(c.servers[i]))
		c.net.AddServer(i, server)
	}
	b.Cleanup(func() {
		close(stop)
		for _, rf := range c.servers {
			rf.Kill()
		}
		c.net.Cleanup()
		received.Wait()
	})
	for c.leader == nil {
		time.Sleep(10 * time.Millisecond)
		for i, rf := range c.servers {
			if term, leads := rf.GetState(); leads {
				c.leader, c.term, c.applied = rf, term, counts[i]
				leader.Store(int32(i))
			}
		}
	}
	received.Go(func() { c.watchLeader(stop) })
	return c
}

// watchLeader wakes all clients if the leader is deposed, so that none waits for ever. It ends when stop is closed.
func (c *benchCluster) watchLeader(stop <-chan struct{}) {
	applied := chan struct{}(nil)
	for {
		select {
		case <-stop:
			return
		case <-time.After(100 * time.Millisecond):
			if term, leads := c.leader.GetState(); !leads || term != c.term {
				c.deposed.Store(true)
				applied = c.applied
				for _, answer := range c.answers {
					select {
					case answer <- struct{}{}:
					default:
					}
				}
			}
		case applied <- struct{}{}:
		}
	}
}

func (c *benchCluster) start(command any) {
	if _, _, ok := c.leader.Start(command); !ok {
		c.deposed.Store(true)
	}
}

// run starts ops commands, at most outstanding of them at a time, and waits until all are applied.
func (c *benchCluster) run(ops, outstanding int, command func(int) any) {
	for n := range ops {
		if n >= outstanding {
			<-c.applied
		}
		c.start(command(n))
	}
	for range min(ops, outstanding) {
		<-c.applied
	}
}

// measure runs f, which does b.N operations, and reports their rate and the RPCs and bytes that they took.
func (c *benchCluster) measure(b *testing.B, f func()) {
	b.ReportAllocs()
	rpcs, bytes := c.net.GetTotalCount(), c.net.GetTotalBytes()
	b.ResetTimer()
	f()
	b.StopTimer()
	if c.deposed.Load() {
		b.Fatal("the leader was deposed")
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
	b.ReportMetric(float64(c.net.GetTotalCount()-rpcs)/float64(b.N), "RPCs/op")
	b.ReportMetric(float64(c.net.GetTotalBytes()-bytes)/float64(b.N), "sentB/op")
}

// BenchmarkLatency measures one command at a time, from Start to the leader's applyCh.
func BenchmarkLatency(b *testing.B) {
	for _, servers := range []int{3, 5} {
		b.Run(fmt.Sprintf("servers=%d", servers), func(b *testing.B) {
			c := newBenchCluster(b, servers, 0)
			took := make([]time.Duration, b.N)
			c.measure(b, func() {
				for n := range took {
					begin := time.Now()
					c.start(n)
					<-c.applied
					took[n] = time.Since(begin)
				}
			})
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1000, "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1000, "p99-µs")
		})
	}
}

// BenchmarkThroughput keeps many commands outstanding, with logs of several lengths.
func BenchmarkThroughput(b *testing.B) {
	for _, servers := range []int{3, 5} {
		for _, command := range benchCommands {
			b.Run(fmt.Sprintf("servers=%d/command=%s/outstanding=256/log=0", servers, command.name), func(b *testing.B) {
				c := newBenchCluster(b, servers, 0)
				c.measure(b, func() { c.run(b.N, 256, command.make) })
			})
		}
	}
	for _, length := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprintf("servers=3/command=int/outstanding=256/log=%d", length), func(b *testing.B) {
			c := newBenchCluster(b, 3, 0)
			c.run(length, 256, benchCommands[0].make)
			c.measure(b, func() { c.run(b.N, 256, benchCommands[0].make) })
		})
	}
}

// BenchmarkWaiting has many clients call Start concurrently. Each waits until its command is applied before it starts
// the next.
func BenchmarkWaiting(b *testing.B) {
	for _, goroutines := range []int{256, 10_000} {
		b.Run(fmt.Sprintf("servers=3/goroutines=%d", goroutines), func(b *testing.B) {
			c := newBenchCluster(b, 3, goroutines)
			c.measure(b, func() {
				var done sync.WaitGroup
				for client := range goroutines {
					done.Go(func() {
						for n := client; n < b.N; n += goroutines {
							c.start(firstClient + client)
							<-c.answers[client]
						}
					})
				}
				done.Wait()
			})
		})
	}
}

// BenchmarkStarts has many goroutines call Start concurrently without waiting. It ends when all commands are applied.
func BenchmarkStarts(b *testing.B) {
	for _, goroutines := range []int{256, 10_000} {
		b.Run(fmt.Sprintf("servers=3/goroutines=%d", goroutines), func(b *testing.B) {
			c := newBenchCluster(b, 3, 0)
			c.measure(b, func() {
				var done sync.WaitGroup
				for client := range goroutines {
					done.Go(func() {
						for n := client; n < b.N; n += goroutines {
							c.start(n)
						}
					})
				}
				for range b.N {
					<-c.applied
				}
				done.Wait()
			})
		})
	}
}

// BenchmarkStartsOnce has groups of new goroutines call Start once each, one group after another.
func BenchmarkStartsOnce(b *testing.B) {
	const goroutines = 10_000
	b.Run(fmt.Sprintf("servers=3/goroutines=%d", goroutines), func(b *testing.B) {
		c := newBenchCluster(b, 3, 0)
		c.measure(b, func() {
			for left := b.N; left > 0; left -= goroutines {
				var done sync.WaitGroup
				for n := range min(left, goroutines) {
					done.Go(func() { c.start(n) })
				}
				for range min(left, goroutines) {
					<-c.applied
				}
				done.Wait()
			}
		})
	})
}
