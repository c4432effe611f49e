package main

import (
	"cmp"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// child is a worker as its parent uses it.
type child struct {
	cmd    *exec.Cmd
	enc    *gob.Encoder
	frames chan frame // closed when the worker has ended
}

// startChild starts a worker for the plan and waits until it is ready.
func startChild(ctx context.Context, p *plan) (*child, error) {
	c, err := spawn()
	if err != nil {
		return nil, err
	}
	if err := c.enc.Encode(p); err != nil {
		c.kill()
		return nil, err
	}
	select {
	case f := <-c.frames:
		if f.Ready {
			return c, nil
		}
		c.kill()
		return nil, fmt.Errorf("a worker did not start: %s", cmp.Or(f.Err, c.cmd.ProcessState.String()))
	case <-ctx.Done():
		c.kill()
		return nil, ctx.Err()
	}
}

// spawn starts this program again, as a worker.
func spawn() (*child, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), workerEnv+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{cmd: cmd, enc: gob.NewEncoder(in), frames: make(chan frame, 64)}
	go c.receive(out)
	return c, nil
}

// receive sends the worker's frames to c.frames until the worker ends.
func (c *child) receive(out io.Reader) {
	defer close(c.frames)
	dec := gob.NewDecoder(out)
	for {
		var f frame
		if dec.Decode(&f) != nil {
			c.cmd.Wait()
			return
		}
		c.frames <- f
	}
}

// kill kills the worker and waits until it has ended.
func (c *child) kill() {
	c.cmd.Process.Kill()
	for range c.frames {
	}
}

// result is the outcome of a run with the parent's measurements.
type result struct {
	seed uint64
	outcome
	began bool          // a test has begun
	late  bool          // killed after -timeout
	quiet time.Duration // if late: how long its clock had stood still
	wall  time.Duration // real time
}

func (r *result) passed() bool { return !r.late && r.outcome.passed() }

// run runs the tests from a seed and copies their output to out. After an error or a late result, the worker has ended.
func (c *child) run(ctx context.Context, seed uint64, timeout time.Duration, out io.Writer) (*result, error) {
	start := time.Now()
	r, moved := &result{seed: seed}, start
	if err := c.enc.Encode(seed); err != nil {
		c.kill()
		return nil, err
	}
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	for {
		select {
		case f, ok := <-c.frames:
			r.wall = time.Since(start)
			switch {
			case !ok:
				return nil, fmt.Errorf("seed %d: the process that ran the tests died: %v", seed, c.cmd.ProcessState)
			case f.Err != "":
				c.kill()
				return nil, errors.New(f.Err)
			case f.Outcome != nil:
				r.outcome = *f.Outcome
				return r, nil
			case f.Status != nil:
				if f.Status.Virtual != r.Status.Virtual {
					moved = time.Now()
				}
				r.Status = *f.Status
			default:
				out.Write(f.Output)
			}
		case <-deadline.C:
			c.kill()
			r.late, r.quiet, r.wall = true, time.Since(moved), time.Since(start)
			return r, nil
		case <-ctx.Done():
			c.kill()
			return nil, ctx.Err()
		}
	}
}
