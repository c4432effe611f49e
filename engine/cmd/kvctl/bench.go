package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// bench measures Puts: each of some clients puts one value after the other, under a key of its own.
func bench(c *client, o options) error {
	ctx, cancel := context.WithTimeout(c.ctx, time.Duration(o.seconds)*time.Second)
	defer cancel()
	var mu sync.Mutex
	var took []time.Duration
	var failed int
	var last error
	value := strings.Repeat("x", o.size)
	begun := time.Now()
	var clients sync.WaitGroup
	for k := range o.clients {
		one := *c
		one.ctx, one.identity = ctx, newIdentity()
		clients.Go(func() {
			for ctx.Err() == nil {
				sent := time.Now()
				err := one.once("PUT", pathOf(fmt.Sprint("bench/", k)), value)
				mu.Lock()
				if err == nil {
					took = append(took, time.Since(sent))
				} else if ctx.Err() == nil {
					failed, last = failed+1, err
				}
				mu.Unlock()
			}
		})
	}
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for done := waitFor(&clients); ; {
		select {
		case <-ticker.C:
			mu.Lock()
			fmt.Fprintf(c.progress, "%d s: %d Puts\n", int(time.Since(begun).Seconds()), len(took))
			mu.Unlock()
			continue
		case <-done:
		}
		break
	}
	if len(took) == 0 {
		return fmt.Errorf("no Put has succeeded; the last error: %v", last)
	}
	slices.Sort(took)
	at := func(part float64) time.Duration { return took[int(part*float64(len(took)-1))].Round(time.Microsecond) }
	fmt.Fprintf(c.out, "%d clients, values of %d bytes: %.0f Puts a second; p50 %v, p90 %v, p99 %v, longest %v; %d failed\n",
		o.clients, o.size, float64(len(took))/time.Since(begun).Seconds(), at(0.5), at(0.9), at(0.99), at(1), failed)
	return nil
}

func waitFor(g *sync.WaitGroup) <-chan struct{} {
	done := make(chan struct{})
	go func() { g.Wait(); close(done) }()
	return done
}
