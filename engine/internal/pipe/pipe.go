// Package pipe has listeners and connections in memory, for fuzz tests.
package pipe

import (
	"net"
	"sync"
)

// A Listener accepts the connections that are sent to Conns, until Closed is closed.
type Listener struct {
	Conns  chan net.Conn
	Closed chan struct{}
}

// NewListener returns a Listener.
func NewListener() Listener { return Listener{make(chan net.Conn), make(chan struct{})} }

func (l Listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.Conns:
		return conn, nil
	case <-l.Closed:
		return nil, net.ErrClosed
	}
}

// Close must be called once.
func (l Listener) Close() error { close(l.Closed); return nil }

func (l Listener) Addr() net.Addr { return &net.TCPAddr{} }

// A Conn closes the channel Closed when it is closed.
type Conn struct {
	net.Conn
	Closed chan struct{}

	once sync.Once
}

// New returns two ends of a connection. Theirs is for a server.
func New() (ours net.Conn, theirs *Conn) {
	ours, end := net.Pipe()
	return ours, &Conn{Conn: end, Closed: make(chan struct{})}
}

func (c *Conn) Close() error {
	c.once.Do(func() { close(c.Closed) })
	return c.Conn.Close()
}
