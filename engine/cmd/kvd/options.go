package main

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"6.824/cmd/cli"
	"6.824/engine/transport"
)

type options struct {
	id            int
	cluster       string
	peers         map[int]string
	join          bool
	data          string
	listen        string
	url           string
	tls           *transport.TLS // nil without certificates
	open          bool
	tick          time.Duration
	snapshotBytes int
	verbose       bool
}

var command = cli.Command{
	Name:    "kvd",
	Summary: "Kvd is a server of a replicated key/value service.",
	Usage:   "-id N -peers 1=HOST:PORT,2=HOST:PORT,... -data DIR -listen HOST:PORT [flags]",
	About: `The servers of a cluster hold the same keys and values. They agree on each change by Raft, and have it on
their disks before they answer. The service goes on as long as more than half of the servers run.

Clients speak HTTP, to any server: GET, PUT and DELETE of /kv/KEY, and POST of /kv/KEY?op=append, ?op=cas&old=VALUE
and ?op=cas&absent=1. /status, /metrics and /healthz are for operators. kvctl is a client.

With -tls-cert, -tls-key and -tls-ca, all connections are private, and only those with a certificate of the authority are
served. The certificate of server N must have the DNS name server-N.CLUSTER, and whatever name or address clients use.
Without certificates, kvd listens on loopback addresses only, unless -open is given.

SIGTERM hands the leadership over to another server and stops.`,
	Examples: `kvd -id 1 -peers 1=127.0.0.1:7001,2=127.0.0.1:7002,3=127.0.0.1:7003 -data data/1 -listen 127.0.0.1:8001`,
	OK:       "never: kvd runs until it is stopped",
	Failed:   "the server has stopped by itself, for example since it cannot save",
	Unusable: "wrong usage, or the server cannot start",
}

func parseOptions(args []string) (o options, err error) {
	flags := command.Flags()
	flags.IntVar(&o.id, "id", 0, "number of this server, from 1 on")
	flags.StringVar(&o.cluster, "cluster", "kvd", "name of the cluster")
	peers := flags.String("peers", "", "numbers and addresses of all servers, this one included: 1=HOST:PORT,...")
	flags.BoolVar(&o.join, "join", false, "this server joins a running cluster: kvctl add is or will be called for it")
	flags.StringVar(&o.data, "data", "", "directory for what must survive")
	flags.StringVar(&o.listen, "listen", "", "address for clients")
	flags.StringVar(&o.url, "url", "", "where clients reach this server; by default made from -listen")
	var files transport.TLS
	flags.StringVar(&files.Cert, "tls-cert", "", "file with this server's certificate")
	flags.StringVar(&files.Key, "tls-key", "", "file with its key")
	flags.StringVar(&files.CA, "tls-ca", "", "file with the certificates of the authority")
	flags.BoolVar(&o.open, "open", false, "without certificates, listen on other addresses than loopback, too")
	flags.DurationVar(&o.tick, "tick", 100*time.Millisecond, "time between heartbeats; an election takes ten to twenty of them")
	flags.IntVar(&o.snapshotBytes, "snapshot", 16<<20, "size of the log in bytes from which on a snapshot replaces it")
	flags.BoolVar(&o.verbose, "v", false, "log more")
	others, err := command.Parse(flags, args)
	if err != nil {
		return o, err
	}
	if len(others) > 0 {
		return o, cli.Usagef("unexpected argument '%s'", others[0])
	}
	if o.peers, err = parsePeers(*peers); err != nil {
		return o, cli.Usagef("-peers: %v", err)
	}
	if files != (transport.TLS{}) {
		o.tls = &files
	}
	if err := o.check(); err != nil {
		return o, cli.Usagef("%v", err)
	}
	if o.url == "" {
		o.url = "http://" + o.listen
		if o.tls != nil {
			o.url = "https://" + o.listen
		}
	}
	return o, nil
}

// parsePeers parses a list such as 1=127.0.0.1:7001,2=127.0.0.1:7002.
func parsePeers(list string) (map[int]string, error) {
	peers := map[int]string{}
	for item := range strings.SplitSeq(list, ",") {
		number, address, ok := strings.Cut(item, "=")
		id, err := strconv.Atoi(number)
		if !ok || err != nil || id < 1 {
			return nil, fmt.Errorf("'%s' is not like 1=HOST:PORT", item)
		}
		if peers[id] != "" {
			return nil, fmt.Errorf("server %d is there twice", id)
		}
		peers[id] = address
	}
	return peers, nil
}

func (o *options) check() error {
	switch {
	case o.id < 1:
		return errors.New("-id must be 1 or more")
	case o.peers[o.id] == "":
		return fmt.Errorf("-peers has no server %d", o.id)
	case o.data == "":
		return errors.New("-data is missing")
	case o.tls != nil && (o.tls.Cert == "" || o.tls.Key == "" || o.tls.CA == ""):
		return errors.New("-tls-cert, -tls-key and -tls-ca belong together")
	case o.tick < time.Millisecond:
		return errors.New("-tick must be 1ms or more")
	}
	for flag, address := range map[string]string{"-listen": o.listen, "-peers": o.peers[o.id]} {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return fmt.Errorf("%s: '%s' is not like HOST:PORT", flag, address)
		}
		if o.tls == nil && !o.open && !isLoopback(host) {
			return fmt.Errorf("%s: without certificates everyone who can reach %s can read and change everything; use -tls-cert, -tls-key and -tls-ca, or -open", flag, address)
		}
	}
	return nil
}

// rejoin says how a new server takes the place of one whose directory is lost.
func rejoin(o options) string {
	all := []string{"N=" + o.peers[o.id]}
	for _, id := range slices.Sorted(maps.Keys(o.peers)) {
		if id != o.id {
			all = append(all, fmt.Sprintf("%d=%s", id, o.peers[id]))
		}
	}
	return fmt.Sprintf(`Let a new server take its place. N stands for a number that no server of this cluster has ever had. The
directory may be deleted. The flags that are not shown here stay as they are.
  kvctl remove %d
  kvd -id N -join -peers %s -data A-NEW-DIRECTORY -listen %s
  kvctl add N %s`, o.id, strings.Join(all, ","), o.listen, o.peers[o.id])
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
