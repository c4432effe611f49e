package labgob

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"io"
	"math"
	"reflect"
	"testing"
)

// A number that does not fit into its field causes the same error as with gob.
func TestStream_numberOutOfRange(t *testing.T) {
	type narrow struct {
		I8  level
		I16 int16
		I32 int32
		U8  uint8
		U16 uint16
		U32 uint32
		All []int8
	}
	type wide struct { // gob encodes it like narrow
		I8, I16, I32 int64
		U8, U16, U32 uint64
		All          []int64
	}
	for _, v := range []wide{
		{I8: math.MaxInt8}, {I8: math.MinInt8}, {I8: math.MaxInt8 + 1}, {I8: math.MinInt8 - 1}, {I8: math.MinInt64},
		{I16: math.MaxInt16}, {I16: math.MinInt16}, {I16: math.MaxInt16 + 1}, {I16: math.MinInt16 - 1},
		{I32: math.MaxInt32}, {I32: math.MinInt32}, {I32: math.MaxInt32 + 1}, {I32: math.MinInt32 - 1},
		{U8: math.MaxUint8}, {U8: math.MaxUint8 + 1}, {U16: math.MaxUint16}, {U16: math.MaxUint16 + 1},
		{U32: math.MaxUint32}, {U32: math.MaxUint32 + 1}, {U32: math.MaxUint64},
		{All: []int64{math.MaxInt8, math.MinInt8}}, {All: []int64{1, 300}}, {U8: 1, All: []int64{1 << 40}},
	} {
		var stream bytes.Buffer
		if err := NewEncoder(&stream).Encode(narrow{I8: 1}); err != nil {
			t.Fatal(err)
		}
		message := newPlain(reflect.TypeOf(v)).writeMessage(&plainWriter{}, codecOf(reflect.TypeFor[narrow]()).typeID, reflect.ValueOf(v))
		stream.Write(message.data)
		ours, gobs := NewDecoder(bytes.NewBuffer(stream.Bytes())), gob.NewDecoder(bytes.NewBuffer(stream.Bytes()))
		for range 3 {
			var got, want narrow
			err, wantErr := ours.Decode(&got), gobs.Decode(&want)
			if fmt.Sprint(err) != fmt.Sprint(wantErr) || !reflect.DeepEqual(got, want) {
				t.Errorf("%+v: %+v (%v), from gob %+v (%v)", v, got, err, want, wantErr)
			}
		}
	}
}

// A message with the right length and a truncated or damaged value has the same result as with gob.
func TestStream_damageInside(t *testing.T) {
	whole := func(values ...everything) []byte {
		var stream bytes.Buffer
		enc := NewEncoder(&stream)
		for _, v := range values {
			if err := enc.Encode(v); err != nil {
				t.Fatal(err)
			}
		}
		return stream.Bytes()
	}
	v := everything{I: 300, U8: 7, Leaf: leaf{true, "x", []byte{1}}, Words: []string{"a", "bc"}, Leaves: []leaf{{Text: "y"}, {}}, Table: [][]uint{{1}, {2, 300}}}
	first := whole(everything{I: 1})
	r := plainReader{b: whole(everything{I: 1}, v)[len(first):]}
	r.uint()
	same := func(body []byte) {
		stream := append(appendUint(bytes.Clone(first), uint64(len(body))), body...)
		ours, gobs := NewDecoder(bytes.NewBuffer(stream)), gob.NewDecoder(bytes.NewBuffer(stream))
		for range 3 {
			var got, want everything
			err, wantErr := ours.Decode(&got), gobs.Decode(&want)
			if fmt.Sprint(err) != fmt.Sprint(wantErr) || !reflect.DeepEqual(got, want) {
				t.Errorf("% x: %+v (%v), from gob %+v (%v)", body, got, err, want, wantErr)
			}
		}
	}
	for at := range r.b {
		same(r.b[:at])
		same(r.b[at:])
		for bit := range 8 {
			damaged := bytes.Clone(r.b)
			damaged[at] ^= 1 << bit
			same(damaged)
		}
		// As the first byte of a number these announce 0, 128, 127, 10, 9 and 8 further bytes.
		for _, size := range []byte{0x7f, 0x80, 0x81, 0xf6, 0xf7, 0xf8} {
			damaged := bytes.Clone(r.b)
			damaged[at] = size
			same(damaged)
		}
	}
}

// A slice that gob refuses because it would take too much memory causes the same error.
func TestStream_hugeSlice(t *testing.T) {
	type row struct{ A, B, C, D, E, F, G, H int64 }
	type rows struct{ A, B, C, D, E, F, G, H row }
	type block struct{ A, B, C, D, E, F, G, H rows }
	type blocks struct{ A, B, C, D, E, F, G, H block }
	const size = 1 << 15 // of a blocks; an empty one takes a byte in the message
	n := maxSlice/size + 1
	first, err := Marshal([]blocks{{}})
	if err != nil {
		t.Fatal(err)
	}
	c := codecOf(reflect.TypeFor[[]blocks]())
	body := append(appendUint(bytes.Clone(c.typeID), uint64(n)), make([]byte, n)...)
	stream := append(append(bytes.Clone(c.description), first.whole()...), append(appendUint(nil, uint64(len(body))), body...)...)
	ours, gobs := NewDecoder(bytes.NewBuffer(stream)), gob.NewDecoder(bytes.NewBuffer(stream))
	for range 3 {
		var got, want []blocks
		err, wantErr := ours.Decode(&got), gobs.Decode(&want)
		if fmt.Sprint(err) != fmt.Sprint(wantErr) || len(got) != len(want) {
			t.Errorf("%d elements (%v), from gob %d (%v)", len(got), err, len(want), wantErr)
		}
	}
}

// A type that only decodes itself: gob encodes its fields, but cannot decode them.
func TestPlain_typesThatOnlyDecodeThemselves(t *testing.T) {
	for _, v := range []any{onlyDecodes{1}, onlyUnmarshals{1}, []onlyDecodes{{1}}, struct{ D onlyUnmarshals }{onlyUnmarshals{1}}} {
		message, err := Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var stream bytes.Buffer
		if err := gob.NewEncoder(&stream).Encode(v); err != nil {
			t.Fatal(err)
		}
		got, want := reflect.New(reflect.TypeOf(v)), reflect.New(reflect.TypeOf(v))
		wantErr := gob.NewDecoder(&stream).Decode(want.Interface())
		same(t, want.Type(), got, want, message.Unmarshal(got.Interface()), wantErr, message.whole())
		if wantErr == nil {
			t.Errorf("gob decodes a %T", v)
		}
	}
}

// A number of more than eight bytes causes the same error as with gob.
func TestStream_longNumber(t *testing.T) {
	for n := range 12 {
		var stream bytes.Buffer
		if err := NewEncoder(&stream).Encode(uint64(1)); err != nil {
			t.Fatal(err)
		}
		body := append(bytes.Clone(codecOf(reflect.TypeFor[uint64]()).typeID), byte(-n))
		for k := range n {
			body = append(body, byte(k))
		}
		stream.Write(append(appendUint(nil, uint64(len(body))), body...))
		ours, gobs := NewDecoder(bytes.NewBuffer(stream.Bytes())), gob.NewDecoder(bytes.NewBuffer(stream.Bytes()))
		for range 2 {
			var got, want uint64
			err, wantErr := ours.Decode(&got), gobs.Decode(&want)
			if fmt.Sprint(err) != fmt.Sprint(wantErr) || got != want {
				t.Errorf("%d bytes: %#x (%v), from gob %#x (%v)", n, got, err, want, wantErr)
			}
		}
	}
}

// If some calls of Write fail, the errors and the written bytes are the same as with gob.
func TestStream_failingWriter(t *testing.T) {
	for first := range 6 {
		for last := first; last < 6; last++ {
			ours, gobs := &unsteadyWriter{first: first, last: last}, &unsteadyWriter{first: first, last: last}
			enc, gobEnc := NewEncoder(ours), gob.NewEncoder(gobs)
			for n := range 6 {
				err, wantErr := enc.Encode(point{n, n, "p"}), gobEnc.Encode(point{n, n, "p"})
				if fmt.Sprint(err) != fmt.Sprint(wantErr) || !bytes.Equal(ours.written, gobs.written) {
					t.Fatalf("writes %d to %d failed, value %d: %v, % x, from gob %v, % x", first, last, n, err, ours.written, wantErr, gobs.written)
				}
			}
		}
	}
}

// An unsteadyWriter fails from call first to call last of Write, counted from 0.
type unsteadyWriter struct {
	first, last, calls int
	written            []byte
}

func (w *unsteadyWriter) Write(p []byte) (int, error) {
	w.calls++
	if w.first < w.calls && w.calls <= w.last+1 {
		return 0, io.ErrShortWrite
	}
	w.written = append(w.written, p...)
	return len(p), nil
}
