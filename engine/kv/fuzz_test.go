package kv

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"6.824/engine"
	"6.824/engine/internal/pipe"
)

// exchange sends bytes on a new connection, and returns what comes back until the server closes it, or until a client that
// waits only so long does.
func exchange(t *testing.T, l pipe.Listener, request []byte, patience time.Duration) []byte {
	ours, conn := pipe.New()
	l.Conns <- conn
	answer := make(chan []byte, 1)
	go func() {
		b, _ := io.ReadAll(ours)
		answer <- b
	}()
	go func() {
		ours.Write(request) // fails if the server closes the connection before
	}()
	select {
	case <-conn.Closed:
	case <-time.After(patience):
	}
	ours.Close()
	select {
	case <-conn.Closed:
	case <-time.After(20 * time.Second):
		t.Error("the connection goes on without its client")
	}
	return <-answer
}

// FuzzHTTP sends bytes to a server's port for clients. The server must answer with sense or close the connection, and
// serve the next client.
func FuzzHTTP(f *testing.F) {
	for _, request := range []string{
		"GET /kv/a HTTP/1.1\r\nHost: x\r\n\r\n",
		"PUT /kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1",
		"PUT /kv/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n",
		"POST /kv/a?op=append HTTP/1.1\r\nHost: x\r\nKv-Client: 5\r\nKv-Request: 1\r\nContent-Length: 1\r\n\r\n1",
		"POST /kv/a?op=cas&old=%00 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1",
		"DELETE /kv/%ff HTTP/1.0\r\n\r\n", "GET /status HTTP/1.1\r\nHost: x\r\n\r\n", "GET http://y//kv/../a HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST /admin/transfer?to=1 HTTP/1.1\r\nHost: x\r\n\r\n", "POST /admin/remove?id=1 HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /healthz HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: cross-site\r\n\r\n", "\x16\x03\x01\x00\xa5\x01", "",
	} {
		f.Add([]byte(request))
	}
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelError}))
	engineListener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	s, err := Open(engine.Config{
		ID: 1, Cluster: "kv", Dir: f.TempDir(), Peers: map[int]string{1: engineListener.Addr().String()}, Listener: engineListener,
		Tick: 10 * time.Millisecond, Logger: logger,
		Dial: func(context.Context, string, string) (net.Conn, error) { return nil, net.ErrClosed }, // to servers that are added
	}, "http://nowhere", 1<<20)
	if err != nil {
		f.Fatal(err)
	}
	l := pipe.NewListener()
	web := HTTPServer(s.Handler(), logger)
	web.SetKeepAlivesEnabled(false)
	go web.Serve(l)
	f.Cleanup(func() { web.Close(); s.rsm.Kill() })
	f.Fuzz(func(t *testing.T, request []byte) {
		for r := bufio.NewReader(bytes.NewReader(exchange(t, l, request, 5*time.Millisecond))); ; {
			response, err := http.ReadResponse(r, nil)
			if err != nil {
				break
			}
			body, err := io.ReadAll(response.Body)
			if err != nil {
				break // the client did not wait for all of it
			}
			if response.StatusCode == 500 || response.StatusCode >= 400 && len(body) == 0 {
				t.Errorf("%d, %q", response.StatusCode, body)
			}
		}
		if got := string(exchange(t, l, []byte("GET /healthz HTTP/1.0\r\n\r\n"), 20*time.Second)); !strings.HasSuffix(got, "\r\nok\n") {
			t.Errorf("the next client got %q", got)
		}
		if log.Len() > 0 {
			t.Errorf("the server has logged an error: %s", &log)
		}
	})
}
