package kvraft

import (
	"encoding/binary"
	"fmt"

	"6.824/kvraft/internal/enc"
	"6.824/kvraft/rsm"
)

// An op is an operation as the log holds it.
type op struct {
	kind            kind
	client, request int64 // of a Put or an Append
	key, value      string
}

// A kind says what an operation does.
type kind byte

const (
	get kind = iota + 1
	put
	appendTo
)

// Encode returns an op as a string: the kind, then client, request and the length of the key as varints, the key, the
// value. It makes the store an rsm.Codec.
func (*store) Encode(req any) string {
	o := req.(op)
	var small [128]byte // most operations fit, so that only the string is allocated
	b := append(small[:0], byte(o.kind))
	b = binary.AppendVarint(b, o.client)
	b = binary.AppendVarint(b, o.request)
	b = enc.AppendText(b, o.key)
	return string(append(b, o.value...))
}

// Describe describes a command of Raft's log, such as: append("k", "x").
func Describe(command any) string {
	switch o := (*store)(nil).Decode(command.(rsm.Op).Request).(op); o.kind {
	case get:
		return fmt.Sprintf("get(%q)", o.key)
	case put:
		return fmt.Sprintf("put(%q, %q)", o.key, o.value)
	default:
		return fmt.Sprintf("append(%q, %q)", o.key, o.value)
	}
}

// Decode is the inverse of Encode. Key and value share the memory of request. It panics if Encode has not made the request:
// then the servers run different programs.
func (*store) Decode(request string) any {
	d := enc.Decoder{Rest: request[min(1, len(request)):]}
	o := op{client: d.Number(), request: d.Number(), key: d.Text()}
	if o.value = d.Rest; d.Bad || request[0] < byte(get) || request[0] > byte(appendTo) {
		panic(fmt.Sprintf("kvraft: an operation is damaged: %q", request))
	}
	o.kind = kind(request[0])
	return o
}
