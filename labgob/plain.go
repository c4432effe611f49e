//go:build go1.25

package labgob

import (
	"bytes"
	"errors"
	"math/bits"
	"reflect"
	"slices"
)

// A plain encodes and decodes the values of a type that is made of nothing but bools, integers, strings, slices and
// structs. It writes byte for byte what gob writes, several times faster: gob is prepared for any sender
// and copies each message twice on either side; here both sides are known to be the same type of one process.
type plain struct {
	kind   reflect.Kind
	elem   *plain       // of a slice, unless of bytes
	fields []plainField // of a struct, in gob's numbering
}

type plainField struct {
	*plain
	index int // in the struct
}

// newPlain returns nil if t is not plain. The types in around are those that t is part of.
func newPlain(t reflect.Type, around ...reflect.Type) *plain {
	if isOpaque(t) || slices.Contains(around, t) {
		return nil
	}
	p, around := &plain{kind: t.Kind()}, append(around, t)
	switch t.Kind() {
	case reflect.Bool, reflect.String,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return p
	case reflect.Slice:
		if p.elem = newPlain(t.Elem(), around...); p.elem == nil {
			return nil
		}
		if p.elem.kind == reflect.Uint8 {
			p.elem = nil
		}
		return p
	case reflect.Struct:
		for i := range t.NumField() {
			if field := t.Field(i); field.IsExported() {
				f := newPlain(field.Type, around...)
				if f == nil {
					return nil
				}
				p.fields = append(p.fields, plainField{f, i})
			}
		}
		return p
	}
	return nil
}

// A plainWriter is what is encoded so far.
type plainWriter struct {
	encoded
	share bool // long strings
}

func (w *plainWriter) uint(x uint64) { w.data = appendUint(w.data, x) }

func (w *plainWriter) string(s string) {
	w.uint(uint64(len(s)))
	if w.share && len(s) >= minShared {
		w.shared = append(w.shared, sharedString{len(w.data), s})
	} else {
		w.data = append(w.data, s...)
	}
}

// write encodes v as gob does.
func (p *plain) write(w *plainWriter, v reflect.Value) {
	switch p.kind {
	case reflect.Bool:
		if v.Bool() {
			w.uint(1)
		} else {
			w.uint(0)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		i := v.Int()
		w.uint(uint64(i)<<1 ^ uint64(i>>63))
	case reflect.String:
		w.string(v.String())
	case reflect.Slice:
		p.writeSlice(w, v)
	case reflect.Struct:
		p.writeStruct(w, v)
	default:
		w.uint(v.Uint())
	}
}

func (p *plain) writeSlice(w *plainWriter, v reflect.Value) {
	w.uint(uint64(v.Len()))
	if p.elem == nil {
		w.data = append(w.data, v.Bytes()...)
		return
	}
	for i := range v.Len() {
		p.elem.write(w, v.Index(i))
	}
}

// writeStruct leaves out the fields that are zero; each other one follows its distance from the one before.
func (p *plain) writeStruct(w *plainWriter, v reflect.Value) {
	last := -1
	for n, f := range p.fields {
		field := v.Field(f.index)
		if f.isNothing(field) {
			continue
		}
		w.uint(uint64(n - last))
		f.write(w, field)
		last = n
	}
	w.uint(0)
}

// isNothing reports whether gob leaves v out of a struct.
func (p *plain) isNothing(v reflect.Value) bool {
	switch p.kind {
	case reflect.String, reflect.Slice:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

// appendUint appends gob's form of x: one byte up to 127, else the negated number of bytes and those bytes.
func appendUint(b []byte, x uint64) []byte {
	if x <= 0x7f {
		return append(b, byte(x))
	}
	n := (bits.Len64(x) + 7) / 8
	b = append(b, byte(-n))
	for n--; n >= 0; n-- {
		b = append(b, byte(x>>(8*n)))
	}
	return b
}

// maxUint is the longest that appendUint appends.
const maxUint = 9

// writeMessage has w, which is empty, hold the message of a value: its length, the type id and the value. It returns
// the message, which ends where w ends but need not begin where w begins.
func (p *plain) writeMessage(w *plainWriter, typeID []byte, v reflect.Value) encoded {
	var head [maxUint]byte
	w.data = append(append(w.data, head[:]...), typeID...)
	p.write(w, v)
	length := appendUint(head[:0], uint64(w.length()-maxUint))
	skip := maxUint - len(length)
	copy(w.data[skip:], length)
	for k := range w.shared {
		w.shared[k].at -= skip
	}
	return encoded{w.data[skip:], w.shared}
}

// readMessage undoes writeMessage. v may keep parts of the message if nobody else needs it.
func (p *plain) readMessage(message encoded, typeID []byte, v reflect.Value, keep bool) error {
	r := plainReader{b: message.data, shared: message.shared, size: len(message.data)}
	if keep {
		r.most = len(message.data) / 2
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

// A plainReader is what is left to decode. After an error it is empty.
type plainReader struct {
	b      []byte
	shared []sharedString
	size   int    // of b at first
	text   string // the last bytes of the message, b included, as one string that all strings in there are parts of
	most   int    // byte slices longer than this may keep b's memory; 0: none may
	err    error
}

// maxText bounds, in bytes, what one string of a message keeps from the garbage collector beside itself.
const maxText = 128

var errMessage = errors.New("labgob: malformed message")

// at returns how many bytes are decoded.
func (r *plainReader) at() int { return r.size - len(r.b) }

func (r *plainReader) fail() {
	r.b, r.shared, r.err = nil, nil, errMessage
}

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
	if r.most > 0 && len(taken) > r.most {
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
	taken := r.take(n) // nothing if n is too large
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

func (p *plain) readSlice(r *plainReader, v reflect.Value) {
	n := r.uint()
	switch {
	case n > uint64(len(r.b)): // an element takes a byte at least
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
