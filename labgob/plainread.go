//go:build go1.25

package labgob

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
)

// readMessage decodes a message that writeMessage has made into v. If keep is true, v may keep parts of its memory. v may be
// partly written when readMessage returns an error.
func (p *plain) readMessage(message encoded, typeID []byte, v reflect.Value, keep bool) error {
	r := plainReader{b: message.data, shared: message.shared, size: len(message.data)}
	if keep {
		r.keepAbove = len(message.data) / 2
	}
	if n := r.uint(); n != uint64(message.length()-r.at()) || !bytes.HasPrefix(r.b, typeID) {
		return errMessage
	}
	r.b = r.b[len(typeID):]
	p.read(&r, v)
	if len(r.b) > 0 || len(r.shared) > 0 {
		r.fail()
	}
	return r.err
}

// A plainReader holds the bytes that are not decoded yet. After an error it is empty.
type plainReader struct {
	b         []byte
	shared    []sharedString // not decoded yet
	size      int            // initial length of b
	text      string         // the end of the message, from some point before b on; its strings are substrings of text
	keepAbove int            // byte slices longer than this keep b's memory; 0: none do
	err       error
}

// maxText is the largest length in bytes of plainReader.text: a decoded string may keep that much in memory.
const maxText = 128

var errMessage = errors.New("labgob: malformed message")

// at returns how many bytes of data are decoded.
func (r *plainReader) at() int { return r.size - len(r.b) }

// fail records that the message is malformed.
func (r *plainReader) fail() {
	r.b, r.shared, r.err = nil, nil, errMessage
}

// take removes the next n bytes and returns them. It fails and returns nil if there are fewer.
func (r *plainReader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	taken := r.b[:n]
	r.b = r.b[n:]
	return taken
}

func (r *plainReader) bytes(n uint64) []byte {
	taken := r.take(n)
	if r.keepAbove > 0 && len(taken) > r.keepAbove {
		return slices.Clip(taken)
	}
	return bytes.Clone(taken)
}

func (r *plainReader) string(n uint64) string {
	if len(r.shared) > 0 && r.shared[0].at == r.at() && uint64(len(r.shared[0].text)) == n {
		text := r.shared[0].text
		r.shared = r.shared[1:]
		return text
	}
	left := len(r.b)
	if len(r.text) == 0 && left <= maxText {
		r.text = string(r.b)
	}
	taken := r.take(n) // nil if n is too large
	if len(r.text) == 0 {
		return string(taken)
	}
	return r.text[len(r.text)-left:][:len(taken)]
}

func (r *plainReader) uint() (x uint64) {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	first := r.b[0]
	r.b = r.b[1:]
	if first <= 0x7f {
		return uint64(first)
	}
	n := -int8(first)
	if n < 0 || n > 8 {
		r.fail()
		return 0
	}
	for _, digit := range r.take(uint64(n)) {
		x = x<<8 | uint64(digit)
	}
	return x
}

// read decodes the next value into v, which must be zero.
func (p *plain) read(r *plainReader, v reflect.Value) {
	switch p.kind {
	case reflect.Bool:
		v.SetBool(r.uint() != 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		x := r.uint()
		i := int64(x>>1) ^ -int64(x&1)
		if v.OverflowInt(i) {
			r.fail()
		}
		v.SetInt(i)
	case reflect.String:
		v.SetString(r.string(r.uint()))
	case reflect.Slice:
		p.readSlice(r, v)
	case reflect.Struct:
		p.readStruct(r, v)
	default:
		x := r.uint()
		if v.OverflowUint(x) {
			r.fail()
		}
		v.SetUint(x)
	}
}

// maxSlice is the largest size in memory of a slice that gob decodes, in bytes, unless the elements are bytes. Elements of
// one byte each in a message may take much more in memory.
const maxSlice = (1 << 30) << (^uint(0) >> 62)

func (p *plain) readSlice(r *plainReader, v reflect.Value) {
	n := r.uint()
	switch {
	case n > uint64(len(r.b)): // each element has at least one byte
		r.fail()
	case p.elem != nil && n*p.size > maxSlice:
		r.fail()
	case n == 0:
	case p.elem == nil:
		v.SetBytes(r.bytes(n))
	default:
		v.Grow(int(n))
		v.SetLen(int(n))
		for i := range v.Len() {
			p.elem.read(r, v.Index(i))
		}
	}
}

func (p *plain) readStruct(r *plainReader, v reflect.Value) {
	last := -1
	for distance := r.uint(); distance > 0; distance = r.uint() {
		if distance >= uint64(len(p.fields)-last) {
			r.fail()
			return
		}
		last += int(distance)
		f := p.fields[last]
		f.read(r, v.Field(f.index))
	}
}
