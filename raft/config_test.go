package raft

// The cluster under test: it is made, crashed, restarted, connected and cleaned up as in the course's harness.
// harness_apply_test.go checks what servers apply; harness_check_test.go holds what a test asks of the cluster.

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"6.824/labrpc"
)

// setup describes the cluster that a test wants.
type setup struct {
	n            int
	unreliable   bool
	snapshot     bool // readers snapshot every SnapShotInterval commands
	snapshot2021 bool // likewise, by the rules of 2021
	forgetful    bool // a restarted server's log starts empty, as in 2025

	options func(server int) []Option // beyond those of every server; may be nil
}

// config is a cluster in a test. Its methods may end the test, so only the test's goroutine calls them, unless their
// comment allows others.
type config struct {
	setup
	t           testing.TB
	net         *labrpc.Network
	applierFunc func(server int, applyCh applyChannel)
	made        time.Time
	finished    atomic.Bool   // cleanup has begun
	broken      chan struct{} // closed at the first apply error
	watch       *watch        // checks Raft's properties
	recording   *recording    // for the page of the test; may be nil
	reported    bool          // apply errors have reached t

	mu          sync.Mutex // guards what follows
	rafts       []*Raft    // nil: crashed
	readers     []chan struct{}
	applyErr    []string // the first error of each server's readers
	connected   []bool
	saved       []*Persister
	endnames    [][]string    // endnames[i][j] is the end that i uses to reach j
	logs        []map[int]any // the commands that each server has applied, by index
	lastApplied []int
	maxIndex    int // highest index that any server has applied

	// begin sets these for end.
	t0        time.Time
	rpcs0     int
	bytes0    int64
	maxIndex0 int
}

var warnOneCPU = sync.OnceFunc(func() {
	if runtime.NumCPU() < 2 && runtime.GOOS != "wasip1" { // there is always one, and a host such as replay preempts
		fmt.Println("warning: only one CPU, which may conceal locking bugs")
	}
})

// make_config starts n servers, all connected. The caller defers cleanup.
func make_config(t *testing.T, n int, unreliable bool, snapshot bool) *config {
	return setup{n: n, unreliable: unreliable, snapshot: snapshot}.start(t)
}

func (s setup) start(t testing.TB) *config {
	warnOneCPU()
	if !virtualClock() {
		runtime.GOMAXPROCS(4)
	}
	cfg := s.build(t)
	cfg.net = labrpc.MakeNetwork()
	cfg.net.Reliable(!s.unreliable)
	cfg.net.LongDelays(true)
	for i := range s.n {
		cfg.start1(i, cfg.applierFunc)
	}
	for i := range s.n {
		cfg.setConnected(i, true)
	}
	return cfg
}

// build returns a cluster that has no network and no servers yet.
func (s setup) build(t testing.TB) *config {
	r := newRecording(t, s.n)
	cfg := &config{
		setup:       s,
		t:           r.testing(t),
		made:        time.Now(),
		broken:      make(chan struct{}),
		watch:       newWatch(s.n),
		recording:   r,
		rafts:       make([]*Raft, s.n),
		readers:     make([]chan struct{}, s.n),
		applyErr:    make([]string, s.n),
		connected:   make([]bool, s.n),
		saved:       make([]*Persister, s.n),
		endnames:    make([][]string, s.n),
		logs:        make([]map[int]any, s.n),
		lastApplied: make([]int, s.n),
	}
	cfg.watch.recordIn(r)
	for i := range cfg.logs {
		cfg.logs[i] = make(map[int]any)
	}
	switch {
	case s.snapshot2021:
		cfg.applierFunc = cfg.applierSnap2021
	case s.snapshot:
		cfg.applierFunc = cfg.applierSnap
	default:
		cfg.applierFunc = cfg.applier
	}
	return cfg
}

// start1 starts server i from its disk, after crashing it if it is running. It does not connect the server.
func (cfg *config) start1(i int, applier func(int, applyChannel)) {
	cfg.crash1(i)
	if cfg.saved[i] != nil {
		cfg.recording.step("restart server %d", i)
	}
	ends := cfg.makeEnds(i)
	persister := cfg.openDisk(i)
	rf, applyCh := cfg.makeRaft(i, ends, persister)
	reader := make(chan struct{})
	cfg.mu.Lock()
	cfg.rafts[i], cfg.readers[i] = rf, reader
	cfg.mu.Unlock()
	go func() {
		defer close(reader)
		defer rf.observePanic()
		applier(i, applyCh)
	}()
	server := labrpc.MakeServer()
	server.AddService(serviceOf(rf))
	cfg.net.AddServer(i, server)
}

// makeEnds gives server i a new, disabled end to every server. A restarted server does not reuse its old ends: messages
// that it sent before the restart must not arrive.
func (cfg *config) makeEnds(i int) []*labrpc.ClientEnd {
	names := make([]string, cfg.n)
	ends := make([]*labrpc.ClientEnd, cfg.n)
	for j := range ends {
		names[j] = randstring(20)
		ends[j] = cfg.net.MakeEnd(names[j])
		cfg.net.Connect(names[j], j)
	}
	cfg.mu.Lock()
	defer cfg.mu.Unlock()
	cfg.endnames[i] = names
	return ends
}

// openDisk returns the persister that server i starts with. If the persister has a snapshot, openDisk takes it as
// applied, because the server does not send those commands again.
func (cfg *config) openDisk(i int) *Persister {
	cfg.mu.Lock()
	defer cfg.mu.Unlock()
	cfg.lastApplied[i] = 0
	if cfg.forgetful {
		cfg.logs[i] = make(map[int]any)
	}
	if cfg.saved[i] == nil {
		cfg.saved[i] = MakePersister()
		return cfg.saved[i]
	}
	cfg.saved[i] = cfg.saved[i].Copy()
	if snapshot := cfg.saved[i].ReadSnapshot(); cfg.snapshot && len(snapshot) > 0 {
		if err := cfg.ingestSnapLocked(i, snapshot, -1); err != "" {
			cfg.t.Fatal(err)
		}
	}
	return cfg.saved[i]
}

// crash1 stops server i. The server leaves the network before its disk is copied; otherwise it could acknowledge a save
// that the copy lacks.
func (cfg *config) crash1(i int) {
	if cfg.raft(i) != nil {
		cfg.recording.step("crash server %d", i)
	}
	cfg.watch.crashing(i)
	cfg.setConnected(i, false)
	cfg.net.DeleteServer(i)
	cfg.mu.Lock()
	if cfg.saved[i] != nil {
		cfg.saved[i] = cfg.watch.takeDisk(i, cfg.saved[i])
	}
	cfg.mu.Unlock()
	cfg.kill(i)
	cfg.mu.Lock()
	defer cfg.mu.Unlock()
	if old := cfg.saved[i]; old != nil {
		cfg.saved[i] = MakePersister()
		cfg.saved[i].Save(old.ReadRaftState(), old.ReadSnapshot())
	}
}

// kill ends server i, if it is running, and waits for its reader to end: a reader that is still handling a message
// would write into the log of the restarted server.
func (cfg *config) kill(i int) {
	cfg.mu.Lock()
	rf, reader := cfg.rafts[i], cfg.readers[i]
	cfg.mu.Unlock()
	if rf == nil {
		return
	}
	rf.Kill()
	cfg.mu.Lock()
	cfg.rafts[i] = nil
	cfg.mu.Unlock()
	cfg.awaitReader(i, reader)
}

func (cfg *config) connect(i int) {
	cfg.recording.step("connect server %d", i)
	cfg.setConnected(i, true)
}

func (cfg *config) disconnect(i int) {
	cfg.recording.step("disconnect server %d", i)
	cfg.setConnected(i, false)
}

// setConnected connects server i to all connected servers, or disconnects it from all. Two disconnected servers cannot
// reach each other either.
func (cfg *config) setConnected(i int, yes bool) {
	cfg.mu.Lock()
	defer cfg.mu.Unlock()
	cfg.connected[i] = yes
	for j := range cfg.n {
		if yes && !cfg.connected[j] {
			continue
		}
		if cfg.endnames[i] != nil {
			cfg.net.Enable(cfg.endnames[i][j], yes)
		}
		if cfg.endnames[j] != nil {
			cfg.net.Enable(cfg.endnames[j][i], yes)
		}
	}
}

// all returns the numbers of all servers.
func (cfg *config) all() []int {
	servers := make([]int, cfg.n)
	for i := range servers {
		servers[i] = i
	}
	return servers
}

// connectEach and the next three take server numbers modulo n, because tests count upwards from a leader.

func (cfg *config) connectEach(servers ...int) {
	for _, i := range servers {
		cfg.connect(i % cfg.n)
	}
}

func (cfg *config) disconnectEach(servers ...int) {
	for _, i := range servers {
		cfg.disconnect(i % cfg.n)
	}
}

func (cfg *config) crashEach(servers ...int) {
	for _, i := range servers {
		cfg.crash1(i % cfg.n)
	}
}

// restartEach restarts and connects each server.
func (cfg *config) restartEach(servers ...int) {
	for _, i := range servers {
		cfg.start1(i%cfg.n, cfg.applierFunc)
		cfg.connect(i % cfg.n)
	}
}

// raft returns server i, modulo n, or nil if it has crashed. Any goroutine may call it.
func (cfg *config) raft(i int) *Raft {
	cfg.mu.Lock()
	defer cfg.mu.Unlock()
	return cfg.rafts[i%cfg.n]
}

// isConnected may be called by any goroutine.
func (cfg *config) isConnected(i int) bool {
	cfg.mu.Lock()
	defer cfg.mu.Unlock()
	return cfg.connected[i]
}

// cleanup ends the cluster, whether or not the test failed. It runs deferred, so it never ends the test's goroutine.
func (cfg *config) cleanup() {
	cfg.finished.Store(true)
	for i := range cfg.n {
		cfg.kill(i)
	}
	if cfg.net != nil {
		cfg.net.Cleanup()
	}
	if err := cfg.applyError(); err != nil && !cfg.reported {
		cfg.t.Error(err)
	}
	cfg.checkTimeout()
}

// randstring returns n random characters that are safe in a URL.
func randstring(n int) string {
	b := make([]byte, 2*n)
	rand.Read(b)
	return base64.URLEncoding.EncodeToString(b)[:n]
}
