package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// A service is three servers of a key/value service. Its clients talk to the leader.
type service interface {
	name() string
	processes() []*exec.Cmd
	// client returns the operations of a client: it stores a value, and reads it, linearizably.
	client(number int, value []byte) (write, read func(context.Context) error)
}

var (
	errNoLeader   = errors.New("no server leads")
	errWrongValue = errors.New("a read has returned another value than was written")
)

// serviceLoads are the loads on the services. The writes come before the reads of what they have written.
var serviceLoads = func() (all []load) {
	for _, clients := range []int{1, 64, maxClients} {
		for _, size := range []int{100, 1000, 10_000} {
			all = append(all, load{Clients: clients, Size: size}, load{Clients: clients, Size: size, Reads: true})
		}
	}
	return all
}()

// maxClients is the largest number of clients of a service.
const maxClients = 256

func keyOf(client int) string { return fmt.Sprint("bench", client) }

func (l load) String() string {
	what := "writes"
	if l.Reads {
		what = "reads"
	}
	return fmt.Sprintf("%d clients, %s of %d bytes", l.Clients, what, l.Size)
}

// patiently calls f until it succeeds, or for startPatience.
func patiently(ctx context.Context, who string, f func() error) error {
	for begun := time.Now(); ; {
		err := f()
		if err == nil || ctx.Err() != nil {
			return err
		}
		if time.Since(begun) > startPatience {
			return fmt.Errorf("%s: %w", who, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// measureServices measures kvd beside etcd.
func measureServices(ctx context.Context, dir string, o options, out, log io.Writer) error {
	etcd, err := startEtcd(ctx, dir)
	if err != nil {
		return err
	}
	kvd, err := startKvd(ctx, dir)
	if err != nil {
		return err
	}
	services := []service{kvd, etcd}
	cells := map[load]map[string]*cell{}
	for round := range o.rounds {
		for _, l := range serviceLoads {
			fmt.Fprintf(log, "round %d of %d: %s\n", round+1, o.rounds, l)
			if cells[l] == nil {
				cells[l] = map[string]*cell{}
				for _, s := range services {
					cells[l][s.name()] = &cell{}
				}
			}
			for k := range services {
				s := services[(k+round)%len(services)]
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := measureService(s, l, o.time, cells[l][s.name()]); err != nil {
					return fmt.Errorf("%s: %s: %w", s.name(), l, err)
				}
			}
		}
	}
	printServices(out, services, cells)
	return nil
}

func measureService(s service, l load, d time.Duration, c *cell) error {
	value := make([]byte, l.Size)
	do := func(number int) func(context.Context) error {
		write, read := s.client(number, value)
		if l.Reads {
			return read
		}
		return write
	}
	l.For = d / 10
	if _, err := l.runEach(do); err != nil {
		return err
	}
	l.For = d
	self, _ := os.FindProcess(os.Getpid())
	before, own := cpu(s.processes()...), cpu(&exec.Cmd{Process: self})
	r, err := l.runEach(do)
	if err != nil {
		return err
	}
	c.add(r)
	c.cpu = append(c.cpu, float64(cpu(s.processes()...)-before)/float64(r.Ops))
	c.client = append(c.client, float64(cpu(&exec.Cmd{Process: self})-own)/float64(r.Ops))
	return nil
}

func printServices(out io.Writer, services []service, cells map[load]map[string]*cell) {
	fmt.Fprintln(out, "| clients | operation | value | servers | p50 | p99 | a second | CPU each | clients' CPU each |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|---|---|")
	for _, l := range serviceLoads {
		for _, s := range services {
			c := cells[l][s.name()]
			what := "write"
			if l.Reads {
				what = "read"
			}
			fmt.Fprintf(out, "| %d | %s | %d | %s | %s | %s | %.0f | %s | %s |\n", l.Clients, what, l.Size, s.name(), duration(c.p50), duration(c.p99), middle(c.rate), duration(c.cpu), duration(c.client))
		}
	}
}
