// Package broken builds for Unix only.
package broken

import (
	"os"
	"syscall"
	"testing"
)

func TestLock(t *testing.T) {
	if err := syscall.Flock(int(os.Stdin.Fd()), syscall.LOCK_UN); err != nil {
		t.Fatal(err)
	}
}
