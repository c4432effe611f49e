package labrpc_test

import (
	"fmt"
	"sync"

	"6.824/labrpc"
)

type PutArgs struct{ Key, Value string }

type PutReply struct{ Previous string }

// KV is a server's state. Its exported methods with args and a reply pointer are handlers.
type KV struct {
	mu   sync.Mutex
	data map[string]string
}

func (kv *KV) Put(args *PutArgs, reply *PutReply) {
	kv.mu.Lock()
	defer kv.mu.Unlock()
	reply.Previous = kv.data[args.Key]
	kv.data[args.Key] = args.Value
}

// A client calls a server, first over a reliable network and then while it is disconnected.
func Example() {
	net := labrpc.MakeNetwork()
	defer net.Cleanup()

	server := labrpc.MakeServer()
	server.AddService(labrpc.MakeService(&KV{data: map[string]string{"x": "1"}}))
	net.AddServer("server0", server)

	end := net.MakeEnd("client0")
	net.Connect("client0", "server0")
	net.Enable("client0", true)

	var reply PutReply
	ok := end.Call("KV.Put", &PutArgs{"x", "2"}, &reply)
	fmt.Println(ok, reply.Previous)

	net.Enable("client0", false)
	ok = end.Call("KV.Put", &PutArgs{"x", "3"}, new(PutReply))
	fmt.Println(ok, net.GetTotalCount(), net.GetCount("server0"))
	// Output:
	// true 1
	// false 2 1
}
