package main

import (
	"fmt"
	"strings"

	"6.824/cmd/cli"
	"6.824/kvraft/cluster"
)

// watch tells of a new leader, and reports the progress.
func (d *demo) watch(last bool) {
	leader := d.cluster.Leader()
	if s, up := d.serverAt(leader); up {
		if term, leads := s.Raft().GetState(); leads && term > d.term {
			d.term = term
			d.tell(fmt.Sprintf("server %d leads in term %d", leader, term))
		}
	}
	var servers strings.Builder
	for i := range d.servers {
		switch _, up := d.serverAt(i); {
		case !up:
			servers.WriteString(" -")
		case i == leader:
			fmt.Fprintf(&servers, " %d*", i)
		default:
			fmt.Fprintf(&servers, " %d", i)
		}
	}
	ops, wait := 0, 0
	for _, cl := range d.clients {
		n, waiting := cl.done()
		ops += n
		if waiting > slow {
			wait++
		}
	}
	d.Progress(fmt.Sprintf("%s, servers%s, clients waiting: %d", cli.Count(ops, "operation"), servers.String(), wait), last)
}

// serverAt returns server i, and false if it is down or there is none.
func (d *demo) serverAt(i int) (cluster.Server, bool) {
	if i < 0 {
		return nil, false
	}
	return d.cluster.Server(i)
}
