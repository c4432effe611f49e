package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"6.824/cmd/cli"
)

// A runner runs a suite many times. Only the goroutine of runAll uses screen and the fields below it.
type runner struct {
	options
	suite   *suite
	scratch string
	limit   time.Duration // of one run; 0: none
	begun   time.Time
	running atomic.Int64
	killed  atomic.Int64
	screen  *screen
	results []result
	failed  int
	took    time.Duration
	stopped string // why not all runs have finished
}

// A result is the outcome of a finished run.
type result struct {
	run     int
	took    time.Duration
	failure *failure // nil: it passed
	output  string   // a file
	log     string   // the output's copy that is kept
	err     error    // why it could not run
}

// runAll carries out the runs and prints those that fail. It returns an error if one could not start or no log be kept.
func (r *runner) runAll(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	finished := make(chan result)
	go r.work(ctx, finished)
	return r.collect(finished, stop)
}

// collect takes finished runs until the channel is closed. It calls stop when no more are wanted.
func (r *runner) collect(finished <-chan result, stop func()) (err error) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	r.screen.status(r.progress(), 0)
	enough := false
	for {
		select {
		case res, open := <-finished:
			switch {
			case !open:
				return err
			case enough:
				r.killed.Add(1) // it ended while the others were being killed
				continue
			}
			err = r.take(res)
			if enough = err != nil || r.failfast > 0 && r.failed == r.failfast; enough {
				stop()
			}
		case <-tick.C:
			r.screen.status(r.progress(), time.Since(r.begun))
		}
	}
}

// work starts the runs, parallelism at a time, until ctx ends, and sends the outcome of each. It closes the channel when
// all have ended.
func (r *runner) work(ctx context.Context, finished chan<- result) {
	var workers sync.WaitGroup
	var started atomic.Int64
	for range r.parallelism {
		workers.Go(func() {
			for ctx.Err() == nil {
				n := int(started.Add(1))
				if n > r.runs {
					return
				}
				r.running.Add(1)
				res := r.execute(ctx, n)
				r.running.Add(-1)
				if ctx.Err() != nil {
					r.killed.Add(1)
					return
				}
				finished <- res
			}
		})
	}
	workers.Wait()
	close(finished)
}

// dumpTime is how long a run that is to be killed may print the stacks of its goroutines.
const dumpTime = 2 * time.Second

// execute carries out run n.
func (r *runner) execute(ctx context.Context, n int) result {
	res := result{run: n, output: filepath.Join(r.scratch, fmt.Sprint(n, ".out"))}
	temporary := filepath.Join(r.scratch, strconv.Itoa(n))
	defer os.RemoveAll(temporary)
	output, err := os.Create(res.output)
	if err == nil {
		defer output.Close()
		err = os.Mkdir(temporary, 0o700)
	}
	if err != nil {
		res.err = err
		return res
	}
	ctx, kill := context.WithCancel(ctx)
	defer kill()
	cmd := r.suite.command(ctx, temporary, r.testFlags...)
	if pictures, err := filepath.Abs(r.logs); err == nil { // absolute, since the run starts in another directory
		cmd.Env = append(cmd.Env, "PICTURES="+pictures)
	}
	cmd.Stdout, cmd.Stderr = output, output
	begun := time.Now()
	if res.err = cmd.Start(); res.err != nil {
		return res
	}
	var late atomic.Bool
	if r.limit > 0 {
		timer := time.AfterFunc(r.limit, func() {
			late.Store(true)
			cmd.Process.Signal(syscall.SIGQUIT)
			time.AfterFunc(dumpTime, kill)
		})
		defer timer.Stop()
	}
	cmd.Wait() // its error says less than the state
	cli.KillLeft(cmd)
	res.took = time.Since(begun)
	if state := cmd.ProcessState; !state.Success() {
		end := ending{code: state.ExitCode(), state: state.String(), race: r.suite.race, marks: value(r.testFlags, "v") == marking}
		if late.Load() {
			end.code, end.state = -1, "killed after "+duration(r.limit)
		}
		res.failure, res.err = readFailure(res.output, r.suite.tests, end)
	}
	return res
}

// take counts a finished run. If it failed, take saves its output and prints a line.
func (r *runner) take(res result) error {
	defer os.Remove(res.output)
	if res.err != nil {
		return fmt.Errorf("run %d: %w", res.run, res.err)
	}
	if res.failure == nil {
		r.results = append(r.results, res)
		return nil
	}
	log, err := keepLog(res.output, r.logs, res.run)
	res.log = log
	r.results = append(r.results, res)
	r.failed++
	if err != nil {
		return fmt.Errorf("run %d failed, but its output cannot be saved: %w", res.run, err)
	}
	r.screen.print(res.String())
	r.screen.status(r.progress(), time.Since(r.begun))
	return nil
}

// withoutMarks is a writer to which the testing package's marks do not get.
type withoutMarks struct{ w io.Writer }

func (w withoutMarks) Write(p []byte) (int, error) {
	_, err := w.w.Write(bytes.ReplaceAll(p, []byte{mark}, nil))
	return len(p), err
}

// keepLog copies the output of a failed run to an unused name in a directory and returns that name.
func keepLog(output, dir string, run int) (string, error) {
	from, err := os.Open(output)
	if err != nil {
		return "", err
	}
	defer from.Close()
	name := filepath.Join(dir, fmt.Sprintf("test-%d.log", run))
	for k := 2; ; k++ {
		to, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) {
			name = filepath.Join(dir, fmt.Sprintf("test-%d-%d.log", run, k))
			continue
		}
		if err != nil {
			return "", err
		}
		_, err = io.Copy(withoutMarks{to}, from)
		if err = errors.Join(err, to.Close()); err != nil {
			os.Remove(name) // a part of the output would pass for all of it
			return "", err
		}
		return name, nil
	}
}
