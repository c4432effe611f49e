package raft

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"6.824/labrpc"
)

// A thinNet is a cluster of three whose links have a limited rate, in bytes a second, and a delay. The messages on a
// link share its rate equally.
type thinNet struct {
	rate  float64
	delay time.Duration // one way
	opts  []Option

	mu      sync.Mutex
	servers []*Raft
	active  map[[2]int]int // messages on a link
	sent    map[[2]int]int // bytes of entries and snapshots sent over a link
	out     int            // an unreachable server, or nobody
}

func startThin(rate float64, delay time.Duration, opts ...Option) *thinNet {
	n := &thinNet{rate: rate, delay: delay, opts: opts, active: map[[2]int]int{}, sent: map[[2]int]int{}, out: nobody}
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := range 3 {
		n.servers = append(n.servers, n.make(i))
	}
	return n
}

func (n *thinNet) make(i int) *Raft {
	applyCh := make(chan ApplyMsg)
	send := func(to int, m Message) Reply { return n.carry(i, to, m) }
	rf := Make(make([]*labrpc.ClientEnd, 3), i, MakePersister(), applyCh, append(n.opts, WithTransport(send), WithCloseOnKill())...)
	go func() {
		for range applyCh {
		}
	}()
	return rf
}

// cargo returns the number of bytes of entries or of a snapshot in a message.
func cargo(m Message) (bytes int) {
	switch m := m.(type) {
	case *AppendEntriesArgs:
		for _, records := range m.Entries {
			bytes += len(records)
		}
	case *InstallSnapshotArgs:
		bytes = len(m.Data)
	}
	return bytes
}

func (n *thinNet) carry(from, to int, m Message) Reply {
	n.mu.Lock()
	reached, out := n.servers[to], n.out
	n.sent[[2]int{from, to}] += cargo(m)
	n.mu.Unlock()
	if from == out || to == out {
		time.Sleep(n.delay)
		return nil
	}
	n.transfer(from, to, 100+cargo(m))
	reply := reached.OnMessage(m)
	n.transfer(to, from, 50)
	return reply
}

func (n *thinNet) transfer(from, to, size int) {
	link := [2]int{from, to}
	count := func(by int) (share float64) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.active[link] += by
		return n.rate / float64(n.active[link])
	}
	count(1)
	for left := float64(size); left > 0; {
		share := count(0)
		step := min(5*time.Millisecond, time.Duration(left/share*float64(time.Second))+1)
		time.Sleep(step)
		left -= share * step.Seconds()
	}
	count(-1)
	time.Sleep(n.delay)
}

func (n *thinNet) leader(t testing.TB) *Raft {
	t.Helper()
	return leaderAmong(t, n.servers, 10*time.Second)
}

// stableLeader returns a leader that has led for two seconds. Where a message takes longer than an election timeout, a
// server may be elected just after another one.
func (n *thinNet) stableLeader(t testing.TB) *Raft {
	t.Helper()
	for range 30 {
		leader := n.leader(t)
		term, _ := leader.GetState()
		time.Sleep(2 * time.Second)
		if now, leads := leader.GetState(); leads && now == term {
			return leader
		}
	}
	t.Fatal("no leader for two seconds within a minute")
	return nil
}

// until waits at most limit for a condition, and returns how long it took.
func (n *thinNet) until(t testing.TB, what string, limit time.Duration, holds func() bool) time.Duration {
	t.Helper()
	begun := time.Now()
	for !holds() {
		if time.Since(begun) > limit {
			t.Fatalf("not %[2]s after %[1]v", limit, what)
		}
		time.Sleep(max(time.Millisecond, time.Since(begun)/100))
	}
	return time.Since(begun)
}

func (n *thinNet) kill() {
	for _, rf := range n.servers {
		rf.Kill()
	}
	n.mu.Lock()
	n.rate = 1e12
	n.mu.Unlock()
	time.Sleep(10 * time.Minute)
}

// sizeOf returns the size in bytes of the first count entries.
func sizeOf(rf *Raft, count int) int {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	return rf.log.size(1, count)
}

// check checks that each follower was sent at most 1.2 times these bytes, that it took at most 1.3 times as long as the
// link needs plus 5 ms, and that the leader still leads in term.
func (n *thinNet) check(t *testing.T, leader *Raft, term, bytes int, took time.Duration, to ...int) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, i := range to {
		if sent := n.sent[[2]int{leader.me, i}]; float64(sent) > 1.2*float64(bytes)+1000 {
			t.Errorf("server %d was sent %d bytes, want %d and at most a fifth more", i, sent, bytes)
		}
	}
	need := time.Duration(float64(bytes)/n.rate*float64(time.Second)) + 2*n.delay
	if took > need*13/10+5*time.Millisecond {
		t.Errorf("it took %v, want %v and at most three tenths more", took, need)
	}
	if now, leads := leader.GetState(); now != term || !leads {
		t.Errorf("term %d became %d, it leads: %v", term, now, leads)
	}
}

var thinLinks = []Link{LinkPool(1), LinkPool(4), LinkPool(16), LinkPools(4, 2), LinkPerMessage, LinkOrdered}

// testThin runs a test for every link, at several rates, or at one where computing is slow. bytes take 0.05 to 10
// seconds on the link.
func testThin(t *testing.T, test func(t *testing.T, n *thinNet, bytes int)) {
	parallel(t)
	for _, link := range thinLinks {
		for _, rate := range []float64{100e3, 1e6, 10e6, 100e6} {
			if exploreBriefly && rate != 1e6 {
				continue
			}
			for _, seconds := range []float64{0.05, 0.5, 3, 10} {
				bytes := int(rate * seconds)
				if bytes > 10e6 {
					continue
				}
				t.Run(fmt.Sprintf("%v, %v KB/s, %d KB", link, rate/1e3, bytes/1000), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						n := startThin(rate, time.Millisecond, WithLink(link))
						defer n.kill()
						test(t, n, bytes)
					})
				})
			}
		}
	}
}

// A large command is sent over a thin link once and at once, and does not delay heartbeats.
func TestThinLinkCommand(t *testing.T) {
	testThin(t, func(t *testing.T, n *thinNet, bytes int) {
		leader := n.leader(t)
		term, _ := leader.GetState()
		leader.Start(strings.Repeat("x", bytes))
		took := n.until(t, "committed", time.Minute, func() bool { return leader.Status().CommitIndex == 1 })
		time.Sleep(time.Second)
		n.check(t, leader, term, bytes, took, (leader.me+1)%3, (leader.me+2)%3)
	})
}

// So is a large snapshot to a new follower. Meanwhile commands commit.
func TestThinLinkSnapshot(t *testing.T) {
	testThin(t, func(t *testing.T, n *thinNet, bytes int) {
		leader := n.leader(t)
		lost := (leader.me + 1) % 3
		n.servers[lost].Kill()
		for k := range 20 {
			leader.Start(k)
		}
		n.until(t, "committed", time.Minute, func() bool { return leader.Status().CommitIndex == 20 })
		time.Sleep(time.Second)
		term, _ := leader.GetState()
		leader.Snapshot(20, make([]byte, bytes))
		n.mu.Lock()
		n.servers[lost] = n.make(lost)
		clear(n.sent)
		n.mu.Unlock()
		begun := time.Now()
		n.until(t, "sent", time.Minute, func() bool { n.mu.Lock(); defer n.mu.Unlock(); return n.sent[[2]int{leader.me, lost}] > 0 })
		begins := time.Since(begun)
		leader.Start("meanwhile")
		took := n.until(t, "installed", time.Minute, func() bool { return n.servers[lost].Status().SnapshotIndex == 20 })
		mustEqual(t, "commitIndex", leader.Status().CommitIndex, 21)
		if begins > 2*labDefaults().heartbeat {
			t.Errorf("it was sent after %v", begins)
		}
		time.Sleep(time.Second)
		mustEqual(t, "its last index", n.servers[lost].Status().LastIndex, 21)
		n.check(t, leader, term, bytes, took, lost)
	})
}

// So is a backlog of small commands to a follower that was unreachable.
func TestThinLinkBacklog(t *testing.T) {
	testThin(t, func(t *testing.T, n *thinNet, bytes int) {
		if n.rate > 10e6 || bytes > 3e6 {
			return // the overhead of messages would count, or the test would take long
		}
		leader := n.leader(t)
		away := (leader.me + 1) % 3
		n.mu.Lock()
		n.out = away
		n.mu.Unlock()
		const each = 1000
		count := max(bytes/each, 1)
		for range count {
			leader.Start(strings.Repeat("x", each))
		}
		n.until(t, "committed", time.Minute, func() bool { return leader.Status().CommitIndex == count })
		time.Sleep(time.Second)
		term, _ := leader.GetState()
		n.mu.Lock()
		n.out = nobody
		clear(n.sent)
		n.mu.Unlock()
		n.until(t, "sent", time.Minute, func() bool { n.mu.Lock(); defer n.mu.Unlock(); return n.sent[[2]int{leader.me, away}] > 0 })
		took := n.until(t, "replicated", time.Minute, func() bool { return n.servers[away].Status().LastIndex == count })
		n.check(t, leader, term, sizeOf(leader, count), took, away)
	})
}

// However long messages take, entries that are started one after another are sent once.
func TestLongRoundTrips(t *testing.T) {
	parallel(t)
	for _, link := range thinLinks {
		for _, ms := range []int{5, 30, 50, 100, 200} {
			t.Run(fmt.Sprintf("%v, round trip of %d ms", link, 2*ms), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					n := startThin(1e12, time.Duration(ms)*time.Millisecond, WithLink(link))
					defer n.kill()
					leader := n.stableLeader(t)
					term, _ := leader.GetState()
					n.mu.Lock()
					clear(n.sent)
					n.mu.Unlock()
					const count = 2000
					for k := range count {
						leader.Start("some command")
						if k%10 == 9 {
							time.Sleep(2 * time.Millisecond)
						}
					}
					n.until(t, "committed", time.Minute, func() bool { return leader.Status().CommitIndex == count })
					n.check(t, leader, term, sizeOf(leader, count), 0, (leader.me+1)%3, (leader.me+2)%3)
				})
			})
		}
	}
}

// A follower that takes long to save entries still gets heartbeats, so it does not start an election.
func TestSlowEntriesDoNotStarveHeartbeats(t *testing.T) {
	parallel(t)
	for _, link := range []Link{LinkPool(1), LinkPool(4), LinkPerMessage} {
		for _, ms := range []time.Duration{100, 250, 400, 1000} {
			t.Run(fmt.Sprint(link, ", ", ms, " ms"), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					n := startSlow(func(m Message) time.Duration {
						if cargo(m) > 0 {
							return ms * time.Millisecond
						}
						return 2 * time.Millisecond
					}, WithLink(link))
					defer n.kill()
					leader := n.leader(t)
					term, _ := leader.GetState()
					for k := range 400 {
						leader.Start(k)
						time.Sleep(50 * time.Millisecond)
					}
					now, leads := leader.GetState()
					mustEqual(t, "term", now, term)
					mustEqual(t, "it leads", leads, true)
				})
			})
		}
	}
}
