package raft

// The cluster under test: made, crashed, restarted, connected and cleaned up as the course's harness
// does it. What servers apply is judged in harness_apply_test.go, what a test asks of the cluster in
// harness_check_test.go.

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

// setup says what cluster a test wants.
type setup struct {
	n            int
	unreliable   bool
	snapshot     bool // readers snapshot every SnapShotInterval commands
	snapshot2021 bool // the same by the rules of 2021
	forgetful    bool // a restarted server's log starts empty, as in 2025

	options func(server int) []Option // beyond those of every server; may be nil
}

// defaultOptions are added to every server of every cluster: what -options names.
var defaultOptions []Option

// config is a cluster in a test. Its methods may end the test, so they belong to the test's goroutine
// unless their comment says otherwise.
type config struct {
	setup
	t           testing.TB
	net         *labrpc.Network
	applierFunc func(server int, applyCh chan ApplyMsg)
	made        time.Time
	finished    atomic.Bool   // cleanup has begun
	broken      chan struct{} // closed at the first apply error
	watch       *watch        // of Raft's properties
	reported    bool          // apply errors have reached t

	mu          sync.Mutex // guards what follows
	rafts       []*Raft    // nil: crashed
	readers     []chan struct{}
	applyErr    []string // what the reader of each server has to complain about
	connected   []bool
	saved       []*Persister
	endnames    [][]string    // endnames[i][j] is the end that i uses to reach j
	logs        []map[int]any // what each server has applied
	lastApplied []int
	maxIndex    int // highest index that any server has applied

	// What begin noted, for end.
	t0        time.Time
	rpcs0     int
	bytes0    int64
	maxIndex0 int
}

var warnOneCPU = sync.OnceFunc(func() {
	if runtime.NumCPU() < 2 {
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
		cfg.connect(i)
	}
	return cfg
}

// build makes the bookkeeping of a cluster that has neither network nor servers yet.
func (s setup) build(t testing.TB) *config {
	cfg := &config{
		setup:       s,
		t:           t,
		made:        time.Now(),
		broken:      make(chan struct{}),
		watch:       newWatch(s.n),
		rafts:       make([]*Raft, s.n),
		readers:     make([]chan struct{}, s.n),
		applyErr:    make([]string, s.n),
		connected:   make([]bool, s.n),
		saved:       make([]*Persister, s.n),
		endnames:    make([][]string, s.n),
		logs:        make([]map[int]any, s.n),
		lastApplied: make([]int, s.n),
	}
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

// makeOptions is the one place where a server's options come from. WithCloseOnKill shows the harness
// that a killed server has sent its last.
func (cfg *config) makeOptions(server int) []Option {
	options := append([]Option{WithCloseOnKill(), cfg.watch.option()}, defaultOptions...)
	if cfg.options != nil {
		options = append(options, cfg.options(server)...)
	}
	return options
}

// start1 starts server i from its disk, crashing it first if it runs. It does not connect it.
func (cfg *config) start1(i int, applier func(int, chan ApplyMsg)) {
	cfg.crash1(i)
	ends := cfg.makeEnds(i)
	persister := cfg.openDisk(i)
	applyCh := make(chan ApplyMsg)
	rf := Make(ends, i, persister, applyCh, cfg.makeOptions(i)...)
	reader := make(chan struct{})
	cfg.mu.Lock()
	cfg.rafts[i], cfg.readers[i] = rf, reader
	cfg.mu.Unlock()
	go func() {
		defer close(reader)
		applier(i, applyCh)
	}()
	server := labrpc.MakeServer()
	server.AddService(labrpc.MakeService(rf))
	cfg.net.AddServer(i, server)
}

// makeEnds gives server i a fresh, disabled end to every server. A restarted server does not reuse its
// old ends: what its former life still has under way must not come through.
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

// openDisk returns the persister for server i's next life and notes what the server will not be sent
// again, because its snapshot holds it.
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

// crash1 stops server i. The server leaves the network before its disk is copied, so that no reply can
// promise what was saved only after the copy.
func (cfg *config) crash1(i int) {
	cfg.disconnect(i)
	cfg.net.DeleteServer(i)
	cfg.mu.Lock()
	if cfg.saved[i] != nil {
		cfg.saved[i] = cfg.watch.cut(i, cfg.saved[i])
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

// kill ends server i, if it runs, and sees its reader end: a reader that is still busy with a message
// would write into the log of the server's next life.
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

func (cfg *config) awaitReader(i int, reader <-chan struct{}) {
	const patience = 5 * time.Second
	select {
	case <-reader:
	case <-time.After(patience):
		cfg.t.Errorf("server %v: applyCh is still open %v after Kill", i, patience)
	}
}

func (cfg *config) connect(i int)    { cfg.setConnected(i, true) }
func (cfg *config) disconnect(i int) { cfg.setConnected(i, false) }

// setConnected joins server i to, or parts it from, all others. Partitions are all or nothing: two
// disconnected servers do not reach each other either.
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

// all names every server.
func (cfg *config) all() []int {
	servers := make([]int, cfg.n)
	for i := range servers {
		servers[i] = i
	}
	return servers
}

// The four below act on several servers, numbered modulo n as the tests count from a leader.

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

// restartEach starts and connects each server, crashing those that run.
func (cfg *config) restartEach(servers ...int) {
	for _, i := range servers {
		cfg.start1(i%cfg.n, cfg.applierFunc)
		cfg.connect(i % cfg.n)
	}
}

// raft returns server i, or nil if it is crashed. Any goroutine may call it.
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

// cleanup ends the cluster, whether or not the test failed. It never ends the test's goroutine, for it
// runs deferred.
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
