// Kvd is a server of a replicated key/value service: package kv on package engine.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"6.824/cmd/cli"
	"6.824/engine"
	"6.824/engine/kv"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func main() { cli.Main(&command, parseOptions, run) }

// handOverTime bounds how long a server that is stopped tries to hand its leadership over.
const handOverTime = 5 * time.Second

// run runs the server until ctx ends or the server cannot go on.
func run(ctx context.Context, o options, _, stderr io.Writer) error {
	signal.Reset(syscall.SIGPIPE) // cli asked for it; a peer that closes a connection must not end the process
	level := slog.LevelInfo
	if o.verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	listener, err := listen(o, log)
	if err != nil {
		return cli.Unusable(err)
	}
	s, err := kv.Open(engine.Config{
		ID: o.id, Cluster: o.cluster, Dir: o.data, Peers: o.peers, Join: o.join, TLS: o.tls, Tick: o.tick,
		Logger: log, Registerer: registry,
	}, o.url, o.snapshotBytes)
	if err != nil {
		listener.Close()
		return cli.Unusable(advise(err, o))
	}
	mux := http.NewServeMux()
	mux.Handle("/", s.Handler())
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	server := kv.HTTPServer(mux, log)
	go server.Serve(listener)
	if o.tls == nil {
		log.Info("without certificates: connections are not private, and everyone who reaches them is served")
	}
	log.Info("serving clients", "url", o.url, "data", o.data)
	select {
	case <-ctx.Done():
	case <-s.Node().Done():
	}
	return advise(stop(s, server), o)
}

// advise adds to an error what an operator can do about it.
func advise(err error, o options) error {
	if !errors.Is(err, engine.ErrLost) {
		return err
	}
	return fmt.Errorf("%w\n%s", err, rejoin(o))
}

// stop ends the service: no new requests, another leader, no server.
func stop(s *kv.Server, server *http.Server) error {
	failed := s.Node().Err()
	ctx, cancel := context.WithTimeout(context.Background(), handOverTime)
	defer cancel()
	s.Close(ctx)
	server.Shutdown(ctx)
	if failed != nil && !errors.Is(failed, engine.ErrStopped) {
		return failed
	}
	return nil
}

// listen returns the listener for clients.
func listen(o options, log *slog.Logger) (net.Listener, error) {
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return nil, err
	}
	l = kv.Limit(l, log)
	if o.tls == nil {
		return l, nil
	}
	config, err := tlsConfig(o)
	if err != nil {
		l.Close()
		return nil, err
	}
	return tls.NewListener(l, config), nil
}

// tlsConfig returns a configuration that asks clients for a certificate of the authority.
func tlsConfig(o options) (*tls.Config, error) {
	own, err := tls.LoadX509KeyPair(o.tls.Cert, o.tls.Key)
	if err != nil {
		return nil, err
	}
	pem, err := os.ReadFile(o.tls.CA)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("there is no certificate in %s", o.tls.CA)
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{own},
		ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, NextProtos: []string{"http/1.1"},
	}, nil
}
