package main

import (
	"reflect"

	"github.com/tetratelabs/wazero/api"
)

// A guestReader reads values of Go one after the other from a guest's memory, where words have 64 bits.
type guestReader struct {
	mem api.Memory
	at  uint32
}

const guestWord = 8

func (r *guestReader) word() uint64 {
	r.align(guestWord)
	w, _ := r.mem.ReadUint64Le(r.at)
	r.at += guestWord
	return w
}

func (r *guestReader) align(n uint32) { r.at = (r.at + n - 1) / n * n }

func (r *guestReader) text() string {
	data, n := uint32(r.word()), uint32(r.word())
	b, _ := r.mem.Read(data, n)
	return string(b)
}

// read reads a value of a type that is made of numbers, strings, structures, and slices of such. It leaves functions out.
func (r *guestReader) read(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(r.text())
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(r.word()))
	case reflect.Uint8, reflect.Bool:
		b, _ := r.mem.ReadByte(r.at)
		r.at++
		if v.Kind() == reflect.Bool {
			v.SetBool(b != 0)
		} else {
			v.SetUint(uint64(b))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			r.read(v.Field(i))
		}
	case reflect.Slice:
		elements := &guestReader{r.mem, uint32(r.word())}
		n := int(r.word())
		r.word() // the capacity
		if n == 0 || uint64(n)*guestWord > uint64(r.mem.Size()) {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			elements.read(v.Index(i))
		}
	default:
		r.word()
	}
}
