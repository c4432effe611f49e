//go:build go1.25

package labgob

import (
	"encoding"
	"encoding/gob"
	"reflect"
)

var (
	gobEncoderType      = reflect.TypeFor[gob.GobEncoder]()
	binaryMarshalerType = reflect.TypeFor[encoding.BinaryMarshaler]()
)

// maxPointers bounds the pointers in front of a type; gob refuses a pointer type that leads to itself.
const maxPointers = 100

// baseOf strips t's pointers. gob sends the same for a value and for a pointer to it.
func baseOf(t reflect.Type) reflect.Type {
	for n := 0; t.Kind() == reflect.Pointer && n < maxPointers; n++ {
		t = t.Elem()
	}
	return t
}

// isDescribable tells whether every type that a value of the base type can bring along is known from
// base alone. A type with an encoding of its own is not: at the top of a message gob would describe
// it anew for each form (value, pointer) in which it comes.
func isDescribable(base reflect.Type) bool {
	return base.Kind() != reflect.Pointer && !isOpaque(base) &&
		!holdsInterface(base, map[reflect.Type]bool{})
}

// isOpaque tells whether the user encodes t, so that gob sees bytes only.
func isOpaque(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(gobEncoderType) || p.Implements(binaryMarshalerType)
}

// holdsInterface tells whether gob can meet an interface anywhere inside a value of type t. What is
// in it may be of a type never sent before, which gob then describes in the middle of the value.
func holdsInterface(t reflect.Type, seen map[reflect.Type]bool) bool {
	if t.Kind() == reflect.Interface {
		return true
	}
	if seen[t] || isOpaque(t) {
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
