package guard

import (
	"cmp"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
	"unsafe"
)

// What the overlay knows about the student's package.
var (
	Package string            // its import path
	Names   map[string]string // the names of the locks, by file and line of the calls of Lock
)

// A Holding describes a lock that is held.
type Holding struct {
	Goroutine int
	Lock      string // its name, and where and in which function it was locked
	Since     time.Time
	Waiting   []string // functions that wait for it, and where

	address uintptr
}

// In reports whether the lock lies in an object at this address and of this size.
func (h *Holding) In(object unsafe.Pointer, size uintptr) bool {
	return h.address-uintptr(object) < size
}

// Holdings returns all locks that are held, those of one goroutine in the order of locking.
func Holdings() (all []Holding) {
	held.mu.Lock()
	holds := make([]*hold, 0, len(held.holds))
	for h := range held.holds {
		holds = append(holds, h)
	}
	held.mu.Unlock()
	slices.SortFunc(holds, func(a, b *hold) int {
		return cmp.Or(a.since.Compare(b.since), cmp.Compare(a.goroutine, b.goroutine))
	})
	for _, h := range holds {
		all = append(all, h.describe())
	}
	return all
}

// HeldHere returns the locks that the calling goroutine holds.
func HeldHere() (all []Holding) {
	held.mu.Lock()
	var holds []*hold
	if len(held.holds) > 0 {
		self := goroutineID()
		for h := range held.holds {
			if h.goroutine == self {
				holds = append(holds, h)
			}
		}
	}
	held.mu.Unlock()
	for _, h := range holds {
		all = append(all, h.describe())
	}
	return all
}

func (h *hold) describe() Holding {
	l := h.lock
	l.mu.Lock()
	defer l.mu.Unlock()
	at := place(h.stack)
	line, _, _ := strings.Cut(at, " ")
	if name := Names[line]; name != "" {
		l.name = name
	}
	d := Holding{
		Goroutine: h.goroutine,
		Lock:      fmt.Sprintf("%s, locked at %s", cmp.Or(l.name, "a lock"), at),
		Since:     h.since,
		address:   uintptr(unsafe.Pointer(l)),
	}
	for _, w := range l.queue {
		d.Waiting = append(d.Waiting, place(w.stack))
	}
	return d
}

// place returns the innermost place in the student's package on a stack, such as "raft.go:210 in startElection". If that
// function only locks, by its name, the place where it is called follows.
func place(stack []uintptr) string {
	return places(stack, func(function string) bool { return strings.Contains(strings.ToLower(function), "lock") })
}

// Here returns the innermost place in the student's package on the caller's stack, and the place where that function is
// called.
func Here() string {
	var pcs [64]uintptr
	first := true
	return places(pcs[:runtime.Callers(2, pcs[:])], func(string) bool {
		defer func() { first = false }()
		return first
	})
}

// places returns places from the innermost one outwards, as long as more says so of their functions.
func places(stack []uintptr, more func(function string) bool) string {
	var texts []string
	frames := runtime.CallersFrames(stack)
	for {
		f, further := frames.Next()
		if isStudents(f.Function) {
			function := shortFunction(f.Function)
			texts = append(texts, fmt.Sprintf("%s:%d in %s", filepath.Base(f.File), f.Line, function))
			if !more(function) {
				break
			}
		}
		if !further {
			break
		}
	}
	return cmp.Or(strings.Join(texts, ", called at "), "an unknown place")
}

func studentFrame(stack []uintptr) (runtime.Frame, bool) {
	frames := runtime.CallersFrames(stack)
	for {
		f, more := frames.Next()
		if isStudents(f.Function) || !more {
			return f, isStudents(f.Function)
		}
	}
}

func isStudents(function string) bool {
	return strings.HasPrefix(function, Package+".")
}

// shortFunction returns a function's name without its package and its receiver.
func shortFunction(name string) string {
	name = strings.TrimPrefix(name, Package+".")
	if _, method, ok := strings.Cut(name, ")."); ok {
		name = method
	}
	name, _, _ = strings.Cut(name, ".func")
	return name
}
