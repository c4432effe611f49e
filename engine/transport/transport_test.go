package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/raft/v3/raftpb"
)

// A node is a Transport that notes what its handler is told.
type node struct {
	*Transport
	id      uint64
	address string

	mu          sync.Mutex
	messages    []*raftpb.Message
	snapshots   []string
	sent        []error
	unreachable int
	log         bytes.Buffer
	hold        chan struct{} // Receive waits until it can read, if it is not nil
}

func (n *node) Receive(m *raftpb.Message) {
	if n.hold != nil {
		<-n.hold
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.messages = append(n.messages, m)
}

func (n *node) ReceiveSnapshot(m *raftpb.Message, data []byte) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if string(data) == "unwanted" {
		return errors.New("it is unwanted")
	}
	n.snapshots = append(n.snapshots, string(data))
	return nil
}

func (n *node) Unreachable(uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.unreachable++
}

func (n *node) SnapshotSent(_ uint64, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sent = append(n.sent, err)
}

// Write makes the node a writer for its log.
func (n *node) Write(b []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.log.Write(b)
}

// is reports what f finds, with the lock held.
func (n *node) is(f func() bool) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return f()
}

func newNode(t *testing.T, id uint64, change func(*Options)) *node {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &node{id: id, address: l.Addr().String()}
	o := Options{
		ID: id, Cluster: "c", Listener: l, MaxSnapshot: 1 << 20, Timeout: time.Second, Handler: n,
		Logger: slog.New(slog.NewTextHandler(n, nil)),
	}
	if change != nil {
		change(&o)
	}
	if n.Transport, err = New(o); err != nil {
		l.Close()
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n
}

// connect makes all nodes each other's peers.
func connect(nodes ...*node) {
	for _, n := range nodes {
		peers := map[uint64]string{}
		for _, other := range nodes {
			if other != n {
				peers[other.id] = other.address
			}
		}
		n.SetPeers(peers)
	}
}

func eventually(t *testing.T, complaint string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(complaint)
		}
	}
}

func heartbeat(from, to, commit uint64) *raftpb.Message {
	return &raftpb.Message{Type: raftpb.MsgHeartbeat.Enum(), From: &from, To: &to, Term: new(uint64(1)), Commit: &commit}
}

func snapshot(from, to uint64) *raftpb.Message {
	meta := &raftpb.SnapshotMetadata{Index: new(uint64(5)), Term: new(uint64(1)), ConfState: &raftpb.ConfState{Voters: []uint64{1, 2}}}
	return &raftpb.Message{Type: raftpb.MsgSnap.Enum(), From: &from, To: &to, Term: new(uint64(1)), Snapshot: &raftpb.Snapshot{Metadata: meta}}
}

func TestSend_inOrder(t *testing.T) {
	a, b := newNode(t, 1, nil), newNode(t, 2, nil)
	connect(a, b)
	const n = 1000
	for k := range uint64(n) {
		a.Send(heartbeat(1, 2, k))
	}
	b.Send(heartbeat(2, 1, 7))
	a.Send(heartbeat(1, 3, 0)) // to nobody
	eventually(t, "not all messages have arrived", func() bool {
		return a.is(func() bool { return len(a.messages) == 1 }) && b.is(func() bool { return len(b.messages) == n })
	})
	for k, m := range b.messages {
		if m.GetCommit() != uint64(k) {
			t.Fatalf("message %d came in place %d", m.GetCommit(), k)
		}
	}
}

func TestSend_reconnects(t *testing.T) {
	a, b := newNode(t, 1, nil), newNode(t, 2, nil)
	connect(a, b)
	a.Send(heartbeat(1, 2, 1))
	eventually(t, "the message has not arrived", func() bool { return b.is(func() bool { return len(b.messages) == 1 }) })
	b.Close()
	eventually(t, "nobody noticed that the peer is gone", func() bool {
		a.Send(heartbeat(1, 2, 2))
		return a.is(func() bool { return a.unreachable > 0 })
	})
	again := newNode(t, 2, func(o *Options) {
		o.Listener.Close()
		var err error
		if o.Listener, err = net.Listen("tcp", b.address); err != nil {
			t.Fatal(err)
		}
	})
	again.SetPeers(map[uint64]string{1: a.address})
	eventually(t, "no message has arrived since", func() bool {
		a.Send(heartbeat(1, 2, 3))
		return again.is(func() bool { return len(again.messages) > 0 })
	})
}

// TestSend_slowPeer shows that a peer that takes nothing holds up neither the caller nor other peers.
func TestSend_slowPeer(t *testing.T) {
	a, slow, b := newNode(t, 1, nil), newNode(t, 2, nil), newNode(t, 3, nil)
	slow.hold = make(chan struct{})
	defer close(slow.hold)
	connect(a, slow, b)
	big := message(raftpb.MsgApp, entry(11, 5))
	big.Entries[0].Data = make([]byte, 64<<10)
	begun := time.Now()
	for k := range uint64(3 * maxQueue) {
		a.Send(big)
		if k%100 == 0 {
			a.Send(heartbeat(1, 3, k))
		}
	}
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("sending took %v", took)
	}
	eventually(t, "the messages to the other peer have not arrived", func() bool {
		return b.is(func() bool { return len(b.messages) > 3*maxQueue/100 })
	})
	if !a.is(func() bool { return a.unreachable > 0 }) {
		t.Error("nobody was told that messages were dropped")
	}
}

// TestSend_silentPeer shows that a connection that carries nothing back is given up.
func TestSend_silentPeer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan net.Conn, 16)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				close(accepted)
				return
			}
			readFrame(conn, maxHello)
			writeFrame(conn, nil)
			accepted <- conn
		}
	}()
	a := newNode(t, 1, func(o *Options) { o.Timeout = 50 * time.Millisecond })
	a.SetPeers(map[uint64]string{2: l.Addr().String()})
	connections := 0
	eventually(t, "the silent connection was not replaced", func() bool {
		a.Send(heartbeat(1, 2, 1))
		for len(accepted) > 0 {
			conn := <-accepted
			defer conn.Close()
			connections++
		}
		return connections >= 3
	})
}

func TestSnapshot(t *testing.T) {
	a, b := newNode(t, 1, nil), newNode(t, 2, nil)
	connect(a, b)
	large := strings.Repeat("data", snapshotChunk)[:3*snapshotChunk+1]
	for _, test := range []struct{ data, want string }{
		{"", ""}, {"small", ""}, {large, ""}, {"unwanted", "it is unwanted"}, {strings.Repeat("x", 1<<20+1), "limit"},
	} {
		a.SendSnapshot(snapshot(1, 2), []byte(test.data))
		eventually(t, "sending a snapshot does not end", func() bool { return a.is(func() bool { return len(a.sent) > 0 }) })
		err := a.sent[0]
		a.sent = nil
		if test.want == "" && (err != nil || b.snapshots[len(b.snapshots)-1] != test.data) {
			t.Errorf("a snapshot of %d bytes: error %v", len(test.data), err)
		}
		if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("a snapshot of %d bytes: error %v, want one about %q", len(test.data), err, test.want)
		}
	}
	a.SendSnapshot(snapshot(1, 9), nil)
	if !a.is(func() bool { return len(a.sent) == 1 && a.sent[0] != nil }) {
		t.Error("a snapshot to nobody was sent")
	}
}

// TestHello_refused shows who gets nowhere, and that the caller learns why.
func TestHello_refused(t *testing.T) {
	b := newNode(t, 2, nil)
	b.SetPeers(map[uint64]string{1: "127.0.0.1:1"})
	good := hello{kindMessages, 1, 2, "c", ""}
	for want, h := range map[string]hello{
		"cluster":      {kindMessages, 1, 2, "other", ""},
		"not 3":        {kindMessages, 1, 3, "c", ""},
		"not known":    {kindMessages, 4, 2, "c", ""},
		"be server 2":  {kindMessages, 2, 2, "c", "127.0.0.1:1"},
		"no kind":      {'x', 1, 2, "c", ""},
		"this version": {},
		"":             good,
	} {
		conn, err := net.Dial("tcp", b.address)
		if err != nil {
			t.Fatal(err)
		}
		first := h.encode()
		if want == "this version" {
			first = []byte("GET / HTTP/1.1\r\n\r\n")
		}
		writeFrame(conn, first)
		answer, err := readFrame(conn, maxHello)
		if err != nil || !strings.Contains(string(answer), want) || want == "" && len(answer) > 0 {
			t.Errorf("the answer is %q, error %v, want one about %q", answer, err, want)
		}
		conn.Close()
	}
}

// TestGuest shows that a server is heard and answered which is no peer, as long as it is connected, and that there are not
// too many of them.
func TestGuest(t *testing.T) {
	b := newNode(t, 2, nil)
	var guests []*node
	for k := range maxGuests + 1 {
		a := newNode(t, uint64(10+k), func(o *Options) { o.Address = o.Listener.Addr().String() })
		a.SetPeers(map[uint64]string{2: b.address})
		guests = append(guests, a)
		if k == maxGuests {
			break
		}
		eventually(t, "a guest is not heard", func() bool {
			a.Send(heartbeat(a.id, 2, 0))
			return b.is(func() bool {
				return slices.ContainsFunc(b.messages, func(m *raftpb.Message) bool { return m.GetFrom() == a.id })
			})
		})
		b.Send(heartbeat(2, a.id, 0))
		eventually(t, "a guest is not answered", func() bool { return a.is(func() bool { return len(a.messages) == 1 }) })
	}
	tooMany := guests[maxGuests]
	eventually(t, "there are too many guests", func() bool {
		tooMany.Send(heartbeat(tooMany.id, 2, 0))
		return b.is(func() bool { return strings.Contains(b.log.String(), errGuests.Error()) })
	})
	guests[0].Close()
	eventually(t, "there is no room for another guest", func() bool {
		tooMany.Send(heartbeat(tooMany.id, 2, 0))
		return b.is(func() bool {
			return slices.ContainsFunc(b.messages, func(m *raftpb.Message) bool { return m.GetFrom() == tooMany.id })
		})
	})
	b.SetPeers(map[uint64]string{11: guests[1].address})
	b.Send(heartbeat(2, 11, 0))
	eventually(t, "a guest that has become a peer is not answered", func() bool { return guests[1].is(func() bool { return len(guests[1].messages) == 2 }) })
	b.mu.Lock()
	defer b.mu.Unlock()
	b.Transport.mu.Lock()
	defer b.Transport.mu.Unlock()
	if b.guests[11] != nil || b.guests[10] != nil || len(b.guests) != maxGuests-1 {
		t.Errorf("there are %d guests", len(b.guests))
	}
}

// TestGarbage shows that garbage ends a connection, and nothing else.
func TestGarbage(t *testing.T) {
	a, b := newNode(t, 1, nil), newNode(t, 2, nil)
	connect(a, b)
	wrong := heartbeat(3, 2, 0) // on the connection of server 1
	frame := func(body []byte) []byte { return append(appendFrameHead(nil, body), body...) }
	for name, garbage := range map[string][]byte{
		"no hello":   bytes.Repeat([]byte{0xff}, 100),
		"endless":    {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0},
		"nothing":    {},
		"half":       frame(hello{kindMessages, 1, 2, "c", ""}.encode())[:20],
		"after":      append(frame(hello{kindMessages, 1, 2, "c", ""}.encode()), bytes.Repeat([]byte{7}, 50)...),
		"liar":       append(frame(hello{kindMessages, 1, 2, "c", ""}.encode()), frame(marshal(t, wrong))...),
		"a snapshot": append(frame(hello{kindSnapshot, 1, 2, "c", ""}.encode()), frame(marshal(t, heartbeat(1, 2, 0)))...),
	} {
		conn, err := net.Dial("tcp", b.address)
		if err != nil {
			t.Fatal(err)
		}
		conn.Write(garbage)
		if name != "endless" && name != "after" {
			conn.(*net.TCPConn).CloseWrite()
		}
		conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.Copy(io.Discard, conn); err != nil && errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: the connection is still there: %v", name, err)
		}
		conn.Close()
	}
	a.Send(heartbeat(1, 2, 99))
	eventually(t, "after garbage, no message arrives", func() bool {
		return b.is(func() bool {
			return slices.ContainsFunc(b.messages, func(m *raftpb.Message) bool { return m.GetCommit() == 99 })
		})
	})
	if len(b.messages) != 1 {
		t.Errorf("the handler got %d messages", len(b.messages))
	}
}

func TestClose_endsAll(t *testing.T) {
	a, b := newNode(t, 1, nil), newNode(t, 2, nil)
	connect(a, b)
	a.Send(heartbeat(1, 2, 1))
	eventually(t, "the message has not arrived", func() bool { return b.is(func() bool { return len(b.messages) == 1 }) })
	conn, err := net.Dial("tcp", b.address) // says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	done := make(chan struct{})
	go func() { a.Close(); b.Close(); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("Close does not return")
	}
	a.Send(heartbeat(1, 2, 2))
	a.SetPeers(nil)
	fmt.Fprint(io.Discard, a.Peers())
}
