package transport

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net"
	"time"
)

// A hello is the first frame of a connection: who calls whom, in which cluster, and for what. The answer is a frame that
// is empty, or says why the call is refused.
type hello struct {
	kind     byte
	from, to uint64
	cluster  string
	address  string // of the caller; may be empty
}

// Kinds of connections.
const (
	kindMessages = 'm'
	kindSnapshot = 's'
)

// helloMagic begins a hello. Its last byte is the version of everything on a connection.
var helloMagic = []byte("6.824 engine \x01")

// maxHello bounds a hello and its answer, in bytes.
const maxHello = 1 << 10

func (h hello) encode() []byte {
	b := append(bytes.Clone(helloMagic), h.kind)
	b = binary.BigEndian.AppendUint64(b, h.from)
	b = binary.BigEndian.AppendUint64(b, h.to)
	b = binary.BigEndian.AppendUint16(b, uint16(len(h.cluster)))
	return append(append(b, h.cluster...), h.address...)
}

func decodeHello(b []byte) (hello, error) {
	rest, ok := bytes.CutPrefix(b, helloMagic)
	end := 19 // of the cluster's name
	if ok && len(rest) >= end {
		end += int(binary.BigEndian.Uint16(rest[17:]))
	}
	if !ok || len(rest) < end {
		return hello{}, errors.New("the caller does not speak this version of the protocol")
	}
	h := hello{kind: rest[0], from: binary.BigEndian.Uint64(rest[1:]), to: binary.BigEndian.Uint64(rest[9:])}
	h.cluster, h.address = string(rest[19:end]), string(rest[end:])
	if h.kind != kindMessages && h.kind != kindSnapshot {
		return hello{}, fmt.Errorf("there is no kind %q of connections", h.kind)
	}
	return h, nil
}

// call connects to a peer and says hello.
func (t *Transport) call(p *peer, kind byte) (net.Conn, error) {
	conn, err := t.options.Dial(p.ctx, "tcp", p.address)
	if err != nil {
		return nil, err
	}
	if conn, err = t.greet(conn, p, kind); err != nil {
		return nil, err
	}
	return conn, nil
}

func (t *Transport) greet(conn net.Conn, p *peer, kind byte) (net.Conn, error) {
	stop := closeWith(p.ctx, conn)
	defer stop()
	conn.SetDeadline(time.Now().Add(t.options.Timeout))
	if t.tls != nil {
		conn = tls.Client(conn, t.tls.client(t.options.Cluster, p.id))
	}
	h := hello{kind: kind, from: t.options.ID, to: p.id, cluster: t.options.Cluster, address: t.options.Address}
	err := writeFrame(conn, h.encode())
	var answer []byte
	if err == nil {
		answer, err = readFrame(conn, maxHello)
	}
	if err == nil && len(answer) > 0 {
		err = fmt.Errorf("it has refused the call: %q", answer)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	conn.SetDeadline(time.Time{})
	return conn, nil
}

// welcome reads the hello of a connection and answers it. It returns the connection to go on with.
func (t *Transport) welcome(conn net.Conn) (net.Conn, hello, error) {
	conn.SetDeadline(time.Now().Add(t.options.Timeout))
	if t.tls != nil {
		conn = tls.Server(conn, t.tls.server)
	}
	b, err := readFrame(conn, maxHello)
	if err != nil {
		return nil, hello{}, err
	}
	h, err := decodeHello(b)
	if err == nil {
		err = t.check(h, conn)
	}
	if err != nil {
		text := []byte(err.Error())
		return nil, hello{}, errors.Join(err, writeFrame(conn, text[:min(len(text), maxHello)]))
	}
	if err := writeFrame(conn, nil); err != nil {
		return nil, hello{}, err
	}
	conn.SetDeadline(time.Time{})
	return conn, h, nil
}

// check returns an error if a call must be refused.
func (t *Transport) check(h hello, conn net.Conn) error {
	switch {
	case h.cluster != t.options.Cluster:
		return fmt.Errorf("this is a server of the cluster %q, not of %q", t.options.Cluster, h.cluster)
	case h.to != t.options.ID:
		return fmt.Errorf("this is server %d, not %d", t.options.ID, h.to)
	case h.from == 0 || h.from > math.MaxInt64 || h.from == t.options.ID:
		return fmt.Errorf("a caller cannot be server %d", h.from)
	case t.peer(h.from) == nil && h.address == "":
		return fmt.Errorf("server %d is not known here", h.from)
	}
	if c, ok := conn.(*tls.Conn); ok {
		return verifyCaller(c.ConnectionState(), t.options.Cluster, h.from)
	}
	return nil
}
