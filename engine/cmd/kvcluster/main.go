// Kvcluster starts a cluster of three kvd on this machine, to try it out.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"6.824/cmd/cli"
)

type options struct{ data string }

var command = cli.Command{
	Name:    "kvcluster",
	Summary: "Kvcluster starts a cluster of three kvd on this machine.",
	Usage:   "[-data DIR]",
	About: `It starts three servers, and prints what to type in another terminal. Kvd and kvctl must be in the directory of
kvcluster. The data stays in the directory for the next time. Ctrl-C stops all servers.`,
	Examples: "kvcluster -data /tmp/cluster",
	OK:       "never: the cluster runs until it is stopped",
	Failed:   "all servers have stopped by themselves",
	Unusable: "wrong usage, or there is no kvd",
}

func main() { cli.Main(&command, parseOptions, run) }

func parseOptions(args []string) (o options, err error) {
	flags := command.Flags()
	flags.StringVar(&o.data, "data", "data", "directory for data and logs")
	others, err := command.Parse(flags, args)
	if err == nil && len(others) > 0 {
		err = cli.Usagef("unexpected argument '%s'", others[0])
	}
	return o, err
}

const peers = "1=127.0.0.1:7001,2=127.0.0.1:7002,3=127.0.0.1:7003"

func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return cli.Unusable(err)
	}
	programs := relative(filepath.Dir(self))
	if err := os.MkdirAll(o.data, 0o755); err != nil {
		return cli.Unusable(err)
	}
	ended := make(chan error, 3)
	var servers []*exec.Cmd
	for id := 1; id <= 3; id++ {
		s, err := start(filepath.Join(programs, "kvd"), o.data, id, ended)
		if err != nil {
			stop(servers)
			return cli.Unusable(err)
		}
		servers = append(servers, s)
	}
	fmt.Fprintf(stdout, "Three servers run. Try in another terminal:\n\n")
	kvctl := programs + string(filepath.Separator) + "kvctl"
	for _, line := range []string{"put a 1", "get a", "-endpoints http://127.0.0.1:8002 get a", "status"} {
		fmt.Fprintf(stdout, "  %s %s\n", kvctl, line)
	}
	for k, s := range servers {
		fmt.Fprintf(stdout, "  kill -9 %d   # server %d; its log is %s\n", s.Process.Pid, k+1, filepath.Join(o.data, fmt.Sprint(k+1, ".log")))
	}
	fmt.Fprintf(stdout, "\nCtrl-C stops all servers.\n")
	for running := 3; running > 0; running-- {
		select {
		case err := <-ended:
			fmt.Fprintln(stdout, err)
		case <-ctx.Done():
			stop(servers)
			for ; running > 0; running-- {
				<-ended
			}
			return nil
		}
	}
	return errors.New("no server runs any more")
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

// start starts a server, with a log file.
func start(kvd, dir string, id int, ended chan<- error) (*exec.Cmd, error) {
	log, err := os.OpenFile(filepath.Join(dir, fmt.Sprint(id, ".log")), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s := exec.Command(kvd, "-id", fmt.Sprint(id), "-peers", peers,
		"-data", filepath.Join(dir, fmt.Sprint(id)), "-listen", fmt.Sprintf("127.0.0.1:%d", 8000+id))
	s.Stderr = log
	if err := s.Start(); err != nil {
		return nil, err
	}
	go func() { ended <- fmt.Errorf("server %d has ended: %v", id, s.Wait()) }()
	return s, nil
}

// stop asks all servers to stop, and kills those that have not after a while.
func stop(servers []*exec.Cmd) {
	for _, s := range servers {
		if s.Process.Signal(syscall.SIGTERM) != nil {
			s.Process.Kill() // for example on Windows
		}
	}
	time.AfterFunc(20*time.Second, func() {
		for _, s := range servers {
			s.Process.Kill()
		}
	})
}
