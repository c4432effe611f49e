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
// cheap as on a connection over which the type was described long ago; labrpc sends those. For simple
// types there is a short cut past gob, to the same bytes (plain.go).
//
// Everything may be used by any number of goroutines at once, as with gob.
package labgob

import (
	"bytes"
	"encoding/gob"
	"io"
	"reflect"
	"sync"
)

// LabEncoder is a gob.Encoder that checks the type of what it is given.
type LabEncoder struct {
	gob  *gob.Encoder
	w    io.Writer
	mu   sync.Mutex   // guards w and what follows
	sent reflect.Type // a plain type that the stream describes; or nil
	as   *codec       // its codec
	buf  []byte       // the last message's memory, for the next one
}

// NewEncoder returns an encoder that writes one gob stream to w.
func NewEncoder(w io.Writer) *LabEncoder {
	return &LabEncoder{gob: gob.NewEncoder(w), w: w}
}

// Encode sends e, and before it the descriptions of its types that this stream has not carried
// yet. It returns gob's error and panics on an untyped nil or a nil pointer.
func (enc *LabEncoder) Encode(e interface{}) error {
	enc.mu.Lock()
	defer enc.mu.Unlock()
	t := reflect.TypeOf(e)
	if enc.sent != nil && t == enc.sent {
		if v := indirect(reflect.ValueOf(e)); v.IsValid() {
			return enc.writePlain(v)
		}
	}
	c := plainCodecOf(t)
	err := enc.gob.Encode(e)
	if err == nil && c != nil {
		enc.sent, enc.as = t, c
	}
	return err
}

func (enc *LabEncoder) writePlain(v reflect.Value) error {
	w := plainWriter{encoded: encoded{data: enc.buf[:0]}}
	message := enc.as.plain.writeMessage(&w, enc.as.typeID, v)
	if cap(w.data) <= maxKept {
		enc.buf = w.data
	}
	_, err := enc.w.Write(message.data)
	return err
}

// EncodeValue is Encode for a reflect.Value.
func (enc *LabEncoder) EncodeValue(value reflect.Value) error {
	checkType(dynamic(value).Type())
	enc.mu.Lock()
	defer enc.mu.Unlock()
	return enc.gob.EncodeValue(value)
}

// LabDecoder is a gob.Decoder that checks what it is to decode into.
type LabDecoder struct {
	gob   *gob.Decoder
	mu    sync.Mutex    // guards what follows
	buf   *bytes.Buffer // what is decoded, if it comes from one; or nil
	known *codec        // of a plain type that the stream describes as this process does; or nil
}

// NewDecoder returns a decoder that reads one gob stream from r. It may read ahead unless r is an
// io.ByteReader.
func NewDecoder(r io.Reader) *LabDecoder {
	buf, _ := r.(*bytes.Buffer)
	return &LabDecoder{gob: gob.NewDecoder(r), buf: buf}
}

// Decode reads the next value into the pointer e. It returns gob's error, io.EOF at the end of the
// stream, and panics on an untyped nil.
func (dec *LabDecoder) Decode(e interface{}) error {
	dec.mu.Lock()
	defer dec.mu.Unlock()
	if dec.known != nil {
		if m := firstMessage(dec.buf.Bytes()); dec.known.decodePlain(encoded{data: m}, e, false) {
			dec.buf.Next(len(m))
			return nil
		}
	}
	checkType(reflect.TypeOf(e))
	checkDefault(e)
	if dec.buf == nil {
		return dec.gob.Decode(e)
	}
	data := dec.buf.Bytes()
	err := dec.gob.Decode(e)
	c := plainCodecOf(reflect.TypeOf(e))
	if read := data[:len(data)-dec.buf.Len()]; err == nil && c != nil && c.begins(read) {
		dec.known = c
	}
	return err
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
