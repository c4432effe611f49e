package main

import (
	"encoding/gob"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"time"
)

// Guests run in child processes, one at a time in each. Compiled wasm is code that Go's scheduler
// cannot interrupt: a guest in a tight loop would sooner or later hold up the garbage collector and
// with it the whole process, signals and time limits included. A process can be killed.

// workerEnv marks a child process.
const workerEnv = "REPLAY_WORKER"

// frame is what a worker tells its parent.
type frame struct {
	Ready   bool // once, when seeds are welcome
	Output  []byte
	Status  *status // of the run that is going on
	Outcome *outcome
	Err     string // the worker cannot go on
}

// frames sends frames from several goroutines.
type frames struct {
	mu  sync.Mutex
	enc *gob.Encoder
}

// send ends the process when the parent is gone.
func (f *frames) send(fr frame) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enc.Encode(fr); err != nil {
		os.Exit(exitUsage)
	}
}

// Write sends a guest's output.
func (f *frames) Write(p []byte) (int, error) {
	f.send(frame{Output: p})
	return len(p), nil
}

// work is a child's main function: it reads a plan, then seeds, and runs them until there are no more.
func work(in io.Reader, out io.Writer) error {
	signal.Ignore(os.Interrupt) // the parent's affair, though the terminal sends it to all
	dec, f := gob.NewDecoder(in), &frames{enc: gob.NewEncoder(out)}
	var p plan
	if err := dec.Decode(&p); err != nil {
		return err
	}
	m, err := newMachine(&p)
	if err != nil {
		return fail(f, err)
	}
	defer m.close()
	runtime.GC() // not while a guest runs: one in a tight loop would stop it half-way
	f.send(frame{Ready: true})
	go f.watch(m)
	seeds := make(chan uint64)
	go func() {
		var seed uint64
		for dec.Decode(&seed) == nil {
			seeds <- seed
		}
		os.Exit(exitPass) // the parent is done, or gone: in the middle of a run too
	}()
	for seed := range seeds {
		o, err := m.run(seed, f)
		if err != nil {
			return fail(f, err)
		}
		f.send(frame{Outcome: o})
	}
	return nil
}

func fail(f *frames, err error) error {
	f.send(frame{Err: err.Error()})
	return err
}

// watch reports a few times a second how far the machine's guest has come.
func (f *frames) watch(m *machine) {
	for range time.Tick(200 * time.Millisecond) {
		if h := m.current.Load(); h != nil {
			s := h.status()
			f.send(frame{Status: &s})
		}
	}
}

// workIfChild turns a process that a parent started into a worker.
func workIfChild() {
	if os.Getenv(workerEnv) == "" {
		return
	}
	if err := work(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "replay: worker: %v\n", err)
		os.Exit(exitUsage)
	}
	os.Exit(exitPass)
}
