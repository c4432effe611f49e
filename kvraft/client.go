package kvraft

import (
	"crypto/rand"
	"encoding/binary"

	"6.824/kvraft/seek"
	"6.824/labrpc"
)

// A Clerk is a client of the service. It carries out one operation at a time: it is not safe for concurrent use.
type Clerk struct {
	servers []*labrpc.ClientEnd
	seeker  *seek.Seeker
	client  int64 // identity
	request int64 // number of the last Put or Append
}

// MakeClerk returns a Clerk of the servers to which the ends lead, in any order.
func MakeClerk(servers []*labrpc.ClientEnd) *Clerk {
	return &Clerk{servers: servers, seeker: seek.New(len(servers)), client: nrand()}
}

// nrand returns a random number below 2^62.
func nrand() int64 {
	var b [8]byte
	rand.Read(b[:])
	return int64(binary.BigEndian.Uint64(b[:]) >> 2)
}

// Get returns the value of key, "" if there is none. It tries for ever.
func (ck *Clerk) Get(key string) (value string) {
	args := GetArgs{Key: key}
	ck.seeker.Do(func(server int) bool {
		var reply GetReply
		ok := ck.servers[server].Call("KVServer.Get", &args, &reply)
		value = reply.Value
		return ok && (reply.Err == OK || reply.Err == ErrNoKey)
	})
	return value
}

// Put makes value the value of key. It tries for ever.
func (ck *Clerk) Put(key string, value string) { ck.PutAppend(key, value, "Put") }

// Append adds value to the end of the value of key. It tries for ever.
func (ck *Clerk) Append(key string, value string) { ck.PutAppend(key, value, "Append") }

// PutAppend is Put or Append, as op says.
func (ck *Clerk) PutAppend(key string, value string, op string) {
	ck.request++
	args := PutAppendArgs{Key: key, Value: value, Op: op, Client: ck.client, Request: ck.request}
	ck.seeker.Do(func(server int) bool {
		var reply PutAppendReply
		return ck.servers[server].Call("KVServer.PutAppend", &args, &reply) && reply.Err == OK
	})
}
