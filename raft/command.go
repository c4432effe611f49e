//go:build go1.25

package raft

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"

	"6.824/labgob"
)

// A command is encoded once, where Start accepts it, and kept, saved and sent in that form; it is decoded
// where it is applied. The first byte names the form.
const (
	formNil    = iota // nothing follows
	formInt           // an int, as a signed varint
	formString        // a string's bytes
	formValue         // the key of a type definition (8 bytes), then a gob message that needs it
	formStream        // a gob stream of its own, with all definitions
	formState         // a RaftState: nothing follows
)

// maxCommand bounds an encoded command, in bytes.
const maxCommand = 1 << 30

// encodeCommand appends the encoded command to dst. It returns the codec whose definition a reader needs, nil
// if none. It fails if gob cannot encode the command, in the first place because its type is not registered, and if it is
// too long.
func encodeCommand(dst []byte, command any) ([]byte, *codec, error) {
	data, c, err := appendCommand(dst, command)
	if err == nil {
		err = checkSize(len(data) - len(dst))
	}
	if err != nil {
		return dst, nil, err
	}
	return data, c, nil
}

// checkSize reports an encoded command of n bytes that is too long.
func checkSize(n int) error {
	if n > maxCommand {
		return fmt.Errorf("it takes %d bytes, more than %d", n, maxCommand)
	}
	return nil
}

func appendCommand(dst []byte, command any) ([]byte, *codec, error) {
	switch v := command.(type) {
	case nil:
		return append(dst, formNil), nil, nil
	case int:
		return binary.AppendVarint(append(dst, formInt), int64(v)), nil, nil
	case string:
		return append(append(dst, formString), v...), nil, nil
	case RaftState, *RaftState:
		return append(dst, formState), nil, nil
	}
	c := codecOf(reflect.TypeOf(command))
	if c.definition == nil {
		data, err := encodeStream(append(dst, formStream), command)
		if err != nil {
			codecs.Delete(reflect.TypeOf(command)) // once it is registered, there may be a definition
			return dst, nil, err
		}
		return data, nil, nil
	}
	e := c.encoder()
	e.buf.Reset()
	if err := e.enc.Encode(command); err != nil { // e may have written half a message: it is not used again
		return dst, nil, err
	}
	dst = binary.BigEndian.AppendUint64(append(dst, formValue), c.key)
	dst = append(dst, e.buf.Bytes()...)
	c.encoders.Put(e)
	return dst, c, nil
}

// encodeStream appends a gob stream with the command in an interface.
func encodeStream(dst []byte, command any) ([]byte, error) {
	e := newEncoder()
	if err := e.enc.Encode(&command); err != nil {
		return nil, err
	}
	return append(dst, e.buf.Bytes()...), nil
}

// wellFormed reports whether data may be an encoded command, as far as one can tell without decoding it.
func wellFormed(data []byte) bool {
	if len(data) == 0 {
		return false
	}
	switch data[0] {
	case formNil, formState:
		return len(data) == 1
	case formInt:
		_, n := binary.Varint(data[1:])
		return n > 0 && n == len(data)-1
	case formValue:
		return len(data) > 1+keySize
	case formString, formStream:
		return true
	}
	return false
}

// A decoder decodes commands. It keeps a gob stream per definition open. It is for one goroutine.
type decoder struct {
	definitions *definitions
	streams     map[uint64]*stream
}

type stream struct {
	buf   bytes.Buffer
	dec   *labgob.LabDecoder
	value reflect.Value // a variable of the type that is registered, to decode into
	into  any           // the pointer to it
}

func (d *decoder) decode(data []byte) (any, error) {
	if !wellFormed(data) {
		return nil, fmt.Errorf("not an encoded command: % .20x", data)
	}
	switch data[0] {
	case formInt:
		v, _ := binary.Varint(data[1:])
		return int(v), nil
	case formString:
		return string(data[1:]), nil
	case formState:
		return RaftState{}, nil
	case formValue:
		return d.decodeValue(binary.BigEndian.Uint64(data[1:]), data[1+keySize:])
	case formStream:
		return decodeStream(data[1:])
	}
	return nil, nil
}

func (d *decoder) decodeValue(key uint64, message []byte) (command any, err error) {
	s := d.streams[key]
	if s == nil {
		if s, err = openStream(d.definitions.get(key)); err != nil {
			return nil, err
		}
		d.streams[key] = s
	}
	s.buf = *bytes.NewBuffer(message)
	s.value.SetZero() // gob leaves alone what is zero in the message
	err = s.dec.Decode(s.into)
	s.buf = bytes.Buffer{} // the log's memory must become garbage when the log drops it
	if err != nil {
		delete(d.streams, key) // it may be in mid-message
		return nil, err
	}
	return s.value.Interface(), nil
}

func decodeStream(data []byte) (command any, err error) {
	err = labgob.NewDecoder(bytes.NewReader(data)).Decode(&command)
	return command, err
}

func openStream(def definition) (*stream, error) {
	s := &stream{buf: *bytes.NewBuffer(def)}
	var zero any
	if err := labgob.NewDecoder(&s.buf).Decode(&zero); err != nil {
		return nil, fmt.Errorf("type definition: %w", err)
	}
	if zero == nil {
		return nil, errors.New("type definition: it names no type")
	}
	variable := reflect.New(reflect.TypeOf(zero))
	s.value, s.into = variable.Elem(), variable.Interface()
	s.dec = labgob.NewDecoder(&s.buf)
	if err := s.dec.Decode(s.into); err != nil {
		return nil, fmt.Errorf("type definition: %w", err)
	}
	return s, nil
}
