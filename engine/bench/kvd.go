package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
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
	urls    []string
	leader  string // its URL
	http    *http.Client
}

// startKvd builds kvd, starts three and waits for a leader.
func startKvd(ctx context.Context, dir string) (service, error) {
	program := filepath.Join(dir, "kvd.exe") // Windows wants such a name
	if out, err := cli.Exec(ctx, dir, "go", "build", "-o", program, "6.824/engine/cmd/kvd").CombinedOutput(); err != nil {
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
	k := &kvdService{http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: maxClients, DisableCompression: true}}}
	for id := 1; id <= 3; id++ {
		cmd := cli.Exec(ctx, dir, program, "-id", fmt.Sprint(id), "-peers", strings.Join(peers, ","),
			"-data", filepath.Join(dir, fmt.Sprint("kvd", id)), "-listen", addresses[id+3])
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		k.servers = append(k.servers, cmd)
		k.urls = append(k.urls, "http://"+addresses[id+3])
	}
	return k, patiently(ctx, "kvd", k.findLeader)
}

func (k *kvdService) findLeader() error {
	for _, url := range k.urls {
		r, err := k.http.Get(url + "/status")
		if err != nil {
			continue
		}
		var status engine.Status
		err = json.NewDecoder(r.Body).Decode(&status)
		r.Body.Close()
		if err == nil && status.Role == "Leader" {
			k.leader = url
			return nil
		}
	}
	return errNoLeader
}

func (k *kvdService) name() string { return "kvd" }

func (k *kvdService) processes() []*exec.Cmd { return k.servers }

func (k *kvdService) client(number int, value []byte) (write, read func(context.Context) error) {
	url := k.leader + "/kv/" + keyOf(number)
	answer := make([]byte, len(value)+1)
	write = func(ctx context.Context) error {
		_, err := k.do(ctx, http.MethodPut, url, bytes.NewReader(value), answer)
		return err
	}
	read = func(ctx context.Context) error {
		n, err := k.do(ctx, http.MethodGet, url, nil, answer)
		if err == nil && n != len(value) {
			err = errWrongValue
		}
		return err
	}
	return write, read
}

// do sends a request and reads the answer's body.
func (k *kvdService) do(ctx context.Context, method, url string, body io.Reader, answer []byte) (int, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return 0, err
	}
	response, err := k.http.Do(r)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	n, err := io.ReadFull(response.Body, answer)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	if err == nil && response.StatusCode >= 300 {
		err = fmt.Errorf("kvd: %s: %s", response.Status, answer[:n])
	}
	return n, err
}
