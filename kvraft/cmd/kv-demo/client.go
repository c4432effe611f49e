package main

import (
	"context"
	"fmt"
	"math/rand"
	"sync"
	"time"

	"6.824/kvraft"
	"6.824/kvraft/cluster"
	"6.824/kvraft/history"
	"6.824/kvraft/internal/recording"
)

// shared are the keys to which all clients append.
var shared = []string{"red", "green", "blue"}

// ownKey is the key under which only this client puts values.
func ownKey(client int) string { return fmt.Sprint("client ", client) }

// think is the longest pause of a client between two operations.
const think = 60 * time.Millisecond

// client is a Clerk whose operations are recorded.
type client struct {
	id     int
	ck     *kvraft.Clerk
	record *recording.Recording
	rand   *rand.Rand

	mu      sync.Mutex // guards what follows
	since   time.Time  // beginning of the operation under way; zero if there is none
	current string     // that operation
	count   [3]int     // operations that were acknowledged, by kind
	longest time.Duration
	texts   map[string][]string // what was appended to each key
	last    string              // what was put last
}

func newClient(id int, c *cluster.Client, record *recording.Recording, seed int64) *client {
	record.AddClient(id, c.EndNames())
	return &client{id: id, ck: kvraft.MakeClerk(c.Ends()), record: record,
		rand: rand.New(rand.NewSource(seed)), texts: make(map[string][]string)}
}

// work carries out operations until ctx is done.
func (cl *client) work(ctx context.Context, clients int) {
	for n := 1; ctx.Err() == nil; n++ {
		text, key := fmt.Sprintf("%d.%d ", cl.id, n), shared[cl.rand.Intn(len(shared))]
		switch k := cl.rand.Intn(10); {
		case k < 4:
			cl.do(history.Append, key, text)
		case k < 6:
			cl.do(history.Put, ownKey(cl.id), text)
		case k < 9:
			cl.do(history.Get, key, "")
		default:
			cl.do(history.Get, ownKey(cl.rand.Intn(clients)), "")
		}
		select {
		case <-time.After(time.Duration(cl.rand.Int63n(int64(think)))):
		case <-ctx.Done():
		}
	}
}

// do carries out an operation, and returns the value that a Get returns.
func (cl *client) do(kind history.Kind, key, value string) string {
	op := history.Operation{Client: cl.id, Kind: kind, Key: key, Value: value}
	begun := time.Now()
	cl.mu.Lock()
	cl.since, cl.current = begun, history.Values.Request(&op)
	cl.mu.Unlock()
	end := cl.record.Start(op)
	switch kind {
	case history.Get:
		op.Value = cl.ck.Get(key)
	case history.Put:
		cl.ck.Put(key, value)
	case history.Append:
		cl.ck.Append(key, value)
	}
	end(op)
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.since = time.Time{}
	cl.longest = max(cl.longest, time.Since(begun))
	cl.count[kind]++
	switch kind {
	case history.Put:
		cl.last = value
	case history.Append:
		cl.texts[key] = append(cl.texts[key], value)
	}
	return op.Value
}

// done returns the number of acknowledged operations, and for how long the client has been waiting for the current one.
func (cl *client) done() (ops int, waiting time.Duration) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	for _, n := range cl.count {
		ops += n
	}
	if !cl.since.IsZero() {
		waiting = time.Since(cl.since)
	}
	return ops, waiting
}

// unfinished describes the operation under way.
func (cl *client) unfinished() string {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	return fmt.Sprintf("client %d still waits for %s", cl.id, cl.current)
}
