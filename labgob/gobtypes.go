//go:build go1.25

package labgob

import (
	"encoding"
	"encoding/gob"
	"reflect"
)

var (
	gobEncoderType        = reflect.TypeFor[gob.GobEncoder]()
	gobDecoderType        = reflect.TypeFor[gob.GobDecoder]()
	binaryMarshalerType   = reflect.TypeFor[encoding.BinaryMarshaler]()
	binaryUnmarshalerType = reflect.TypeFor[encoding.BinaryUnmarshaler]()
)

// maxPointers limits how many pointers baseOf removes. A pointer type can refer to itself; gob rejects it.
const maxPointers = 100

// baseOf returns t without its pointers. gob sends the same bytes for a value and for a pointer to it.
func baseOf(t reflect.Type) reflect.Type {
	for n := 0; t.Kind() == reflect.Pointer && n < maxPointers; n++ {
		t = t.Elem()
	}
	return t
}

// isDescribable reports whether base, a type without pointers, determines every type description that gob sends for its
// values. Types that hold an interface do not. Types that encode themselves do not either: at the top of a message gob
// describes the value's type and the pointer's type separately.
func isDescribable(base reflect.Type) bool {
	return base.Kind() != reflect.Pointer && !encodesItself(base) &&
		!holdsInterface(base, map[reflect.Type]bool{})
}

// encodesItself reports whether t has a method of its own that encodes it, so that gob sees only bytes.
func encodesItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(gobEncoderType) || p.Implements(binaryMarshalerType)
}

// decodesItself reports whether t has a method of its own that decodes it. If it does not encode itself too, gob can encode
// its values, but not decode them.
func decodesItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(gobDecoderType) || p.Implements(binaryUnmarshalerType)
}

// holdsInterface reports whether a value of type t can contain an interface that gob encodes. The value in the interface
// may be of a type that was not sent before; gob then sends its description in the middle of the message.
// seen holds the types that are already examined.
func holdsInterface(t reflect.Type, seen map[reflect.Type]bool) bool {
	if t.Kind() == reflect.Interface {
		return true
	}
	if seen[t] || encodesItself(t) {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Slice, reflect.Array, reflect.Pointer:
		return holdsInterface(t.Elem(), seen)
	case reflect.Map:
		return holdsInterface(t.Key(), seen) || holdsInterface(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if field := t.Field(i); field.IsExported() && holdsInterface(field.Type, seen) {
				return true
			}
		}
	}
	return false
}
