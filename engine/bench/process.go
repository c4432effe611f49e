package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"6.824/cmd/cli"
)

// startPatience bounds how long servers may take to elect a leader.
const startPatience = 20 * time.Second

// processes are the programs that a run has started. Their data is in dir.
type processes struct {
	ctx    context.Context
	cancel context.CancelFunc
	dir    string
	all    []*exec.Cmd
}

// newProcesses returns an empty set, with a new directory in parent. The processes end with ctx.
func newProcesses(ctx context.Context, parent string) (*processes, error) {
	dir, err := os.MkdirTemp(parent, "bench")
	ctx, cancel := context.WithCancel(ctx)
	return &processes{ctx: ctx, cancel: cancel, dir: dir}, err
}

// command returns a command to start.
func (p *processes) command(name string, args ...string) *exec.Cmd {
	return cli.Exec(p.ctx, p.dir, name, args...)
}

// start starts a command.
func (p *processes) start(cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	p.all = append(p.all, cmd)
	return nil
}

// end kills the processes, waits until they have ended, and removes the directory.
func (p *processes) end() {
	p.cancel()
	for _, cmd := range p.all {
		cmd.Wait()
	}
	os.RemoveAll(p.dir)
}

// A child is a process of this program that serves requests.
type child struct {
	cmd *exec.Cmd
	in  *json.Encoder
	out *json.Decoder
}

// startChild starts a child in a new directory.
func (p *processes) startChild(kind string, id int, peers map[int]string) (*child, error) {
	c := childConfig{Kind: kind, ID: id, Peers: peers, Dir: filepath.Join(p.dir, fmt.Sprint(kind, id))}
	if err := os.Mkdir(c.Dir, 0o755); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	config, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	cmd := p.command(self)
	cmd.Env = append(cmd.Env, childVariable+"="+string(config))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &child{cmd, json.NewEncoder(in), json.NewDecoder(out)}, p.start(cmd)
}

// ask asks the child.
func (c *child) ask(r request) (answer, error) {
	var a answer
	if err := c.in.Encode(r); err != nil {
		return a, err
	}
	if err := c.out.Decode(&a); err != nil {
		return a, fmt.Errorf("a server has ended: %w", err)
	}
	if a.Error != "" {
		return a, errors.New(a.Error)
	}
	return a, nil
}

// A group is the three servers of one kind.
type group struct {
	kind    string
	servers []*child
	lead    *child // the server that leads
}

// startGroup starts three servers and waits for a leader.
func (p *processes) startGroup(kind string) (*group, error) {
	peers, err := freeAddresses(3)
	if err != nil {
		return nil, err
	}
	g := &group{kind: kind}
	for id := 1; id <= 3; id++ {
		s, err := p.startChild(kind, id, peers)
		if err != nil {
			return nil, err
		}
		g.servers = append(g.servers, s)
	}
	return g, g.awaitLeader(p.ctx)
}

// awaitLeader waits until a server leads.
func (g *group) awaitLeader(ctx context.Context) error {
	return patiently(ctx, g.kind, func() error {
		for _, s := range g.servers {
			if a, err := s.ask(request{Do: "state"}); err != nil || a.Leads {
				g.lead = s
				return err
			}
		}
		return errNoLeader
	})
}

// askAll asks each server.
func (g *group) askAll(r request) (all []answer, err error) {
	for _, s := range g.servers {
		a, err := s.ask(r)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

func (g *group) commands() (all []*exec.Cmd) {
	for _, s := range g.servers {
		all = append(all, s.cmd)
	}
	return all
}

var errNoLeader = errors.New("no server leads")

// patiently calls f until it succeeds, or for startPatience.
func patiently(ctx context.Context, who string, f func() error) error {
	for begun := time.Now(); ; {
		err := f()
		if err == nil {
			return nil
		}
		if time.Since(begun) > startPatience {
			return fmt.Errorf("%s: %w", who, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// freeAddresses returns addresses on the loopback interface that nobody listens on, by numbers from 1 on.
func freeAddresses(n int) (map[int]string, error) {
	addresses := map[int]string{}
	for id := 1; id <= n; id++ {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		addresses[id] = l.Addr().String()
	}
	return addresses, nil
}

// cpu returns the CPU time of processes until now, or 0 where the system has no /proc as Linux has it.
func cpu(commands ...*exec.Cmd) time.Duration {
	var sum time.Duration
	for _, cmd := range commands {
		sum += cpuOf(cmd.Process.Pid)
	}
	return sum
}

func cpuOf(pid int) time.Duration {
	const tick = time.Second / 100
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	var sum time.Duration
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	for _, field := range fields[11:13] { // utime and stime
		n, err := strconv.Atoi(field)
		if err != nil {
			return 0
		}
		sum += time.Duration(n) * tick
	}
	return sum
}
