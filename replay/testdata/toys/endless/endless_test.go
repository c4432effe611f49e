// Package endless never ends, in three ways.
package endless

import (
	"sync/atomic"
	"testing"
	"time"
)

var flag atomic.Bool

// TestSpin waits without blocking.
func TestSpin(t *testing.T) {
	go flag.Store(true)
	for !flag.Load() {
	}
}

// TestTicks goes on for ever, but blocks.
func TestTicks(t *testing.T) {
	for {
		time.Sleep(time.Microsecond)
	}
}

// TestDeadlock waits for something that nobody sends.
func TestDeadlock(t *testing.T) {
	<-make(chan int)
}
