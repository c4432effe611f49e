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

	"6.824/cmd/cli"
)

// Guests run in child processes, one at a time in each. Go's scheduler cannot interrupt compiled wasm: a guest in a tight
// loop would block the garbage collector, and with it the whole process, signals and timeouts included. A child process can
// be killed.

// workerEnv marks a child process.
const workerEnv = "REPLAY_WORKER"

// frame is a message from a worker to its parent.
type frame struct {
	Ready   bool // the first frame: the worker is ready for seeds
	Output  []byte
	Status  *status // of the current run
	Outcome *outcome
	Err     string // why the worker ends
}

// frames sends frames to the parent. It is safe for concurrent use.
type frames struct {
	mu  sync.Mutex
	enc *gob.Encoder
}

// send ends the process if the parent is gone.
func (f *frames) send(fr frame) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enc.Encode(fr); err != nil {
		os.Exit(cli.ExitFailed)
	}
}

// Write sends a guest's output.
func (f *frames) Write(p []byte) (int, error) {
	f.send(frame{Output: p})
	return len(p), nil
}

// work is a child's main function. It reads a plan and then seeds from in, and runs the seeds until in ends.
func work(in io.Reader, out io.Writer) error {
	signal.Ignore(os.Interrupt) // a terminal sends it to all processes, but the parent ends its workers
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
	runtime.GC() // before a guest runs: a tight loop would block the collection
	f.send(frame{Ready: true})
	go f.watch(m)
	seeds := make(chan uint64)
	go func() {
		var seed uint64
		for dec.Decode(&seed) == nil {
			seeds <- seed
		}
		os.Exit(cli.ExitOK) // the parent is done or gone, perhaps in the middle of a run
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

// fail tells the parent why the worker ends.
func fail(f *frames, err error) error {
	f.send(frame{Err: err.Error()})
	return err
}

// watch sends the status of the machine's guest five times a second.
func (f *frames) watch(m *machine) {
	for range time.Tick(200 * time.Millisecond) {
		if h := m.current.Load(); h != nil {
			s := h.status()
			f.send(frame{Status: &s})
		}
	}
}

// workIfChild runs work and exits if this process is a child.
func workIfChild() {
	if os.Getenv(workerEnv) == "" {
		return
	}
	if err := work(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "replay: worker: %v\n", err)
		os.Exit(cli.ExitFailed)
	}
	os.Exit(cli.ExitOK)
}
