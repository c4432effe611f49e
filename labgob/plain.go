//go:build go1.25

package labgob

import (
	"bytes"
	"reflect"
	"slices"
	"sync"
)

// A plain encodes and decodes the values of a plain type: a type made only of bools, integers, strings, slices and
// structs. It writes the same bytes as gob, several times faster. gob must expect any sender and copies each message
// twice on either side; here sender and receiver use the same type in the same process.
type plain struct {
	kind   reflect.Kind
	elem   *plain       // of a slice; nil if the elements are bytes
	size   uint64       // of an element of a slice in memory, in bytes
	fields []plainField // of a struct, in gob's order
}

type plainField struct {
	*plain
	index int // in the struct
}

// newPlain returns nil if t is not plain. enclosing holds the types that t is part of; a recursive type is not plain.
func newPlain(t reflect.Type, enclosing ...reflect.Type) *plain {
	if encodesItself(t) || decodesItself(t) || slices.Contains(enclosing, t) {
		return nil
	}
	p, enclosing := &plain{kind: t.Kind()}, append(enclosing, t)
	switch t.Kind() {
	case reflect.Bool, reflect.String,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return p
	case reflect.Slice:
		p.size = uint64(t.Elem().Size())
		if p.elem = newPlain(t.Elem(), enclosing...); p.elem == nil {
			return nil
		}
		if p.elem.kind == reflect.Uint8 {
			p.elem = nil
		}
		return p
	case reflect.Struct:
		for i := range t.NumField() {
			if field := t.Field(i); field.IsExported() {
				f := newPlain(field.Type, enclosing...)
				if f == nil {
					return nil
				}
				p.fields = append(p.fields, plainField{f, i})
			}
		}
		return p
	}
	return nil
}

// plains maps a reflect.Type to a bool: whether the type is plain.
var plains sync.Map

func isPlain(base reflect.Type) bool {
	known, ok := plains.Load(base)
	if !ok {
		known, _ = plains.LoadOrStore(base, newPlain(base) != nil)
	}
	return known.(bool)
}

// plainCodecOf checks t and returns its codec, or nil if the base type of t is not plain.
func plainCodecOf(t reflect.Type) *codec {
	checkType(t)
	if base := baseOf(t); !isPlain(base) {
		return nil
	}
	if c := codecOf(t); c.plain != nil {
		return c
	}
	return nil
}

// definePlain sets plain, description and typeID if the type is plain. enc must have written the primer. The type counts
// as plain only if gob and plain write the same bytes for a zero value.
func (c *codec) definePlain(enc *encoder) {
	p := newPlain(c.zero.Type().Elem())
	enc.data = nil
	if p == nil || !c.described || enc.gob.EncodeValue(c.zero) != nil {
		return
	}
	r := plainReader{b: enc.data}
	r.uint()
	var value, message plainWriter
	p.write(&value, c.zero.Elem())
	typeID, isPlain := bytes.CutSuffix(r.b, value.data)
	description, isLast := bytes.CutSuffix(c.primer, enc.data)
	if m := p.writeMessage(&message, typeID, c.zero.Elem()); isPlain && isLast && bytes.Equal(m.data, enc.data) {
		c.plain, c.description, c.typeID = p, description, typeID
	}
}

// marshalPlain encodes v, whose type is the codec's plain type.
func (c *codec) marshalPlain(v reflect.Value) Message {
	b := buffers.Get().(*[]byte)
	w := plainWriter{encoded: encoded{data: (*b)[:0]}, share: true}
	m := Message{encoded: c.plain.writeMessage(&w, c.typeID, v), codec: c, from: b}
	*b = w.data
	return m
}

// decodePlain decodes a message of a plain type into e and returns true. If keep is true, the decoded value may keep parts
// of m's memory. It changes nothing and returns false if e does not point to a zero variable of the codec's type, or if m
// is malformed; gob then decodes the message or returns the error.
func (c *codec) decodePlain(m encoded, e interface{}, keep bool) bool {
	v := reflect.ValueOf(e)
	if c.plain == nil || m.data == nil || !v.IsValid() || v.Type() != c.zero.Type() || v.IsNil() || !v.Elem().IsZero() {
		return false
	}
	if c.plain.readMessage(m, c.typeID, v.Elem(), keep) != nil {
		v.Elem().SetZero()
		return false
	}
	return true
}

// begins reports whether stream consists of the description of c's type, as this process sends it, and one message.
func (c *codec) begins(stream []byte) bool {
	m, described := bytes.CutPrefix(stream, c.description)
	r := plainReader{b: m}
	length := r.uint()
	return described && length == uint64(len(r.b)) && bytes.HasPrefix(r.b, c.typeID)
}

// firstMessage returns the first message of a gob stream, or nil if the stream ends before the message does.
func firstMessage(stream []byte) []byte {
	r := plainReader{b: stream}
	if n := r.uint(); n <= uint64(len(r.b)) {
		return stream[:len(stream)-len(r.b)+int(n)]
	}
	return nil
}
