package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// sweep is a run over a range of seeds. Seeds are handed out in order, and their verdicts are
// reported in order, so that what it prints does not depend on which worker was faster.
type sweep struct {
	*runner
	next     atomic.Uint64 // seeds handed out
	stop     atomic.Bool   // hand out no more
	verdicts chan *verdict
	errs     chan error

	waiting  map[uint64]*verdict // reported when all lower seeds have been
	reported uint64
	done     uint64
	failed   uint64
	orders   map[uint64]bool // different schedules
	start    time.Time
}

// all runs the seeds of -seeds on opts.jobs workers.
func (r *runner) all(ctx context.Context) (int, error) {
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
	code, err := s.collect(ctx)
	cancel()
	workers.Wait()
	return code, err
}

// work runs seeds until there are no more.
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

// collect reports verdicts as they come, until the last, the first failure, or an error.
func (s *sweep) collect(ctx context.Context) (int, error) {
	progress := newProgress(s.stderr)
	defer progress.close()
	for {
		select {
		case v, ok := <-s.verdicts:
			if !ok {
				progress.close()
				return s.summary(), nil
			}
			s.done++
			s.waiting[v.seed] = v
			for s.waiting[s.opts.seeds.first+s.reported] != nil {
				progress.clear()
				if code, err := s.report(); code != exitPass {
					return code, err
				}
			}
		case err := <-s.errs:
			return exitFail, err
		case <-progress.C:
			progress.show(fmt.Sprintf("%d of %d seeds, %d failed, %v", s.done, s.opts.seeds.size(), s.failed,
				time.Since(s.start).Round(time.Second)))
		case <-ctx.Done():
			return exitInterrupted, ctx.Err()
		}
	}
}

// report prints the next verdict in order. Anything but exitPass ends the sweep.
func (s *sweep) report() (int, error) {
	seed := s.opts.seeds.first + s.reported
	v := s.waiting[seed]
	delete(s.waiting, seed)
	s.reported++
	s.orders[v.Order] = true
	if v.output == nil {
		return exitPass, nil
	}
	s.failed++
	err := v.unusable()
	if !s.opts.keepGoing || s.opts.verbose || err != nil {
		s.stdout.Write(v.output.kept)
		if v.output.lost > 0 {
			fmt.Fprintf(s.stderr, "replay: the output is long and its first %d bytes are left out\n", v.output.lost)
		}
	}
	if err != nil {
		return exitUsage, err
	}
	for _, h := range v.hints(s.opts) {
		fmt.Fprintf(s.stderr, "replay: %s\n", h)
	}
	fmt.Fprintf(s.stdout, "seed %d failed: %s\n\t%s\n", seed, v.reason(), s.opts.command(seed))
	if s.opts.keepGoing {
		return exitPass, nil
	}
	fmt.Fprintf(s.stderr, "replay: %d seeds in %v\n", s.reported, time.Since(s.start).Round(msec))
	return exitFail, nil
}

// summary ends a sweep that has reached its last seed.
func (s *sweep) summary() int {
	wall := time.Since(s.start)
	fmt.Fprintf(s.stdout, "seeds %v: %d passed, %d failed, %d different schedules\n", s.opts.seeds,
		s.reported-s.failed, s.failed, len(s.orders))
	fmt.Fprintf(s.stderr, "replay: %v, %v a seed\n", wall.Round(msec), (wall / time.Duration(s.reported)).Round(msec))
	if s.failed > 0 {
		return exitFail
	}
	return exitPass
}
