// Package versioned is the key/value service of 6.5840 from 2025 on: each key has a version, and a Put names the version that
// it replaces. So a repeated Put does nothing, and no server needs to know its clients.
//
// StartKVServer and MakeClerk are those of the course, but for two types of its package tester: StartKVServer takes our
// Persister and returns the server, and MakeClerk takes a Caller.
package versioned

import (
	"encoding/binary"
	"fmt"
	"strings"
	"sync"

	"6.824/kvraft/internal/enc"
	"6.824/kvraft/internal/table"
	"6.824/kvraft/rpc"
	"6.824/kvraft/rsm"
	"6.824/labrpc"
	"6.824/raft"
)

// A KVServer is one server of the service. Its handlers Get and Put are for labrpc; the server must also be registered with
// its Raft: MakeService(kv) and MakeService(kv.Raft()).
type KVServer struct {
	rsm *rsm.RSM
}

// StartKVServer starts server me of those that servers lead to. It continues from what persister holds. If maxraftstate is
// positive, it takes a snapshot when the saved Raft state has about that many bytes; if it is -1, it never does.
// The options are Raft's. StartKVServer returns quickly.
func StartKVServer(servers []*labrpc.ClientEnd, me int, persister *raft.Persister, maxraftstate int, options ...raft.Option) *KVServer {
	return &KVServer{rsm.MakeRSM(servers, me, persister, maxraftstate, newStore(), options...)}
}

// Get is an RPC handler.
func (kv *KVServer) Get(args *rpc.GetArgs, reply *rpc.GetReply) {
	err, result := kv.rsm.Read(*args)
	if err == rpc.OK {
		*reply = result.(rpc.GetReply)
		return
	}
	reply.Err = err
}

// Put is an RPC handler.
func (kv *KVServer) Put(args *rpc.PutArgs, reply *rpc.PutReply) {
	err, result := kv.rsm.Submit(*args)
	if err == rpc.OK {
		*reply = result.(rpc.PutReply)
		return
	}
	reply.Err = err
}

// Raft returns the server's Raft.
func (kv *KVServer) Raft() rsm.Raft { return kv.rsm.Raft() }

// Applied returns the index of the last command that this server has carried out.
func (kv *KVServer) Applied() int { return kv.rsm.Applied() }

// Kill stops the server. RPCs that wait for a result are answered with ErrMaybe.
func (kv *KVServer) Kill() { kv.rsm.Kill() }

// A store is the state machine of the service. It implements rsm.StateMachine, Capturer, Codec and
// Reader.
type store struct {
	mu     sync.RWMutex // guards values, and is held only for moments
	values *table.Table[string, value]
}

type value struct {
	text    string
	version rpc.Tversion // from 1 on
}

func newStore() *store { return &store{values: table.New[string, value]()} }

// DoOp carries out a Put or a Get.
func (s *store) DoOp(req any) any {
	switch req := req.(type) {
	case rpc.PutArgs:
		return rpc.PutReply{Err: s.put(req)}
	case rpc.GetArgs:
		return s.Read(req)
	default:
		panic(fmt.Sprintf("versioned: there is no operation %T", req))
	}
}

// Read carries out a Get.
func (s *store) Read(req any) any {
	s.mu.RLock()
	defer s.mu.RUnlock()
	v, ok := s.values.Get(req.(rpc.GetArgs).Key)
	if !ok {
		return rpc.GetReply{Err: rpc.ErrNoKey}
	}
	return rpc.GetReply{Value: v.text, Version: v.version, Err: rpc.OK}
}

func (s *store) put(args rpc.PutArgs) rpc.Err {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.values.Get(args.Key)
	switch {
	case !ok && args.Version != 0:
		return rpc.ErrNoKey
	case args.Version != v.version:
		return rpc.ErrVersion
	case !ok:
		args.Key = strings.Clone(args.Key) // the operation's memory is larger
	}
	s.values.Set(args.Key, value{strings.Clone(args.Value), v.version + 1})
	return rpc.OK
}

// Encode returns a Put as the key, the version plus 1 and the value, and a Get as the key and 0.
func (*store) Encode(req any) string {
	var small [128]byte // most operations fit, so that only the string is allocated
	switch req := req.(type) {
	case rpc.PutArgs:
		b := enc.AppendText(small[:0], req.Key)
		b = binary.AppendVarint(b, int64(req.Version)+1)
		return string(append(b, req.Value...))
	case rpc.GetArgs:
		return string(binary.AppendVarint(enc.AppendText(small[:0], req.Key), 0))
	default:
		panic(fmt.Sprintf("versioned: there is no operation %T", req))
	}
}

// Describe describes a command of Raft's log, such as: put("k", "x", 3).
func Describe(command any) string {
	switch req := (*store)(nil).Decode(command.(rsm.Op).Request).(type) {
	case rpc.PutArgs:
		return fmt.Sprintf("put(%q, %q, %d)", req.Key, req.Value, req.Version)
	default:
		return fmt.Sprintf("get(%q)", req.(rpc.GetArgs).Key)
	}
}

// Decode is the inverse of Encode. It panics if Encode has not made the request: then the servers run different programs.
func (*store) Decode(request string) any {
	d := enc.Decoder{Rest: request}
	key, version := d.Text(), d.Number()
	switch {
	case d.Bad || version == 0 && d.Rest != "":
		panic(fmt.Sprintf("versioned: an operation is damaged: %q", request))
	case version == 0:
		return rpc.GetArgs{Key: key}
	default:
		return rpc.PutArgs{Key: key, Value: d.Rest, Version: rpc.Tversion(version - 1)}
	}
}

// Snapshot returns the encoded state.
func (s *store) Snapshot() []byte { return s.Capture()() }

// Capture notes the state, and returns a function that encodes it: each key with its value and its version.
func (s *store) Capture() (encode func() []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	values := s.values.Capture()
	return func() []byte {
		n := 0
		for key, v := range values.All {
			n += len(key) + len(v.text) + 3*binary.MaxVarintLen32
		}
		b := make([]byte, 0, n+8) // the RSM appends to it
		for key, v := range values.All {
			b = enc.AppendText(enc.AppendText(b, key), v.text)
			b = binary.AppendVarint(b, int64(v.version))
		}
		return b
	}
}

// Restore replaces the state by that of a snapshot. It panics if the snapshot is damaged: Raft has checked it, so that it
// comes from another program.
func (s *store) Restore(snapshot []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values = table.New[string, value]()
	d := enc.NewDecoder(snapshot)
	for len(d.Rest) > 0 && !d.Bad {
		key, text := strings.Clone(d.Text()), strings.Clone(d.Text()) // so that a value that is replaced can be freed
		s.values.Set(key, value{text, rpc.Tversion(d.Number())})
	}
	if d.Bad {
		panic(fmt.Sprintf("versioned: a snapshot of %d bytes is damaged", len(snapshot)))
	}
}
