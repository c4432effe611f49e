package transport

import (
	"bufio"
	"context"
	"errors"
	"net"
	"time"
)

// listen is the goroutine that accepts connections. It ends when the listener is closed.
func (t *Transport) listen() {
	for {
		conn, err := t.options.Listener.Accept()
		if err != nil {
			if t.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return
			}
			t.options.Logger.Warn("cannot accept a connection", "error", err)
			sleep(t.ctx, minBackOff) // for example, too many files are open
			continue
		}
		select {
		case t.slots <- struct{}{}:
			t.goUnlessClosed(func() { t.serve(conn) })
		default:
			t.quiet.Warn("closed a connection: too many have not said yet who calls", "from", conn.RemoteAddr().String())
			conn.Close()
		}
	}
}

// serve serves a connection until it breaks.
func (t *Transport) serve(raw net.Conn) {
	defer raw.Close()
	defer closeWith(t.ctx, raw)()
	conn, h, err := t.welcome(raw)
	<-t.slots
	if err != nil {
		t.refused(raw, err)
		return
	}
	switch h.kind {
	case kindMessages:
		err = t.serveMessages(conn, h)
	case kindSnapshot:
		err = t.serveSnapshot(conn, h.from)
	}
	if err != nil && t.ctx.Err() == nil {
		t.options.Logger.Debug("a connection has ended", "from", h.from, "error", err)
	}
}

// refused logs that a call was refused. It does not log every one: anybody can make calls.
func (t *Transport) refused(conn net.Conn, err error) {
	if t.ctx.Err() == nil {
		t.quiet.Warn("refused a call", "from", conn.RemoteAddr().String(), "error", err)
	}
}

// serveMessages receives messages. A peer has one such connection; a new one replaces the one before, which may be dead.
func (t *Transport) serveMessages(conn net.Conn, h hello) error {
	from := h.from
	leave, err := t.admit(h)
	if err != nil {
		t.refused(conn, err)
		return err
	}
	defer leave()
	ctx, cancel := context.WithCancel(t.ctx)
	defer cancel()
	defer closeWith(ctx, conn)()
	t.mu.Lock()
	if before := t.callers[from]; before != nil {
		before()
	}
	t.callers[from] = cancel
	t.mu.Unlock()
	t.goUnlessClosed(func() { t.live(ctx, conn) })
	r := bufio.NewReaderSize(conn, 64<<10)
	for {
		b, err := readFrame(r, MaxFrame)
		if err != nil {
			return err
		}
		m, err := decodeMessage(b, kindMessages, from, t.options.ID)
		if err != nil {
			t.refused(conn, err)
			return err
		}
		t.options.Handler.Receive(m)
	}
}

// live sends signs of life until ctx ends.
func (t *Transport) live(ctx context.Context, conn net.Conn) {
	for sleep(ctx, t.options.Timeout/5) {
		conn.SetWriteDeadline(time.Now().Add(t.options.Timeout))
		if _, err := conn.Write([]byte{0}); err != nil {
			conn.Close()
			return
		}
	}
}
