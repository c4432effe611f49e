package main

import (
	"encoding/binary"
	"hash/maphash"
	"strconv"
	"unsafe"
)

// kind is a kind of commands. Command number seq of a kind is always the same value, so the driver can check afterwards
// which commands each server has applied.
type kind int

const (
	intCommand kind = iota
	stringCommand
	kvCommand
)

const stringLen = 1000 // bytes in one stringCommand

// kvOp is shaped like the operation of a key/value service on top of Raft.
type kvOp struct {
	Op, Key, Value string
	Client         int64
	Seq            int
}

// digestSeed is the same for all digests, so that those of different servers can be compared.
var digestSeed = maphash.MakeSeed()

// filler is the content of a stringCommand after its number.
var filler = func() (b [stringLen]byte) {
	for i := range b {
		b[i] = byte('a' + i%26)
	}
	return b
}()

// kvKeys and kvValues exist before the measurement, like the strings that a service gets from its clients. Making them
// took a sixth of a measurement's time.
var kvKeys, kvValues = func() (keys, values [1000]string) {
	for i := range keys {
		keys[i] = "key-" + strconv.Itoa(i)
		values[i] = "x 0 " + strconv.Itoa(i*7919) + " y"
	}
	return keys, values
}()

func kvOf(seq int) kvOp {
	return kvOp{
		Op:     "Append",
		Key:    kvKeys[seq%len(kvKeys)],
		Value:  kvValues[seq%len(kvValues)],
		Client: 4611686018427387904 + int64(seq%8),
		Seq:    seq,
	}
}

func stringOf(seq int) []byte {
	b := make([]byte, stringLen)
	copy(b, filler[:])
	binary.LittleEndian.PutUint64(b, uint64(seq))
	return b
}

// value returns command seq as the Go value that an application would give to Start.
func (k kind) value(seq int) any {
	switch k {
	case intCommand:
		return seq
	case stringCommand:
		b := stringOf(seq)
		return unsafe.String(&b[0], len(b))
	default:
		return kvOf(seq)
	}
}

// encode returns command seq as bytes, for engines whose commands are bytes. The encoding is the cheapest one that keeps
// every field: 8 bytes, the string's own bytes, or the fields one after the other with a length before each string.
func (k kind) encode(seq int) []byte {
	switch k {
	case intCommand:
		return binary.LittleEndian.AppendUint64(nil, uint64(seq))
	case stringCommand:
		return stringOf(seq)
	}
	op := kvOf(seq)
	b := make([]byte, 0, 3*binary.MaxVarintLen16+len(op.Op)+len(op.Key)+len(op.Value)+16)
	for _, s := range []string{op.Op, op.Key, op.Value} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(op.Client))
	return binary.LittleEndian.AppendUint64(b, uint64(op.Seq))
}

// digestBytes decodes the result of encode and returns the digest of the value. It does not copy strings, which makes it as
// cheap as a decoder can be.
func (k kind) digestBytes(b []byte) uint64 {
	switch k {
	case intCommand:
		return binary.LittleEndian.Uint64(b)
	case stringCommand:
		return maphash.Bytes(digestSeed, b)
	}
	var fields [3]string
	for i := range fields {
		n, w := binary.Uvarint(b)
		fields[i] = unsafe.String(&b[w], int(n))
		b = b[w+int(n):]
	}
	op := kvOp{Op: fields[0], Key: fields[1], Value: fields[2]}
	op.Client = int64(binary.LittleEndian.Uint64(b))
	op.Seq = int(binary.LittleEndian.Uint64(b[8:]))
	return op.digest()
}

// digest returns 64 bits that depend on every part of a command's value.
func digest(value any) uint64 {
	switch v := value.(type) {
	case int:
		return uint64(v)
	case string:
		return maphash.String(digestSeed, v)
	case kvOp:
		return v.digest()
	}
	return 0
}

func (op kvOp) digest() uint64 {
	h := mix(uint64(op.Client), uint64(op.Seq))
	for _, s := range [...]string{op.Op, op.Key, op.Value} {
		h = mix(h, maphash.String(digestSeed, s))
	}
	return h
}

// mix returns the rolling hash h with d added. The result depends on the order of the additions.
func mix(h, d uint64) uint64 {
	h = (h ^ d) * 0x9E3779B97F4A7C15
	return h ^ h>>32
}
