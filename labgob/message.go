//go:build go1.25

package labgob

import (
	"bytes"
	"encoding/gob"
	"errors"
	"reflect"
	"sync"
)

// Message is one encoded value. It costs what a value costs on a gob connection that has been open
// for long: both sides know the type already, so only the value is sent, and the machinery that gob
// prepares for a type is ready. A fresh gob stream per value would describe the type every time.
//
// A Message is read-only and can be decoded any number of times, by any goroutine of the process
// that made it. The zero Message decodes to io.EOF.
type Message struct {
	data  []byte
	codec *codec // whose types the receiver must know; nil: data is a whole gob stream
}

// Marshal encodes e after the same check as LabEncoder.Encode. When it returns an error, the Message
// holds what a fresh gob stream had written until then. It panics on an untyped nil or a nil pointer.
func Marshal(e interface{}) (Message, error) {
	return MarshalValue(reflect.ValueOf(e))
}

// MarshalValue is Marshal for a reflect.Value.
func MarshalValue(value reflect.Value) (Message, error) {
	value = dynamic(value)
	c := codecOf(value.Type())
	if c.described {
		if data, err := c.encode(value); err == nil {
			return Message{data, c}, nil
		}
	}
	return marshalStream(value)
}

// Len returns the message's size in bytes.
func (m Message) Len() int { return len(m.data) }

// Unmarshal decodes the message into the pointer e after the same checks as LabDecoder.Decode. e may
// point to another type than the encoded one, within gob's rules (fields are matched by name). It
// returns gob's error and panics on an untyped nil.
func (m Message) Unmarshal(e interface{}) error {
	checkType(reflect.TypeOf(e))
	checkDefault(e)
	if m.codec == nil {
		return gob.NewDecoder(bytes.NewReader(m.data)).Decode(e)
	}
	return m.codec.decode(m.data, e)
}

// marshalStream encodes value the plain way, with every type description in front.
func marshalStream(value reflect.Value) (Message, error) {
	var buf bytes.Buffer
	err := gob.NewEncoder(&buf).EncodeValue(value)
	return Message{data: buf.Bytes()}, err
}

// A codec holds gob encoders and decoders that have exchanged the descriptions of one type: the
// encoders have sent a zero value, and the decoders have read what was sent then, the primer.
//
// An encoder or a decoder that returned an error or panicked is not used again.
type codec struct {
	described bool // false: the type's messages must describe themselves
	zero      reflect.Value
	primer    []byte
	encoders  sync.Pool // of *encoder
	decoders  sync.Pool // of *decoder
}

// maxKept is the size in bytes of the largest message after which an encoder or decoder, and the
// buffer of that size inside it, is kept for the next one.
const maxKept = 4 << 20

// buffers holds *[]byte of released messages.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// Release ends the message's life and lets its memory serve another one. It is never necessary; whoever calls
// it must be sure that no copy of m is used again.
func (m Message) Release() {
	if m.codec != nil && cap(m.data) <= maxKept {
		b := m.data[:0]
		buffers.Put(&b)
	}
}

// codecs maps a reflect.Type as the user gave it to the *codec of the type that gob sends, in which
// pointers do not exist. A type in here has passed checkType.
var codecs sync.Map

// baseCodecs maps each type without pointers to its *codec.
var baseCodecs sync.Map

func codecOf(t reflect.Type) *codec {
	if c, ok := codecs.Load(t); ok {
		return c.(*codec)
	}
	checkType(t)
	base := baseOf(t)
	c, ok := baseCodecs.Load(base)
	if !ok {
		c, _ = baseCodecs.LoadOrStore(base, newCodec(base))
	}
	codecs.Store(t, c)
	return c.(*codec)
}

func newCodec(base reflect.Type) *codec {
	c := new(codec)
	if !isDescribable(base) {
		return c
	}
	c.zero = reflect.New(base)
	if enc := c.newEncoder(); enc != nil {
		c.primer = enc.data
		c.described = c.newDecoder() != nil
	}
	return c
}

type encoder struct {
	gob  *gob.Encoder
	data []byte // what was written since the start of the message
}

// Write appends to the message. It is how the gob.Encoder hands over its output.
func (enc *encoder) Write(p []byte) (int, error) {
	enc.data = append(enc.data, p...)
	return len(p), nil
}

var errNoZero = errors.New("labgob: zero value cannot be sent")

// newEncoder returns an encoder that has just sent the primer, or nil if a zero value of the type
// cannot be sent.
func (c *codec) newEncoder() (enc *encoder) {
	defer func() {
		if recover() != nil { // of a user's GobEncode that dislikes zero values
			enc = nil
		}
	}()
	enc = new(encoder)
	enc.gob = gob.NewEncoder(enc)
	if enc.gob.EncodeValue(c.zero) != nil {
		return nil
	}
	return enc
}

func (c *codec) encode(value reflect.Value) ([]byte, error) {
	enc, _ := c.encoders.Get().(*encoder)
	if enc == nil {
		if enc = c.newEncoder(); enc == nil {
			return nil, errNoZero
		}
	}
	enc.data = *buffers.Get().(*[]byte)
	if err := enc.gob.EncodeValue(value); err != nil {
		return nil, err
	}
	data := enc.data
	if len(data) <= maxKept {
		enc.data = nil
		c.encoders.Put(enc)
	}
	return data, nil
}

type decoder struct {
	gob *gob.Decoder
	src bytes.Reader
}

// newDecoder returns a decoder that has read the primer, or nil if it cannot be read.
func (c *codec) newDecoder() *decoder {
	dec := new(decoder)
	dec.gob = gob.NewDecoder(&dec.src)
	dec.src.Reset(c.primer)
	if dec.gob.DecodeValue(reflect.Value{}) != nil {
		return nil
	}
	return dec
}

func (c *codec) decode(data []byte, e interface{}) error {
	dec, _ := c.decoders.Get().(*decoder)
	if dec == nil {
		dec = c.newDecoder()
	}
	dec.src.Reset(data)
	err := dec.gob.Decode(e)
	if err == nil && dec.src.Len() == 0 && len(data) <= maxKept {
		dec.src.Reset(nil)
		c.decoders.Put(dec)
	}
	return err
}
