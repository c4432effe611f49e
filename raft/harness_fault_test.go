//go:build !wasip1

package raft

import (
	"cmp"
	"errors"
	"flag"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A plantedFault is a fault in a test of another process. The process must print the patterns in this order.
type plantedFault struct {
	name   string
	setup  setup
	option Option // of server 2, or nil
	body   func(cfg *config)
	want   []string
	args   []string
	code   int           // exit code; 0 stands for 1
	limit  time.Duration // hangLimit, if not 0
}

// picturePattern matches the first lines of a picture.
const picturePattern = `\| server 0.* \| server 1.* \| server 2.*\n.* \| `

var plantedFaults = []plantedFault{
	{name: "handler", option: faultyHandler, want: []string{
		"TestFault: server 2: panic: planted", picturePattern, `goroutine \d+`, `raft\.\(\*faulty\)\.answering`}},
	{name: "handler in a worker", setup: setup{unreliable: true}, option: faultyHandler, want: []string{
		"TestFault: server 2: panic: planted", picturePattern, `labrpc\.worker\.run`}},
	{name: "handler with the lock", option: panicAt("changed"), want: []string{
		"TestFault: server 2: panic: planted", picturePattern, `raft\.\(\*faulty\)\.changed`}},
	{name: "handler on the real clock", option: faultyHandler, args: []string{"-clock=real"}, want: []string{
		"TestFault: server 2: panic: planted", picturePattern, `raft\.\(\*faulty\)\.answering`}},
	{name: "handler under a debugger", option: faultyHandler, args: []string{"-test.timeout=0"}, code: 2, want: []string{
		`panic: planted \[recovered`, `raft\.\(\*faulty\)\.answering`}},
	{name: "applier", option: panicAt("applying"), want: []string{
		"TestFault: server 2: panic: planted", picturePattern, `raft\.\(\*Raft\)\.applier`}},
	{name: "replicator", option: faultyLeader, want: []string{
		"TestFault: server 2: panic: planted", picturePattern, `raft\.\(\*Raft\)\.replicator`}},
	{name: "ticker", option: atTick(func() { panic(errors.New("planted")) }), want: []string{
		"TestFault: server 2: panic: planted", picturePattern, `raft\.\(\*Raft\)\.ticker`}},
	{name: "reader", body: func(cfg *config) {
		cfg.start1(2, func(int, chan ApplyMsg) { panic("planted") })
		cfg.connect(2)
		cfg.sleep(time.Second)
	}, want: []string{"TestFault: server 2: panic: planted", picturePattern, `created by .*start1`}},
	{name: "body", body: func(cfg *config) {
		cfg.one(1, 3, true)
		cfg.saved[cfg.n] = nil
	}, want: []string{"TestFault: panic: runtime error: index out of range", picturePattern, "harness_fault_test.go"}},
	{name: "body on the real clock", args: []string{"-clock=real"}, body: func(*config) { panic("planted") }, want: []string{
		"TestFault: panic: planted", picturePattern, "harness_fault_test.go"}},
	{name: "goroutine of the test", body: func(cfg *config) {
		go func() {
			defer endTestOnPanic()
			panic("planted")
		}()
		<-make(chan bool)
	}, want: []string{"TestFault: panic in a goroutine of the test: planted", picturePattern, "harness_fault_test.go"}},
	{name: "deadlock", body: func(cfg *config) {
		for i := range cfg.n {
			cfg.kill(i)
		}
		<-make(chan bool)
	}, want: []string{"TestFault: it hangs: it has not ended after 3m", picturePattern, `chan receive`, "harness_fault_test.go"}},
	{name: "goroutine left behind", body: func(*config) { go func() { <-make(chan bool) }() }, want: []string{
		"1 goroutines left behind", "TestFault: deadlock: ", `\| server 2`, `chan receive`, "harness_fault_test.go"}},
	{name: "lock", body: func(cfg *config) {
		cfg.checkOneLeader()
		cfg.raft(2).mu.Lock()
		cfg.checkOneLeader()
	}, want: []string{"TestFault: it hangs: all its goroutines wait", picturePattern,
		`waiting for Raft.mu of server 2: raft\.\(\*Raft\)\.`, `goroutine \d+ \[sync.Mutex.Lock`}},
	{name: "lock on the real clock", args: []string{"-clock=real"}, limit: 3 * time.Second, body: func(cfg *config) {
		cfg.raft(2).mu.Lock()
		cfg.checkOneLeader()
	}, want: []string{"TestFault: it hangs: it has not ended after 3s", picturePattern,
		`waiting for Raft.mu of server 2: raft\.\(\*Raft\)\.`}},
	{name: "channel", body: func(cfg *config) {
		cfg.checkOneLeader()
		<-make(chan bool)
	}, want: []string{"TestFault: it hangs: it has not ended after 3m", `\| server 2`, "chan receive", "harness_fault_test.go"}},
	{name: "loop", limit: 3 * time.Second, body: func(*config) { loop(new(atomic.Bool)) }, want: []string{
		"TestFault: it hangs: its clock has not advanced for 3s of real time", picturePattern, `raft\.loop`}},
	{name: "unlocked twice", option: atTick(func() { new(sync.Mutex).Unlock() }), code: 2, want: []string{
		"fatal error: sync: unlock of unlocked mutex", `raft\.\(\*Raft\)\.ticker`, `raft\.TestFault\(`}},
	{name: "map", code: 2, body: func(*config) {
		m := make(map[int]int)
		for range 2 {
			go func() {
				for {
					m[0]++
				}
			}()
		}
		<-make(chan bool)
	}, want: []string{"fatal error: concurrent map", `raft\.TestFault\(`}},
}

// loop does not wait: it polls.
func loop(stop *atomic.Bool) {
	for !stop.Load() {
	}
}

// atTick makes a server's ticker call f.
func atTick(f func()) Option { return func(o *options) { o.onTickerWake = f } }

// faulty is a watch that panics at an event.
type faulty struct {
	*watch
	at string
}

// panicAt makes the watch of a server panic at an event.
func panicAt(event string) Option {
	return func(o *options) { o.observer = &faulty{o.observer.(*watch), event} }
}

// faultyLeader starts the first election, and panics when it sends AppendEntries.
func faultyLeader(o *options) {
	panicAt("sending")(o)
	WithElectionTimeout(120*time.Millisecond, 120*time.Millisecond)(o)
}

// faultyHandler starts no election, and panics in its handlers.
func faultyHandler(o *options) {
	panicAt("answering")(o)
	WithElectionTimeout(time.Minute, time.Minute)(o)
}

func (f *faulty) panicAt(event string) {
	if f.at == event {
		panic("planted")
	}
}

func (f *faulty) changed(rf *Raft) {
	f.watch.changed(rf)
	if rf.currentTerm > 0 {
		f.panicAt("changed")
	}
}

func (f *faulty) sending(rf *Raft, m Message, to int) {
	f.watch.sending(rf, m, to)
	if _, ok := m.(*AppendEntriesArgs); ok {
		f.panicAt("sending")
	}
}

func (f *faulty) answering(rf *Raft, m Message, reply Reply) {
	f.watch.answering(rf, m, reply)
	f.panicAt("answering")
}

func (f *faulty) applying(rf *Raft, m ApplyMsg) {
	f.watch.applying(rf, m)
	f.panicAt("applying")
}

var faultFlag = flag.String("fault", "", "plant this fault in TestFault")

// TestFault has nothing to test without -fault: TestFaults runs it.
func TestFault(t *testing.T) {
	for _, f := range plantedFaults {
		if f.name == *faultFlag {
			hangLimit, lookEvery = cmp.Or(f.limit, hangLimit), time.Second/2
			f.plant(t)
		}
	}
}

func (f *plantedFault) plant(t *testing.T) {
	s := f.setup
	s.n = 3
	s.options = func(server int) []Option {
		if server == 2 && f.option != nil {
			return []Option{f.option}
		}
		return nil
	}
	run(t, s, "Test: a planted fault", func(cfg *config) {
		if f.body != nil {
			f.body(cfg)
		}
		cfg.checkOneLeader()
		for k := range 10 {
			cfg.one(k, 3, true)
			cfg.sleep(RaftElectionTimeout)
		}
	})
}

// A body hangs if its clock stands still, however long it takes on a slow machine.
func TestTrialSlow(t *testing.T) {
	if !virtualClock() {
		return // bodies on the real clock have a limit of their own
	}
	synctest.Test(t, func(t *testing.T) { // this bubble's clock stands for the real one
		tr := &trial{name: "TestX", ending: make(chan string, 1)}
		slow, hanging := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(slow)
			for range 4 {
				time.Sleep(hangLimit / 2)
				tr.beats.Add(1)
			}
		}()
		if why := tr.wait(slow); why != "" {
			t.Errorf("a slow test fails: %s", why)
		}
		if why := tr.wait(hanging); !strings.HasPrefix(why, "TestX: it hangs: its clock has not advanced for 3m") {
			t.Errorf("got %q", why)
		}
	})
}

// runTests runs this test binary with other arguments.
func runTests(t *testing.T, env []string, args ...string) (out string, code int) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, append([]string{"-test.timeout=1m"}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	text, _ := cmd.CombinedOutput()
	return string(text), cmd.ProcessState.ExitCode()
}

// TestFaults checks that a fault fails only the test in which it is, with its name, the cluster and the stacks. Nothing
// can catch Go's fatal errors: they end the process, and the stacks have the name of the test.
func TestFaults(t *testing.T) {
	for _, f := range plantedFaults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			args := []string{"-test.v", "-test.run=^(TestFault|TestHarnessRandstring)$", "-fault=" + f.name}
			dir, want := t.TempDir(), f.want
			out, code := runTests(t, []string{"PICTURES=" + dir}, append(args, f.args...)...)
			if f.code == 0 {
				f.code, want = 1, append(want, "--- FAIL: TestFault ", "--- PASS: TestHarnessRandstring")
				checkFailurePage(t, out, dir)
			}
			if code != f.code {
				t.Errorf("exit code %d, want %d", code, f.code)
			}
			for rest, k := out, 0; k < len(want); k++ {
				at := regexp.MustCompile(want[k]).FindStringIndex(rest)
				if at == nil {
					t.Fatalf("no %q after the patterns before it in:\n%s", want[k], out)
				}
				rest = rest[at[1]:]
			}
		})
	}
}
