package transport

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// A snapshot goes over a connection of its own: a frame with the message, a frame with the number of bytes, back a frame that
// is empty or says what is wrong; then those bytes in frames of at most snapshotChunk, and back such a frame again.

const snapshotChunk = 256 << 10

// SendSnapshot sends a MsgSnap together with data. The Handler is told how that has ended. It fails if nothing moves for the
// time-out, or if a snapshot is on its way to that peer already.
func (t *Transport) SendSnapshot(m *raftpb.Message, data []byte) {
	p := t.peer(m.GetTo())
	if p == nil {
		t.options.Handler.SnapshotSent(m.GetTo(), fmt.Errorf("server %d is not known here", m.GetTo()))
		return
	}
	select {
	case p.sending <- struct{}{}:
	default:
		t.options.Handler.SnapshotSent(p.id, errors.New("one is on its way already"))
		return
	}
	t.goUnlessClosed(func() {
		defer func() { <-p.sending }()
		t.options.Handler.SnapshotSent(p.id, p.sendSnapshot(m, data))
	})
}

func (p *peer) sendSnapshot(m *raftpb.Message, data []byte) error {
	conn, err := p.call(p, kindSnapshot)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer closeWith(p.ctx, conn)()
	head, err := proto.Marshal(m)
	if err != nil {
		return err
	}
	length := binary.BigEndian.AppendUint64(nil, uint64(len(data)))
	if err := p.ask(conn, head, length); err != nil {
		return err
	}
	var chunks [][]byte
	for rest := data; len(rest) > 0; {
		n := min(len(rest), snapshotChunk)
		chunks, rest = append(chunks, rest[:n]), rest[n:]
	}
	return p.ask(conn, chunks...)
}

// ask writes frames and reads the answer.
func (p *peer) ask(conn net.Conn, frames ...[]byte) error {
	for _, f := range frames {
		conn.SetWriteDeadline(time.Now().Add(p.options.Timeout))
		if err := writeFrame(conn, f); err != nil {
			return err
		}
	}
	conn.SetReadDeadline(time.Now().Add(p.options.Timeout))
	answer, err := readFrame(conn, maxHello)
	if err == nil && len(answer) > 0 {
		err = fmt.Errorf("it has refused the snapshot: %q", answer)
	}
	return err
}

// begin notes that a snapshot of a peer is being received. It reports false if one is already: a snapshot takes memory.
func (t *Transport) begin(from uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.coming[from] {
		return false
	}
	t.coming[from] = true
	return true
}

func (t *Transport) end(from uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.coming, from)
}

// serveSnapshot receives a snapshot.
func (t *Transport) serveSnapshot(conn net.Conn, from uint64) error {
	if !t.begin(from) {
		return errors.New("a snapshot is on its way already") // the sender makes one such call at a time, and repeats it
	}
	defer t.end(from)
	m, data, err := t.readSnapshot(conn, from)
	if err == nil {
		err = t.options.Handler.ReceiveSnapshot(m, data)
	}
	var answer []byte
	if err != nil {
		t.refused(conn, err)
		answer = []byte(err.Error())
	}
	conn.SetWriteDeadline(time.Now().Add(t.options.Timeout))
	return errors.Join(err, writeFrame(conn, answer[:min(len(answer), maxHello)]))
}

// readSnapshot reads a snapshot. Memory is taken as the bytes come.
func (t *Transport) readSnapshot(conn net.Conn, from uint64) (*raftpb.Message, []byte, error) {
	conn.SetReadDeadline(time.Now().Add(t.options.Timeout))
	head, err := readFrame(conn, 2*snapshotChunk)
	if err != nil {
		return nil, nil, err
	}
	m, err := decodeMessage(head, kindSnapshot, from, t.options.ID)
	if err != nil {
		return nil, nil, err
	}
	b, err := readFrame(conn, 8)
	if err != nil || len(b) != 8 {
		return nil, nil, errors.Join(errors.New("the snapshot has no length"), err)
	}
	length := binary.BigEndian.Uint64(b)
	if length > uint64(t.options.MaxSnapshot) {
		return nil, nil, fmt.Errorf("the snapshot has %d bytes, and %d are the limit", length, t.options.MaxSnapshot)
	}
	conn.SetWriteDeadline(time.Now().Add(t.options.Timeout))
	if err := writeFrame(conn, nil); err != nil {
		return nil, nil, err
	}
	var data bytes.Buffer
	for uint64(data.Len()) < length {
		conn.SetReadDeadline(time.Now().Add(t.options.Timeout))
		chunk, err := readFrame(conn, snapshotChunk)
		if err != nil {
			return nil, nil, err
		}
		if len(chunk) == 0 || uint64(data.Len()+len(chunk)) > length {
			return nil, nil, io.ErrUnexpectedEOF
		}
		data.Write(chunk)
	}
	return m, data.Bytes(), nil
}
