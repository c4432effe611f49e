package kv

import (
	"bytes"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"6.824/engine/internal/quiet"
)

// maxConnections bounds the connections of clients. Each takes a file descriptor, and a server that cannot open its files any
// more stops.
const maxConnections = 1024

// HTTPServer returns a server for the handler that bounds what one client can take: time, and the length of a request's head.
func HTTPServer(h http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      2 * time.Minute, // an operator's request may take one
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          log.New(&errorLog{logger: logger, quiet: quiet.Logger{Logger: logger}}, "", 0),
	}
}

// An errorLog logs what http.Server reports. Strangers cause most of that, but for panics.
type errorLog struct {
	logger *slog.Logger
	quiet  quiet.Logger
}

func (e *errorLog) Write(line []byte) (int, error) {
	if bytes.HasPrefix(line, []byte("http: panic")) {
		e.logger.Error(string(line))
		return len(line), nil
	}
	return e.quiet.Write(line)
}

// Limit returns a listener that closes connections while maxConnections others are open.
func Limit(l net.Listener, logger *slog.Logger) net.Listener {
	return &limited{Listener: l, slots: make(chan struct{}, maxConnections), quiet: quiet.Logger{Logger: logger}}
}

type limited struct {
	net.Listener
	slots chan struct{} // one for each open connection
	quiet quiet.Logger
}

func (l *limited) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.slots <- struct{}{}:
			return &limitedConn{Conn: conn, slots: l.slots}, nil
		default:
			l.quiet.Warn("closed a client's connection: too many are open", "from", conn.RemoteAddr().String())
			conn.Close()
		}
	}
}

type limitedConn struct {
	net.Conn
	once  sync.Once
	slots chan struct{}
}

func (c *limitedConn) Close() error {
	c.once.Do(func() { <-c.slots })
	return c.Conn.Close()
}
