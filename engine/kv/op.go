package kv

import (
	"encoding/binary"
	"errors"
	"strings"
)

// An op is an operation as the log holds it.
type op struct {
	kind            kind
	client, request uint64 // client is 0 if nobody will repeat the operation
	key             string
	value           string
	old             string // with cas: the value that the key must have
	absent          bool   // with cas: the key must not be there
}

// A kind says what an operation does.
type kind byte

const (
	put kind = iota + 1
	appendTo
	cas
	remove
	announce // key is a server's number, and value the URL at which clients reach it
)

// Encode returns an op as a string. It makes the store an rsm.Codec.
func (*Store) Encode(req any) string {
	o := req.(op)
	b := make([]byte, 0, 32+len(o.key)+len(o.old))
	b = append(b, byte(o.kind), 0)
	if o.absent {
		b[1] = 1
	}
	b = binary.AppendUvarint(b, o.client)
	b = binary.AppendUvarint(b, o.request)
	b = appendText(b, o.key)
	b = appendText(b, o.old)
	var whole strings.Builder // does not copy the value again
	whole.Grow(len(b) + len(o.value))
	whole.Write(b)
	whole.WriteString(o.value)
	return whole.String()
}

// Decode is the inverse of Encode. It panics if Encode has not made the request: then the servers run different programs.
func (*Store) Decode(request string) any {
	r := reader{rest: request}
	o := op{kind: kind(r.byte()), absent: r.byte() == 1, client: r.number(), request: r.number(), key: r.text(), old: r.text()}
	o.value = r.rest
	if r.err != nil || o.kind < put || o.kind > announce {
		panic("kv: an operation in the log comes from another program")
	}
	return o
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// A reader reads what Encode and Snapshot write. After a mistake err is set, and all further values are zero.
type reader struct {
	rest string
	err  error
}

var errDamaged = errors.New("kv: the data is damaged")

func (r *reader) byte() byte {
	if r.err != nil || r.rest == "" {
		r.err = errDamaged
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *reader) number() (n uint64) {
	for shift := 0; ; shift += 7 {
		b := r.byte()
		if r.err != nil || shift > 63 {
			r.err = errDamaged
			return 0
		}
		if n |= uint64(b&0x7f) << shift; b < 0x80 {
			return n
		}
	}
}

func (r *reader) text() string {
	n := r.number()
	if r.err != nil || n > uint64(len(r.rest)) {
		r.err = errDamaged
		return ""
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return strings.Clone(s)
}
