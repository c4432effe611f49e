package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"6.824/cmd/cli"
)

// sweep runs a range of seeds. It starts seeds and reports their verdicts in order, so that its output does not depend on
// the speed of the workers.
type sweep struct {
	*runner
	next     atomic.Uint64 // number of started seeds
	stop     atomic.Bool   // start no more seeds
	verdicts chan *verdict
	errs     chan error

	waiting  map[uint64]*verdict // until all lower seeds are reported
	reported uint64
	done     uint64
	failed   uint64
	orders   map[uint64]bool // different schedules
	start    time.Time
}

// all runs the seeds of -seeds on opts.jobs workers.
func (r *runner) all(ctx context.Context) error {
	s := &sweep{runner: r, verdicts: make(chan *verdict), errs: make(chan error), waiting: map[uint64]*verdict{},
		orders: map[uint64]bool{}, start: time.Now()}
	ctx, cancel := context.WithCancel(ctx)
	var workers sync.WaitGroup
	for range min(uint64(r.opts.jobs), r.opts.seeds.size()) {
		workers.Go(func() { s.work(ctx) })
	}
	go func() {
		workers.Wait()
		close(s.verdicts)
	}()
	err := s.collect(ctx)
	cancel()
	workers.Wait()
	return err
}

// work runs seeds until none is left or stop is set.
func (s *sweep) work(ctx context.Context) {
	slot := &slot{r: s.runner}
	defer slot.close()
	for !s.stop.Load() {
		i := s.next.Add(1) - 1
		if i >= s.opts.seeds.size() {
			return
		}
		v, err := slot.run(ctx, s.opts.seeds.first+i, io.Discard)
		if err != nil {
			select {
			case s.errs <- err:
			case <-ctx.Done():
			}
			return
		}
		if v.passed() && v.unusable() == nil {
			v.output = nil
		} else if !s.opts.keepGoing {
			s.stop.Store(true)
		}
		select {
		case s.verdicts <- v:
		case <-ctx.Done():
			return
		}
	}
}

// collect reports verdicts until the last one, the first failure, or an error.
func (s *sweep) collect(ctx context.Context) error {
	progress := newProgress(s.stderr)
	defer progress.close()
	for {
		select {
		case v, ok := <-s.verdicts:
			if !ok {
				progress.close()
				return s.summary()
			}
			s.done++
			s.waiting[v.seed] = v
			for s.waiting[s.opts.seeds.first+s.reported] != nil {
				progress.clear()
				if err := s.report(); err != nil {
					return err
				}
			}
		case err := <-s.errs:
			return err
		case <-progress.C:
			progress.show(fmt.Sprintf("%d of %d seeds, %d failed, %v", s.done, s.opts.seeds.size(), s.failed,
				time.Since(s.start).Round(time.Second)))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// report prints the next verdict in order. An error ends the sweep.
func (s *sweep) report() error {
	seed := s.opts.seeds.first + s.reported
	v := s.waiting[seed]
	delete(s.waiting, seed)
	s.reported++
	s.orders[v.Order] = true
	if v.output == nil {
		return nil
	}
	s.failed++
	err := v.unusable()
	if !s.opts.keepGoing || s.opts.verbose || err != nil {
		s.stdout.Write(v.output.kept)
		if v.output.lost > 0 {
			fmt.Fprintf(s.stderr, "replay: the first %d bytes of the output are left out\n", v.output.lost)
		}
	}
	if err != nil {
		return cli.Unusable(err)
	}
	for _, h := range v.hints(s.opts) {
		fmt.Fprintf(s.stderr, "replay: %s\n", h)
	}
	fmt.Fprintf(s.stdout, "seed %d failed: %s\n\t%s\n", seed, v.reason(), s.opts.command(seed))
	if s.opts.keepGoing {
		return nil
	}
	fmt.Fprintf(s.stderr, "replay: %s in %v\n", cli.Count(int(s.reported), "seed"), time.Since(s.start).Round(msec))
	return cli.ErrFailed
}

// summary prints the totals of a sweep that has reached its last seed.
func (s *sweep) summary() error {
	fmt.Fprintf(s.stdout, "seeds %v: %d passed, %d failed, %d different schedules\n", s.opts.seeds,
		s.reported-s.failed, s.failed, len(s.orders))
	fmt.Fprintf(s.stderr, "replay: %s in %v\n", cli.Count(int(s.reported), "seed"), time.Since(s.start).Round(msec))
	if s.failed > 0 {
		return cli.ErrFailed
	}
	return nil
}
