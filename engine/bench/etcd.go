package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"6.824/cmd/cli"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// An etcdService is three etcd.
type etcdService struct {
	servers []*exec.Cmd
	urls    []string // HOST:PORT, where clients reach them
	kv      etcdserverpb.KVClient
}

// startEtcd starts three etcd and waits for a leader.
func startEtcd(p *processes) (service, error) {
	program, err := exec.LookPath("etcd")
	if err != nil {
		return nil, cli.Unusable(fmt.Errorf("etcd is not installed (Debian and Ubuntu: apt-get install etcd-server): %w", err))
	}
	addresses, err := freeAddresses(6)
	if err != nil {
		return nil, err
	}
	var cluster []string
	for id := 1; id <= 3; id++ {
		cluster = append(cluster, fmt.Sprintf("s%d=http://%s", id, addresses[id]))
	}
	e := &etcdService{}
	for id := 1; id <= 3; id++ {
		peer, client := "http://"+addresses[id], "http://"+addresses[id+3]
		cmd := p.command(program, "--name", fmt.Sprint("s", id), "--data-dir", filepath.Join(p.dir, fmt.Sprint("etcd", id)),
			"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
			"--listen-client-urls", client, "--advertise-client-urls", client,
			"--initial-cluster", strings.Join(cluster, ","), "--logger", "zap", "--log-level", "error")
		if err := p.start(cmd); err != nil {
			return nil, err
		}
		e.servers = append(e.servers, cmd)
		e.urls = append(e.urls, addresses[id+3])
	}
	return e, e.connect(p.ctx)
}

// connect connects to the leader, for which it waits. All clients share the connection, as those of a program with etcd's own
// client do. More connections made etcd slower.
func (e *etcdService) connect(ctx context.Context) error {
	return patiently(ctx, "etcd", func() error {
		for _, url := range e.urls {
			conn, err := grpc.NewClient(url, grpc.WithTransportCredentials(insecure.NewCredentials()))
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			status, err := etcdserverpb.NewMaintenanceClient(conn).Status(ctx, &etcdserverpb.StatusRequest{})
			if err != nil || status.GetLeader() != status.GetHeader().GetMemberId() {
				conn.Close()
				continue
			}
			e.kv = etcdserverpb.NewKVClient(conn)
			return nil
		}
		return errNoLeader
	})
}

func (e *etcdService) name() string { return "etcd" }

func (e *etcdService) processes() []*exec.Cmd { return e.servers }

func (e *etcdService) client(number int, value []byte) (write, read func(context.Context) error, err error) {
	key := []byte(keyOf(number))
	write = func(ctx context.Context) error {
		_, err := e.kv.Put(ctx, &etcdserverpb.PutRequest{Key: key, Value: value})
		return err
	}
	read = func(ctx context.Context) error {
		r, err := e.kv.Range(ctx, &etcdserverpb.RangeRequest{Key: key})
		if err == nil && (len(r.GetKvs()) != 1 || len(r.GetKvs()[0].GetValue()) != len(value)) {
			err = errWrongValue
		}
		return err
	}
	return write, read, nil
}
