package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// A header is what the engine puts before the service's data in a snapshot.
type header struct {
	commands  int               // commands that the snapshot covers
	addresses map[uint64]string // of the members
	service   bool              // the service's data follows, even if it is empty
}

// headerVersion is the first byte of an encoded header.
const headerVersion = 1

// maxAddress bounds the address of a server, in bytes.
const maxAddress = 1 << 10

// encode returns the header as bytes: the version, whether there is data, the number of commands, the number of members,
// and for each its number, the length of its address and the address.
func (h header) encode() []byte {
	b := []byte{headerVersion, 0}
	if h.service {
		b[1] = 1
	}
	b = binary.AppendUvarint(b, uint64(h.commands))
	b = binary.AppendUvarint(b, uint64(len(h.addresses)))
	for _, id := range slices.Sorted(maps.Keys(h.addresses)) {
		b = binary.AppendUvarint(b, id)
		b = binary.AppendUvarint(b, uint64(len(h.addresses[id])))
		b = append(b, h.addresses[id]...)
	}
	return b
}

// decodeHeader returns the header that data begins with, and what follows it.
func decodeHeader(data []byte) (header, []byte, error) {
	if len(data) < 2 || data[0] != headerVersion || data[1] > 1 {
		return header{}, nil, errors.New("the snapshot was not written by this version of the engine")
	}
	h := header{service: data[1] == 1, addresses: map[uint64]string{}}
	rest, bad := data[2:], false
	number := func(limit uint64) uint64 {
		n, size := binary.Uvarint(rest)
		if size <= 0 || n > limit {
			bad = true
			return 0
		}
		rest = rest[size:]
		return n
	}
	h.commands = int(number(1 << 62))
	for members := number(1 << 16); members > 0 && !bad; members-- {
		id := number(1 << 62)
		length := number(maxAddress)
		if bad || length > uint64(len(rest)) {
			bad = true
			break
		}
		h.addresses[id] = string(rest[:length])
		rest = rest[length:]
	}
	if bad {
		return header{}, nil, fmt.Errorf("the header of a snapshot of %d bytes is damaged", len(data))
	}
	return h, rest, nil
}
