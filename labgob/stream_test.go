package labgob

import (
	"bytes"
	"encoding/gob"
	"errors"
	"io"
	"reflect"
	"strings"
	"sync"
	"testing"
)

// A stream of values of many types has the same bytes as gob's, and gob and labgob decode each other's streams.
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
				t.Errorf("%#v was decoded by decoder %d as %#v", v, k, got[k].Elem())
			}
		}
	}
	if err := fromBuffer.Decode(new(point)); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

// A type of another program may have other fields. Fields are matched by name.
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

// A stream of a plain type can be decoded into another type or a non-zero variable at any point.
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

type failingWriter struct{ left int }

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errors.New("full")
	}
	return len(p), nil
}

// Many goroutines may use one encoder, and then one decoder, at the same time.
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

// An encoder of plain values reuses its memory, but keeps at most maxKept bytes.
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
		t.Errorf("%v allocations for each message", n)
	}
	encode(large)
	if n := cap(enc.buf); n > maxKept {
		t.Errorf("the encoder keeps %d bytes", n)
	}
}
