package raft

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"6.824/labrpc"
)

// A slowNet is a cluster of three whose messages take time and are counted.
type slowNet struct {
	delay func(m Message) time.Duration // round trip

	mu      sync.Mutex
	servers []*Raft
	sent    map[string]int // by sender, receiver and type, since the call of count
}

func (n *slowNet) carry(from int) Option {
	return WithTransport(func(to int, m Message) Reply {
		n.mu.Lock()
		rf := n.servers[to]
		n.sent[fmt.Sprintf("%d to %d: %T", from, to, m)]++
		n.mu.Unlock()
		delay := n.delay(m)
		time.Sleep(delay / 2)
		defer time.Sleep(delay / 2)
		return rf.OnMessage(m)
	})
}

// startSlow starts three servers. The caller defers kill.
func startSlow(delay func(m Message) time.Duration, opts ...Option) *slowNet {
	n := &slowNet{delay: delay, sent: make(map[string]int)}
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := range 3 {
		n.servers = append(n.servers, n.make(i, opts...))
	}
	return n
}

func (n *slowNet) make(i int, opts ...Option) *Raft {
	applyCh := make(chan ApplyMsg)
	opts = append([]Option{n.carry(i), WithCloseOnKill()}, opts...)
	rf := Make(make([]*labrpc.ClientEnd, 3), i, MakePersister(), applyCh, opts...)
	go func() {
		for range applyCh {
		}
	}()
	return rf
}

func (n *slowNet) kill() {
	for _, rf := range n.servers {
		rf.Kill()
	}
	time.Sleep(10 * time.Second) // until nothing is in flight
}

func (n *slowNet) leader(t testing.TB) *Raft {
	t.Helper()
	return leaderAmong(t, n.servers, 5*time.Second)
}

// leaderAmong waits until one of the servers leads.
func leaderAmong(t testing.TB, servers []*Raft, limit time.Duration) *Raft {
	t.Helper()
	for begun := time.Now(); time.Since(begun) < limit; {
		time.Sleep(50 * time.Millisecond)
		for _, rf := range servers {
			if _, leads := rf.GetState(); leads {
				return rf
			}
		}
	}
	t.Fatalf("no leader within %v", limit)
	return nil
}

// count returns the number of messages that are sent during d.
func (n *slowNet) count(d time.Duration) map[string]int {
	n.mu.Lock()
	clear(n.sent)
	n.mu.Unlock()
	time.Sleep(d)
	n.mu.Lock()
	defer n.mu.Unlock()
	sent := n.sent
	n.sent = make(map[string]int)
	return sent
}

var everyLink = []Link{LinkPool(1), LinkPool(4), LinkOrdered, LinkPerMessage}

// A peer gets at most ten heartbeats a second, however long its replies take (lab rule).
func TestIdleHeartbeats(t *testing.T) {
	parallel(t)
	for _, link := range everyLink {
		for _, ms := range []time.Duration{1, 60, 80, 100, 150} {
			t.Run(fmt.Sprint(link, ", ", ms, " ms"), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					n := startSlow(func(Message) time.Duration { return ms * time.Millisecond }, WithLink(link))
					defer n.kill()
					n.leader(t)
					time.Sleep(3 * time.Second)
					sent := n.count(10 * time.Second)
					if len(sent) != 2 {
						t.Errorf("want messages of one sender to two others: %v", sent)
					}
					for what, times := range sent {
						if times > 100 {
							t.Errorf("%s, %d times in ten seconds", what, times)
						}
					}
				})
			})
		}
	}
}

// A snapshot that takes a second to arrive is not sent again during that time.
func TestSlowSnapshot(t *testing.T) {
	for _, link := range everyLink {
		t.Run(fmt.Sprint(link), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := startSlow(func(m Message) time.Duration {
					if _, ok := m.(*InstallSnapshotArgs); ok {
						return time.Second
					}
					return 2 * time.Millisecond
				}, WithLink(link))
				defer n.kill()
				leader := n.leader(t)
				lost := (leader.me + 1) % 3
				n.servers[lost].Kill()
				for k := range 50 {
					leader.Start(k)
				}
				time.Sleep(100 * time.Millisecond)
				index := leader.Status().CommitIndex
				leader.Snapshot(index, make([]byte, 1000))
				fresh := n.make(lost, WithLink(link)) // its disk is lost, too
				n.mu.Lock()
				n.servers[lost] = fresh
				n.mu.Unlock()
				sent := n.count(5 * time.Second)
				mustEqual(t, "the peer's snapshot", fresh.Status().SnapshotIndex, index)
				if times := sent[fmt.Sprintf("%d to %d: *raft.InstallSnapshotArgs", leader.me, lost)]; times > 2 {
					t.Errorf("it was sent %d times", times)
				}
			})
		})
	}
}

// Killed servers refuse every message. Refusals do not count as answers of a majority.
func TestRefusalsAreNoQuorum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := startSlow(func(Message) time.Duration { return 2 * time.Millisecond })
		defer n.kill()
		leader := n.leader(t)
		for _, rf := range n.servers {
			if rf != leader {
				rf.Kill()
			}
		}
		time.Sleep(10 * time.Second)
		if _, leads := leader.GetState(); leads {
			t.Error("it still leads after ten seconds")
		}
	})
}

// On a link of 100 KB/s, messages of a few kilobytes take longer than a heartbeat. They are sent once.
func TestThinLinkSendsOnce(t *testing.T) {
	const rate = 100_000
	for _, size := range []int{3000, 6000, 10_000, 16_000, 30_000} {
		synctest.Test(t, func(t *testing.T) {
			sent := 0
			var mu sync.Mutex
			var n *slowNet
			n = startSlow(nil, WithTransport(func(to int, m Message) Reply {
				bytes := 0
				if m, ok := m.(*AppendEntriesArgs); ok {
					for _, piece := range m.Entries {
						bytes += len(piece)
					}
				}
				mu.Lock()
				sent += bytes
				mu.Unlock()
				time.Sleep(5*time.Millisecond + time.Duration(bytes)*time.Second/rate)
				defer time.Sleep(5 * time.Millisecond)
				return n.servers[to].OnMessage(m)
			}))
			defer n.kill()
			leader := n.leader(t)
			total := 0
			for range 20 {
				leader.Start(string(make([]byte, 10)))
				time.Sleep(200 * time.Millisecond)
				leader.Start(string(make([]byte, size)))
				time.Sleep(600 * time.Millisecond)
				total += 2 * (10 + size)
			}
			mu.Lock()
			defer mu.Unlock()
			if sent > total*6/5 {
				t.Errorf("commands of %d bytes: each byte was sent %.1f times", size, float64(sent)/float64(total))
			}
		})
	}
}
