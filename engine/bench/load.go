package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
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

// waiters are operations that wait until their command is applied. A command begins with its number.
type waiters struct {
	count   atomic.Int64 // commands applied
	last    atomic.Uint64
	mu      sync.Mutex
	waiting map[uint64]chan struct{}
}

func newWaiters() *waiters { return &waiters{waiting: map[uint64]chan struct{}{}} }

// do proposes a command of a size and waits until it is applied here.
func (w *waiters) do(ctx context.Context, s server, size int) error {
	number := w.last.Add(1)
	command := make([]byte, max(size, 8))
	binary.LittleEndian.PutUint64(command, number)
	done := make(chan struct{})
	w.mu.Lock()
	w.waiting[number] = done
	w.mu.Unlock()
	if err := s.propose(command); err != nil {
		return err
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("a command was not applied: %w", ctx.Err())
	}
}

// applied tells the operation that waits for a command, if there is one in this process.
func (w *waiters) applied(command []byte) {
	number := binary.LittleEndian.Uint64(command)
	w.mu.Lock()
	done := w.waiting[number]
	delete(w.waiting, number)
	w.mu.Unlock()
	w.count.Add(1)
	if done != nil {
		close(done)
	}
}
