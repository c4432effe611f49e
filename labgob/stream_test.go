package labgob

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
)

// Whatever is sent, in whatever order, a stream has gob's bytes, and either side understands the other.
func TestStream_isWhatGobSends(t *testing.T) {
	var ours, gobs bytes.Buffer
	enc, gobEnc := NewEncoder(&ours), gob.NewEncoder(&gobs)
	Register(point{})
	values := []any{
		point{1, 2, "a"}, point{3, 4, "b"}, &point{5, 6, "c"}, leaf{Text: "x"}, point{7, 8, "d"}, leaf{Bytes: []byte{1}}, leaf{},
		1, 2, "s", "t", level(3), holder{point{1, 2, "e"}}, point{9, 9, "f"}, everything{I: 1, Leaf: leaf{Yes: true}},
		everything{Leaves: []leaf{{}, {Text: "y"}}}, tree{Value: 1}, []int{1, 2}, []int{3}, point{}, point{}, opaque{1},
	}
	for _, v := range values {
		if err := errors.Join(enc.Encode(v), gobEnc.Encode(v)); err != nil {
			t.Fatalf("%#v: %v", v, err)
		}
		if !bytes.Equal(ours.Bytes(), gobs.Bytes()) {
			t.Fatalf("after %#v the stream is\n% x, gob's\n% x", v, ours.Bytes(), gobs.Bytes())
		}
	}
	fromBuffer, fromReader, byGob := NewDecoder(&gobs), NewDecoder(bytes.NewReader(ours.Bytes())), gob.NewDecoder(bytes.NewReader(ours.Bytes()))
	for _, v := range values {
		var got [3]reflect.Value
		for k := range got {
			got[k] = reflect.New(baseOf(reflect.TypeOf(v)))
		}
		if err := errors.Join(fromBuffer.Decode(got[0].Interface()), fromReader.Decode(got[1].Interface()), byGob.DecodeValue(got[2])); err != nil {
			t.Fatalf("%#v: %v", v, err)
		}
		for k := range got {
			if !reflect.DeepEqual(got[k].Interface(), got[2].Interface()) {
				t.Errorf("%#v came out of decoder %d as %#v", v, k, got[k].Elem())
			}
		}
	}
	if err := fromBuffer.Decode(new(point)); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

// A type of another program may have the same name and other fields; only their names count.
func TestStream_fromAnotherType(t *testing.T) {
	type remote struct { // a point with its fields in another order, and one more
		Name  string
		Y     int
		Extra []string
		X     int
	}
	var stream bytes.Buffer
	enc := NewEncoder(&stream)
	for n := range 4 {
		if err := enc.Encode(remote{"p", n, []string{"more"}, -n}); err != nil {
			t.Fatal(err)
		}
	}
	dec := NewDecoder(&stream)
	for n := range 4 {
		var got point
		if err := dec.Decode(&got); err != nil || got != (point{-n, n, "p"}) {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

// What does not fit into a stream of plain messages is left to gob, at any time.
func TestStream_intoOtherVariables(t *testing.T) {
	type narrow struct{ X int64 }
	var stream bytes.Buffer
	enc := NewEncoder(&stream)
	for n := range 6 {
		if err := enc.Encode(point{n, n, "p"}); err != nil {
			t.Fatal(err)
		}
	}
	dec := NewDecoder(&stream)
	var first, fourth, last point
	var second, third narrow
	used := point{Y: -1}
	if err := errors.Join(dec.Decode(&first), dec.Decode(&second), dec.Decode(&third), dec.Decode(&fourth), dec.Decode(&used), dec.Decode(&last)); err != nil {
		t.Fatal(err)
	}
	if first.X != 0 || second.X != 1 || third.X != 2 || fourth.X != 3 || used != (point{4, 4, "p"}) || last.X != 5 {
		t.Error(first, second, third, fourth, used, last)
	}
}

func TestStream_errorsAreGobs(t *testing.T) {
	var whole bytes.Buffer
	enc := NewEncoder(&whole)
	for range 2 {
		if err := enc.Encode(point{1, 2, "p"}); err != nil {
			t.Fatal(err)
		}
	}
	for cut := range whole.Len() {
		data := whole.Bytes()[:cut]
		ours, gobs := NewDecoder(bytes.NewBuffer(data)), gob.NewDecoder(bytes.NewBuffer(data))
		for range 2 {
			if got, want := ours.Decode(new(point)), gobs.Decode(new(point)); got != want && got.Error() != want.Error() {
				t.Errorf("cut to %d bytes: %v, from gob %v", cut, got, want)
			}
		}
	}
	broken := NewEncoder(&failingWriter{left: 1 << 10})
	for range 200 {
		if err := broken.Encode(point{1, 2, "p"}); err != nil {
			return
		}
	}
	t.Error("the writer's error was lost")
}

// A number that its field cannot hold is refused as by gob.
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
	type wide struct { // with narrow's description gob sends the same for it
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

type failingWriter struct{ left int }

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errors.New("full")
	}
	return len(p), nil
}

// Like gob's, an encoder and a decoder serve any number of goroutines.
func TestStream_manyGoroutines(t *testing.T) {
	const goroutines, each = 4, 500
	var stream bytes.Buffer
	enc := NewEncoder(&stream)
	var sending sync.WaitGroup
	for g := range goroutines {
		sending.Go(func() {
			for n := range each {
				if err := enc.Encode(point{g, n, strings.Repeat("x", g)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	sending.Wait()
	dec := NewDecoder(&stream)
	got := make(chan point, goroutines*each)
	var receiving sync.WaitGroup
	for range goroutines {
		receiving.Go(func() {
			for range each {
				var p point
				if err := dec.Decode(&p); err != nil {
					t.Error(err)
				}
				got <- p
			}
		})
	}
	receiving.Wait()
	close(got)
	seen := make(map[point]bool)
	for p := range got {
		if seen[p] || len(p.Name) != p.X || p.X >= goroutines || p.Y >= each {
			t.Errorf("%+v", p)
		}
		seen[p] = true
	}
}

// An encoder of plain values uses the same memory again, unless that is large.
func TestStream_memory(t *testing.T) {
	var stream bytes.Buffer
	enc := NewEncoder(&stream)
	encode := func(v any) {
		stream.Reset()
		if err := enc.Encode(v); err != nil {
			t.Fatal(err)
		}
	}
	small, large := any(point{1, 2, "small"}), any(point{1, 2, strings.Repeat("x", maxKept)})
	encode(large) // with the type's description, by gob
	if n := testing.AllocsPerRun(100, func() { encode(small) }); n > 0 {
		t.Errorf("%v pieces of memory a message", n)
	}
	encode(large)
	if n := cap(enc.buf); n > maxKept {
		t.Errorf("keeps %d bytes", n)
	}
}
