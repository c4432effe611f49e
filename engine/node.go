package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"6.824/engine/transport"
	lab "6.824/raft"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// ErrStopped is the error of calls to a server that has stopped.
var ErrStopped = errors.New("engine: the server has stopped")

// ErrNotLeader is the error of calls that only the leader can carry out.
var ErrNotLeader = errors.New("engine: this server is not the leader")

// A Node is one server of a cluster. Its methods are safe for concurrent use.
type Node struct {
	config    Config
	view      atomic.Pointer[view]
	sent      atomic.Int64                 // index of the last command that was sent on applyCh, or that a sent snapshot covers
	logBytes  atomic.Int64                 // size of the log behind the last snapshot
	kept      atomic.Pointer[fullSnapshot] // the newest snapshot; nil if there is none
	metrics   *metrics
	loop      *loop
	applier   *applier
	transport *transport.Transport

	proposals *queue[*proposal]
	calls     *queue[func()]          // for the loop
	local     *queue[*raftpb.Message] // for raft, from the writer and the applier
	inbox     chan received           // for raft, from peers

	stopping  sync.Once
	stop      chan struct{} // closed when all goroutines must end
	loopEnded chan struct{}
	running   sync.WaitGroup
	ended     chan struct{} // closed when all goroutines have ended and all files are closed
	err       error         // why the server stopped; set before stop is closed
}

// A view is what the loop tells about its state.
type view struct {
	term   int
	leader int // 0 if none is known
	role   raft.StateType
}

func (v *view) leads() bool { return v.role == raft.StateLeader }

// Open starts a server, which continues from what its directory holds. It sends each committed command on applyCh. If it has
// a snapshot of the service, it sends that first. Open does not wait for a peer or for a reader of applyCh.
//
// Open returns an error if the config is wrong, if another process uses the directory, if the directory belongs to
// another server, cluster or version, or if anything that was synced is missing or damaged there.
func Open(config Config, applyCh chan lab.ApplyMsg) (*Node, error) {
	n, err := open(config, applyCh)
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	return n, nil
}

func open(config Config, applyCh chan lab.ApplyMsg) (n *Node, err error) {
	if applyCh == nil {
		return nil, errors.New("there is no applyCh")
	}
	if err := config.prepare(); err != nil {
		return nil, err
	}
	n = &Node{
		config:    config,
		proposals: newQueue[*proposal](),
		calls:     newQueue[func()](),
		local:     newQueue[*raftpb.Message](),
		inbox:     make(chan received, 256),
		stop:      make(chan struct{}),
		loopEnded: make(chan struct{}),
		ended:     make(chan struct{}),
	}
	n.applier = &applier{node: n, applyCh: applyCh, tasks: newQueue[applyTask]()}
	n.view.Store(&view{})
	m, err := newMetrics(n)
	if err != nil {
		return nil, err
	}
	n.metrics = m
	defer func() {
		if err != nil {
			m.unregister()
		}
	}()
	zl := newZapLogger(n.config.Logger)
	dir, err := openDirectory(&n.config, zl)
	if err != nil {
		return nil, err
	}
	r, err := dir.recover(&n.config)
	if err != nil {
		return nil, errors.Join(err, dir.close())
	}
	if err := n.start(dir, r); err != nil {
		return nil, errors.Join(err, r.wal.Close(), r.mark.close(), dir.close())
	}
	return n, nil
}

// start starts the goroutines of a server that continues from r.
func (n *Node) start(dir *directory, r *recovered) error {
	l, err := n.newLoop(dir, r)
	if err != nil {
		return err
	}
	n.loop = l
	listener := n.config.Listener
	if listener == nil {
		if listener, err = net.Listen("tcp", n.config.Listen); err != nil {
			return err
		}
	}
	n.transport, err = transport.New(transport.Options{
		ID: uint64(n.config.ID), Cluster: n.config.Cluster, Listener: listener, Address: n.config.Peers[n.config.ID],
		TLS: n.config.TLS, Dial: n.config.Dial,
		MaxSnapshot: n.config.MaxSnapshot, Logger: n.config.Logger, Handler: handler{n},
	})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	n.setPeers(l.members.now().addresses)
	if s := n.kept.Load(); s != nil {
		n.applier.tasks.put(applyTask{snapshot: s})
	}
	n.running.Go(func() { defer close(n.loopEnded); l.run() })
	n.running.Go(l.writer.run)
	n.running.Go(func() {
		n.applier.run()
		if n.config.CloseOnKill {
			close(n.applier.applyCh)
		}
	})
	go n.finish(dir)
	return nil
}

// finish is a goroutine that closes everything when the server stops.
func (n *Node) finish(dir *directory) {
	<-n.stop
	n.transport.Close()
	n.running.Wait()
	w := n.loop.writer
	if err := errors.Join(w.wal.Close(), w.mark.close(), dir.close()); err != nil {
		n.config.Logger.Warn("cannot close the files", "error", err)
	}
	n.metrics.unregister()
	close(n.ended)
}

// fail stops the server because of err. It does not wait.
func (n *Node) fail(err error) {
	n.stopping.Do(func() {
		n.config.Logger.Error("the server stops", "error", err)
		n.err = fmt.Errorf("engine: %w", err)
		close(n.stop)
	})
}

// Kill stops the server and waits until its files are closed. After it returns, the server saves nothing and sends nothing on
// applyCh. The other methods may still be called; they do nothing. Kill may be called more than once.
func (n *Node) Kill() {
	n.stopping.Do(func() {
		n.err = ErrStopped
		close(n.stop)
	})
	<-n.ended
}

// Done returns a channel that is closed when the server has stopped, after Kill or by itself.
func (n *Node) Done() <-chan struct{} { return n.ended }

// Err returns nil while the server runs, ErrStopped after Kill, and otherwise what has stopped the server: a failed save, or
// the loss of what it had saved.
func (n *Node) Err() error {
	select {
	case <-n.stop:
		return n.err
	default:
		return nil
	}
}

// GetState returns the current term and reports whether this server believes that it is the leader. It may be mistaken:
// another server may lead in a later term. ReadIndex tells.
func (n *Node) GetState() (term int, isLeader bool) {
	v := n.view.Load()
	return v.term, v.leads() && n.Err() == nil
}

// Leader returns the number of the server that leads, as far as this one knows, or 0 if it knows none.
func (n *Node) Leader() int { return n.view.Load().leader }

// PersistBytes returns the size of the log's commands behind the last snapshot, in bytes. A service that takes a snapshot
// when they are too many keeps its log small, and its restarts short.
func (n *Node) PersistBytes() int { return int(n.logBytes.Load()) }

// do has the loop call f and waits for it. It reports false if the server has stopped.
func (n *Node) do(f func()) bool {
	done := make(chan struct{})
	n.calls.put(func() { f(); close(done) })
	select {
	case <-done:
		return true
	case <-n.loopEnded:
		return false
	}
}

// wait waits until f reports true, which it asks once every tick.
func (n *Node) wait(ctx context.Context, f func() bool) error {
	ticker := time.NewTicker(n.config.Tick)
	defer ticker.Stop()
	for !f() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-n.stop:
			return ErrStopped
		case <-ticker.C:
		}
	}
	return nil
}

// setPeers tells the transport where the other servers are.
func (n *Node) setPeers(members map[uint64]string) {
	peers := maps.Clone(n.config.addresses(members))
	delete(peers, uint64(n.config.ID))
	n.transport.SetPeers(peers)
}
