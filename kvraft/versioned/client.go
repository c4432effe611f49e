package versioned

import (
	"6.824/kvraft/rpc"
	"6.824/kvraft/seek"
)

// A Caller calls a method of a server, and reports whether there was a reply, like the course's tester.Clnt.
type Caller interface {
	Call(server string, method string, args any, reply any) bool
}

// A Clerk is a client of the service. It is not safe for concurrent use.
type Clerk struct {
	clnt    Caller
	servers []string
	seeker  *seek.Seeker
}

// MakeClerk returns a Clerk of the servers with these names.
func MakeClerk(clnt Caller, servers []string) *Clerk {
	return &Clerk{clnt: clnt, servers: servers, seeker: seek.New(len(servers))}
}

// Leader returns the index of the server that has answered last.
func (ck *Clerk) Leader() int { return ck.seeker.Leader() }

// Get returns the value and the version of key and OK, or ErrNoKey if there is no such key. It tries for ever.
func (ck *Clerk) Get(key string) (value string, version rpc.Tversion, err rpc.Err) {
	args := rpc.GetArgs{Key: key}
	ck.seeker.Do(func(server int) bool {
		var reply rpc.GetReply
		ok := ck.clnt.Call(ck.servers[server], "KVServer.Get", &args, &reply)
		value, version, err = reply.Value, reply.Version, reply.Err
		return ok && (err == rpc.OK || err == rpc.ErrNoKey)
	})
	return value, version, err
}

// Put stores value under key if the key has this version, where 0 stands for a key that does not exist. It tries until it
// knows the outcome:
//
//   - OK: it is stored, and the version is one higher.
//   - ErrNoKey: there is no such key, and version is not 0. Nothing is stored.
//   - ErrVersion: the key has another version. Nothing is stored.
//   - ErrMaybe: a repeated request has found another version. An earlier one may have stored the value.
func (ck *Clerk) Put(key, value string, version rpc.Tversion) (err rpc.Err) {
	args := rpc.PutArgs{Key: key, Value: value, Version: version}
	maybe := false // an earlier request may have been carried out
	ck.seeker.Do(func(server int) bool {
		var reply rpc.PutReply
		ok := ck.clnt.Call(ck.servers[server], "KVServer.Put", &args, &reply)
		switch {
		case !ok || reply.Err == rpc.ErrMaybe:
			maybe = true
			return false
		case reply.Err == rpc.ErrWrongLeader: // this one was not carried out
			return false
		case reply.Err == rpc.ErrVersion && maybe:
			err = rpc.ErrMaybe
		default:
			err = reply.Err
		}
		return true
	})
	return err
}
