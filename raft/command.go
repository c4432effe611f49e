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

// Start encodes a command once. The log, the disk and messages hold it in that form, and the applier decodes it. The
// first byte is one of these forms.
const (
	formNil    = iota // nil: nothing follows
	formInt           // an int: a signed varint follows
	formString        // a string: its bytes follow
	formValue         // the key of a type definition (8 bytes) and a gob message that needs the definition follow
	formStream        // a complete gob stream with its own type definitions follows
	formState         // a RaftState: nothing follows
)

// maxCommand bounds an encoded command, in bytes.
const maxCommand = 1 << 30

// encodeCommand appends the encoded command to dst. It also returns the codec whose definition a reader needs, or nil if
// it needs none. It returns an error if gob cannot encode the command, for example because its type is not registered, or
// if the encoded command is longer than maxCommand.
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

// checkSize returns an error if n bytes are too long for an encoded command.
func checkSize(n int) error {
	if n > maxCommand {
		return fmt.Errorf("it takes %d bytes encoded, more than the limit of %d", n, maxCommand)
	}
	return nil
}

// appendCommand does the same as encodeCommand, without the limit.
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
			return dst, nil, err
		}
		return data, nil, nil
	}
	e := c.encoder()
	e.buf.Reset()
	if err := e.enc.Encode(command); err != nil { // e may have written half a message, so it is not reused
		return dst, nil, err
	}
	dst = binary.BigEndian.AppendUint64(append(dst, formValue), c.key)
	dst = append(dst, e.buf.Bytes()...)
	c.encoders.Put(e)
	return dst, c, nil
}

// encodeStream appends to dst a gob stream that holds the command in an interface.
func encodeStream(dst []byte, command any) ([]byte, error) {
	e := newEncoder()
	if err := e.enc.Encode(&command); err != nil {
		return nil, err
	}
	return append(dst, e.buf.Bytes()...), nil
}

// wellFormed reports whether data may be an encoded command, as far as can be told without decoding it.
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

// A decoder decodes commands. It keeps one gob stream open for each definition. It is not safe for concurrent use.
type decoder struct {
	definitions *definitions
	streams     map[uint64]*stream
}

// A stream decodes the values of one type, after its definition was read.
type stream struct {
	buf   bytes.Buffer
	dec   *labgob.LabDecoder
	value reflect.Value // a variable of the registered type
	into  any           // the pointer to value, to decode into
}

// decode returns the command that encodeCommand encoded as data.
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
	s.value.SetZero() // gob does not write fields that are zero in the message
	err = s.dec.Decode(s.into)
	s.buf = bytes.Buffer{} // do not keep the log's memory from the garbage collector
	if err != nil {
		delete(d.streams, key) // it may have stopped within a message
		return nil, err
	}
	return s.value.Interface(), nil
}

func decodeStream(data []byte) (command any, err error) {
	err = labgob.NewDecoder(bytes.NewReader(data)).Decode(&command)
	return command, err
}

// openStream returns a stream that has read the definition. It fails if the type is not registered in this process.
func openStream(def definition) (*stream, error) {
	s := &stream{buf: *bytes.NewBuffer(def)}
	var zero any
	if err := labgob.NewDecoder(&s.buf).Decode(&zero); err != nil {
		return nil, fmt.Errorf("type definition: %w", err)
	}
	if zero == nil {
		return nil, errors.New("type definition: it holds no type")
	}
	variable := reflect.New(reflect.TypeOf(zero))
	s.value, s.into = variable.Elem(), variable.Interface()
	s.dec = labgob.NewDecoder(&s.buf)
	if err := s.dec.Decode(s.into); err != nil {
		return nil, fmt.Errorf("type definition: %w", err)
	}
	return s, nil
}
