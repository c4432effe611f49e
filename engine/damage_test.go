package engine

import (
	"bytes"
	"errors"
	"flag"
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

// openCopy starts the only server on another directory. The error tells if it refuses.
func (c *cluster) openCopy(dir string) (*server, error) {
	c.dir = dir
	return c.tryStart(1, false)
}

var damageEach = flag.Int("damage.each", 12, "how often the tests cause each kind of damage")

// A saved is a copy of the directory of a server, made while the server had nothing to save, and the commands that it had
// applied.
type saved struct {
	dir      string
	commands []any
	logs     []string // files of the log that a start needs, in order
	snapshot string
}

// savedDirs returns a number of copies, made while a server saved more and more commands and snapshots.
func savedDirs(t *testing.T, n int) (c *cluster, copies []saved) {
	c = newCluster(t, 1, nil)
	s := c.leader()
	s.record.snapshotEvery(90)
	for k := range n {
		c.fill(13 + 7*k%11) // so that the log has several files, and snapshots are not always at a file's end
		c.eventually("the server does not save its snapshot", func() bool {
			return s.Status().SnapshotIndex == s.record.last()/90*90
		})
		s.ReadIndex(withTimeout(t))
		if err := s.loop.dir.purge(s.kept.Load().index()); err != nil { // the server may still be at it
			t.Fatal(err)
		}
		dir := t.TempDir()
		copyDir(t, c.path(1), filepath.Join(dir, "1"))
		copies = append(copies, describe(t, dir, s.record.all()))
	}
	c.kill(1)
	return c, copies
}

func describe(t *testing.T, dir string, commands []any) saved {
	logs, err := filesIn(filepath.Join(dir, "1", layout, "wal"), ".wal")
	snapshots, err2 := filesIn(filepath.Join(dir, "1", layout, "snap"), ".snap")
	if err != nil || err2 != nil || len(logs) == 0 || len(snapshots) != 1 {
		t.Fatalf("the directory holds %v and %v, errors %v, %v", logs, snapshots, err, err2)
	}
	var term, snapshot, sequence, first uint64
	if _, err := fmt.Sscanf(snapshots[0], "%016x-%016x.snap", &term, &snapshot); err != nil {
		t.Fatal(err)
	}
	for len(logs) > 1 {
		if _, err := fmt.Sscanf(logs[1], "%016x-%016x.wal", &sequence, &first); err != nil || first > snapshot {
			break
		}
		logs = logs[1:]
	}
	for k := range logs {
		logs[k] = filepath.Join("wal", logs[k])
	}
	return saved{dir, commands, logs, filepath.Join("snap", snapshots[0])}
}

// damages are the kinds of damage to what was synced. Each function damages the directory v1 of a server.
var damages = map[string]func(t *testing.T, s saved, dir string, random *rand.Rand){
	"a flipped bit in the log": func(t *testing.T, s saved, dir string, random *rand.Rand) {
		flip(t, filepath.Join(dir, s.logs[random.IntN(len(s.logs))]), random)
	},
	"a flipped bit in the snapshot": func(t *testing.T, s saved, dir string, random *rand.Rand) {
		flip(t, filepath.Join(dir, s.snapshot), random)
	},
	"a flipped bit in the mark": func(t *testing.T, s saved, dir string, random *rand.Rand) {
		flip(t, filepath.Join(dir, "synced"), random)
	},
	"a file of the log is missing": func(t *testing.T, s saved, dir string, random *rand.Rand) {
		remove(t, filepath.Join(dir, s.logs[random.IntN(len(s.logs))]))
	},
	"the snapshot is missing": func(t *testing.T, s saved, dir string, random *rand.Rand) { remove(t, filepath.Join(dir, s.snapshot)) },
	"the mark is missing":     func(t *testing.T, s saved, dir string, random *rand.Rand) { remove(t, filepath.Join(dir, "synced")) },
	"the log is missing": func(t *testing.T, s saved, dir string, random *rand.Rand) {
		if err := os.RemoveAll(filepath.Join(dir, "wal")); err != nil {
			t.Fatal(err)
		}
	},
	"the log is cut": func(t *testing.T, s saved, dir string, random *rand.Rand) {
		path := filepath.Join(dir, s.logs[random.IntN(len(s.logs))])
		truncate(t, path, random.Int64N(int64(written(t, path))))
	},
	"the log ends in zeros": func(t *testing.T, s saved, dir string, random *rand.Rand) {
		path := filepath.Join(dir, s.logs[random.IntN(len(s.logs))])
		truncate(t, path, random.Int64N(int64(written(t, path))))
		truncate(t, path, 64<<10)
	},
	"the snapshot is cut": func(t *testing.T, s saved, dir string, random *rand.Rand) {
		path := filepath.Join(dir, s.snapshot)
		truncate(t, path, random.Int64N(int64(written(t, path))))
	},
}

// TestDamage_isRefused damages what was synced. The server must refuse to start, and say what to do. It may start only if it has
// lost nothing, as when a bit was flipped that means nothing: the log fills records up to multiples of 8 bytes.
func TestDamage_isRefused(t *testing.T) {
	t.Parallel()
	c, copies := savedDirs(t, 12)
	c.configure = func(config *Config) { config.Tick = time.Millisecond }
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(3, uint64(len(name))))
			started := 0
			for k := range *damageEach {
				s := copies[k%len(copies)]
				dir := t.TempDir()
				copyDir(t, s.dir, dir)
				damage(t, s, filepath.Join(dir, "1", layout), random)
				for range 2 { // the first attempt must not mend what the second one trusts
					server, err := c.openCopy(dir)
					if err == nil {
						started++
						checkHarmless(t, server, s.commands)
						break
					}
					if !errors.Is(err, ErrLost) || !strings.Contains(err.Error(), "AddServer") {
						t.Errorf("the error does not say what to do: %v", err)
					}
				}
			}
			t.Logf("%d times, of which the server started %d times, with nothing lost", *damageEach, started)
			if started > *damageEach/2 {
				t.Error("the damage does too little: the test shows nothing")
			}
		})
	}
}

// checkHarmless fails unless a server that was started after damage has lost nothing.
func checkHarmless(t *testing.T, s *server, commands []any) {
	t.Helper()
	defer s.c.kill(1)
	if index, err := s.ReadIndex(withTimeout(t)); err != nil || index < len(commands) {
		t.Fatalf("the server started with %d commands of %d, error %v", index, len(commands), err)
	}
	s.c.eventually("the server does not apply what it has", func() bool { return s.record.last() >= len(commands) })
	if !slices.Equal(s.record.all()[:len(commands)], commands) {
		t.Fatal("the server started with other commands")
	}
}

func remove(t *testing.T, path string) {
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func truncate(t *testing.T, path string, size int64) {
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
}

// written returns the length of a file without the zeros at its end.
func written(t *testing.T, path string) int {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return len(bytes.TrimRight(b, "\x00"))
}

// flip flips a bit of the part of a file that was written.
func flip(t *testing.T, path string, random *rand.Rand) {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := random.IntN(8 * written(t, path))
	b[at/8] ^= 1 << (at % 8)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A batch is a directory before and after the saving of some entries.
type batch struct{ before, after string }

// batches returns such directories of a server, with the server's cluster.
func batches(t *testing.T) (c *cluster, all []batch) {
	saves := 0
	c = newCluster(t, 1, func(config *Config) {
		config.wrap = func(w walFile) walFile {
			return tap{w, func(entries int) {
				if saves++; saves%7 == 0 {
					all = append(all, batch{t.TempDir(), t.TempDir()})
					copyDir(t, c.path(1), all[len(all)-1].before)
				}
			}, func() {
				if saves%7 == 0 {
					copyDir(t, c.path(1), all[len(all)-1].after)
				}
			}}
		}
	})
	c.leader().record.snapshotEvery(20)
	for k := range 60 {
		c.one(fmt.Sprint(k, strings.Repeat("x", 500+100*k)))
	}
	c.kill(1)
	if len(all) < 5 {
		t.Fatalf("there were only %d saves", saves)
	}
	return c, all
}

// tears are ways in which the writing of a batch may break off. Each function changes a log file's contents before the batch,
// knowing those after it and the first sector by which they differ.
var tears = map[string]func(before, after []byte, from int, random *rand.Rand) []byte{
	"some sectors are written": func(before, after []byte, from int, random *rand.Rand) []byte {
		torn := slices.Clone(before)
		for at := from / tornSector * tornSector; at < len(torn); at += tornSector {
			if random.IntN(2) == 0 {
				copy(torn[at:min(at+tornSector, len(torn))], after[at:])
			}
		}
		return torn
	},
	"bytes are cut": func(before, after []byte, from int, random *rand.Rand) []byte {
		return after[:from+random.IntN(len(bytes.TrimRight(after, "\x00"))-from)]
	},
	"only the first sectors are written": func(before, after []byte, from int, random *rand.Rand) []byte {
		sectors := (len(bytes.TrimRight(after, "\x00")) - from) / tornSector
		at := from/tornSector*tornSector + random.IntN(sectors+1)*tornSector
		return slices.Concat(after[:at], before[at:])
	},
}

const tornSector = 512

// TestTorn breaks off the writing of a batch. The server must start with all that was synced before.
func TestTorn(t *testing.T) {
	t.Parallel()
	c, all := batches(t)
	c.configure = func(config *Config) { config.Tick = time.Millisecond }
	for name, tear := range tears {
		t.Run(name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(5, uint64(len(name))))
			for done, tries := 0, 0; done < *damageEach; tries++ {
				b := all[tries%len(all)]
				if tries > 10**damageEach {
					t.Fatalf("only %d batches were torn: the test shows nothing", done)
				}
				dir := t.TempDir()
				copyDir(t, b.before, filepath.Join(dir, "1"))
				if tearLog(t, filepath.Join(dir, "1", layout, "wal"), filepath.Join(b.after, layout, "wal"), func(before, after []byte, from int) []byte {
					return tear(before, after, from, random)
				}) {
					done++
					checkMended(t, c, dir)
				}
			}
		})
	}
}

// checkMended starts a server in dir, and fails unless it has all that the mark says, and goes on.
func checkMended(t *testing.T, c *cluster, dir string) {
	t.Helper()
	m, err := openMark(filepath.Join(dir, "1", layout, "synced"))
	if err != nil {
		t.Fatal(err)
	}
	m.close()
	s, err := c.openCopy(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.kill(1)
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
}

// tearLog changes the file of the log in dir that differs from the one in after. It reports false if none differs, or not only
// in what was written behind its end.
func tearLog(t *testing.T, dir, after string, tear func(before, after []byte, from int) []byte) bool {
	names, err := filesIn(dir, ".wal")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		a, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(after, name))
		if err != nil || len(a) != len(b) || slices.Equal(a, b) {
			continue
		}
		from := 0
		for a[from] == b[from] {
			from++
		}
		if err := os.WriteFile(filepath.Join(dir, name), tear(a, b, from), 0o600); err != nil {
			t.Fatal(err)
		}
		return true
	}
	return false
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
