//go:build go1.25

package raft

import (
	"encoding"
	"encoding/gob"
	"reflect"
)

// All services must receive the same command. Followers decode it, and gob may return another value than the one encoded:
// an empty slice becomes nil, a pointer to a zero becomes nil, an unexported field becomes zero. So the leader also hands
// over the decoded value, unless gob returns each value of the command's type unchanged.

// isIdentity reports whether gob returns each value of t unchanged. Floats and complex numbers are excluded, since gob
// returns 0 for a field of -0, and another NaN for some 32-bit NaNs.
func isIdentity(t reflect.Type) bool {
	if encodesItself(t) {
		return false
	}
	switch t.Kind() {
	case reflect.Bool, reflect.String,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return true
	case reflect.Array:
		return isIdentity(t.Elem())
	case reflect.Struct:
		for k := range t.NumField() {
			if f := t.Field(k); !f.IsExported() || !isIdentity(f.Type) {
				return false
			}
		}
		return true
	}
	return false
}

// codecInterfaces are the interfaces of types with their own encoding.
var codecInterfaces = [...]reflect.Type{
	reflect.TypeFor[gob.GobEncoder](), reflect.TypeFor[gob.GobDecoder](),
	reflect.TypeFor[encoding.BinaryMarshaler](), reflect.TypeFor[encoding.BinaryUnmarshaler](),
	reflect.TypeFor[encoding.TextMarshaler](), reflect.TypeFor[encoding.TextUnmarshaler](),
}

// encodesItself reports whether t or *t has its own encoding.
func encodesItself(t reflect.Type) bool {
	for _, own := range codecInterfaces {
		if reflect.PointerTo(t).Implements(own) {
			return true
		}
	}
	return false
}

// defines reports whether a command that is decoded with the definition is of type t. If the type is registered as a
// pointer, a value decodes to a pointer.
func (d definition) defines(t reflect.Type) bool {
	s, err := openStream(d)
	return err == nil && s.value.Type() == t
}

// valueToApply returns the value that this server's service receives for a command, which c encoded as data: the command
// itself, or nil if data must be decoded.
func valueToApply(command any, data []byte, c *codec) any {
	if data[0] == formStream || c != nil && !c.identity {
		return nil
	}
	return command
}
