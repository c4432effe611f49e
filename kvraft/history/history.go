// Package history records what the clients of a key/value service did and saw, and decides whether one server that carries
// out one operation after the other could have answered them like that: whether the history is linearizable.
//
//	history.go    operations, the Recorder
//	check.go      Check: both checks, and their verdict
//	ordered.go    a check in linear time, for keys whose writes have a known order
//	values.go     the service with Get, Put and Append
//	versions.go   the service with versions
//	culprit.go    which operation makes a history fail
//	words.go      operations in words
//	porcupine.go  the search for an order of the operations, with package porcupine
package history

import (
	"strings"
	"sync"
	"sync/atomic"

	"6.824/kvraft/rpc"
)

// A Kind says what an operation does.
type Kind int

// The kinds.
const (
	Get Kind = iota
	Put
	Append
)

// An Operation is a call of a Clerk that has returned.
type Operation struct {
	Client  int
	Kind    Kind
	Key     string
	Value   string       // what a Put or an Append has written, or what a Get has returned
	Version rpc.Tversion // what a versioned Put was given, or a versioned Get has returned
	Err     rpc.Err      // what a versioned operation has returned

	// The beginnings and ends of all operations of a history have different numbers, in the order of their time.
	Call, Return int64
}

// A Recorder collects a history. It is safe for concurrent use.
type Recorder struct {
	clock atomic.Int64

	mu     sync.Mutex
	done   []Operation
	shared map[string]*strings.Builder // by key: the longest value that was read
}

// Begin returns what Call of an operation must be that begins now.
func (r *Recorder) Begin() (call int64) { return r.clock.Add(1) }

// End records an operation that has returned now. It sets Return.
func (r *Recorder) End(op Operation) {
	op.Return = r.clock.Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	if op.Kind == Get {
		op.Value = r.shareLocked(op.Key, op.Value)
	}
	r.done = append(r.done, op)
}

// shareLocked returns a value that was read under key. While a value grows at its end, all that was read of it shares one
// memory; otherwise the memory would grow with the square of the number of appends.
func (r *Recorder) shareLocked(key, value string) string {
	if r.shared == nil {
		r.shared = make(map[string]*strings.Builder)
	}
	b := r.shared[key]
	switch {
	case b != nil && strings.HasPrefix(b.String(), value):
		return b.String()[:len(value)]
	case b == nil || !strings.HasPrefix(value, b.String()):
		b = new(strings.Builder)
		r.shared[key] = b
	}
	b.WriteString(value[b.Len():])
	return b.String()
}

// History returns the operations so far.
func (r *Recorder) History() []Operation {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.done[:len(r.done):len(r.done)]
}
