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
// The simpler types are encoded to the same bytes without gob (plain.go), and their long strings are shared rather than
// copied (shared.go).
//
// A Message is read-only and can be decoded any number of times, by any goroutine of the process
// that made it, until UnmarshalLast or Release. The zero Message decodes to io.EOF.
type Message struct {
	encoded
	codec *codec  // whose types the receiver must know; nil: data is a whole gob stream
	from  *[]byte // of buffers, holds data; nil: data is m's own
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
	if c.plain != nil {
		if v := indirect(value); v.IsValid() {
			return c.marshalPlain(v).detach(), nil
		}
	}
	if c.described {
		if m, err := c.encode(value); err == nil {
			return m, nil
		}
	}
	return marshalStream(value)
}

// detach gives a large message memory of its own.
func (m Message) detach() Message {
	if len(m.data) < large {
		return m
	}
	defer m.Release()
	return Message{encoded: encoded{bytes.Clone(m.data), m.shared}, codec: m.codec}
}

// indirect follows pointers. The result is invalid if one is nil.
func indirect(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	return v
}

// Len returns the message's size in bytes.
func (m Message) Len() int { return m.length() }

// Unmarshal decodes the message into the pointer e after the same checks as LabDecoder.Decode. e may
// point to another type than the encoded one, within gob's rules (fields are matched by name). It
// returns gob's error and panics on an untyped nil.
func (m Message) Unmarshal(e interface{}) error { return m.unmarshal(e, false) }

// UnmarshalLast is Unmarshal, but m must not be decoded again: a byte slice that is most of a large message keeps m's
// memory instead of a copy.
func (m Message) UnmarshalLast(e interface{}) error { return m.unmarshal(e, m.from == nil) }

func (m Message) unmarshal(e interface{}, last bool) error {
	if m.codec != nil && m.codec.decodePlain(m.encoded, e, last) {
		return nil
	}
	checkType(reflect.TypeOf(e))
	checkDefault(e)
	if m.codec == nil {
		return gob.NewDecoder(bytes.NewReader(m.whole())).Decode(e)
	}
	return m.codec.decode(m.whole(), e)
}

// marshalStream encodes value the plain way, with every type description in front.
func marshalStream(value reflect.Value) (Message, error) {
	var buf bytes.Buffer
	err := gob.NewEncoder(&buf).EncodeValue(value)
	return Message{encoded: encoded{data: buf.Bytes()}}, err
}

// A codec holds gob encoders and decoders that have exchanged the descriptions of one type: the
// encoders have sent a zero value, and the decoders have read what was sent then, the primer.
//
// An encoder or a decoder that returned an error or panicked is not used again.
type codec struct {
	described bool          // false: the type's messages must describe themselves
	zero      reflect.Value // a pointer to it
	primer    []byte
	plain     *plain    // nil: the type's messages are gob's business
	describes []byte    // the primer without the value, if the type is plain
	typeID    []byte    // what is between the length of a message and the value, if it is plain
	encoders  sync.Pool // of *encoder
	decoders  sync.Pool // of *decoder
}

// maxKept is the size in bytes of the largest message after which an encoder or decoder, and the
// buffer of that size inside it, is kept for the next one.
const maxKept = 4 << 20

// large is the size in bytes from which on a message has memory of its own, which UnmarshalLast can give away.
const large = 16 << 10

// buffers holds *[]byte of released messages.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// Release ends the message's life and lets its memory serve another one. It is never necessary; whoever calls
// it must be sure that no copy of m is used again.
func (m Message) Release() {
	if m.from != nil && cap(*m.from) <= maxKept {
		buffers.Put(m.from)
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
		c.definePlain(enc)
	}
	return c
}

// definePlain finds out whether the type is plain, and what gob begins its messages with.
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
	describes, isLast := bytes.CutSuffix(c.primer, enc.data)
	if m := p.writeMessage(&message, typeID, c.zero.Elem()); isPlain && isLast && bytes.Equal(m.data, enc.data) {
		c.plain, c.describes, c.typeID = p, describes, typeID
	}
}

// plainCodecOf checks the type, and returns its codec if the type is plain; otherwise nil.
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

// plains maps a reflect.Type to whether it is plain.
var plains sync.Map

func isPlain(base reflect.Type) bool {
	known, ok := plains.Load(base)
	if !ok {
		known, _ = plains.LoadOrStore(base, newPlain(base) != nil)
	}
	return known.(bool)
}

func (c *codec) marshalPlain(v reflect.Value) Message {
	b := buffers.Get().(*[]byte)
	w := plainWriter{encoded: encoded{data: (*b)[:0]}, share: true}
	m := Message{encoded: c.plain.writeMessage(&w, c.typeID, v), codec: c, from: b}
	*b = w.data
	return m
}

// begins reports whether data is the description of c's type, as this process sends it, and one message.
func (c *codec) begins(data []byte) bool {
	m, described := bytes.CutPrefix(data, c.describes)
	r := plainReader{b: m}
	length := r.uint()
	return described && length == uint64(len(r.b)) && bytes.HasPrefix(r.b, c.typeID)
}

// firstMessage returns the first message of a gob stream, or nil if it is not all there.
func firstMessage(data []byte) []byte {
	r := plainReader{b: data}
	if n := r.uint(); n <= uint64(len(r.b)) {
		return data[:len(data)-len(r.b)+int(n)]
	}
	return nil
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

// decodePlain decodes a message of a plain type into a pointer to a zero variable of that type, which may keep parts of
// m if nobody else needs it. It reports whether it could; gob does everything else, and says what is wrong.
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
