// Kvcluster starts a cluster of three kvd on this machine, to try it out.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"6.824/cmd/cli"
)

type options struct {
	data    string
	clients int // port for clients of server 1
	peers   int // port for peers of server 1
	tick    time.Duration
}

var command = cli.Command{
	Name:    "kvcluster",
	Summary: "Kvcluster starts a cluster of three kvd on this machine.",
	Usage:   "[flags]",
	About: `It starts three servers, and prints what to type in another terminal. Kvd and kvctl must be in the directory of
kvcluster. The data stays in the directory for the next time. Ctrl-C stops all servers.`,
	Examples: "kvcluster -data /tmp/cluster",
	OK:       "never: the cluster runs until it is stopped",
	Failed:   "the servers did not begin to serve, or all have stopped by themselves",
	Unusable: "wrong usage, or there is no kvd",
}

func main() { cli.Main(&command, parseOptions, run) }

func parseOptions(args []string) (o options, err error) {
	flags := command.Flags()
	flags.StringVar(&o.data, "data", "data", "directory for data and logs")
	flags.IntVar(&o.clients, "clients", 8001, "port for clients of server 1; those of the others are the next two")
	flags.IntVar(&o.peers, "peers", 7001, "port for the other servers of server 1; those of the others are the next two")
	flags.DurationVar(&o.tick, "tick", 100*time.Millisecond, "time between heartbeats; an election takes ten to twenty of them")
	others, err := command.Parse(flags, args)
	if err == nil && len(others) > 0 {
		err = cli.Usagef("unexpected argument '%s'", others[0])
	}
	return o, err
}

// A cluster is three kvd.
type cluster struct {
	options
	programs string // directory
	servers  []*exec.Cmd
	ended    chan int // servers that have ended
}

func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return cli.Unusable(err)
	}
	c := &cluster{options: o, programs: relative(filepath.Dir(self)), ended: make(chan int, 3)}
	if err := os.MkdirAll(o.data, 0o755); err != nil {
		return cli.Unusable(err)
	}
	if err := c.checkPorts(); err != nil {
		return cli.Unusable(err)
	}
	for id := 1; id <= 3; id++ {
		if err := c.start(id); err != nil {
			c.stop()
			return cli.Unusable(err)
		}
	}
	if err := c.waitUntilServing(ctx); err != nil {
		c.stop()
		return err
	}
	c.printWhatToType(stdout)
	for len(c.servers) > 0 {
		select {
		case id := <-c.ended:
			fmt.Fprintln(stdout, c.remove(id))
		case <-ctx.Done():
			fmt.Fprintln(stderr, "kvcluster: stopping the servers")
			c.stop()
			return nil
		}
	}
	return errors.New("no server runs any more")
}

func (c *cluster) printWhatToType(w io.Writer) {
	fmt.Fprintf(w, "Three servers run. Try in another terminal:\n\n")
	kvctl := c.program("kvctl")
	if c.clients != 8001 {
		kvctl += " -endpoints " + c.url(1) + "," + c.url(2) + "," + c.url(3)
	}
	for _, line := range []string{
		kvctl + " put a 1", kvctl + " get a", c.program("kvctl") + " -endpoints " + c.url(2) + " get a", kvctl + " status",
	} {
		fmt.Fprintf(w, "  %s\n", line)
	}
	for k, s := range c.servers {
		fmt.Fprintf(w, "  kill -9 %d   # server %d; its log is %s\n", s.Process.Pid, k+1, c.log(k+1))
	}
	fmt.Fprintf(w, "\nCtrl-C stops all servers.\n")
}

// program returns the path of a program that lies beside this one, as one types it.
func (c *cluster) program(name string) string { return c.programs + string(filepath.Separator) + name }

func (c *cluster) log(id int) string  { return filepath.Join(c.data, fmt.Sprint(id, ".log")) }
func (c *cluster) host(id int) string { return fmt.Sprint("127.0.0.1:", c.clients+id-1) }
func (c *cluster) url(id int) string  { return "http://" + c.host(id) }
func (c *cluster) args(id int) []string {
	var peers []string
	for k := range 3 {
		peers = append(peers, fmt.Sprintf("%d=127.0.0.1:%d", k+1, c.peers+k))
	}
	return []string{"-id", fmt.Sprint(id), "-peers", strings.Join(peers, ","),
		"-data", filepath.Join(c.data, fmt.Sprint(id)), "-listen", c.host(id), "-tick", c.tick.String()}
}

// relative returns a path relative to the working directory, if that is shorter.
func relative(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if short, err := filepath.Rel(here, path); err == nil && len(short) < len(path) {
		return "." + string(filepath.Separator) + short
	}
	return path
}

// checkPorts returns an error if a port is in use, perhaps by another cluster.
func (c *cluster) checkPorts() error {
	for k := range 3 {
		for _, port := range []int{c.clients + k, c.peers + k} {
			l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
			if err != nil {
				return fmt.Errorf("%w; -clients and -peers choose other ports", err)
			}
			l.Close()
		}
	}
	return nil
}

// start starts a server, with a log file.
func (c *cluster) start(id int) error {
	log, err := os.OpenFile(c.log(id), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	s := exec.Command(c.program("kvd"), c.args(id)...)
	s.Stderr = log
	if err := s.Start(); err != nil {
		return err
	}
	c.servers = append(c.servers, s)
	go func() { s.Wait(); c.ended <- id }()
	return nil
}

// waitUntilServing waits until the servers have elected a leader and serve reads.
func (c *cluster) waitUntilServing(ctx context.Context) error {
	for {
		select {
		case id := <-c.ended:
			return errors.New(c.remove(id))
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
		request, err := http.NewRequestWithContext(ctx, "GET", c.url(1)+"/healthz", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			continue
		}
		response.Body.Close()
		if response.StatusCode == http.StatusOK {
			return nil
		}
	}
}

// remove forgets a server that has ended, and returns what a user should know of that.
func (c *cluster) remove(id int) string {
	k := slices.IndexFunc(c.servers, func(s *exec.Cmd) bool { return s.Args[2] == fmt.Sprint(id) })
	s := c.servers[k]
	c.servers = slices.Delete(c.servers, k, k+1)
	text := fmt.Sprintf("server %d has ended: %v", id, s.ProcessState)
	if s.ProcessState.Exited() {
		b, _ := os.ReadFile(c.log(id))
		lines := strings.Split(strings.TrimSpace(string(b)), "\n")
		return text + "; the last lines of its log:\n" + strings.Join(lines[max(0, len(lines)-2):], "\n")
	}
	return text + "; to start it again:\n  " + strings.Join(s.Args, " ")
}

// stop asks all servers to stop, kills those that have not after a while, and waits until they have ended.
func (c *cluster) stop() {
	for _, s := range c.servers {
		if s.Process.Signal(syscall.SIGTERM) != nil {
			s.Process.Kill() // for example on Windows
		}
	}
	timer := time.AfterFunc(20*time.Second, func() {
		for _, s := range c.servers {
			s.Process.Kill()
		}
	})
	defer timer.Stop()
	for range c.servers {
		<-c.ended
	}
}
