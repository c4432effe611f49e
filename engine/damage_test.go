package engine

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3/raftpb"
)

// copyDir copies a directory with all that is in it. Files that vanish meanwhile are left out.
func copyDir(t testing.TB, from, to string) {
	t.Helper()
	list, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		a, b := filepath.Join(from, e.Name()), filepath.Join(to, e.Name())
		if e.IsDir() {
			copyDir(t, a, b)
			continue
		}
		data, err := os.ReadFile(a)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(b, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// savedDir returns the directory of a server that has saved many commands and snapshots, and the commands.
func savedDir(t *testing.T) (c *cluster, dir string, commands []any) {
	c = newCluster(t, 1, nil)
	c.leader().record.snapshotEvery(150)
	for range 14 { // so that the log has several files
		c.fill(20)
	}
	commands = c.leader().record.all()
	c.leader().ReadIndex(withTimeout(t))
	c.kill(1)
	return c, c.path(1), commands
}

// open starts the only server on another directory. The error tells if it refuses.
func (c *cluster) openCopy(dir string) (*server, error) {
	c.dir = dir
	return c.tryStart(1, false)
}

func TestDamage_isRefused(t *testing.T) {
	t.Parallel()
	c, saved, commands := savedDir(t)
	logs, err := filesIn(filepath.Join(saved, layout, "wal"), ".wal")
	if err != nil || len(logs) < 3 {
		t.Fatalf("the log has the files %v, error %v", logs, err)
	}
	snapshots, err := filesIn(filepath.Join(saved, layout, "snap"), ".snap")
	if err != nil || len(snapshots) != 1 {
		t.Fatalf("there are the snapshots %v, error %v", snapshots, err)
	}
	remove := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, layout, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	cases := map[string]func(*testing.T, string){
		"no snapshot":    remove(filepath.Join("snap", snapshots[0])),
		"no mark":        remove("synced"),
		"a file missing": remove(filepath.Join("wal", logs[len(logs)-2])),
		"no last file":   remove(filepath.Join("wal", logs[len(logs)-1])),
		"no log":         func(t *testing.T, dir string) { os.RemoveAll(filepath.Join(dir, layout, "wal")) },
		"empty last":     func(t *testing.T, dir string) { truncate(t, filepath.Join(dir, layout, "wal", logs[len(logs)-1]), 0) },
		"empty snapshot": func(t *testing.T, dir string) { truncate(t, filepath.Join(dir, layout, "snap", snapshots[0]), 0) },
	}
	started := 0
	random := rand.New(rand.NewPCG(3, 4))
	for k := range 100 {
		name := filepath.Join("wal", logs[len(logs)-1-random.IntN(3)])
		if k%10 == 0 {
			name = filepath.Join("snap", snapshots[0])
		}
		seed := random.Uint64()
		cases[fmt.Sprintf("flipped bit %d", k)] = func(t *testing.T, dir string) { flip(t, filepath.Join(dir, layout, name), seed) }
	}
	for name, damage := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			copyDir(t, saved, filepath.Join(dir, "1"))
			damage(t, filepath.Join(dir, "1"))
			for range 2 { // the first attempt must not mend what the second one trusts
				s, err := c.openCopy(dir)
				if err == nil {
					checkHarmless(t, s, name, commands)
					started++
					return
				}
				if !strings.Contains(err.Error(), "AddServer") && !strings.Contains(err.Error(), "raft does not accept") {
					t.Errorf("the error does not say what to do: %v", err)
				}
			}
		})
	}
	if started > 5 {
		t.Errorf("the server started after %d flipped bits", started)
	}
}

// checkHarmless fails unless a server that was started after damage has lost nothing. That is possible only if a bit was
// flipped that means nothing: the log fills records up to multiples of 8 bytes.
func checkHarmless(t *testing.T, s *server, damage string, commands []any) {
	defer s.Kill()
	if !strings.HasPrefix(damage, "flipped bit") {
		t.Fatal("the server started")
	}
	if index, err := s.ReadIndex(withTimeout(t)); err != nil || index < len(commands) {
		t.Fatalf("the server started with %d commands, error %v", index, err)
	}
	s.c.eventually("the server does not apply what it has", func() bool { return s.record.last() >= len(commands) })
	if !slices.Equal(s.record.all()[:len(commands)], commands) {
		t.Fatal("the server started with other commands")
	}
}

func truncate(t *testing.T, path string, size int64) {
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
}

// flip flips a bit of the part of a file that was written, chosen by seed.
func flip(t *testing.T, path string, seed uint64) {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	written := len(b)
	for written > 0 && b[written-1] == 0 {
		written--
	}
	at := seed % uint64(written*8)
	b[at/8] ^= 1 << (at % 8)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestTorn breaks off the writing of a batch: of the sectors that changed since the last sync, some are on the disk. The server
// must start with all that was synced before.
func TestTorn(t *testing.T) {
	t.Parallel()
	before, after := t.TempDir(), t.TempDir()
	saves := 0
	var c *cluster
	c = newCluster(t, 1, func(config *Config) {
		config.wrap = func(w walFile) walFile {
			return tap{w, func(entries int) {
				if saves++; saves == 20 {
					copyDir(t, c.path(1), before)
				}
			}, func() {
				if saves == 20 {
					copyDir(t, c.path(1), after)
				}
			}}
		}
	})
	for k := range 30 {
		c.one(fmt.Sprint(k, strings.Repeat("x", 3000)))
	}
	c.kill(1)
	if saves < 20 {
		t.Fatalf("there were only %d saves", saves)
	}
	c.configure = func(config *Config) { config.Tick = time.Millisecond }
	m, err := openMark(filepath.Join(before, layout, "synced"))
	if err != nil {
		t.Fatal(err)
	}
	m.close()
	random := rand.New(rand.NewPCG(5, 6))
	changed := 0
	for range 25 {
		dir := t.TempDir()
		copyDir(t, before, filepath.Join(dir, "1"))
		changed += tear(t, random, filepath.Join(dir, "1", layout, "wal"), filepath.Join(after, layout, "wal"))
		s, err := c.openCopy(dir)
		if err != nil {
			t.Fatal(err)
		}
		c.eventually("the server does not apply what it has", func() bool {
			last := uint64(0)
			s.do(func() { last = s.loop.positions.last() })
			return last >= m.mark.last && s.record.last() >= s.Status().CommitIndex
		})
		index, _, ok := s.Start("more")
		for !ok {
			c.leader()
			index, _, ok = s.Start("more")
		}
		c.eventually("the server does not go on", func() bool { return s.record.last() >= index })
		c.kill(1)
	}
	if changed < 25 {
		t.Errorf("only %d sectors were torn: the test shows nothing", changed)
	}
}

// tear writes some of the sectors by which the files in after differ into the files in dir. It returns how many differ.
func tear(t *testing.T, random *rand.Rand, dir, after string) (differ int) {
	names, err := filesIn(dir, ".wal")
	if err != nil {
		t.Fatal(err)
	}
	const sector = 512
	for _, name := range names {
		a, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(after, name))
		if err != nil || len(a) != len(b) {
			continue
		}
		for chunk := range slices.Chunk(a, sector) {
			n := min(len(chunk), len(b))
			if !slices.Equal(chunk[:n], b[:n]) {
				differ++
				if random.IntN(2) == 0 {
					copy(chunk, b)
				}
			}
			b = b[n:]
		}
		if err := os.WriteFile(filepath.Join(dir, name), a, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return differ
}

// A tap calls functions around each Save of entries.
type tap struct {
	walFile
	before func(entries int)
	after  func()
}

func (t tap) Save(hard *raftpb.HardState, entries []*raftpb.Entry) error {
	if len(entries) > 0 {
		t.before(len(entries))
		defer t.after()
	}
	return t.walFile.Save(hard, entries)
}

// A brokenDisk fails, in one of its methods, from some call on.
type brokenDisk struct {
	walFile
	fail func(method string) error
}

func (d brokenDisk) Save(hard *raftpb.HardState, entries []*raftpb.Entry) error {
	if err := d.fail("Save"); err != nil {
		return err
	}
	return d.walFile.Save(hard, entries)
}

func (d brokenDisk) SaveSnapshot(s *walpb.Snapshot) error {
	if err := d.fail("SaveSnapshot"); err != nil {
		return err
	}
	return d.walFile.SaveSnapshot(s)
}

// TestFailedSave shows that a server whose disk fails stops before it answers, and that the others go on.
func TestFailedSave(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is broken")
	for _, method := range []string{"Save", "SaveSnapshot"} {
		t.Run(method, func(t *testing.T) {
			var fails switchOn
			c := newCluster(t, 3, func(config *Config) {
				config.wrap = func(w walFile) walFile {
					return brokenDisk{w, func(called string) error {
						if called == method && fails.is(config.ID) {
							return broken
						}
						return nil
					}}
				}
			})
			c.mayStop = true
			c.one("a")
			bad := c.leader()
			bad.record.snapshotEvery(1)
			fails.set(bad.id)
			bad.Start("b") // may be lost
			select {
			case <-bad.Done():
			case <-withTimeout(t).Done():
				t.Fatal("the server has not stopped")
			}
			if err := bad.Err(); !errors.Is(err, broken) {
				t.Errorf("it has stopped with %v", err)
			}
			if _, _, ok := bad.Start("c"); ok {
				t.Error("a stopped server accepts a command")
			}
			c.kill(bad.id)
			c.one("d")
			fails.set(0)
			c.start(bad.id, false)
			c.one("e")
			c.checkSame()
		})
	}
}
