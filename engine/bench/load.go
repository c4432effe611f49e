package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A load is a number of clients, each of which begins an operation when the one before has ended.
type load struct {
	Clients int
	Size    int  // of a command or a value, in bytes
	Reads   bool // the operations are reads
	For     time.Duration
}

// A result is what a load has measured.
type result struct {
	Ops  int
	Took time.Duration
	P50  time.Duration
	P99  time.Duration
}

// loadPatience bounds how long an operation may take before a load fails.
const loadPatience = 10 * time.Second

// run runs the clients. Each call of do[k] is an operation of client k.
func (l load) run(do []func(context.Context) error) (result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), l.For+loadPatience)
	defer cancel()
	took := make([][]time.Duration, l.Clients)
	errs := make([]error, l.Clients)
	begun := time.Now()
	var clients sync.WaitGroup
	for k := range l.Clients {
		clients.Go(func() {
			for now := time.Now(); now.Sub(begun) < l.For; {
				if errs[k] = do[k](ctx); errs[k] != nil {
					return
				}
				end := time.Now()
				took[k] = append(took[k], end.Sub(now))
				now = end
			}
		})
	}
	clients.Wait()
	r := result{Took: time.Since(begun)}
	if err := errors.Join(errs...); err != nil {
		return r, err
	}
	all := slices.Concat(took...)
	slices.Sort(all)
	r.Ops, r.P50, r.P99 = len(all), all[len(all)/2], all[len(all)*99/100]
	return r, nil
}

// waiters are clients that wait until their command is applied. A command begins with its number, which says whose it is. They
// cost little, since they count as time of the servers.
type waiters struct {
	count   atomic.Int64 // commands applied
	last    atomic.Uint32
	clients [maxClients]waiter
}

type waiter struct {
	number atomic.Uint64 // of the command; 0 if there is none
	done   chan struct{}
}

func newWaiters() *waiters {
	w := &waiters{}
	w.last.Store(rand.Uint32()) // another server's commands have other numbers
	for k := range w.clients {
		w.clients[k].done = make(chan struct{}, 1)
	}
	return w
}

// do proposes a command of a size for a client, and waits until it is applied here.
func (w *waiters) do(ctx context.Context, s server, client, size int) error {
	number := uint64(w.last.Add(1))<<32 | uint64(client)
	command := make([]byte, max(size, 8))
	binary.LittleEndian.PutUint64(command, number)
	c := &w.clients[client]
	c.number.Store(number)
	if err := s.propose(command); err != nil {
		c.number.Store(0)
		return err
	}
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("a command was not applied: %w", ctx.Err())
	}
}

// applied tells the client that waits for a command, if there is one in this process.
func (w *waiters) applied(command []byte) {
	w.count.Add(1)
	number := binary.LittleEndian.Uint64(command)
	if c := &w.clients[uint32(number)%maxClients]; c.number.CompareAndSwap(number, 0) {
		c.done <- struct{}{}
	}
}
