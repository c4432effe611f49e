package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"

	"6.824/cmd/cli"
	"6.824/engine"
)

// A kvdService is three kvd.
type kvdService struct {
	servers []*exec.Cmd
	clients []string // HOST:PORT, where clients reach the servers
	leader  string   // the leader's
	conns   map[int]*httpConn
}

// startKvd builds kvd, starts three and waits for a leader.
func startKvd(p *processes) (service, error) {
	program := filepath.Join(p.dir, "kvd.exe") // Windows wants such a name
	if out, err := p.command("go", "build", "-o", program, "6.824/engine/cmd/kvd").CombinedOutput(); err != nil {
		return nil, cli.Unusable(fmt.Errorf("cannot build kvd; is this the directory engine? %w\n%s", err, out))
	}
	addresses, err := freeAddresses(6)
	if err != nil {
		return nil, err
	}
	var peers []string
	for id := 1; id <= 3; id++ {
		peers = append(peers, fmt.Sprintf("%d=%s", id, addresses[id]))
	}
	k := &kvdService{conns: map[int]*httpConn{}}
	for id := 1; id <= 3; id++ {
		cmd := p.command(program, "-id", fmt.Sprint(id), "-peers", strings.Join(peers, ","),
			"-data", filepath.Join(p.dir, fmt.Sprint("kvd", id)), "-listen", addresses[id+3])
		if err := p.start(cmd); err != nil {
			return nil, err
		}
		k.servers = append(k.servers, cmd)
		k.clients = append(k.clients, addresses[id+3])
	}
	return k, patiently(p.ctx, "kvd", k.findLeader)
}

func (k *kvdService) findLeader() error {
	for _, address := range k.clients {
		r, err := http.Get("http://" + address + "/status")
		if err != nil {
			continue
		}
		var status engine.Status
		err = json.NewDecoder(r.Body).Decode(&status)
		r.Body.Close()
		if err == nil && status.Role == "Leader" {
			k.leader = address
			return nil
		}
	}
	return errNoLeader
}

func (k *kvdService) name() string { return "kvd" }

func (k *kvdService) processes() []*exec.Cmd { return k.servers }

func (k *kvdService) client(number int, value []byte) (write, read func(context.Context) error, err error) {
	conn := k.conns[number]
	if conn == nil {
		if conn, err = dialHTTP(k.leader); err != nil {
			return nil, nil, err
		}
		k.conns[number] = conn
	}
	path := "/kv/" + keyOf(number)
	put, get := conn.request(http.MethodPut, path, value), conn.request(http.MethodGet, path, nil)
	write = func(context.Context) error {
		_, err := conn.do(put, http.StatusNoContent, loadPatience)
		return err
	}
	read = func(context.Context) error {
		n, err := conn.do(get, http.StatusOK, loadPatience)
		if err == nil && n != len(value) {
			err = errWrongValue
		}
		return err
	}
	return write, read, nil
}
