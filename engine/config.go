package engine

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"time"

	"6.824/engine/internal/disk"
	"6.824/engine/transport"
	"github.com/prometheus/client_golang/prometheus"
)

// A Config says which server of which cluster Open starts, and where. ID, Cluster, Dir and Peers must be set.
type Config struct {
	ID      int    // this server's number, from 1 on; never used again once the server was removed
	Cluster string // name of the cluster: servers of clusters with other names are refused
	Dir     string // directory for what must survive; made if it does not exist

	// Peers holds the addresses (host:port) of servers by their numbers, this one included. For a new cluster, they are its
	// servers, and the same on each of them. For a server that joins a running cluster (Join), they are the servers that it
	// knows of. Once the server has a directory, the membership comes from there; Peers then only replaces addresses.
	Peers map[int]string
	Join  bool // the server has no directory yet, and AddServer was or will be called for it on another server

	Listen   string             // address to listen on; by default the one that Peers has for ID
	Listener net.Listener       // listens instead, if it is not nil; the Node closes it
	TLS      *transport.TLS     // certificates; without them the servers believe each other, and everyone else who can reach them
	Dial     transport.DialFunc // connects to a peer, if it is not nil

	Tick          time.Duration // time between heartbeats; 100 ms by default
	ElectionTicks int           // a follower that hears nothing for that many ticks, or up to twice as many, starts an election; 10 by default

	MaxSnapshot int64 // limit for received snapshots, in bytes; 1 GiB by default
	CloseOnKill bool  // Kill closes applyCh after the last message; without it applyCh stays open

	Logger     *slog.Logger          // slog.Default() by default
	Registerer prometheus.Registerer // gets the server's metrics, if it is not nil

	wrap func(walFile) walFile // lets tests make the disk fail
}

// prepare checks the config and fills in defaults.
func (c *Config) prepare() error {
	switch {
	case c.ID < 1:
		return fmt.Errorf("the ID is %d, and must be 1 or more", c.ID)
	case c.Cluster == "":
		return errors.New("the name of the cluster is empty")
	case c.Dir == "":
		return errors.New("there is no directory")
	case c.Peers[c.ID] == "":
		return fmt.Errorf("there is no address for this server, number %d, among the peers", c.ID)
	case c.Tick < 0 || c.ElectionTicks < 0 || c.MaxSnapshot < 0:
		return errors.New("a tick, a number of ticks or a limit is negative")
	}
	for id, address := range c.Peers {
		if _, _, err := net.SplitHostPort(address); err != nil || id < 1 || len(address) > maxAddress {
			return fmt.Errorf("the address of server %[2]d is %[1]q, and must be host:port; numbers begin with 1", address, id)
		}
	}
	c.Peers = maps.Clone(c.Peers)
	if c.Listen == "" {
		c.Listen = c.Peers[c.ID]
	}
	if c.Tick == 0 {
		c.Tick = 100 * time.Millisecond
	}
	if c.ElectionTicks == 0 {
		c.ElectionTicks = 10
	}
	if c.ElectionTicks < 2 {
		return errors.New("an election timeout must be 2 ticks or more")
	}
	if c.MaxSnapshot == 0 {
		c.MaxSnapshot = 1 << 30
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.Logger = c.Logger.With("server", c.ID)
	if c.wrap == nil {
		c.wrap = disk.Wrap
	}
	return nil
}

// addresses returns the addresses of the members and of the servers in Peers, for which Peers has the last word.
func (c *Config) addresses(members map[uint64]string) map[uint64]string {
	all := maps.Clone(members)
	if all == nil {
		all = map[uint64]string{}
	}
	for id, address := range c.Peers {
		if _, member := members[uint64(id)]; member || len(members) == 0 {
			all[uint64(id)] = address
		}
	}
	return all
}
