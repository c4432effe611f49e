package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// A child is a process of this program that serves requests.
type child struct {
	cmd *exec.Cmd
	in  *json.Encoder
	out *json.Decoder
}

// startChild starts a child in a new directory. It ends with ctx.
func startChild(ctx context.Context, c childConfig) (*child, error) {
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
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
	cmd := cli.Exec(ctx, c.Dir, self)
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
	return &child{cmd, json.NewEncoder(in), json.NewDecoder(out)}, cmd.Start()
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
}

// startGroup starts three servers and waits for a leader.
func startGroup(ctx context.Context, kind, dir string) (*group, error) {
	peers, err := freeAddresses(3)
	if err != nil {
		return nil, err
	}
	g := &group{kind: kind}
	for id := 1; id <= 3; id++ {
		c := childConfig{Kind: kind, ID: id, Peers: peers, Dir: filepath.Join(dir, fmt.Sprint(kind, id))}
		s, err := startChild(ctx, c)
		if err != nil {
			return nil, err
		}
		g.servers = append(g.servers, s)
	}
	_, err = g.leader(ctx)
	return g, err
}

// leader returns the server that leads, for which it waits.
func (g *group) leader(ctx context.Context) (*child, error) {
	for begun := time.Now(); time.Since(begun) < startPatience; {
		for _, s := range g.servers {
			if a, err := s.ask(request{Do: "leads"}); err != nil || a.Leads {
				return s, err
			}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil, fmt.Errorf("%s: no server leads after %v", g.kind, startPatience)
}

// askAll asks each server, and returns the highest number of syncs.
func (g *group) askAll(r request) (syncs []int64, err error) {
	for _, s := range g.servers {
		a, err := s.ask(r)
		if err != nil {
			return nil, err
		}
		syncs = append(syncs, a.Syncs)
	}
	return syncs, nil
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
	const tick = time.Second / 100
	var sum time.Duration
	for _, cmd := range commands {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", cmd.Process.Pid))
		if err != nil {
			return 0
		}
		fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
		for _, field := range fields[11:13] { // utime and stime
			n, err := strconv.Atoi(field)
			if err != nil {
				return 0
			}
			sum += time.Duration(n) * tick
		}
	}
	return sum
}

// discard is where the output of other programs goes, except for their last bytes.
var _ io.Writer = (*tail)(nil)

// A tail keeps the last bytes that were written to it.
type tail struct{ b []byte }

func (t *tail) Write(b []byte) (int, error) {
	t.b = append(t.b, b...)
	t.b = t.b[max(0, len(t.b)-2000):]
	return len(b), nil
}
