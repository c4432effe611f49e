package main

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// smallPrologue is the code by which a function with a small frame decides whether it needs more stack or should yield:
// stack pointer <= g.stackguard0, as unsigned 32-bit numbers. A function with a large frame first adds the frame's size to
// the guard. With stackPreempt that sum may wrap around, and the function would neither yield nor notice that its stack is
// too small.
var smallPrologue = []byte{
	0x23, 2, // global.get g
	0xa7,        // i32.wrap_i64
	0x28, 2, 16, // i32.load offset=16 align=4
	0x4d,       // i32.le_u
	0x04, 0x40, // if
}

// Sections of a wasm module.
const (
	wasmHeader    = 8
	sectionImport = 2
	sectionCode   = 10
)

var errWasm = errors.New("replay cannot read the wasm module that the go tool has built")

// findYielding returns a function that reports whether a function of a Go program in wasm has a smallPrologue.
func findYielding(module []byte) (func(function uint32) bool, error) {
	var imports uint64 // number of imports, all functions, whose numbers come before those of the module's own functions
	yields := map[uint32]bool{}
	if len(module) < wasmHeader {
		return nil, errWasm
	}
	for rest := module[wasmHeader:]; len(rest) > 0; {
		id := rest[0]
		section, after, ok := cutSized(rest[1:])
		if !ok {
			return nil, errWasm
		}
		rest = after
		count, n := binary.Uvarint(section)
		switch {
		case n <= 0:
			return nil, errWasm
		case id == sectionImport:
			imports = count
		case id == sectionCode:
			bodies := section[n:]
			for i := range count {
				var body []byte
				if body, bodies, ok = cutSized(bodies); !ok {
					return nil, errWasm
				}
				if bytes.Contains(body, smallPrologue) {
					yields[uint32(imports+i)] = true
				}
			}
		}
	}
	return func(function uint32) bool { return yields[function] }, nil
}

// cutSized splits b after a byte string that begins with its length.
func cutSized(b []byte) (sized, rest []byte, ok bool) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return nil, nil, false
	}
	b = b[n:]
	return b[:size], b[size:], true
}
