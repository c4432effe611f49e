package main

import "context"

// An engine starts clusters of one Raft implementation. The driver treats every engine alike: it
// submits commands to the leader without waiting for them, and watches the servers' state machines.
type engine struct {
	name string
	// start runs one server for each machine and returns once a leader is known. Server i gives
	// every committed command to machines[i], in log order, from one goroutine.
	start func(ctx context.Context, w workload, machines []*machine) (cluster, error)
}

// A cluster is a running group of servers. Its methods belong to one goroutine, the driver's.
type cluster interface {
	// leader returns the number of the server that submit talks to.
	leader() int
	// submit hands command seq of the cluster's kind to the leader and does not wait for it to
	// be committed. An error means that the leader can't take commands any more.
	submit(seq int) error
	// close stops all servers and returns when their goroutines no longer touch the machines.
	close()
}

// engines lists every adapter. The first three are each implementation at its best; the others use a
// competitor as its own example or its defaults do.
var engines = []engine{
	{name: oursName, start: startOurs},
	{name: "etcd", start: startEtcd},
	{name: "hashicorp", start: startHashicorp},
	{name: "etcd-node", start: startEtcdNode},
	{name: "hashicorp-default", start: startHashicorpDefault},
}
