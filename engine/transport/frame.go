package transport

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// A frame is a length, a checksum, a checksum of these two (4 bytes each, little endian), and as many bytes as the length
// says. Without the second checksum, a receiver would take a damaged length for true, and wait for bytes that do not come.

const (
	frameHead = 12
	// MaxFrame bounds a frame, in bytes: a message with one command of the largest size fits.
	MaxFrame = 40 << 20
	// maxUnproven bounds the memory that the length in a frame's head alone can take.
	maxUnproven = 64 << 10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

var errFrameTooLong = errors.New("a frame is too long")

// appendFrameHead appends the head of a frame.
func appendFrameHead(b, body []byte) []byte {
	at := len(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(body)))
	b = binary.LittleEndian.AppendUint32(b, checksum(body))
	return binary.LittleEndian.AppendUint32(b, checksum(b[at:]))
}

// writeFrame writes body as a frame.
func writeFrame(w io.Writer, body []byte) error {
	if len(body) > MaxFrame {
		return errFrameTooLong
	}
	if _, err := w.Write(appendFrameHead(make([]byte, 0, frameHead), body)); err != nil {
		return err
	}
	_, err := w.Write(body)
	return err
}

// readFrame reads a frame of at most limit bytes. It takes memory as the bytes come, not as the head promises.
func readFrame(r io.Reader, limit int) ([]byte, error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	if binary.LittleEndian.Uint32(head[8:]) != checksum(head[:8]) {
		return nil, errors.New("the checksum of a frame's head is wrong")
	}
	length := binary.LittleEndian.Uint32(head[:])
	if int64(length) > int64(limit) {
		return nil, fmt.Errorf("%w: %d bytes, and %d are the limit", errFrameTooLong, length, limit)
	}
	var body []byte
	var err error
	if length <= maxUnproven {
		body = make([]byte, length)
		_, err = io.ReadFull(r, body)
	} else {
		var b bytes.Buffer
		var n int64
		n, err = io.CopyN(&b, r, int64(length))
		if body = b.Bytes(); err == io.EOF && n > 0 {
			err = io.ErrUnexpectedEOF
		}
	}
	switch {
	case err == io.EOF && length > 0:
		return nil, io.ErrUnexpectedEOF
	case err != nil:
		return nil, err
	case binary.LittleEndian.Uint32(head[4:]) != checksum(body):
		return nil, errors.New("the checksum of a frame is wrong")
	}
	return body, nil
}
