package kvraft

import (
	"6.824/kvraft/rsm"
	"6.824/labrpc"
	"6.824/raft"
)

// A KVServer is one server of the service. Its handlers Get and PutAppend are for labrpc; the server must also be
// registered with its Raft: MakeService(kv) and MakeService(kv.Raft()).
type KVServer struct {
	rsm   *rsm.RSM
	rf    rsm.Raft
	store *store // belongs to rsm
}

// StartKVServer starts server me of those that servers lead to. It continues from what persister holds. If maxraftstate is
// positive, it takes a snapshot when the saved Raft state has about that many bytes; if it is -1, it never does.
// The options are Raft's. StartKVServer returns quickly.
func StartKVServer(servers []*labrpc.ClientEnd, me int, persister *raft.Persister, maxraftstate int, options ...raft.Option) *KVServer {
	s := newStore()
	r := rsm.MakeRSM(servers, me, persister, maxraftstate, s, options...)
	return &KVServer{r, r.Raft(), s}
}

// NewKVServer starts a server of the service on a Raft server that sends on applyCh: raft.Raft, or another one with its methods,
// such as engine.Node. Snapshot, applyCh and maxraftstate are as in rsm.New.
func NewKVServer(rf rsm.Raft, applyCh <-chan raft.ApplyMsg, snapshot []byte, maxraftstate int) *KVServer {
	s := newStore()
	return &KVServer{rsm.New(rf, applyCh, snapshot, maxraftstate, s), rf, s}
}

// Get is an RPC handler.
func (kv *KVServer) Get(args *GetArgs, reply *GetReply) {
	err, result := kv.rsm.Read(op{kind: get, key: args.Key})
	reply.Err = err
	if v, ok := result.(found); ok {
		reply.Value = v.text
		if !v.exists {
			reply.Err = ErrNoKey
		}
	}
}

// PutAppend is an RPC handler. Another operation than Put and Append is a mistake of the caller, and panics.
func (kv *KVServer) PutAppend(args *PutAppendArgs, reply *PutAppendReply) {
	o := op{key: args.Key, value: args.Value, client: args.Client, request: args.Request}
	switch args.Op {
	case "Put":
		o.kind = put
	case "Append":
		o.kind = appendTo
	default:
		panic("kvraft: PutAppend with operation " + args.Op)
	}
	reply.Err, _ = kv.rsm.Submit(o)
}

// Raft returns the server's Raft.
func (kv *KVServer) Raft() rsm.Raft { return kv.rf }

// Applied returns the index of the last command that this server has carried out.
func (kv *KVServer) Applied() int { return kv.rsm.Applied() }

// Kill stops the server. RPCs that wait for a result are answered with ErrMaybe.
func (kv *KVServer) Kill() { kv.rsm.Kill() }
