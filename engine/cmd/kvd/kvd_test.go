package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"6.824/cmd/cli"
	"6.824/engine"
)

// programs is the directory with kvd and kvctl, which TestMain builds.
var programs string

var withRace = flag.Bool("kvd.race", false, "build kvd with the race detector")

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "kvd")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		build := exec.Command("go", "build", fmt.Sprintf("-race=%t", *withRace), "-o", dir+string(filepath.Separator), "6.824/engine/cmd/kvd", "6.824/engine/cmd/kvctl")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%s", out)
			return 1
		}
		programs = dir
		return m.Run()
	}())
}

// A cluster is three kvd.
type cluster struct {
	*testing.T
	dir     string
	peers   string
	clients []string // addresses
	kvds    map[int]*exec.Cmd
	scheme  string
	ctl     []string // flags of kvctl
}

func newCluster(t *testing.T) *cluster {
	c := &cluster{T: t, dir: t.TempDir(), kvds: map[int]*exec.Cmd{}, scheme: "http"}
	var peers []string
	for id := range 4 {
		if id < 3 {
			peers = append(peers, fmt.Sprintf("%d=%s", id+1, freeAddress(t)))
		}
		c.clients = append(c.clients, freeAddress(t))
	}
	c.peers = strings.Join(peers, ",")
	t.Cleanup(func() {
		for id := range c.kvds {
			c.kill(id)
		}
	})
	return c
}

// freeAddress returns an address that nobody listens on. On Linux it is a random one of all loopback addresses, with a port that the
// system does not give to outgoing connections. It is not tried: a process that another test just starts would share the listener for a
// moment, and the server could not have the address.
func freeAddress(t testing.TB) string {
	if runtime.GOOS == "linux" {
		return fmt.Sprintf("127.%d.%d.%d:%d", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254), 10000+rand.IntN(20000))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (c *cluster) start(id int, flags ...string) {
	c.Helper()
	log, err := os.OpenFile(c.log(id), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		c.Fatal(err)
	}
	defer log.Close()
	args := append([]string{"-id", fmt.Sprint(id), "-peers", c.peers, "-tick", "20ms",
		"-data", filepath.Join(c.dir, fmt.Sprint(id)), "-listen", c.clients[id-1]}, flags...)
	kvd := exec.Command(filepath.Join(programs, "kvd"), args...)
	kvd.Stderr = log
	if err := kvd.Start(); err != nil {
		c.Fatal(err)
	}
	c.kvds[id] = kvd
}

func (c *cluster) log(id int) string { return filepath.Join(c.dir, fmt.Sprint(id, ".log")) }

// kill kills a server as kill -9 does.
func (c *cluster) kill(id int) {
	c.kvds[id].Process.Kill()
	c.kvds[id].Wait()
	delete(c.kvds, id)
}

// kvctl runs kvctl with one server, or with all if id is 0.
func (c *cluster) kvctl(id int, args ...string) (string, error) {
	endpoints := c.scheme + "://" + strings.Join(c.clients[:3], ","+c.scheme+"://")
	if id > 0 {
		endpoints = c.scheme + "://" + c.clients[id-1]
	}
	ctl := exec.Command(filepath.Join(programs, "kvctl"), append(append([]string{"-endpoints", endpoints}, c.ctl...), args...)...)
	var stderr bytes.Buffer
	ctl.Stderr = &stderr
	out, err := ctl.Output()
	if err != nil {
		err = fmt.Errorf("kvctl %v: %w, %s", args, err, stderr.Bytes())
	}
	return string(out), err
}

func (c *cluster) expect(id int, want string, args ...string) {
	c.Helper()
	if got, err := c.kvctl(id, args...); err != nil || got != want {
		c.Errorf("kvctl %v printed %q, error %v; want %q", args, got, err, want)
	}
}

func (c *cluster) fails(id int, want string, args ...string) {
	c.Helper()
	out, err := c.kvctl(id, args...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(err.Error(), want) {
		c.Errorf("kvctl %v printed %q, error %v; want exit code 1 and %q", args, out, err, want)
	}
}

// leader returns the leader's number, as server id sees it.
func (c *cluster) leader(id int) int {
	c.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		out, err := c.kvctl(id, "-json", "status")
		var s engine.Status
		if _, text, ok := strings.Cut(out, ": {"); err == nil && ok && json.Unmarshal([]byte("{"+text), &s) == nil && s.Leader != 0 {
			return s.Leader
		}
	}
	c.Fatal("there is no leader")
	return 0
}

func TestCluster(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	for id := 1; id <= 3; id++ {
		c.start(id)
	}
	c.expect(0, "", "put", "a", "1")
	c.expect(2, "1", "get", "a")
	c.expect(3, "", "append", "a", "2")
	c.expect(1, "", "cas", "a", "12", "3")
	c.fails(1, "does not have that value", "cas", "a", "12", "4")
	c.fails(1, "no key", "get", "b")
	c.fails(1, "no key", "del", "b")
	c.expect(2, "", "put", "..", "dots")
	c.expect(3, "dots", "get", "..")
	old := c.leader(1)
	c.kill(old)
	c.expect(0, "3", "get", "a")
	c.expect(0, "", "put", "after", "the crash")
	c.start(old)
	c.expect(old, "the crash", "get", "after")
	c.stopsWithGrace()
}

// stopsWithGrace checks that SIGTERM hands the leadership over.
func (c *cluster) stopsWithGrace() {
	leader := c.leader(1)
	kvd := c.kvds[leader]
	if err := kvd.Process.Signal(syscall.SIGTERM); err != nil {
		c.Skip("this system has no SIGTERM")
	}
	kvd.Wait()
	delete(c.kvds, leader)
	if code := kvd.ProcessState.ExitCode(); code != 143 {
		c.Errorf("after SIGTERM the exit code is %d", code)
	}
	if now := c.leader(leader%3 + 1); now == leader {
		c.Errorf("server %d still leads", now)
	}
	log, err := os.ReadFile(c.log(leader))
	if err != nil || bytes.Contains(log, []byte("cannot hand the leadership over")) {
		c.Errorf("the log is %s, error %v", log, err)
	}
	c.expect(0, "3", "get", "a")
}

func TestMembership(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	for id := 1; id <= 3; id++ {
		c.start(id)
	}
	c.expect(0, "", "put", "a", "1")
	address := freeAddress(t)
	c.peers += ",4=" + address
	c.start(4, "-join")
	c.expect(0, "", "add", "4", address)
	c.expect(4, "1", "get", "a")
	old := c.leader(4)
	c.expect(0, "", "transfer", "4")
	if now := c.leader(4); now != 4 {
		t.Errorf("server %d leads", now)
	}
	c.expect(4, "", "remove", fmt.Sprint(old))
	c.kill(old)
	c.expect(4, "", "put", "b", "2")
	out, err := c.kvctl(4, "-seconds", "1", "-clients", "2", "bench")
	if err != nil || !strings.Contains(out, "Puts a second") {
		t.Errorf("bench printed %q, error %v", out, err)
	}
}

func TestDirectoryInUse(t *testing.T) {
	c := newCluster(t)
	c.start(1)
	for {
		if _, err := c.kvctl(1, "status"); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	second := exec.Command(filepath.Join(programs, "kvd"), "-id", "1", "-peers", "1="+freeAddress(t), "-data", filepath.Join(c.dir, "1"), "-listen", freeAddress(t))
	out, err := second.CombinedOutput()
	if second.ProcessState.ExitCode() != cli.ExitUsage || !bytes.Contains(out, []byte("another process")) {
		t.Errorf("a second server in a directory: %v, %s", err, out)
	}
}

func TestOptions(t *testing.T) {
	good := "-id 1 -peers 1=127.0.0.1:7001,2=127.0.0.1:7002 -data d -listen 127.0.0.1:8001"
	o, err := parseOptions(strings.Fields(good))
	if err != nil || len(o.peers) != 2 || o.url != "http://127.0.0.1:8001" {
		t.Errorf("%+v, error %v", o, err)
	}
	for _, wrong := range []string{
		"-id 0", "-id 3", "-peers 1", "-peers 1=a:1,1=b:1", "-data=", "-listen 8001", "-listen 0.0.0.0:8001", "-listen :8001",
		"-peers 1=10.0.0.1:7001", "-tls-cert c", "-tick 0", "more",
	} {
		if _, err := parseOptions(strings.Fields(good + " " + wrong)); err == nil || cli.ExitCode(err) != cli.ExitUsage {
			t.Errorf("%s: the error is %v", wrong, err)
		}
	}
	if _, err := parseOptions(strings.Fields(good + " -open -listen :8001")); err != nil {
		t.Errorf("with -open: %v", err)
	}
}
