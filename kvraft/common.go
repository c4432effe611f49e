// Package kvraft is a key/value service on Raft: Lab 3 of MIT 6.824 and 6.5840 from 2020 to 2023, Lab 4 of 2024. Several
// servers hold the same keys and values. A Clerk puts, appends and gets values, and sees them as if there were one server
// that never fails.
//
//	client.go  Clerk: asks one server after the other, for ever
//	server.go  KVServer: RPC handlers on a replicated state machine (package rsm)
//	store.go   the state machine: keys, values, and what each client has done last
//	op.go      operations, and how they are encoded
//
// # Exactly once
//
// A Clerk repeats a request until a server has answered, so that the log may hold a request twice. Each Clerk has an
// identity and numbers its requests; the store remembers the last number of each and does not carry out a Put or an Append
// again. What it remembers is part of the state: every server has it, and so has a snapshot. A Get changes nothing and
// may be carried out again.
//
// # Reads
//
// A Get makes no command in the log: the leader makes sure that it still leads, and that it has carried out everything that was
// committed (raft.ReadIndex, §8). So a server that was deposed without knowing it cannot answer one from old state.
//
// docs/kvraft.md has the whole design, with the alternatives.
package kvraft

import "6.824/kvraft/rpc"

// Err is the outcome of an RPC.
type Err = rpc.Err

// The outcomes.
const (
	OK             = rpc.OK
	ErrNoKey       = rpc.ErrNoKey
	ErrMaybe       = rpc.ErrMaybe
	ErrWrongLeader = rpc.ErrWrongLeader
)

// PutAppendArgs asks to put or to append Value.
type PutAppendArgs struct {
	Key, Value string
	Op         string // "Put" or "Append"
	Client     int64  // identity of the Clerk
	Request    int64  // number of the request, from 1 on
}

// PutAppendReply is OK, ErrMaybe or ErrWrongLeader.
type PutAppendReply struct {
	Err Err
}

// GetArgs asks for the value of Key.
type GetArgs struct {
	Key string
}

// GetReply has the value if Err is OK. Otherwise Err is ErrNoKey, ErrMaybe or ErrWrongLeader.
type GetReply struct {
	Err   Err
	Value string
}
