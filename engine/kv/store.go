// Package kv is a key/value service for package engine: its state, and its HTTP interface. Command kvd runs it.
//
//	op.go       operations, as the log holds them
//	store.go    Store: the state machine
//	server.go   Server: a Store on an engine.Node
//	http.go     the HTTP interface for keys
//	listen.go   what bounds the connections of clients
//	admin.go    the HTTP interface for operators
package kv

import (
	"container/list"
	"encoding/binary"
	"maps"
	"slices"
	"sync"
)

// A Store is the state machine of the service: keys with values, and what clients have done last. It implements
// rsm.StateMachine and rsm.Codec. Get and URL may be called at any time.
type Store struct {
	mu       sync.RWMutex
	values   map[string]string
	sessions map[uint64]*list.Element // by client
	recent   list.List                // of *session, the longest unused first
	urls     map[string]string        // of servers
}

// A session is what the store remembers of a client: its last operation, so that it is not carried out twice.
type session struct {
	client, request uint64
	result          Result
}

// maxSessions bounds the clients that a store remembers. The one that was unused for longest is forgotten first; every server
// forgets the same one, since that depends on the log alone.
const maxSessions = 1 << 16

// A Result says how an operation has ended.
type Result byte

// The results.
const (
	Done          Result = iota
	NoKey                // there is no such key
	Mismatch             // the key has another value than compare-and-set expects
	TooLarge             // the value would become too large
	OutOfSequence        // the client has had a later request carried out since
)

// Limits of keys and values, in bytes.
const (
	MaxKey   = 1 << 10
	MaxValue = 1 << 20
)

// NewStore returns an empty store.
func NewStore() *Store {
	return &Store{values: map[string]string{}, sessions: map[uint64]*list.Element{}, urls: map[string]string{}}
}

// Get returns the value of a key.
func (s *Store) Get(key string) (value string, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	value, ok = s.values[key]
	return value, ok
}

// URL returns where clients reach a server, or "" if it has not said so yet.
func (s *Store) URL(server string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.urls[server]
}

// DoOp carries out an operation, unless its client has had it carried out before, and returns the Result.
func (s *Store) DoOp(req any) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := req.(op)
	if o.client == 0 {
		return s.apply(o)
	}
	e := s.sessions[o.client]
	if e == nil {
		e = s.recent.PushBack(&session{client: o.client})
		s.sessions[o.client] = e
	}
	s.recent.MoveToBack(e)
	last := e.Value.(*session)
	switch {
	case o.request < last.request:
		return OutOfSequence
	case o.request > last.request:
		last.request, last.result = o.request, s.apply(o)
	}
	if oldest := s.recent.Front(); len(s.sessions) > maxSessions {
		delete(s.sessions, s.recent.Remove(oldest).(*session).client)
	}
	return last.result
}

func (s *Store) apply(o op) Result {
	value, ok := s.values[o.key]
	switch o.kind {
	case put:
		s.values[o.key] = o.value
	case appendTo:
		if len(value)+len(o.value) > MaxValue {
			return TooLarge
		}
		s.values[o.key] = value + o.value
	case cas:
		if ok == o.absent || ok && value != o.old {
			return Mismatch
		}
		s.values[o.key] = o.value
	case remove:
		if !ok {
			return NoKey
		}
		delete(s.values, o.key)
	case announce:
		s.urls[o.key] = o.value
	}
	return Done
}

// Snapshot returns the encoded state. Equal states have the same encoding.
func (s *Store) Snapshot() []byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var b []byte
	for _, m := range []map[string]string{s.values, s.urls} {
		b = binary.AppendUvarint(b, uint64(len(m)))
		for _, key := range slices.Sorted(maps.Keys(m)) {
			b = appendText(appendText(b, key), m[key])
		}
	}
	for e := s.recent.Front(); e != nil; e = e.Next() {
		last := e.Value.(*session)
		b = binary.AppendUvarint(binary.AppendUvarint(b, last.client), last.request)
		b = append(b, byte(last.result))
	}
	return b
}

// Restore replaces the state by that of a snapshot. It panics if Snapshot has not made it.
func (s *Store) Restore(snapshot []byte) {
	next := NewStore()
	r := reader{rest: string(snapshot)}
	for _, m := range []map[string]string{next.values, next.urls} {
		for n := r.number(); n > 0 && r.err == nil; n-- {
			key := r.text()
			m[key] = r.text()
		}
	}
	for r.rest != "" && r.err == nil {
		last := &session{client: r.number(), request: r.number(), result: Result(r.byte())}
		next.sessions[last.client] = next.recent.PushBack(last)
	}
	if r.err != nil {
		panic("kv: a snapshot comes from another program")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values, s.urls, s.sessions = next.values, next.urls, next.sessions
	s.recent.Init()
	s.recent.PushBackList(&next.recent)
	for e := s.recent.Front(); e != nil; e = e.Next() {
		s.sessions[e.Value.(*session).client] = e
	}
}
