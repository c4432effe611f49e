package engine

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestFullDisk fills the disk of a server. It stops before it answers, and goes on when there is room again.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("a full disk is not tested, since no small file system can be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Errorf("cannot unmount: %v", err)
		}
	})
	c := newCluster(t, 3, func(config *Config) {
		if config.ID == 1 {
			config.Dir = disk + "/1"
		}
	})
	c.mayStop = true
	full := c.servers[1]
	var last int
	for k := 0; full.Err() == nil; k++ {
		if k > 2000 {
			t.Fatal("the disk does not fill up")
		}
		leader := c.leader()
		if index, _, ok := leader.Start(fmt.Sprint(k, strings.Repeat("x", 2000))); ok && leader != full {
			c.eventually("a command is not applied", func() bool { return leader.record.last() >= index || leader.Err() != nil })
			last = index
		}
		if leader == full && full.Err() == nil {
			leader.TransferLeadership(withTimeout(t), 2)
		}
	}
	if !errors.Is(full.Err(), syscall.ENOSPC) {
		t.Errorf("the server has stopped with %v", full.Err())
	}
	c.kill(1)
	c.one("while it is full")
	if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT, "size=16m"); err != nil {
		t.Fatal(err)
	}
	c.start(1, false)
	if index := c.one("with room again"); index <= last {
		t.Errorf("command %d came after %d", index, last)
	}
	c.checkSame()
	if _, err := os.Stat(disk + "/1/v1"); err != nil {
		t.Error(err)
	}
}
