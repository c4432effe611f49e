package engine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// smallDisk returns the directory of a small file system. It skips the test where none can be mounted.
func smallDisk(t *testing.T) string {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("a full disk is not tested, since no small file system can be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Errorf("cannot unmount: %v", err)
		}
	})
	return disk
}

// TestFullDisk fills the disk of a server. It stops before it answers, and goes on when there is room again.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t)
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

// TestFullDisk_cutOff starts a server on a full disk whose log was cut off by a crash. The copy that is made of the log before it is
// mended finds no room. That must not look like a loss; with room, the server starts, and keeps no copy.
func TestFullDisk_cutOff(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t)
	c := newCluster(t, 1, func(config *Config) { config.Dir = disk + "/1" })
	c.one("a")
	c.kill(1)
	logs := filepath.Join(disk, "1", layout, "wal")
	cutOff(t, logs)
	filler := disk + "/filler"
	if err := os.WriteFile(filler, make([]byte, 2<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk does not fill up: %v", err)
	}
	if _, err := c.tryStart(1, false); err == nil || errors.Is(err, ErrLost) || !strings.Contains(err.Error(), "room") {
		t.Errorf("on a full disk, the error is %v", err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	c.start(1, false)
	if index := c.one("b"); index != 2 {
		t.Errorf("command b has index %d", index)
	}
	if names, err := filesIn(logs, ".broken"); err != nil || len(names) > 0 {
		t.Errorf("there are copies of what was mended: %v, error %v", names, err)
	}
}

// cutOff writes the beginning of a record to the end of the log, as a crash may leave it.
func cutOff(t *testing.T, logs string) {
	names, err := filesIn(logs, ".wal")
	if err != nil {
		t.Fatal(err)
	}
	last := filepath.Join(logs, names[len(names)-1])
	b, err := os.ReadFile(last)
	if err != nil {
		t.Fatal(err)
	}
	end := (len(bytes.TrimRight(b, "\x00")) + 7) / 8 * 8
	binary.LittleEndian.PutUint64(b[end:], 3000) // its length
	copy(b[end+8:], "the beginning")
	if err := os.WriteFile(last, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
