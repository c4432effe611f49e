package kv

import (
	"fmt"
	"math/rand"
	"testing"

	"course/labrpc"
)

const servers = 3

type config struct {
	net   *labrpc.Network
	ends  map[int][]string
	rafts []*Raft
}

// makeEnds makes ends with random names, as the course's harness does.
func (cfg *config) makeEnds() (names []string, ends []*labrpc.ClientEnd) {
	for j := 0; j < servers; j++ {
		name := fmt.Sprint("end", rand.Int63())
		names, ends = append(names, name), append(ends, cfg.net.MakeEnd(name))
		cfg.net.Connect(name, j)
		cfg.net.Enable(name, true)
	}
	return names, ends
}

func (cfg *config) start(i int) {
	names, ends := cfg.makeEnds()
	cfg.ends[i] = names
	rf := &Raft{me: i, peers: ends}
	cfg.rafts[i] = rf
	server := labrpc.MakeServer()
	server.AddService(labrpc.MakeService(&KV{rf: rf, data: map[string]string{}}))
	server.AddService(labrpc.MakeService(rf))
	cfg.net.AddServer(i, server)
}

func makeConfig() *config {
	cfg := &config{net: labrpc.MakeNetwork(), ends: map[int][]string{}, rafts: make([]*Raft, servers)}
	for i := 0; i < servers; i++ {
		cfg.start(i)
	}
	return cfg
}

func (cfg *config) clerk(id int64) *Clerk {
	_, ends := cfg.makeEnds()
	return &Clerk{id, ends}
}

// run puts values, cuts the link from server 0 to server 2, restarts server 2, and gets a value.
func run(t *testing.T, want string) {
	cfg := makeConfig()
	defer cfg.net.Cleanup()
	a, b := cfg.clerk(101), cfg.clerk(102)
	cfg.rafts[0].lead()
	fmt.Println("putting")
	a.Put("x", "1")
	cfg.net.Enable(cfg.ends[0][2], false)
	b.Put("x", "2")
	cfg.net.Enable(cfg.ends[0][2], true)
	cfg.net.Reliable(true)
	cfg.net.DeleteServer(2)
	cfg.start(2)
	if got := b.Get("x"); got != want {
		t.Fatalf("x is %q, want %q", got, want)
	}
}

func TestPutGet(t *testing.T) { run(t, "2") }

func TestWrong(t *testing.T) { run(t, "3") }
