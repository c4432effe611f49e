//go:build go1.25

package raft

import (
	"bytes"
	"fmt"
	"reflect"
	"sync"

	"6.824/labgob"
)

// A codec encodes the commands of one Go type.
type codec struct {
	key        uint64     // of the definition
	definition definition // nil if the type is encoded as formStream
	identity   bool       // encoding and decoding a value returns exactly that value
	zero       any        // the value from which an encoder writes the definition
	encoders   sync.Pool  // of *encoder; each has already written the definition
}

// An encoder is a gob encoder with its output.
type encoder struct {
	buf bytes.Buffer
	enc *labgob.LabEncoder
}

func newEncoder() *encoder {
	e := new(encoder)
	e.enc = labgob.NewEncoder(&e.buf)
	return e
}

// codecs maps each reflect.Type that this process has encoded, since it was registered, to its *codec.
var codecs sync.Map

// codecOf returns the codec of t, and makes it if there is none.
func codecOf(t reflect.Type) *codec {
	if c, ok := codecs.Load(t); ok {
		return c.(*codec)
	}
	c := new(codec)
	if !c.define(t) {
		return c
	}
	known, _ := codecs.LoadOrStore(t, c)
	return known.(*codec)
}

// define computes the definition of t, if t can have one. Some types cannot: a value that holds an interface may define
// more types within the value, the course's labgob panics when it decodes some structs, and gob cannot send every type's
// zero value. It returns false if the type may get a definition later: gob refuses a type that is not registered yet.
func (c *codec) define(t reflect.Type) (final bool) {
	if holdsInterface(t, make(map[reflect.Type]bool)) || hasUnexportedScalar(t) {
		return true
	}
	defer func() {
		if recover() != nil { // a GobEncode method may panic on the zero value: then there is no definition
			final = true
		}
	}()
	zero := reflect.Zero(t)
	if t.Kind() == reflect.Pointer {
		zero = reflect.New(t.Elem())
	}
	c.zero = zero.Interface()
	name, err := encodeStream(nil, c.zero)
	if err != nil {
		return false
	}
	e := newEncoder()
	if e.enc.Encode(c.zero) == nil {
		c.definition = append(name, e.buf.Bytes()...)
		c.key = c.definition.key()
		c.identity = isIdentity(t) && c.definition.defines(t)
		c.encoders.Put(e)
	}
	return true
}

// holdsInterface reports whether a value of type t can hold an interface. seen are the types that were visited.
func holdsInterface(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Map:
		return holdsInterface(t.Key(), seen) || holdsInterface(t.Elem(), seen)
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return holdsInterface(t.Elem(), seen)
	case reflect.Struct:
		for k := range t.NumField() {
			if holdsInterface(t.Field(k).Type, seen) {
				return true
			}
		}
	}
	return false
}

// hasUnexportedScalar reports whether t, or what it points to, is a struct with an unexported field that is a number, a
// bool or a string. Before it decodes into a struct, the course's labgob reads these fields by reflection, which panics.
// labgob does not look into nested structs or interfaces.
func hasUnexportedScalar(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return false
	}
	for k := range t.NumField() {
		f := t.Field(k)
		kind := f.Type.Kind()
		if !f.IsExported() && (reflect.Bool <= kind && kind <= reflect.Float64 || kind == reflect.String) {
			return true
		}
	}
	return false
}

// encoder returns an encoder that has written the definition. The codec must have one.
func (c *codec) encoder() *encoder {
	if e, ok := c.encoders.Get().(*encoder); ok {
		return e
	}
	e := newEncoder()
	if err := e.enc.Encode(c.zero); err != nil {
		panic(fmt.Sprintf("raft: cannot encode a zero %T, which was encoded before: %v", c.zero, err))
	}
	return e
}
