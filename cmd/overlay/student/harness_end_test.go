//go:build student

package raft_test

// How a test of a student's Raft ends: with the goroutines that outlive it, or with a virtual clock that stands still.

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"6.824/cmd/overlay/guard"
	student "6.824/raft"
)

// studentPackage is the import path of the student's package, as stack traces show it.
var studentPackage = reflect.TypeFor[student.Raft]().PkgPath()

// modulePrefix precedes the student's functions in stack traces.
var modulePrefix = studentPackage + "."

// leakTimeout covers the longest call to an unreachable server, which may go on after Kill.
const leakTimeout = 10 * time.Second

// checkLeaks ends a test. It warns of goroutines that do not end, and then ends them as far as it can.
func checkLeaks(t testing.TB, before map[string]string) {
	w := current.Load()
	left := leaked(before, leakTimeout)
	if !t.Failed() { // otherwise Kill may not have returned, and there may have been no RPCs to read
		for _, stack := range left {
			w.warn("a goroutine goes on after Kill: " + placeOf(stack))
		}
		w.warnOff()
	}
	for _, text := range guard.Busy() {
		w.warn(text)
	}
	for _, text := range w.warnings {
		fmt.Println("warning:", text)
	}
	failed.Store(t.Failed())
	close(w.ended)
	guard.End()
}

// warnOff warns of the rules that are not checked, because the arguments of an RPC have unusual fields.
func (w *watch) warnOff() {
	if guard.Racing {
		return
	}
	for _, text := range w.wire.Off() {
		w.warn("not checked: " + text)
	}
}

var (
	stackPlace = regexp.MustCompile(`^\t(.*):(\d+)`)
	stackState = regexp.MustCompile(`^goroutine \d+ \[([^],]*)`)
)

// placeOf returns the innermost place in the student's package on a stack.
func placeOf(stack string) string {
	lines := strings.Split(stack, "\n")
	for i, line := range lines[:len(lines)-1] {
		call, found := strings.CutPrefix(line, modulePrefix)
		m := stackPlace.FindStringSubmatch(lines[i+1])
		if found && m != nil {
			if end := strings.LastIndexByte(call, '('); end > 0 {
				call = call[:end]
			}
			return fmt.Sprintf("%s:%s in %s", filepath.Base(m[1]), m[2], call)
		}
	}
	return "in " + topFunction(stack)
}

// reportDeadlock turns a bubble's panic about blocked goroutines into a failure of this test alone, unless the test had
// ended: then checkLeaks has warned of them.
func reportDeadlock(t testing.TB) {
	defer beats.Store(notRunning)
	switch r := recover().(type) {
	case nil:
	case error:
		switch {
		case !strings.HasPrefix(r.Error(), "deadlock:"):
			panic(r)
		case !guard.Over():
			t.Errorf("%v\n%s", r, strings.Join(bubbleStacks(), "\n\n"))
			current.Load().explain()
		}
	default:
		panic(r)
	}
}

// beats counts while the virtual clock runs. It is notRunning outside of a bubble.
var (
	beats  atomic.Int64
	failed atomic.Bool // the test that has just ended
)

const notRunning = -1

// beat counts until the test ends.
func (w *watch) beat() {
	beats.Store(0)
	for {
		select {
		case <-time.After(100 * time.Millisecond):
			beats.Add(1)
		case <-w.ended:
			return
		}
	}
}

// frozenLimit is how long, in real time, a virtual clock may stand still. Nothing that a test computes takes so long.
const frozenLimit = 20 * time.Second

// exitFrozen is the exit code of a test whose virtual clock stands still.
const exitFrozen = 3

// watchClock ends the process when the virtual clock stands still. It runs on the real clock.
func watchClock() {
	last, since := int64(notRunning), time.Now()
	for range time.Tick(time.Second) {
		now := beats.Load()
		if now != last || now == notRunning {
			last, since = now, time.Now()
			continue
		}
		if time.Since(since) < frozenLimit {
			continue
		}
		if guard.Over() {
			fmt.Printf("warning: goroutines cannot be ended after the test:\n%s\n", strings.Join(bubbleStacks(), "\n\n"))
			os.Exit(map[bool]int{false: 0, true: 1}[failed.Load()])
		}
		for _, stack := range bubbleStacks() {
			if m := stackState.FindStringSubmatch(stack); m != nil && !strings.Contains(m[1], "durable") {
				fmt.Printf("frozen: the virtual clock stands still: this goroutine neither sleeps nor waits for another one of the test: %s [%s]\n", placeOf(stack), m[1])
			}
		}
		current.Load().explain()
		fmt.Println(strings.Join(bubbleStacks(), "\n\n"))
		theTrial.print("the virtual clock stands still")
		os.Exit(exitFrozen)
	}
}
