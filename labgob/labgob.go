//go:build go1.25

// Package labgob is encoding/gob with the course's diagnostics. The wire format is plain gob.
//
// Two mistakes break a Raft in ways that are hard to find, so labgob reports them on standard
// output and counts them, without ever changing a result or an error:
//
//   - a struct field whose name is not capitalised: gob does not send it (check.go);
//   - decoding into a variable that already holds something: gob does not send zero values, so
//     the old value may stay (check.go).
//
// LabEncoder and LabDecoder wrap a gob stream. Message (message.go) is one value on its own, as
// cheap as on a connection over which the type was described long ago; labrpc sends those.
//
// Everything except a single LabEncoder's or LabDecoder's stream may be used by any number of
// goroutines at once.
package labgob

import (
	"encoding/gob"
	"io"
	"reflect"
)

// LabEncoder is a gob.Encoder that checks the type of what it is given.
type LabEncoder struct {
	gob *gob.Encoder
}

// NewEncoder returns an encoder that writes one gob stream to w.
func NewEncoder(w io.Writer) *LabEncoder {
	return &LabEncoder{gob.NewEncoder(w)}
}

// Encode sends e, and before it the descriptions of its types that this stream has not carried
// yet. It returns gob's error and panics on an untyped nil or a nil pointer.
func (enc *LabEncoder) Encode(e interface{}) error {
	checkType(reflect.TypeOf(e))
	return enc.gob.Encode(e)
}

// EncodeValue is Encode for a reflect.Value.
func (enc *LabEncoder) EncodeValue(value reflect.Value) error {
	checkType(dynamic(value).Type())
	return enc.gob.EncodeValue(value)
}

// LabDecoder is a gob.Decoder that checks what it is to decode into.
type LabDecoder struct {
	gob *gob.Decoder
}

// NewDecoder returns a decoder that reads one gob stream from r. It may read ahead unless r is an
// io.ByteReader.
func NewDecoder(r io.Reader) *LabDecoder {
	return &LabDecoder{gob.NewDecoder(r)}
}

// Decode reads the next value into the pointer e. It returns gob's error, io.EOF at the end of the
// stream, and panics on an untyped nil.
func (dec *LabDecoder) Decode(e interface{}) error {
	checkType(reflect.TypeOf(e))
	checkDefault(e)
	return dec.gob.Decode(e)
}

// Register tells gob the concrete type of value, so that it can travel inside an interface. Like
// gob.Register it panics when the type or its name is already taken otherwise.
func Register(value interface{}) {
	checkType(reflect.TypeOf(value))
	gob.Register(value)
}

// RegisterName is Register under a name of the caller's choice.
func RegisterName(name string, value interface{}) {
	checkType(reflect.TypeOf(value))
	gob.RegisterName(name, value)
}

// dynamic looks through an interface value: v.Interface() would have the result's type.
func dynamic(v reflect.Value) reflect.Value {
	if v.Kind() == reflect.Interface {
		return v.Elem()
	}
	return v
}
