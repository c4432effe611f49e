//go:build go1.25

package labgob

import (
	"bytes"
	"encoding/gob"
	"errors"
	"reflect"
	"sync"
)

// A codec encodes and decodes the messages of one type. Its gob encoders have sent a zero value of the type, and its gob
// decoders have received it, so that messages need no description of the type.
//
// An encoder or decoder that has returned an error or panicked is not used again.
type codec struct {
	described   bool          // false: a message of the type must be a whole gob stream
	zero        reflect.Value // a pointer to a zero value of the type
	primer      []byte        // the gob stream of the zero value: descriptions, then a message
	plain       *plain        // nil: only gob encodes and decodes the type
	description []byte        // if plain: the primer without its message
	typeID      []byte        // if plain: the bytes between the length of a message and its value
	encoders    sync.Pool     // of *encoder
	decoders    sync.Pool     // of *decoder
}

// codecs maps each reflect.Type that a caller has used to the *codec of its base type. Its types have passed checkType.
var codecs sync.Map

// baseCodecs maps each base type (see baseOf) to its *codec, unless gob cannot encode a zero value of the type yet.
var baseCodecs sync.Map

// codecOf checks t and returns the codec of its base type.
func codecOf(t reflect.Type) *codec {
	if c, ok := codecs.Load(t); ok {
		return c.(*codec)
	}
	checkType(t)
	base := baseOf(t)
	c, ok := baseCodecs.Load(base)
	if !ok {
		made := newCodec(base)
		if made.zero.IsValid() && made.primer == nil {
			return made // a GobEncode method may need a type that will be registered later
		}
		c, _ = baseCodecs.LoadOrStore(base, made)
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
		c.definePlain(enc)
	}
	return c
}

// An encoder is a gob.Encoder that writes to memory.
type encoder struct {
	gob  *gob.Encoder
	data []byte // the current message
}

// Write appends to the current message. gob.Encoder calls it.
func (enc *encoder) Write(p []byte) (int, error) {
	enc.data = append(enc.data, p...)
	return len(p), nil
}

var errNoZero = errors.New("labgob: gob cannot encode the zero value")

// newEncoder returns an encoder that has just written the primer, or nil if gob cannot encode a zero value of the type.
func (c *codec) newEncoder() (enc *encoder) {
	defer func() {
		if recover() != nil { // the type's own GobEncode may panic on a zero value
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

// encode encodes value with gob, without a description of its type.
func (c *codec) encode(value reflect.Value) (Message, error) {
	enc, _ := c.encoders.Get().(*encoder)
	if enc == nil {
		if enc = c.newEncoder(); enc == nil {
			return Message{}, errNoZero
		}
	}
	b := buffers.Get().(*[]byte)
	enc.data = (*b)[:0]
	if err := enc.gob.EncodeValue(value); err != nil {
		return Message{}, err
	}
	*b = enc.data
	if len(enc.data) <= maxKept {
		enc.data = nil
		c.encoders.Put(enc)
	}
	return Message{encoded{data: *b}, c, b}, nil
}

// A decoder is a gob.Decoder that reads from memory.
type decoder struct {
	gob *gob.Decoder
	src bytes.Reader
}

// newDecoder returns a decoder that has read the primer, or nil if gob cannot read it.
func (c *codec) newDecoder() *decoder {
	dec := new(decoder)
	dec.gob = gob.NewDecoder(&dec.src)
	dec.src.Reset(c.primer)
	if dec.gob.DecodeValue(reflect.Value{}) != nil {
		return nil
	}
	return dec
}

// decode decodes data, a message without a description of its type, into e with gob.
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
