package kv

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"6.824/engine"
	"6.824/kvraft/rpc"
	"6.824/kvraft/rsm"
	"6.824/raft"
)

// A Server is a server of the service: a Store on an engine.Node, and its HTTP interface.
type Server struct {
	node    *engine.Node
	rsm     *rsm.RSM
	store   *Store
	url     string        // where clients reach this server
	slots   chan struct{} // one for each operation that waits for its result
	log     *slog.Logger
	timeout time.Duration
}

// maxWaiting bounds the operations of clients that a server has under way.
const maxWaiting = 4096

// errBusy is the error of an operation that a server does not even begin.
var errBusy = errors.New("this server has too many operations under way")

// errUnknown is the error of an operation that may have been carried out.
var errUnknown = errors.New("the outcome is not known: the operation may have been carried out, or may be later")

// Open starts a server. Clients reach it at url. It takes a snapshot when the log has snapshotBytes bytes.
func Open(config engine.Config, url string, snapshotBytes int) (*Server, error) {
	config.CloseOnKill = true
	applyCh := make(chan raft.ApplyMsg, 128)
	node, err := engine.Open(config, applyCh)
	if err != nil {
		return nil, err
	}
	s := &Server{
		node: node, store: NewStore(), url: url, slots: make(chan struct{}, maxWaiting), log: config.Logger, timeout: 5 * time.Second,
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	s.rsm = rsm.New(node, applyCh, nil, snapshotBytes, s.store)
	go s.announce(config.ID)
	return s, nil
}

// Node returns the server's Node.
func (s *Server) Node() *engine.Node { return s.node }

// Close hands the leadership over, if this server leads and another one can take it, and stops. It takes at most as long as
// ctx permits.
func (s *Server) Close(ctx context.Context) {
	if _, leads := s.node.GetState(); leads {
		s.handOver(ctx)
	}
	s.rsm.Kill()
}

func (s *Server) handOver(ctx context.Context) {
	best := engine.ServerStatus{Match: -1}
	status := s.node.Status()
	for _, other := range status.Servers {
		if other.ID != status.ID && !other.Learner && other.Active && other.Match > best.Match {
			best = other
		}
	}
	if best.ID == 0 {
		return
	}
	if err := s.node.TransferLeadership(ctx, best.ID); err != nil {
		s.log.Warn("cannot hand the leadership over", "to", best.ID, "error", err)
	}
}

// announce is a goroutine that tells all servers where clients reach this one, whenever it has become the leader.
func (s *Server) announce(id int) {
	server := strconv.Itoa(id)
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-s.node.Done():
			return
		case <-ticker.C:
		}
		if _, leads := s.node.GetState(); leads && s.store.URL(server) != s.url {
			s.rsm.Submit(op{kind: announce, key: server, value: s.url})
		}
	}
}

// leaderURL returns where clients reach the leader, or "" if that is not known.
func (s *Server) leaderURL() string { return s.store.URL(strconv.Itoa(s.node.Leader())) }

// submit has an operation carried out. The error is engine.ErrNotLeader if it will not be carried out by this server.
func (s *Server) submit(ctx context.Context, o op) (Result, error) {
	select {
	case s.slots <- struct{}{}:
	default:
		return 0, errBusy
	}
	type outcome struct {
		err    rpc.Err
		result any
	}
	done := make(chan outcome, 1)
	go func() {
		defer func() { <-s.slots }()
		err, result := s.rsm.Submit(o)
		done <- outcome{err, result}
	}()
	timer := time.NewTimer(s.timeout)
	defer timer.Stop()
	select {
	case out := <-done:
		switch out.err {
		case rpc.OK:
			return out.result.(Result), nil
		case rpc.ErrWrongLeader:
			return 0, engine.ErrNotLeader
		}
		return 0, errUnknown
	case <-timer.C:
		return 0, errUnknown
	case <-ctx.Done():
		return 0, errUnknown
	}
}

// get returns the value of a key, as of some moment after get was called. It writes nothing to a disk, and works on every
// server that reaches the leader.
func (s *Server) get(ctx context.Context, key string) (string, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	index, err := s.node.ReadIndex(ctx)
	if err != nil {
		return "", false, err
	}
	for wait := 10 * time.Microsecond; s.rsm.Applied() < index; wait = min(2*wait, 5*time.Millisecond) {
		select {
		case <-ctx.Done():
			return "", false, fmt.Errorf("this server has applied %d commands of %d: %w", s.rsm.Applied(), index, ctx.Err())
		case <-time.After(wait):
		}
	}
	value, ok := s.store.Get(key)
	return value, ok, nil
}
