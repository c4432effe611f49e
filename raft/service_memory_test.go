package raft_test

import (
	"flag"
	"fmt"
	"math/rand"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"6.824/labgob"
	"6.824/labrpc"
	"6.824/raft"
)

var memoryFlag = flag.Duration("memory", 0, "TestServiceMemory's time for each iteration; 0 skips the test")

// TestServiceMemory measures how much memory the first test of the course's kvraft lab takes: in three iterations, a client
// appends to a key or gets it, and all results stay in a history. docs/course-trees.md has the figures.
func TestServiceMemory(t *testing.T) {
	if *memoryFlag == 0 {
		t.Skip("a measurement: -memory 5s runs it")
	}
	for _, way := range []struct {
		name     string
		newValue func() value
		clerk    clerk
	}{
		{"strings", func() value { return new(joined) }, clerk{}},
		{"builders", func() value { return new(strings.Builder) }, clerk{}},
		{"builders, clerk shares prefixes", func() value { return new(strings.Builder) }, clerk{shared: new(strings.Builder)}},
		{"builders, 1 ms a call", func() value { return new(strings.Builder) }, clerk{pause: time.Millisecond}},
	} {
		t.Run(way.name, func(t *testing.T) { measureService(t, way.newValue, way.clerk) })
	}
}

// A value is what a service stores under a key.
type value interface {
	WriteString(s string) (int, error)
	String() string
}

// joined is a string that is copied at each write.
type joined string

func (j *joined) WriteString(s string) (int, error) { *j += joined(s); return len(s), nil }
func (j *joined) String() string                    { return string(*j) }

type appendOp struct{ Key, Value string } // Value is empty in a Get

type kvArgs struct{ Op appendOp }

type kvReply struct {
	OK    bool
	Value string
}

// kvServer is a service as in the lab, for a client whose calls are never lost.
type kvServer struct {
	rf       *raft.Raft
	newValue func() value

	mu      sync.Mutex
	data    map[string]value
	waiting map[int]chan string // by index
}

// Do carries out one operation. It waits for ever if the server loses its leadership.
func (kv *kvServer) Do(args *kvArgs, reply *kvReply) {
	kv.mu.Lock()
	index, _, leads := kv.rf.Start(args.Op)
	if !leads {
		kv.mu.Unlock()
		return
	}
	done := make(chan string, 1)
	kv.waiting[index] = done
	kv.mu.Unlock()
	reply.Value, reply.OK = <-done, true
}

func (kv *kvServer) apply(applyCh chan raft.ApplyMsg) {
	for m := range applyCh {
		op := m.Command.(appendOp)
		kv.mu.Lock()
		v := kv.data[op.Key]
		if v == nil {
			v = kv.newValue()
			kv.data[op.Key] = v
		}
		got := ""
		if op.Value != "" {
			v.WriteString(op.Value)
		} else {
			got = v.String()
		}
		if done := kv.waiting[m.CommandIndex]; done != nil {
			done <- got
			delete(kv.waiting, m.CommandIndex)
		}
		kv.mu.Unlock()
	}
}

// clerk says how a client handles the results.
type clerk struct {
	shared *strings.Builder // if not nil: results that begin with an earlier one share its memory
	pause  time.Duration    // after each call
}

// take returns the result got, in memory that it may share with earlier results.
func (c *clerk) take(got string) string {
	time.Sleep(c.pause)
	if c.shared == nil || !strings.HasPrefix(got, c.shared.String()) {
		return got
	}
	c.shared.WriteString(got[c.shared.Len():])
	return c.shared.String()
}

func measureService(t *testing.T, newValue func() value, c clerk) {
	labgob.Register(appendOp{})
	network := labrpc.MakeNetwork()
	defer network.Cleanup()
	ends := startService(t, network, newValue)
	var history []string
	runtime.GC()
	begun, peak := time.Now(), uint64(0)
	for iteration := range 3 {
		for n := 0; time.Since(begun) < time.Duration(iteration+1)**memoryFlag; n++ {
			op := appendOp{Key: "0"}
			if rand.Intn(2) == 0 {
				op.Value = fmt.Sprintf("x 0 %d y", n)
			}
			history = append(history, c.take(call(ends, op)))
			if n%64 == 0 {
				peak = max(peak, heap())
			}
		}
	}
	t.Logf("%d operations, at most %d MB in use", len(history), peak>>20)
}

// startService starts three servers and returns a client's ends.
func startService(t *testing.T, network *labrpc.Network, newValue func() value) []*labrpc.ClientEnd {
	const n = 3
	end := func(from string, to int) *labrpc.ClientEnd {
		name := fmt.Sprint(from, " to ", to)
		e := network.MakeEnd(name)
		network.Connect(name, to)
		network.Enable(name, true)
		return e
	}
	client := make([]*labrpc.ClientEnd, n)
	for me := range n {
		peers := make([]*labrpc.ClientEnd, n)
		for peer := range peers {
			peers[peer] = end(fmt.Sprint(me), peer)
		}
		client[me] = end("client", me)
		applyCh := make(chan raft.ApplyMsg)
		kv := &kvServer{newValue: newValue, data: map[string]value{}, waiting: map[int]chan string{}}
		kv.rf = raft.Make(peers, me, raft.MakePersister(), applyCh, raft.WithCloseOnKill())
		t.Cleanup(kv.rf.Kill)
		go kv.apply(applyCh)
		server := labrpc.MakeServer()
		server.AddService(labrpc.MakeService(kv.rf))
		server.AddService(labrpc.MakeService(kv))
		network.AddServer(me, server)
	}
	return client
}

// call asks the servers in turn until one of them leads. With Forward it gets a copy of the result, as with the course's
// labrpc; Call could share the memory of the value.
func call(ends []*labrpc.ClientEnd, op appendOp) string {
	request := labrpc.Marshall(&kvArgs{op})
	for i := 0; ; i++ {
		reply := kvReply{}
		if b, ok := ends[i%len(ends)].Forward("kvServer.Do", request); ok {
			labrpc.Unmarshall(b, &reply)
		}
		if reply.OK {
			return reply.Value
		}
		if i%len(ends) == len(ends)-1 {
			time.Sleep(time.Millisecond)
		}
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}
