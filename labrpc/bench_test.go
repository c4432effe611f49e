package labrpc

import (
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
)

type benchEntry struct {
	Term    int
	Command []byte
}

type benchArgs struct {
	Term, LeaderId, PrevLogIndex, PrevLogTerm int
	Entries                                   []benchEntry
	LeaderCommit                              int
}

type benchReply struct {
	Term    int
	Success bool
}

// The handlers of a BenchServer do as little as possible.
type BenchServer struct{}

func (BenchServer) Int(args int, reply *string)               { *reply = "ok" }
func (BenchServer) Append(args *benchArgs, reply *benchReply) { reply.Term = args.Term }
func (BenchServer) String(args string, reply *int)            { *reply = len(args) }

// PromptBenchServer is a BenchServer with prompt handlers.
type PromptBenchServer struct {
	_ struct{} `labrpc:"prompt"`
	BenchServer
}

// benchNetwork returns a reliable network with one server, and a function that makes ends that are connected to it.
func benchNetwork(b *testing.B) (*Network, func() *ClientEnd) {
	rn := MakeNetwork()
	b.Cleanup(rn.Cleanup)
	server := MakeServer()
	server.AddService(MakeService(BenchServer{}))
	server.AddService(MakeService(PromptBenchServer{}))
	rn.AddServer("server", server)
	var made atomic.Int64
	return rn, func() *ClientEnd {
		name := made.Add(1)
		end := rn.MakeEnd(name)
		rn.Connect(name, "server")
		rn.Enable(name, true)
		return end
	}
}

// report adds to a benchmark's results how many bytes the network counted for each call.
func report(b *testing.B, rn *Network, calls int) {
	b.ReportMetric(float64(rn.GetTotalBytes())/float64(calls), "wire-B/op")
}

// BenchmarkCall makes one call at a time.
func BenchmarkCall(b *testing.B) {
	entries := []benchEntry{{3, []byte("x = 1")}}
	small := &benchArgs{3, 1, 7, 2, entries, 6}
	text := strings.Repeat("x", 1024)
	for _, bench := range []struct {
		name string
		call func(end *ClientEnd) bool
	}{
		{"int", func(end *ClientEnd) bool { return end.Call("BenchServer.Int", 111, new(string)) }},
		{"small", func(end *ClientEnd) bool { return end.Call("BenchServer.Append", small, new(benchReply)) }},
		{"small-prompt", func(end *ClientEnd) bool { return end.Call("PromptBenchServer.Append", small, new(benchReply)) }},
		{"1KB", func(end *ClientEnd) bool { return end.Call("BenchServer.String", text, new(int)) }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			rn, newEnd := benchNetwork(b)
			end := newEnd()
			b.ReportAllocs()
			for b.Loop() {
				if !bench.call(end) {
					b.Fatal("the call failed")
				}
			}
			report(b, rn, b.N)
		})
	}
}

// BenchmarkCallers makes small calls from many goroutines. Each goroutine has an end of its own, or all share one.
func BenchmarkCallers(b *testing.B) {
	small := &benchArgs{Term: 3, LeaderId: 1, PrevLogIndex: 7, PrevLogTerm: 2, LeaderCommit: 6}
	for _, callers := range []int{2, 64} {
		for _, shared := range []bool{false, true} {
			ends := "ends"
			if shared {
				ends = "one-end"
			}
			b.Run(fmt.Sprintf("%d-%s", callers, ends), func(b *testing.B) {
				rn, newEnd := benchNetwork(b)
				common := newEnd()
				b.ReportAllocs()
				b.SetParallelism((callers + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
				b.RunParallel(func(pb *testing.PB) {
					end := common
					if !shared {
						end = newEnd()
					}
					for pb.Next() {
						if !end.Call("BenchServer.Append", small, new(benchReply)) {
							b.Error("the call failed")
							return
						}
					}
				})
				report(b, rn, b.N)
			})
		}
	}
}
