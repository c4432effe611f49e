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
	client(number int, value []byte) (write, read func(context.Context) error, err error)
}

var errWrongValue = errors.New("a read has returned another value than was written")

// serviceLoads are the loads on the services. The writes come before the reads of what they have written.
var serviceLoads = func() (all []load) {
	for _, clients := range []int{1, 64, maxClients} {
		for _, size := range []int{100, 1000, 10_000} {
			all = append(all, load{Clients: clients, Size: size}, load{Clients: clients, Size: size, Reads: true})
		}
	}
	return all
}()

// maxClients is the largest number of clients.
const maxClients = 256

// keyOf returns the key that a client writes and reads.
func keyOf(client int) string { return fmt.Sprint("bench", client) }

// A serviceRow is what the rounds have measured for a load.
type serviceRow struct {
	load
	cells map[string]*cell // by name of the service
}

// measureServices measures kvd beside etcd.
func measureServices(p *processes, o options, out, progress io.Writer) error {
	etcd, err := startEtcd(p)
	if err != nil {
		return err
	}
	kvd, err := startKvd(p)
	if err != nil {
		return err
	}
	services := []service{kvd, etcd}
	var rows []*serviceRow
	for _, l := range serviceLoads {
		rows = append(rows, &serviceRow{l, map[string]*cell{kvd.name(): {}, etcd.name(): {}}})
	}
	for round := range o.rounds {
		for k, r := range rows {
			fmt.Fprintf(progress, "round %d of %d: load %d of %d\n", round+1, o.rounds, k+1, len(rows))
			for k := range services {
				s := services[(k+round)%len(services)] // another one begins in each round
				if err := p.ctx.Err(); err != nil {
					return err
				}
				if err := measureService(s, r.load, o.time, r.cells[s.name()]); err != nil {
					return fmt.Errorf("%s: %w", s.name(), err)
				}
			}
		}
	}
	printServices(out, services, rows)
	return nil
}

// measureService runs a load on a service and adds what it has found to c.
func measureService(s service, l load, d time.Duration, c *cell) error {
	value := make([]byte, l.Size)
	var do []func(context.Context) error // by client
	for number := range l.Clients {
		write, read, err := s.client(number, value)
		if err != nil {
			return err
		}
		if l.Reads {
			write = read
		}
		do = append(do, write)
	}
	l.For = d / 10 // to warm up
	if _, err := l.run(do); err != nil {
		return err
	}
	l.For = d
	servers, own := cpu(s.processes()...), cpuOf(os.Getpid())
	r, err := l.run(do)
	if err != nil {
		return err
	}
	c.addResult(r)
	c.cpu.addEach(cpu(s.processes()...)-servers, r.Ops)
	c.client.addEach(cpuOf(os.Getpid())-own, r.Ops)
	return nil
}
