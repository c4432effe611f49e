package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"6.824/engine/kv"
)

// A client asks one server after the other until one answers. It is not safe for concurrent use.
type client struct {
	ctx       context.Context
	http      *http.Client
	endpoints []string
	next      int    // endpoint to ask
	identity  uint64 // random
	request   uint64 // number of the last change
	out       io.Writer
	progress  io.Writer
}

func newClient(ctx context.Context, o options, out, progress io.Writer) (*client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = o.clients
	if o.ca != "" {
		pem, err := os.ReadFile(o.ca)
		if err != nil {
			return nil, err
		}
		config := &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: x509.NewCertPool()}
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("there is no certificate in %s", o.ca)
		}
		if o.cert != "" {
			own, err := tls.LoadX509KeyPair(o.cert, o.key)
			if err != nil {
				return nil, err
			}
			config.Certificates = []tls.Certificate{own}
		}
		transport.TLSClientConfig = config
	}
	c := &client{ctx: ctx, http: &http.Client{Transport: transport}, endpoints: o.endpoints, out: out, progress: progress}
	c.identity = newIdentity()
	return c, nil
}

func newIdentity() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return binary.BigEndian.Uint64(b[:]) | 1
}

// An answer is what a server has to say.
type answer struct {
	code int
	body []byte
}

// err returns the sentence of an answer that is not good.
func (a answer) err() error {
	if a.code < 300 {
		return nil
	}
	return errors.New(strings.TrimSpace(string(a.body)))
}

// once has a change carried out, once.
func (c *client) once(method, path, body string) error {
	c.request++
	a, err := c.ask(method, path, body, c.request)
	if err != nil {
		return err
	}
	return a.err()
}

// ask asks until a server knows the answer. A request above 0 is the number of a change.
func (c *client) ask(method, path, body string, request uint64) (answer, error) {
	var last error
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, 500*time.Millisecond) {
		for range c.endpoints {
			a, err := c.askOnce(c.endpoints[c.next], method, path, body, request)
			if err == nil && a.code != http.StatusServiceUnavailable && a.code != http.StatusGatewayTimeout {
				return a, nil
			}
			if last = err; err == nil {
				last = a.err()
			}
			if c.ctx.Err() != nil {
				return answer{}, fmt.Errorf("no server has answered in time; the last one: %w", last)
			}
			c.next = (c.next + 1) % len(c.endpoints)
		}
		select {
		case <-time.After(wait):
		case <-c.ctx.Done():
			return answer{}, fmt.Errorf("no server has answered in time; the last one: %w", last)
		}
	}
}

func (c *client) askOnce(endpoint, method, path, body string, request uint64) (answer, error) {
	r, err := http.NewRequestWithContext(c.ctx, method, endpoint+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if request > 0 {
		r.Header.Set(kv.ClientHeader, strconv.FormatUint(c.identity, 10))
		r.Header.Set(kv.RequestHeader, strconv.FormatUint(request, 10))
	}
	response, err := c.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	b, err := io.ReadAll(io.LimitReader(response.Body, kv.MaxValue+1))
	return answer{response.StatusCode, b}, err
}

// pathOf returns the path of a key.
func pathOf(key string) string {
	if strings.Trim(key, ".") == "" {
		return "/kv/" + strings.ReplaceAll(key, ".", "%2E")
	}
	return "/kv/" + url.PathEscape(key)
}
