// Package transport carries raft's messages between the servers of a cluster, over TCP or TLS.
//
//	transport.go  Transport: the interface; which peers there are
//	hello.go      how a connection begins: who calls whom, and for what
//	tls.go        certificates: a server is who its certificate says
//	frame.go      how a message looks on a connection
//	check.go      what a message must look like, since raft trusts its peers
//	sender.go     the goroutines that send to a peer
//	receiver.go   the goroutines that receive from a peer
//	guest.go      callers that are no peers yet, as far as this server knows
//	snapshot.go   a snapshot goes over a connection of its own
//
// Each server calls each other one, and sends its messages on that connection; nothing but signs of life comes back on
// it. A message may get lost, as raft permits: if the queue of a peer is full, or when a connection breaks. No peer holds
// up another one, or the caller.
package transport

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"sync"
	"time"

	"6.824/engine/internal/quiet"
	"go.etcd.io/raft/v3/raftpb"
)

// A Handler takes in what a Transport receives. Its methods are called by many goroutines.
type Handler interface {
	// Receive takes in a message from a peer. While it waits, nothing more is read from that peer.
	Receive(m *raftpb.Message)
	// ReceiveSnapshot takes in a MsgSnap with the data that was passed to SendSnapshot.
	ReceiveSnapshot(m *raftpb.Message, data []byte) error
	// Unreachable is told that messages to a peer were lost. It must not wait.
	Unreachable(id uint64)
	// SnapshotSent is told how a call of SendSnapshot has ended. It must not wait.
	SnapshotSent(id uint64, err error)
}

// A DialFunc connects to an address.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// Options of a Transport. All must be set, except for Address, TLS, Dial and Timeout.
type Options struct {
	ID          uint64
	Cluster     string
	Listener    net.Listener  // closed by Close, but not if New fails
	Address     string        // where others reach this server; without it, servers that do not know it refuse its calls
	TLS         *TLS          // nil: everyone who can reach the port is believed
	Dial        DialFunc      // a net.Dialer by default
	MaxSnapshot int64         // in bytes
	Timeout     time.Duration // a connection that does not move for so long is closed; 5 s by default
	Logger      *slog.Logger
	Handler     Handler
}

// A Transport is the network of one server. Its methods are safe for concurrent use and do not wait for the network.
type Transport struct {
	options Options
	tls     *certificates // nil without TLS
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
	slots   chan struct{} // one for each connection that has not said yet who calls
	quiet   quiet.Logger  // for what strangers do

	mu      sync.Mutex
	closed  bool
	peers   map[uint64]*peer
	guests  map[uint64]*peer
	callers map[uint64]context.CancelFunc // ends the receiver of a peer's messages
	coming  map[uint64]bool               // peers of which a snapshot is being received
}

// maxStrangers bounds the connections that have not said yet who calls.
const maxStrangers = 64

// New returns a Transport that listens, and has no peers.
func New(o Options) (*Transport, error) {
	if o.ID == 0 || o.Cluster == "" || o.Listener == nil || o.Logger == nil || o.Handler == nil || o.MaxSnapshot <= 0 {
		return nil, errors.New("transport: an option is missing")
	}
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	t := &Transport{
		options: o, slots: make(chan struct{}, maxStrangers), quiet: quiet.Logger{Logger: o.Logger},
		peers: map[uint64]*peer{}, guests: map[uint64]*peer{}, callers: map[uint64]context.CancelFunc{}, coming: map[uint64]bool{},
	}
	if o.TLS != nil {
		var err error
		if t.tls, err = loadCertificates(o.TLS); err != nil {
			return nil, err
		}
	}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	t.running.Go(t.listen)
	return t, nil
}

// SetPeers says which other servers there are, and where. Connections to others are closed.
func (t *Transport) SetPeers(addresses map[uint64]string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	for id, p := range t.peers {
		if addresses[id] != p.address {
			p.cancel()
			delete(t.peers, id)
			if cancel := t.callers[id]; cancel != nil {
				cancel()
			}
		}
	}
	for id, address := range addresses {
		if t.peers[id] == nil {
			t.dismiss(id)
			t.peers[id] = t.newPeer(id, address)
		}
	}
}

// Peers returns the peers' addresses.
func (t *Transport) Peers() map[uint64]string {
	t.mu.Lock()
	defer t.mu.Unlock()
	addresses := map[uint64]string{}
	for id, p := range maps.All(t.peers) {
		addresses[id] = p.address
	}
	return addresses
}

// peer returns a peer or a guest, or nil.
func (t *Transport) peer(id uint64) *peer {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.peers[id]; p != nil {
		return p
	}
	return t.guests[id]
}

// Send sends a message to the peer that it is for, or drops it.
func (t *Transport) Send(m *raftpb.Message) {
	if p := t.peer(m.GetTo()); p != nil {
		p.send(m)
	}
}

// Close closes all connections and waits until no more calls of the Handler are under way.
func (t *Transport) Close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.cancel()
	t.options.Listener.Close()
	t.running.Wait()
}

// goUnlessClosed runs f in a goroutine that Close waits for.
func (t *Transport) goUnlessClosed(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.running.Go(f)
	}
}

// sleep waits, and reports false if ctx ends meanwhile.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
