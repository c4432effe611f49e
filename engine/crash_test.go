package engine

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	lab "6.824/raft"
)

var (
	crashSeed   = flag.Uint64("crash.seed", 1, "seed of TestCrash")
	crashRounds = flag.Int("crash.rounds", 8, "times that TestCrash kills processes")
)

// childVariable is the environment variable that makes the test binary a server. Its value is a childConfig.
const childVariable = "ENGINE_TEST_SERVER"

type childConfig struct {
	ID       int
	Dir      string
	Peers    map[int]string
	Clients  string // address for clients of kvraft's service; "" for a list of commands
	MaxState int    // size of the log from which on that service takes a snapshot; -1 for never
}

// runChild is the main function of a server that is a process.
func runChild(text string) {
	var cc childConfig
	if err := json.Unmarshal([]byte(text), &cc); err != nil {
		panic(err)
	}
	applyCh := make(chan lab.ApplyMsg)
	node, err := Open(Config{
		ID: cc.ID, Cluster: "test", Dir: cc.Dir, Peers: cc.Peers, Tick: testTick,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	}, applyCh)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go func() {
		<-node.Done()
		fmt.Fprintln(os.Stderr, node.Err())
		os.Exit(1)
	}()
	if cc.Clients != "" {
		serveLab(cc, node, applyCh)
	}
	serveList(node, applyCh)
}

// serveList serves a list of commands, which come on standard input, one a line. On standard output it says what becomes of
// them. The line "?" asks for the whole list, and "status" for the server's Status.
func serveList(node *Node, applyCh <-chan lab.ApplyMsg) {
	var out sync.Mutex
	say := func(format string, args ...any) {
		out.Lock()
		defer out.Unlock()
		fmt.Printf(format+"\n", args...)
	}
	r := &recorder{}
	go func() {
		next := 60
		for m := range applyCh {
			if err := r.apply(m); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			if m.CommandValid {
				say("applied %d %d %s", m.CommandIndex, m.CommandTerm, m.Command)
				if m.CommandIndex >= next {
					next += 60 + next/10 // the state grows
					node.Snapshot(m.CommandIndex, r.encode())
				}
			}
		}
	}()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if lines.Text() == "?" {
			say("all %s", r.encode())
		} else if lines.Text() == "status" {
			status, _ := json.Marshal(node.Status())
			say("status %s", status)
		} else if index, term, ok := node.Start(lines.Text()); ok {
			say("started %d %d %s", index, term, lines.Text())
		}
	}
}

// A child is a server that is a process, as its parent sees it.
type child struct {
	process *exec.Cmd
	stdin   io.WriteCloser
	ended   chan struct{}
	all     chan []string // answers to "?"
	killed  bool
}

// A crashTest is what TestCrash knows.
type crashTest struct {
	*testing.T
	peers    map[int]string
	dirOf    func(id int) string // is called before a server starts
	died     func(id int)        // is called when one was killed; may be nil
	children map[int]*child

	mu      sync.Mutex
	started map[string]claim // by command
	acked   map[string]int   // index of a command that the server that had accepted it has applied
	applied map[int]string   // by index
}

func (c *crashTest) start(id int) {
	config, err := json.Marshal(childConfig{ID: id, Dir: c.dirOf(id), Peers: c.peers})
	if err != nil {
		c.Fatal(err)
	}
	p := exec.Command(os.Args[0])
	p.Env = append(os.Environ(), childVariable+"="+string(config))
	stderr := &strings.Builder{}
	p.Stderr = stderr
	ch := &child{process: p, ended: make(chan struct{}), all: make(chan []string, 1)}
	ch.stdin, err = p.StdinPipe()
	if err != nil {
		c.Fatal(err)
	}
	stdout, err := p.StdoutPipe()
	if err != nil {
		c.Fatal(err)
	}
	if err := p.Start(); err != nil {
		c.Fatal(err)
	}
	c.children[id] = ch
	go func() {
		defer close(ch.ended)
		c.listen(ch, stdout)
		if err := p.Wait(); !ch.killed {
			c.Errorf("server %d has ended by itself: %v\n%s", id, err, stderr)
		}
	}()
}

// listen takes in what a server says. A line that was cut off by its death means nothing.
func (c *crashTest) listen(ch *child, r io.Reader) {
	lines := bufio.NewReader(r)
	mine := map[string]bool{} // commands that this process has accepted
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if word == "status" {
			c.Log(rest)
			continue
		}
		if word == "all" {
			var commands []string
			if err := json.Unmarshal([]byte(rest), &commands); err != nil {
				c.Error(err)
			}
			ch.all <- commands
			continue
		}
		var index, term int
		var command string
		if _, err := fmt.Sscan(rest, &index, &term, &command); err != nil {
			c.Errorf("a server said %q: %v", line, err)
		}
		if word == "started" {
			mine[command] = true
		}
		c.note(word, index, term, command, mine[command])
	}
}

func (c *crashTest) note(word string, index, term int, command string, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if word == "started" {
		c.started[command] = claim{index, term}
	} else if before, ok := c.applied[index]; ok && before != command {
		c.Errorf("command %d is %q on one server and %q on another", index, before, command)
	} else {
		c.applied[index] = command
	}
	made, ok := c.started[command]
	if c.applied[index] != command || !ok {
		return
	}
	if made != (claim{index, term}) {
		c.Errorf("%q was applied as command %d of term %d; Start said %v", command, index, term, made)
	}
	if mine {
		c.acked[command] = index
	}
}

// kill kills a process as kill -9 does.
func (c *crashTest) kill(id int) {
	if ch := c.children[id]; ch != nil {
		ch.killed = true
		ch.process.Process.Kill()
		<-ch.ended
		delete(c.children, id)
		if c.died != nil {
			c.died(id)
		}
	}
}

func newCrashTest(t *testing.T) *crashTest {
	c := &crashTest{T: t, peers: map[int]string{}, children: map[int]*child{},
		started: map[string]claim{}, acked: map[string]int{}, applied: map[int]string{}}
	for id := range 3 {
		c.peers[id+1] = freeAddress(t)
	}
	t.TempDir() // is removed last, when no server uses it any more
	t.Cleanup(func() {
		for id := range c.peers {
			c.kill(id)
		}
	})
	return c
}

// TestCrash kills processes with SIGKILL under load: one, two or all three. What a server had acknowledged, which is to
// say applied after it had accepted it, must be there at the end, at its place, on every server.
func TestCrash(t *testing.T) {
	t.Parallel()
	c := newCrashTest(t)
	dir := t.TempDir()
	c.dirOf = func(id int) string { return filepath.Join(dir, fmt.Sprint(id)) }
	c.run(*crashSeed, *crashRounds)
}

// run kills and restarts servers under load, and checks what is left.
func (c *crashTest) run(seed uint64, rounds int) {
	random := rand.New(rand.NewPCG(seed, 1))
	number, killed := 0, 0
	load := func(d time.Duration) {
		for until := time.Now().Add(d); time.Now().Before(until); time.Sleep(time.Millisecond) {
			for _, ch := range c.children {
				number++
				fmt.Fprintf(ch.stdin, "%d%s\n", number, strings.Repeat("-", random.IntN(1000))) // fails if it was just killed
			}
		}
	}
	c.startAll()
	for range rounds {
		before := c.acknowledged()
		load(time.Duration(100+random.IntN(400)) * time.Millisecond)
		for deadline := time.Now().Add(crashTimeout); c.acknowledged() < before+10; load(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				c.hangs("nothing is acknowledged")
			}
		}
		for k, id := range random.Perm(3) {
			if k == 0 || random.IntN(2) == 0 {
				c.kill(id + 1)
				killed++
			}
		}
		load(time.Duration(random.IntN(200)) * time.Millisecond)
		c.startAll()
	}
	c.finish(load)
	c.Logf("seed %d: servers were killed %d times, %d commands were accepted, %d acknowledged", seed, killed, len(c.started), len(c.acked))
}

// crashTimeout is when the servers seem to hang. It is long, since all processes may have to share one busy processor.
const crashTimeout = 2 * time.Minute

// hangs fails the test, and logs what the servers say of themselves.
func (c *crashTest) hangs(complaint string) {
	for _, ch := range c.children {
		fmt.Fprintln(ch.stdin, "status")
	}
	time.Sleep(time.Second)
	c.Fatal(complaint)
}

// acknowledged returns how many commands were acknowledged.
func (c *crashTest) acknowledged() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.acked)
}

// startAll starts all servers that do not run.
func (c *crashTest) startAll() {
	for id := range c.peers {
		if c.children[id] == nil {
			c.start(id)
		}
	}
}

// finish checks what the servers have at the end.
func (c *crashTest) finish(load func(time.Duration)) {
	var lists [][]string
	load(100 * time.Millisecond)
	for deadline := time.Now().Add(crashTimeout); ; time.Sleep(200 * time.Millisecond) {
		lists = nil
		for _, ch := range c.children {
			fmt.Fprintln(ch.stdin, "?")
			select {
			case all := <-ch.all:
				lists = append(lists, all)
			case <-time.After(crashTimeout):
				c.Fatal("a server does not answer")
			}
		}
		c.mu.Lock()
		enough := slices.IndexFunc(lists, func(l []string) bool { return len(l) < len(c.applied) }) < 0
		c.mu.Unlock()
		if enough {
			break
		}
		if time.Now().After(deadline) {
			c.Fatalf("the servers do not become the same: they have %d, %d and %d commands", len(lists[0]), len(lists[1]), len(lists[2]))
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for command, index := range c.acked {
		for _, list := range lists {
			if index > len(list) || list[index-1] != command {
				c.Errorf("%q was acknowledged as command %d, and is lost", command, index)
			}
		}
	}
}
