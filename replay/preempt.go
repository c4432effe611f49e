package main

import (
	"context"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// A Go program in wasm runs each goroutine until it blocks, and then the next one of a first-in, first-out queue. That hides
// most of the interleavings that threads would show. But the runtime can still preempt. A function begins by comparing the
// stack pointer with the goroutine's g.stackguard0. The value stackPreempt there is larger than any stack pointer and makes
// the goroutine yield. So the host listens to the entries of functions of the packages under test, and of a few blocking
// functions, and at some of them writes that value. It does so only in functions that are about to compare (prologue.go),
// so that no other code reads the value.
//
// The linker and the assembler fix the offsets that this needs: g is the third wasm global, stackguard0 is at offset 16 in
// it ("offset known to liblink"), g.m is at 48, and m.g0, the scheduler's own goroutine, is at 0 of m.
const (
	offsetStackHigh   = 8
	globalSP          = 0
	globalG           = 2
	offsetStackguard0 = 16
	offsetM           = 48
	stackPreempt      = 0xfffffffffffffade // runtime/stack.go
)

// preempter decides which goroutine yields when, and hashes the order in which goroutines ran.
type preempter struct {
	rand       *rand.Rand
	meanGap    int // function entries between two preemptions
	gap        int // entries left until the next one
	count      atomic.Int64
	order      uint64            // hash of (goroutine, function) at each entry
	goroutines map[uint32]uint64 // numbers of goroutines by the address of g, in the order of their first entry
	last       atomic.Pointer[entry]
}

// Seeds also differ in how often they preempt: some bugs need many switches, others a single one at the right place.
const (
	minGapLog = 2
	maxGapLog = 8
)

func newPreempter(r *rand.Rand) *preempter {
	p := &preempter{rand: r, meanGap: 1 << (minGapLog + r.IntN(maxGapLog-minGapLog+1)), order: fnvOffset,
		goroutines: map[uint32]uint64{}}
	p.gap = p.nextGap()
	return p
}

func (p *preempter) nextGap() int { return 1 + p.rand.IntN(2*p.meanGap) }

// FNV-1a, a word at a time.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// enter handles that the goroutine whose g is at address g enters the function e. fresh is false if it resumes e.
func (p *preempter) enter(mem api.Memory, g uint32, e *entry, fresh bool) {
	id, known := p.goroutines[g]
	if !known {
		id = uint64(len(p.goroutines))
		p.goroutines[g] = id
	}
	p.last.Store(e)
	p.order = (p.order ^ id<<32 ^ uint64(e.index)) * fnvPrime
	if !fresh || !e.yields {
		return
	}
	if p.gap--; p.gap > 0 {
		return
	}
	p.gap = p.nextGap()
	p.yield(mem, g)
}

// yield makes the goroutine that begins a function yield, unless it is the scheduler's own.
func (p *preempter) yield(mem api.Memory, g uint32) {
	if m, ok := mem.ReadUint32Le(g + offsetM); ok && m != 0 {
		if g0, ok := mem.ReadUint32Le(m); ok && g0 != g {
			mem.WriteUint64Le(g+offsetStackguard0, stackPreempt)
			p.count.Add(1)
		}
	}
}

// blockers are functions of the standard library that the host listens to as well: there goroutines interact.
var blockers = []string{
	"runtime.chansend1", "runtime.chanrecv1", "runtime.chanrecv2", "runtime.closechan", "runtime.selectgo",
	"time.Sleep", "sync.__Mutex_.Lock", "sync.__Mutex_.Unlock", "sync.__Cond_.Wait", "sync.__WaitGroup_.Wait",
	"internal_sync.__Mutex_.lockSlow", "internal_sync.__Mutex_.unlockSlow",
}

// listeners chooses the functions that the host listens to.
type listeners struct {
	prefixes map[string]string // of mangled names, to import paths
	names    map[string]bool
	yields   func(function uint32) bool
}

// notInName matches the characters that the Go linker replaces by an underscore in wasm function names.
var notInName = regexp.MustCompile(`[^\w.]`)

func newListeners(packages []string, yields func(uint32) bool) *listeners {
	l := &listeners{yields: yields, prefixes: map[string]string{}, names: map[string]bool{}}
	for _, p := range packages {
		l.prefixes[notInName.ReplaceAllLiteralString(symbolPrefix(p), "_")+"."] = p + "."
	}
	for _, b := range blockers {
		l.names[b] = true
	}
	return l
}

// symbolPrefix escapes an import path as the compiler does: dots after the last slash.
func symbolPrefix(path string) string {
	slash := strings.LastIndexByte(path, '/')
	return path[:slash+1] + strings.ReplaceAll(path[slash+1:], ".", "%2e")
}

// NewFunctionListener implements experimental.FunctionListenerFactory.
func (l *listeners) NewFunctionListener(def api.FunctionDefinition) experimental.FunctionListener {
	name := def.Name()
	if l.names[name] {
		return l.entry(def, name)
	}
	for prefix, path := range l.prefixes {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			e := l.entry(def, path+rest)
			if isRecorder(strings.TrimSuffix(path, ".")) {
				return e.ofRecorder(path)
			}
			e.tested = true
			return e
		}
	}
	return nil
}

func (l *listeners) entry(def api.FunctionDefinition, name string) *entry {
	return &entry{index: def.Index(), name: mangledReceiver.ReplaceAllString(name, ".(*$1)."), yields: l.yields(def.Index()),
		loop: strings.Contains(name, "."+loopFunction)}
}

// mangledReceiver matches a pointer receiver after that replacement.
var mangledReceiver = regexp.MustCompile(`\.__(\w+)_\.`)

type hostKey struct{}

// entry listens to one function.
type entry struct {
	index  uint32
	name   string
	yields bool   // when stackguard0 is stackPreempt
	tested bool   // of a package under test
	loop   bool   // a loop's counter has run out (loops.go)
	method string // of package picture, if it is one of recorderMethods (picture.go)
}

// ofRecorder returns e if it is one of recorderMethods, and otherwise nil.
func (e *entry) ofRecorder(path string) experimental.FunctionListener {
	name := strings.TrimPrefix(e.name, path)
	if !slices.Contains(recorderMethods, name) || !strings.HasSuffix(path, "picture.") {
		return nil
	}
	e.method = name[strings.LastIndexByte(name, '.')+1:]
	return e
}

// Before implements experimental.FunctionListener. The context holds the guest's host. The only parameter of a Go function
// in wasm is the block to resume at, or 0 for its beginning.
func (e *entry) Before(ctx context.Context, mod api.Module, _ api.FunctionDefinition, params []uint64, _ experimental.StackIterator) {
	h := ctx.Value(hostKey{}).(*host)
	module := mod.(experimental.InternalModule)
	g := module.Global(globalG).Get()
	fresh := uint32(params[0]) == 0
	if e.method != "" {
		if h.pictures != nil && fresh {
			h.pictures.call(mod.Memory(), uint32(g), uint32(module.Global(globalSP).Get()), e)
		}
		return
	}
	if e.loop {
		h.turn(mod.Memory(), uint32(g), uint32(module.Global(globalSP).Get()))
		return
	}
	h.preempt.enter(mod.Memory(), uint32(g), e, fresh)
	if h.trace != nil && fresh {
		h.trace.call(mod.Memory(), uint32(g), uint32(module.Global(globalSP).Get()), e)
	}
}

// After implements experimental.FunctionListener. The result of a Go function in wasm is 0 if the function has returned, and 1
// if its goroutine stops running within it.
func (e *entry) After(ctx context.Context, mod api.Module, _ api.FunctionDefinition, results []uint64) {
	h := ctx.Value(hostKey{}).(*host)
	if uint32(results[0]) != 0 || h.trace == nil && h.pictures == nil {
		return
	}
	module := mod.(experimental.InternalModule)
	g, sp := uint32(module.Global(globalG).Get()), uint32(module.Global(globalSP).Get())
	switch {
	case e.method != "":
		if h.pictures != nil {
			h.pictures.returned(mod.Memory(), g, sp, e)
		}
	case h.trace != nil && !e.loop:
		h.trace.returned(mod.Memory(), g, sp, e)
	}
}

// Abort implements experimental.FunctionListener.
func (*entry) Abort(context.Context, api.Module, api.FunctionDefinition, error) {}
