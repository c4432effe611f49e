//go:build go1.25

package labgob

import (
	"bytes"
	"encoding/gob"
	"reflect"
	"sync"
)

// Message is one encoded value without a description of its type, like a message on a gob stream that has the description
// already. For some types, such as those that can hold an interface, it is a whole gob stream instead. If the type is
// encoded without gob, strings of 4 KiB or more are not copied into the message.
//
// A Message can be decoded only in the process that made it. Any number of goroutines may decode it, any number of times,
// until UnmarshalLast or Release is called. Decoding the zero Message returns io.EOF.
type Message struct {
	encoded
	codec *codec  // that decodes the message; nil if data is a whole gob stream
	from  *[]byte // the element of buffers that data is part of; nil if the message has memory of its own
}

// Marshal encodes e after the same check as LabEncoder.Encode. It returns gob's error; the Message then holds the bytes
// that a new gob stream has written before the error. It panics on an untyped nil or a nil pointer.
func Marshal(e interface{}) (Message, error) {
	return MarshalValue(reflect.ValueOf(e))
}

// MarshalValue is like Marshal, for a reflect.Value. It panics on the zero Value.
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

// marshalStream encodes value as a whole gob stream, which begins with the descriptions of its types.
func marshalStream(value reflect.Value) (Message, error) {
	var buf bytes.Buffer
	err := gob.NewEncoder(&buf).EncodeValue(value)
	return Message{encoded: encoded{data: buf.Bytes()}}, err
}

// indirect follows pointers. It returns the zero Value if one of them is nil.
func indirect(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	return v
}

// Len returns the size of the message in bytes.
func (m Message) Len() int { return m.length() }

// Unmarshal decodes the message into the pointer e after the same checks as LabDecoder.Decode. e may point to another
// type than the encoded one, by gob's rules: struct fields are matched by name. It returns gob's error and panics on an
// untyped nil.
func (m Message) Unmarshal(e interface{}) error { return m.unmarshal(e, false) }

// UnmarshalLast is like Unmarshal, but m must not be decoded again. If m has 16 KiB or more, a byte slice that makes up more
// than half of it may use m's memory instead of a copy.
func (m Message) UnmarshalLast(e interface{}) error { return m.unmarshal(e, m.from == nil) }

// unmarshal decodes the message into e, which may keep parts of m's memory if keep is true.
func (m Message) unmarshal(e interface{}, keep bool) error {
	if m.codec != nil && m.codec.decodePlain(m.encoded, e, keep) {
		return nil
	}
	checkType(reflect.TypeOf(e))
	checkDefault(e)
	if m.codec == nil {
		return gob.NewDecoder(bytes.NewReader(m.whole())).Decode(e)
	}
	return m.codec.decode(m.whole(), e)
}

// minOwned is the size in bytes from which on a message of a plain type has memory of its own, which UnmarshalLast can
// give to the decoded value.
const minOwned = 16 << 10

// detach returns m, or a copy with memory of its own if m has at least minOwned bytes; m is then released.
func (m Message) detach() Message {
	if len(m.data) < minOwned {
		return m
	}
	defer m.Release()
	return Message{encoded: encoded{bytes.Clone(m.data), m.shared}, codec: m.codec}
}

// buffers holds the memory of released messages, as *[]byte.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// maxKept is the size in bytes of the largest message whose memory, encoder and decoder are kept for later messages.
const maxKept = 4 << 20

// Release lets later messages use m's memory. Neither m nor a copy of m may be used afterwards. A message that is never
// released is garbage collected.
func (m Message) Release() {
	if m.from != nil && cap(*m.from) <= maxKept {
		buffers.Put(m.from)
	}
}
