//go:build go1.25

package labgob

import (
	"math/bits"
	"reflect"
)

// A plainWriter holds the bytes that are encoded so far.
type plainWriter struct {
	encoded
	share bool // whether long strings are shared
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

// write encodes v as gob does, without length and type id.
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

// writeStruct omits the fields that gob omits. Before each other field it writes the distance from the previous one.
func (p *plain) writeStruct(w *plainWriter, v reflect.Value) {
	last := -1
	for n, f := range p.fields {
		field := v.Field(f.index)
		if f.omits(field) {
			continue
		}
		w.uint(uint64(n - last))
		f.write(w, field)
		last = n
	}
	w.uint(0)
}

// omits reports whether gob omits a struct field with the value v.
func (p *plain) omits(v reflect.Value) bool {
	switch p.kind {
	case reflect.String, reflect.Slice:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

// appendUint appends x as gob encodes it: one byte if x is at most 127; otherwise the negated number of bytes and then
// the bytes of x, the most significant first.
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

// maxUint is the largest number of bytes that appendUint appends.
const maxUint = 9

// writeMessage writes the message of v to w, which must be empty: the length, the type id and the value. It returns the
// message. The message ends where w's data ends; up to maxUint-1 unused bytes come before it.
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
