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
	key        uint64
	definition definition // nil: the type is sent as formStream
	identity   bool       // a value that is encoded and decoded is what it was
	zero       any        // the value that writes the definition
	encoders   sync.Pool  // of *encoder, each of which has written the definition
}

type encoder struct {
	buf bytes.Buffer
	enc *labgob.LabEncoder
}

func newEncoder() *encoder {
	e := new(encoder)
	e.enc = labgob.NewEncoder(&e.buf)
	return e
}

// codecs holds the *codec of each reflect.Type that was encoded in this process.
var codecs sync.Map

func codecOf(t reflect.Type) *codec {
	if c, ok := codecs.Load(t); ok {
		return c.(*codec)
	}
	c := new(codec)
	c.define(t)
	known, _ := codecs.LoadOrStore(t, c)
	return known.(*codec)
}

// define finds the definition of t. Some types have none: a value that holds an interface may define further
// types in mid-value, the course's labgob panics on decoding straight into some structs, and not every type has a zero
// value that gob can send.
func (c *codec) define(t reflect.Type) {
	if holdsInterface(t, make(map[reflect.Type]bool)) || hidesScalar(t) {
		return
	}
	defer func() {
		_ = recover() // a GobEncode method may not bear the zero value: then there is no definition
	}()
	zero := reflect.Zero(t)
	if t.Kind() == reflect.Pointer {
		zero = reflect.New(t.Elem())
	}
	c.zero = zero.Interface()
	name, err := encodeStream(nil, c.zero)
	if err != nil {
		return
	}
	e := newEncoder()
	if e.enc.Encode(c.zero) == nil {
		c.definition = append(name, e.buf.Bytes()...)
		c.key = c.definition.key()
		c.identity = isIdentity(t) && c.definition.defines(t)
		c.encoders.Put(e)
	}
}

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

// hidesScalar reports whether t, or what it points to, is a struct with a lower-case number, bool or string of its own.
// The course's labgob wants to see that one's value before it decodes, and reflection does not hand it out. It looks no
// deeper, and not into an interface.
func hidesScalar(t reflect.Type) bool {
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

// encoder returns an encoder that has written the codec's definition, which there must be.
func (c *codec) encoder() *encoder {
	if e, ok := c.encoders.Get().(*encoder); ok {
		return e
	}
	e := newEncoder()
	if err := e.enc.Encode(c.zero); err != nil {
		panic(fmt.Sprintf("raft: a zero %T was encoded before but is not now: %v", c.zero, err))
	}
	return e
}
