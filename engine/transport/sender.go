package transport

import (
	"bufio"
	"context"
	"io"
	"net"
	"time"

	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// A peer is another server, as the one who sends to it sees it.
type peer struct {
	*Transport
	id      uint64
	address string
	ctx     context.Context
	cancel  context.CancelFunc
	queue   chan *raftpb.Message
	sending chan struct{} // holds a value while a snapshot is being sent
}

// maxQueue bounds the messages that wait to be sent to a peer. Raft bounds how many of them have entries, and their bytes.
const maxQueue = 2048

// Waits between attempts to connect.
const (
	minBackOff = 20 * time.Millisecond
	maxBackOff = time.Second
)

// newPeer returns a peer and starts its sender. It is called with mu held.
func (t *Transport) newPeer(id uint64, address string) *peer {
	p := &peer{Transport: t, id: id, address: address, queue: make(chan *raftpb.Message, maxQueue), sending: make(chan struct{}, 1)}
	p.ctx, p.cancel = context.WithCancel(t.ctx)
	t.running.Go(p.run)
	return p
}

// send queues a message, or drops it if the queue is full.
func (p *peer) send(m *raftpb.Message) {
	select {
	case p.queue <- m:
	default:
		p.options.Handler.Unreachable(p.id)
	}
}

// run is the goroutine that sends messages to a peer. It connects when there is something to send, and ends with ctx.
func (p *peer) run() {
	failing := false
	for wait := minBackOff; ; {
		var first *raftpb.Message
		select {
		case <-p.ctx.Done():
			return
		case first = <-p.queue:
		}
		conn, err := p.call(p, kindMessages)
		if err == nil {
			if failing {
				p.options.Logger.Info("connected again", "to", p.id)
			}
			failing, wait = false, minBackOff
			err = p.stream(conn, first)
		}
		if p.ctx.Err() != nil {
			return
		}
		if !failing {
			p.options.Logger.Warn("cannot reach a server; trying again", "to", p.id, "address", p.address, "error", err)
			failing = true
		}
		p.drop()
		p.options.Handler.Unreachable(p.id)
		if !sleep(p.ctx, wait) {
			return
		}
		wait = min(2*wait, maxBackOff)
	}
}

// drop drops the messages that wait: when the connection is there again, newer ones tell more.
func (p *peer) drop() {
	for {
		select {
		case <-p.queue:
		default:
			return
		}
	}
}

// stream sends messages on a connection until that breaks.
func (p *peer) stream(conn net.Conn, first *raftpb.Message) error {
	defer conn.Close()
	defer closeWith(p.ctx, conn)()
	broken := make(chan error, 1)
	p.running.Go(func() { broken <- p.watch(conn); conn.Close() })
	w := bufio.NewWriterSize(conn, 64<<10)
	var buf []byte
	for m := first; ; {
		conn.SetWriteDeadline(time.Now().Add(p.options.Timeout))
		var err error
		if buf, err = (proto.MarshalOptions{}).MarshalAppend(buf[:0], m); err != nil {
			return err
		}
		if err := writeFrame(w, buf); err != nil {
			return err
		}
		if cap(buf) > 4<<20 {
			buf = nil
		}
		if len(p.queue) == 0 {
			if err := w.Flush(); err != nil {
				return err
			}
		}
		select {
		case m = <-p.queue:
		case err := <-broken:
			return err
		case <-p.ctx.Done():
			return p.ctx.Err()
		}
	}
}

// watch reads the signs of life that the receiver sends. Without them, a sender would learn only after a quarter of an
// hour that its packets are lost, and after a partition has healed TCP may wait for two minutes before it tries again.
func (p *peer) watch(conn net.Conn) error {
	b := make([]byte, 64)
	for {
		conn.SetReadDeadline(time.Now().Add(p.options.Timeout))
		if _, err := conn.Read(b); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
	}
}

// closeWith closes conn when ctx ends, unless the function that it returns is called before.
func closeWith(ctx context.Context, conn net.Conn) func() bool {
	return context.AfterFunc(ctx, func() { conn.Close() })
}
