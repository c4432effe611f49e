//go:build go1.25

// Package labgob encodes and decodes Go values with encoding/gob, and warns about two mistakes that are hard to find in a
// Raft server:
//
//   - A struct has a field whose name does not begin with an upper-case letter. gob does not send that field.
//   - A value is decoded into a variable that is not zero. gob does not send zero values, so the variable may keep its
//     old value.
//
// A warning is a line on standard output. It changes neither the result nor the error. The first mistake is reported once
// for each field of each struct type. The second is reported at most once in a process, and only if nothing was reported
// before.
//
// To begin, call [Register] once for each type that is sent inside an interface, such as the type of Raft's commands.
// Then save state with a [LabEncoder] and restore it with a [LabDecoder].
//
// LabEncoder, LabDecoder, Register and RegisterName are those of the course (MIT 6.824, later 6.5840), and write gob's
// format byte for byte. Two things differ from the course's package:
//
//   - [Message], which labrpc uses, is new. It is one encoded value without a description of its type.
//   - Decoding into a struct with unexported fields works. The course's package panics if such a field is a number, a
//     bool or a string.
//
// Types made only of bools, integers, strings, slices and structs are encoded and decoded without gob, in the same format
// and faster.
//
// Any number of goroutines may use the package, and also one encoder or one decoder, at the same time.
package labgob

import (
	"bytes"
	"encoding/gob"
	"io"
	"reflect"
	"sync"
)

// LabEncoder writes a gob stream. Before it encodes a value, it checks the value's type for lower-case fields.
type LabEncoder struct {
	gob       *gob.Encoder
	w         io.Writer
	mu        sync.Mutex   // guards w and the fields below
	sent      reflect.Type // the last plain type that gob has encoded, so that the stream has its description; or nil
	sentCodec *codec       // the codec of sent
	buf       []byte       // memory of the last message, reused for the next one
}

// NewEncoder returns an encoder that writes one gob stream to w.
func NewEncoder(w io.Writer) *LabEncoder {
	return &LabEncoder{gob: gob.NewEncoder(w), w: w}
}

// Encode writes e to the stream, after the descriptions of those of its types that the stream does not have yet. It
// returns the error of gob or of the writer. It panics on an untyped nil or a nil pointer.
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
		enc.sent, enc.sentCodec = t, c
	}
	return err
}

// writePlain writes v, which has the type sent or the type it points to.
func (enc *LabEncoder) writePlain(v reflect.Value) error {
	w := plainWriter{encoded: encoded{data: enc.buf[:0]}}
	message := enc.sentCodec.plain.writeMessage(&w, enc.sentCodec.typeID, v)
	if cap(w.data) <= maxKept {
		enc.buf = w.data
	}
	_, err := enc.w.Write(message.data)
	return err
}

// EncodeValue is like Encode, for a reflect.Value. It panics on the zero Value.
func (enc *LabEncoder) EncodeValue(value reflect.Value) error {
	checkType(dynamic(value).Type())
	enc.mu.Lock()
	defer enc.mu.Unlock()
	return enc.gob.EncodeValue(value)
}

// LabDecoder reads a gob stream. Before it decodes a value, it checks the variable: its type for lower-case fields, and its
// fields for values other than zero.
type LabDecoder struct {
	gob   *gob.Decoder
	mu    sync.Mutex    // guards the fields below
	buf   *bytes.Buffer // the reader, if it is a bytes.Buffer; or nil
	known *codec        // of a plain type that the stream describes exactly as this process does; or nil
}

// NewDecoder returns a decoder that reads one gob stream from r. If r is not an io.ByteReader, the decoder may read beyond
// the value that it decodes.
func NewDecoder(r io.Reader) *LabDecoder {
	buf, _ := r.(*bytes.Buffer)
	return &LabDecoder{gob: gob.NewDecoder(r), buf: buf}
}

// Decode reads the next value of the stream into the variable that e points to, which should be zero. It returns gob's
// error, or io.EOF at the end of the stream. It panics on an untyped nil.
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

// Register tells gob the concrete type of value, so that values of that type can be sent inside an interface. Sender and
// receiver must both register it. Like gob.Register it panics if the type is registered under another name, or the name
// for another type.
func Register(value interface{}) {
	checkType(reflect.TypeOf(value))
	gob.Register(value)
}

// RegisterName is like Register, but the stream has the given name instead of the type's own.
func RegisterName(name string, value interface{}) {
	checkType(reflect.TypeOf(value))
	gob.RegisterName(name, value)
}

// dynamic returns the value in v if v is an interface, and otherwise v.
func dynamic(v reflect.Value) reflect.Value {
	if v.Kind() == reflect.Interface {
		return v.Elem()
	}
	return v
}
