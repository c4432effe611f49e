package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

// maxMemory bounds one guest's memory, in pages of 64 KiB: 2 GiB.
const maxMemory = 2 << 30 >> 16

// plan holds what all runs have in common.
type plan struct {
	Target  target
	Cache   string   // directory of compiled modules
	Scratch string   // directory for files of this process
	Args    []string // of the test binary
	Env     []string
	Trace   traceOptions
	Picture pictureOptions
}

func newPlan(t *target, opts *options, cache, scratch string) *plan {
	args := []string{filepath.Base(t.ImportPath) + ".test", "-test.paniconexit0",
		"-test.v=test2json", "-test.timeout=" + opts.limit.String(), "-test.count=" + strconv.Itoa(opts.count)}
	if opts.run != "" {
		args = append(args, "-test.run="+opts.run)
	}
	return &plan{Target: *t, Cache: cache, Scratch: scratch, Args: append(args, opts.args...), Env: opts.env,
		Trace:   traceOptions{opts.trace, opts.traceFuncs},
		Picture: pictureOptions{opts.picture, opts.command(opts.seeds.first), t.Watched, t.Replaced, t.NotWatched}}
}

// machine holds the compiled tests. It can run them from any seed.
type machine struct {
	plan    *plan
	runtime wazero.Runtime
	module  wazero.CompiledModule
	current atomic.Pointer[host] // of the running guest, or nil
}

// newMachine compiles the tests to machine code, unless the cache has that.
func newMachine(p *plan) (*machine, error) {
	code, err := os.ReadFile(p.Target.Wasm)
	if err != nil {
		return nil, err
	}
	yields, err := findYielding(code)
	if err != nil {
		return nil, err
	}
	cache, err := wazero.NewCompilationCacheWithDir(p.Cache)
	if err != nil {
		return nil, err
	}
	ctx := experimental.WithCompilationWorkers(context.Background(), runtime.NumCPU())
	ctx = experimental.WithFunctionListenerFactory(ctx, newListeners(p.Target.Packages, yields))
	config := wazero.NewRuntimeConfig().WithCompilationCache(cache).WithMemoryLimitPages(maxMemory)
	m := &machine{plan: p, runtime: wazero.NewRuntimeWithConfig(ctx, config)}
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, m.runtime); err != nil {
		return nil, err
	}
	if m.module, err = m.runtime.CompileModule(ctx, code); err != nil {
		return nil, fmt.Errorf("cannot compile the tests' wasm: %w", err)
	}
	return m, nil
}

func (m *machine) close() { m.runtime.Close(context.Background()) }

// outcome is the outcome of a run that has ended.
type outcome struct {
	Code   uint32            // of the test binary
	Trap   string            // why the guest was ended, or "" if it exited by itself
	Digest [sha256.Size]byte // of output, clock calls, random bytes and scheduling
	Order  uint64            // of scheduling alone
	Page   string            // what the page of -picture shows
	Status status
}

// passed reports whether all tests ran and passed.
func (o *outcome) passed() bool { return o.Code == 0 && o.Trap == "" }

// run runs the tests once.
func (m *machine) run(seed uint64, out io.Writer) (*outcome, error) {
	tmp, err := os.MkdirTemp(m.plan.Scratch, "tmp-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	h := newHost(seed, out)
	if m.plan.Trace.File != "" {
		if h.trace, err = newTracer(h, m.plan); err != nil {
			return nil, err
		}
	}
	if m.plan.Picture.File != "" {
		h.pictures = newPictures(h, m.plan.Picture)
	}
	m.current.Store(h)
	defer m.current.Store(nil)
	ctx := context.WithValue(context.Background(), hostKey{}, h)
	mod, err := m.runtime.InstantiateModule(ctx, m.module, m.config(h, tmp))
	if mod != nil {
		mod.Close(ctx)
	}
	if h.trace != nil {
		if err := h.trace.close(); err != nil {
			return nil, err
		}
	}
	o := &outcome{Digest: h.digest(), Order: h.preempt.order, Status: h.status()}
	var exit *sys.ExitError
	if errors.As(err, &exit) {
		o.Code = exit.ExitCode()
	} else if err != nil {
		o.Trap = err.Error()
	}
	if h.pictures != nil {
		o.Page, err = h.pictures.write(!o.passed())
		return o, err
	}
	return o, nil
}

// config returns everything that the guest can see of the outside.
func (m *machine) config(h *host, tmp string) wazero.ModuleConfig {
	t := &m.plan.Target
	files := wazero.NewFSConfig().WithDirMount(tmp, "/tmp").WithReadOnlyDirMount(t.Root, t.RootName)
	config := wazero.NewModuleConfig().WithName("").
		WithStdout(h).WithStderr(h).
		WithWalltime(h.walltime, sys.ClockResolution(1)).
		WithNanotime(h.nanotime, sys.ClockResolution(1)).
		WithNanosleep(h.sleep).
		WithRandSource(h).
		WithFSConfig(files).
		WithArgs(m.plan.Args...).
		WithEnv("PWD", t.workDir()).
		WithEnv("TMPDIR", "/tmp").
		WithEnv("HOME", "/tmp")
	for _, e := range m.plan.Env {
		key, value, _ := strings.Cut(e, "=")
		config = config.WithEnv(key, value)
	}
	return config
}

// status is the state of a run.
type status struct {
	Virtual  time.Duration
	Readings int64 // clock readings and sleeps
	Preempts int64
	Last     string // the last entered function of those that the host listens to
}
