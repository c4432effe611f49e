package main

import "context"

// An engine starts clusters of one Raft implementation. The driver treats all engines alike: it submits commands to the
// leader without waiting for them, and reads progress from the servers' state machines.
type engine struct {
	name string
	// start starts one server for each machine and returns when there is a leader. Server i gives every committed command to
	// machines[i], in log order, from one goroutine.
	start func(ctx context.Context, w workload, machines []*machine) (cluster, error)
}

// A cluster is a running group of servers. Only the driver's goroutine calls its methods, unless they say otherwise.
type cluster interface {
	// leader returns the index of the server that submit gives commands to.
	leader() int
	// submit gives command number seq of the cluster's kind to the leader and does not wait until it is committed. It
	// returns an error if the leader no longer accepts commands.
	submit(seq int) error
	// close stops all servers. When it returns, no goroutine of theirs uses the machines.
	close()
}

// engines lists all engines. The first three are tuned for speed. The other two use a competitor as its own example does, or
// with its defaults.
var engines = []engine{
	{name: oursName, start: startOurs},
	{name: "etcd", start: startEtcd},
	{name: "hashicorp", start: startHashicorp},
	{name: "etcd-node", start: startEtcdNode},
	{name: "hashicorp-default", start: startHashicorpDefault},
}
