package kv

import (
	"sync"

	"course/labgob"
	"course/labrpc"
)

type Op struct{ Key, Value string }

type PutArgs struct {
	Key, Value string
	ClientId   int64
}

type PutReply struct{ Err string }

type GetArgs struct {
	Key      string
	ClientId int64
}

type GetReply struct{ Err, Value string }

type KV struct {
	rf   *Raft
	mu   sync.Mutex
	data map[string]string
}

func (kv *KV) Put(args *PutArgs, reply *PutReply) {
	if !kv.rf.replicate(Op{args.Key, args.Value}) {
		reply.Err = "ErrWrongLeader"
		return
	}
	kv.mu.Lock()
	defer kv.mu.Unlock()
	kv.data[args.Key] = args.Value
	reply.Err = "OK"
}

func (kv *KV) Get(args *GetArgs, reply *GetReply) {
	kv.mu.Lock()
	defer kv.mu.Unlock()
	reply.Value = kv.data[args.Key]
	reply.Err = "OK"
}

type Clerk struct {
	id   int64
	ends []*labrpc.ClientEnd
}

func (ck *Clerk) Put(key, value string) {
	for {
		for _, server := range []int{1, 0} {
			var reply PutReply
			if ck.ends[server].Call("KV.Put", &PutArgs{key, value, ck.id}, &reply) && reply.Err == "OK" {
				return
			}
		}
	}
}

func (ck *Clerk) Get(key string) string {
	var reply GetReply
	ck.ends[0].Call("KV.Get", &GetArgs{key, ck.id}, &reply)
	return reply.Value
}

func init() { labgob.Register(Op{}) }
