package raft

// The two clocks on which a lab test can run, and the goroutines that a test leaves behind.

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"
)

var clockFlag = flag.String("clock", defaultClock(),
	"clock of the lab tests: virtual (time passes only while all goroutines wait) or real")

func TestMain(m *testing.M) {
	flag.Parse()
	err := setUp()
	if err == nil {
		err = checkClock(*clockFlag)
	}
	if err == nil {
		err = preparePictures()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	debug.SetTraceback("all") // so that a fatal error shows the stack of the test, which has its name
	os.Exit(m.Run())
}

func checkClock(name string) error {
	if name != "virtual" && name != "real" {
		return fmt.Errorf("-clock=%s: want virtual or real", name)
	}
	return nil
}

// defaultClock returns "virtual", except on a WebAssembly host: its clock is already virtual, and comes from a seed.
func defaultClock() string {
	if runtime.GOOS == "wasip1" {
		return "real"
	}
	return "virtual"
}

func virtualClock() bool { return *clockFlag == "virtual" }

// parallel lets a long test run in parallel with others on the virtual clock only. On the real clock, the check for
// goroutines left behind would see those of other tests.
func parallel(t *testing.T) {
	if virtualClock() {
		t.Parallel()
	}
}

// lab runs the body of a test on the chosen clock. The body, with its deferred calls, must end every goroutine that it
// starts.
func lab(t *testing.T, body func(t *testing.T)) {
	t.Helper()
	clocked(t, t, func(t *testing.T) {
		before := goroutines()
		defer checkLeaks(t, before)
		body(t)
	})
}

// bubbleOf returns the name of the bubble that a stack's goroutine is in, or "".
func bubbleOf(stack string) string {
	header, _, _ := strings.Cut(stack, "\n")
	_, name, _ := strings.Cut(header, "synctest bubble ")
	return name
}

// ownBubble returns the name of the caller's bubble, or "".
func ownBubble() string {
	var header [200]byte
	return bubbleOf(string(header[:runtime.Stack(header[:], false)]))
}

// leaked returns the stacks of this module's goroutines that are not in before and do not end within timeout.
func leaked(before map[string]string, timeout time.Duration) []string {
	for nap, spent := time.Millisecond, time.Duration(0); ; nap *= 2 {
		now := goroutines()
		for id := range before {
			delete(now, id)
		}
		if len(now) == 0 || spent >= timeout {
			return sortedValues(now)
		}
		time.Sleep(nap)
		spent += nap
	}
}

// goroutines returns the stacks, by id, of all goroutines that this module started or that run its code. A caller in a
// bubble gets only the bubble's.
func goroutines() map[string]string {
	found := make(map[string]string)
	stacks := strings.Split(allStacks(), "\n\n")
	own := bubbleOf(stacks[0]) // the caller's stack comes first
	for _, stack := range stacks {
		if own != "" && bubbleOf(stack) != own {
			continue
		}
		if id, _, ok := strings.Cut(stack, " ["); ok && strings.Contains(stack, modulePrefix) {
			found[id] = strings.TrimSpace(stack)
		}
	}
	return found
}

func allStacks() string {
	for size := 1 << 16; ; size *= 2 {
		buf := make([]byte, size)
		if n := runtime.Stack(buf, true); n < size {
			return string(buf[:n])
		}
	}
}

// topFunction returns the name of the innermost function of this module on a stack.
func topFunction(stack string) string {
	for line := range strings.Lines(stack) {
		_, call, ok := strings.Cut(line, modulePrefix)
		if ok && !strings.HasPrefix(line, "\t") {
			if end := strings.LastIndexByte(call, '('); end > 0 {
				return call[:end]
			}
			name, _, _ := strings.Cut(call, " in goroutine")
			return name
		}
	}
	return "unknown"
}

func sortedValues(m map[string]string) []string {
	var all []string
	for _, v := range m {
		all = append(all, v)
	}
	slices.Sort(all)
	return all
}
