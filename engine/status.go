package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.etcd.io/raft/v3/tracker"
)

// A Status says what a server knows of itself and of the cluster. Indices are those of commands.
type Status struct {
	ID            int
	Cluster       string
	Term          int
	Role          string // Leader, Follower, Candidate or PreCandidate
	Leader        int    // 0 if none is known
	LastIndex     int    // of the last command in the log
	CommitIndex   int    // of the last command that is known to be committed
	AppliedIndex  int    // of the last command that was sent on applyCh
	SnapshotIndex int    // of the last command that the saved snapshot covers
	LogBytes      int    // of the log's commands behind the last snapshot
	Servers       []ServerStatus
}

// A ServerStatus says what a server knows of a member. Only the leader knows more than number, address and kind.
type ServerStatus struct {
	ID       int
	Address  string
	Learner  bool
	Match    int    // the server has the log up to this command
	Active   bool   // the leader has heard from it lately
	Progress string // how the leader sends to it: Probe, Replicate or Snapshot
}

// Status returns the server's status. After the server has stopped, it is empty but for ID and Cluster.
func (n *Node) Status() Status {
	s, _ := n.status()
	return s
}

func (n *Node) status() (Status, bool) {
	s := Status{ID: n.config.ID, Cluster: n.config.Cluster}
	ok := n.do(func() { n.loop.describe(&s) })
	return s, ok
}

func (l *loop) describe(s *Status) {
	status := l.raft.Status()
	s.Term = int(status.GetTerm())
	s.Role = strings.TrimPrefix(status.RaftState.String(), "State")
	s.Leader = int(status.Lead)
	s.LastIndex = l.positions.commands(l.positions.last())
	s.CommitIndex = l.positions.commands(max(l.commit, l.positions.base))
	s.AppliedIndex = int(l.node.sent.Load())
	if kept := l.node.kept.Load(); kept != nil {
		s.SnapshotIndex = kept.header.commands
	}
	s.LogBytes = int(l.node.logBytes.Load())
	m := l.members.now()
	describe := func(ids []uint64, learner bool) {
		for _, id := range ids {
			server := ServerStatus{ID: int(id), Address: m.addresses[id], Learner: learner}
			if p, ok := status.Progress[id]; ok {
				server.Match = l.positions.commands(min(max(p.Match, l.positions.base), l.positions.last()))
				server.Active = p.RecentActive || id == uint64(l.node.config.ID)
				server.Progress = strings.TrimPrefix(stateOf(p), "State")
			}
			s.Servers = append(s.Servers, server)
		}
	}
	describe(m.state.GetVoters(), false)
	describe(m.state.GetLearners(), true)
}

func stateOf(p tracker.Progress) string { return p.State.String() }

// TransferLeadership hands the leadership over to another voter, and waits until this server knows that it leads. While
// that is under way, Start refuses commands. It must be called on the leader. It fails if the other server does not take
// over within two election timeouts.
func (n *Node) TransferLeadership(ctx context.Context, to int) error {
	s, err := n.server(to)
	switch {
	case err != nil:
		return err
	case s == nil || s.Learner:
		return fmt.Errorf("engine: server %d is no voter", to)
	case to == n.Leader():
		return nil
	case !n.view.Load().leads():
		return ErrNotLeader
	}
	if !n.do(func() { n.loop.raft.TransferLeader(uint64(to)) }) {
		return ErrStopped
	}
	ticks := 0
	err = n.wait(ctx, func() bool {
		v := n.view.Load()
		ticks++
		return v.leader == to || ticks > 2*n.config.ElectionTicks
	})
	if err == nil && n.Leader() != to {
		err = errors.New("engine: the other server did not take over")
	}
	return err
}
