//go:build go1.25

package raft

import (
	"encoding"
	"encoding/gob"
	"reflect"
)

// Every server's service must get the same. The others get what gob makes of a command, which may be another value: an empty
// slice comes back as nil, a pointer to a zero loses its target, a lower-case field its content. So the leader, too, hands over
// what it decodes, unless gob gives back each value of the command's type exactly as it was.

// isIdentity reports whether gob gives back each value of t exactly as it was. Floats and complex numbers are not among these
// types, since a field of -0 comes back as 0 and some NaNs of 32 bits as others.
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

// ownEncodings are what a type implements that is encoded or decoded by methods of its own.
var ownEncodings = [...]reflect.Type{
	reflect.TypeFor[gob.GobEncoder](), reflect.TypeFor[gob.GobDecoder](),
	reflect.TypeFor[encoding.BinaryMarshaler](), reflect.TypeFor[encoding.BinaryUnmarshaler](),
	reflect.TypeFor[encoding.TextMarshaler](), reflect.TypeFor[encoding.TextUnmarshaler](),
}

func encodesItself(t reflect.Type) bool {
	for _, own := range ownEncodings {
		if reflect.PointerTo(t).Implements(own) {
			return true
		}
	}
	return false
}

// defines reports whether what is decoded with the definition is of type t. If the type is registered as a pointer, a value
// becomes one.
func (d definition) defines(t reflect.Type) bool {
	s, err := openStream(d)
	return err == nil && s.value.Type() == t
}

// handedOver returns what the leader's service is to get for a command that is encoded as data by c: the command itself, or nil
// if it must be decoded.
func handedOver(command any, data []byte, c *codec) any {
	if data[0] == formStream || c != nil && !c.identity {
		return nil
	}
	return command
}
