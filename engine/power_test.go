//go:build linux && (amd64 || arm64)

// The file system of this test needs package go-fuse, which is not for 32 bits.

package engine

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

var (
	powerRounds = flag.Int("power.rounds", 5, "times that TestPower cuts the power")
	powerIgnore = flag.String("power.ignore", "", "syncs that TestPower's disks do not carry out: "+strings.Join(slices.Sorted(maps.Keys(powerMutants)), ", "))
	powerMutate = flag.Bool("power.mutants", false, "run TestPower_mutants")
)

// powerMutants are syncs that the engine might have left out.
var powerMutants = map[string]func(name string) bool{
	"log":           func(name string) bool { return strings.HasSuffix(name, ".wal") },
	"snapshot":      func(name string) bool { return strings.HasSuffix(name, ".snap") },
	"snapshot-name": func(name string) bool { return name == "snap" },
	"log-name":      func(name string) bool { return name == "wal" },
}

// A powerDisk is a file system in memory that can lose its power: then it forgets what was not synced. A file forgets each
// sector that was written since its last sync, or not; a directory forgets all names that were made, moved or
// removed since its last sync, or none.
type powerDisk struct {
	mu      sync.Mutex
	root    *powerNode
	ignore  func(name string) bool // syncs that are not carried out, as if the engine had left them out; nil for none
	ignored int
}

// A powerNode is a file or a directory. The fields are guarded by the disk's mutex.
type powerNode struct {
	fs.Inode
	disk       *powerDisk
	name       string
	isDir      bool
	data       []byte // of a file
	syncedData []byte
	names      map[string]*powerNode // of a directory
	synced     map[string]*powerNode
}

const sectorSize = 512

func (d *powerDisk) newNode(name string, isDir bool) *powerNode {
	return &powerNode{disk: d, name: name, isDir: isDir, names: map[string]*powerNode{}, synced: map[string]*powerNode{}}
}

// load fills a directory of the file system with what an ordinary directory holds. All is synced.
func (n *powerNode) load(ctx context.Context, t testing.TB, path string) {
	list, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		child := n.disk.newNode(e.Name(), e.IsDir())
		n.attach(ctx, child)
		if n.names[e.Name()] = child; e.IsDir() {
			child.load(ctx, t, filepath.Join(path, e.Name()))
		} else if child.data, err = os.ReadFile(filepath.Join(path, e.Name())); err != nil {
			t.Fatal(err)
		}
		child.syncedData = append([]byte(nil), child.data...)
	}
	n.synced = maps.Clone(n.names)
}

// attach makes child known to the library.
func (n *powerNode) attach(ctx context.Context, child *powerNode) *fs.Inode {
	mode := uint32(syscall.S_IFREG)
	if child.isDir {
		mode = syscall.S_IFDIR
	}
	inode := n.NewPersistentInode(ctx, child, fs.StableAttr{Mode: mode})
	n.AddChild(child.name, inode, true)
	return inode
}

// saveAfterCut writes to an ordinary directory what is left after a loss of power.
func (n *powerNode) saveAfterCut(t testing.TB, random *rand.Rand, path string) {
	if !n.isDir {
		if err := os.WriteFile(path, n.afterCut(random), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
	names := n.synced
	if random.IntN(2) == 0 {
		names = n.names
	}
	for name, child := range names {
		child.saveAfterCut(t, random, filepath.Join(path, name))
	}
}

// afterCut returns what is left of a file.
func (n *powerNode) afterCut(random *rand.Rand) []byte {
	size := len(n.syncedData)
	if random.IntN(2) == 0 {
		size = len(n.data)
	}
	left := make([]byte, size)
	copy(left, n.syncedData)
	for at := 0; at < size; at += sectorSize {
		if random.IntN(2) == 0 && at < len(n.data) {
			copy(left[at:min(at+sectorSize, size)], n.data[at:])
		}
	}
	return left
}

func (n *powerNode) attr(out *fuse.Attr) {
	out.Size = uint64(len(n.data))
	out.Mode = 0o700
}

func (n *powerNode) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	n.attr(&out.Attr)
	return 0
}

func (n *powerNode) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	if size, ok := in.GetSize(); ok {
		data := make([]byte, size)
		copy(data, n.data)
		n.data = data
	}
	n.attr(&out.Attr)
	return 0
}

func (n *powerNode) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, 0, 0
}

func (n *powerNode) Read(_ context.Context, _ fs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	if off >= int64(len(n.data)) {
		return fuse.ReadResultData(nil), 0
	}
	return fuse.ReadResultData(dest[:copy(dest, n.data[off:])]), 0
}

func (n *powerNode) Write(_ context.Context, _ fs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	if grow := int(off) + len(data) - len(n.data); grow > 0 {
		n.data = append(n.data, make([]byte, grow)...)
	}
	copy(n.data[off:], data)
	return uint32(len(data)), 0
}

func (n *powerNode) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	if n.disk.ignore != nil && n.disk.ignore(n.name) {
		n.disk.ignored++
		return 0
	}
	n.syncedData = append([]byte(nil), n.data...)
	n.synced = maps.Clone(n.names)
	return 0
}

// add makes a child with a name.
func (n *powerNode) add(ctx context.Context, name string, isDir bool, out *fuse.EntryOut) *fs.Inode {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	child := n.disk.newNode(name, isDir)
	n.names[name] = child
	child.attr(&out.Attr)
	mode := uint32(syscall.S_IFREG)
	if isDir {
		mode = syscall.S_IFDIR
	}
	return n.NewPersistentInode(ctx, child, fs.StableAttr{Mode: mode})
}

func (n *powerNode) Create(ctx context.Context, name string, _ uint32, _ uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	return n.add(ctx, name, false, out), nil, 0, 0
}

func (n *powerNode) Mkdir(ctx context.Context, name string, _ uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	return n.add(ctx, name, true, out), 0
}

func (n *powerNode) Unlink(_ context.Context, name string) syscall.Errno {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	delete(n.names, name)
	return 0
}

func (n *powerNode) Rmdir(ctx context.Context, name string) syscall.Errno {
	n.disk.mu.Lock()
	full := len(n.names[name].names) > 0
	n.disk.mu.Unlock()
	if full {
		return syscall.ENOTEMPTY
	}
	return n.Unlink(ctx, name)
}

func (n *powerNode) Rename(_ context.Context, name string, newParent fs.InodeEmbedder, newName string, _ uint32) syscall.Errno {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	child := n.names[name]
	delete(n.names, name)
	child.name = newName
	newParent.(*powerNode).names[newName] = child
	return 0
}

// mountPower mounts a power disk that holds what the directory from holds. It skips the test where that is not possible.
func mountPower(t testing.TB, from string) (d *powerDisk, path string, unmount func()) {
	t.Helper()
	d = &powerDisk{}
	d.root = d.newNode("", true)
	path = t.TempDir()
	options := &fs.Options{MountOptions: fuse.MountOptions{DirectMount: true, FsName: "power", DisableXAttrs: true}}
	options.OnAdd = func(ctx context.Context) { d.root.load(ctx, t, from) }
	server, err := fs.Mount(path, d.root, options)
	if err != nil {
		t.Skipf("power cuts are not tested, since no FUSE file system can be mounted: %v", err)
	}
	return d, path, func() {
		if err := server.Unmount(); err != nil {
			t.Errorf("cannot unmount: %v", err)
		}
	}
}

// A powerTest is a crashTest whose servers have power disks.
type powerTest struct {
	*crashTest
	random *rand.Rand
	ignore func(name string) bool
	saved  map[int]string // directories with what the last cut has left
	cut    map[int]func()
}

func newPowerTest(t *testing.T, seed uint64) *powerTest {
	p := &powerTest{crashTest: newCrashTest(t), random: rand.New(rand.NewPCG(seed, 2)), saved: map[int]string{}, cut: map[int]func(){}}
	p.dirOf = func(id int) string {
		if p.saved[id] == "" {
			p.saved[id] = t.TempDir()
		}
		d, path, unmount := mountPower(t, p.saved[id])
		d.ignore = p.ignore
		p.cut[id] = func() {
			d.mu.Lock()
			p.saved[id] = t.TempDir()
			d.root.saveAfterCut(t, p.random, p.saved[id])
			d.mu.Unlock()
			unmount()
		}
		return path
	}
	p.died = func(id int) { p.cut[id]() }
	return p
}

// TestPower cuts the power of one, two or all three servers under load. What was acknowledged must not be lost.
func TestPower(t *testing.T) {
	t.Parallel()
	p := newPowerTest(t, *crashSeed)
	p.ignore = powerMutants[*powerIgnore]
	p.run(*crashSeed, *powerRounds)
}

// TestPower_mutants leaves out one kind of sync after the other. TestPower must find each, within some seeds.
func TestPower_mutants(t *testing.T) {
	if !*powerMutate {
		t.Skip("takes minutes; -power.mutants runs it")
	}
	for name := range powerMutants {
		t.Run(name, func(t *testing.T) {
			for seed := range 20 {
				test := exec.Command(os.Args[0], "-test.run=^TestPower$", "-test.v", "-power.rounds=12",
					"-power.ignore="+name, fmt.Sprintf("-crash.seed=%d", seed))
				out, err := test.CombinedOutput()
				if strings.Contains(string(out), "--- SKIP") {
					t.Skip("power cuts cannot be tested here")
				}
				if err != nil {
					t.Logf("seed %d finds it:\n%s", seed, out)
					return
				}
			}
			t.Error("no seed has found it")
		})
	}
}
