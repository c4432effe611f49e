package labgob

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// An onlyDecodes is encoded as a struct, but has a decoding of its own: gob cannot decode what it has encoded.
type onlyDecodes struct{ N int }

func (d *onlyDecodes) GobDecode([]byte) error { d.N = 7; return nil }

// An onlyUnmarshals is like an onlyDecodes.
type onlyUnmarshals struct{ N int }

func (d *onlyUnmarshals) UnmarshalBinary([]byte) error { d.N = 7; return nil }

// numbers has a field of each kind of number.
type numbers struct {
	I8   int8
	I16  int16
	I32  int32
	I64  int64
	I    int
	U8   uint8
	U16  uint16
	U32  uint32
	U64  uint64
	U    uint
	Ptr  uintptr
	F32  float32
	F64  float64
	C64  complex64
	C128 complex128
	Yes  bool
}

// narrowed and widened have fields with the same names and numbers, of different sizes.
type narrowed struct {
	A []int8
	B [][]uint8
	C []uint16
	D int8
	E string
	F struct{ G, H int16 }
}

type widened struct {
	A []int64
	B [][]uint8
	C []uint64
	D int64
	E []byte
	F struct{ G, H int64 }
}

// collections has fields of kinds that are not plain.
type collections struct {
	M  map[string]int8
	N  map[int16][]string
	A  [3]int8
	B  [2][2]bool
	P  *leaf
	PP **int8
	F  []float32
}

// fuzzed are values of the types that FuzzPlainAgainstGob decodes into. Messages of all of them are its corpus.
var fuzzed = []any{
	true, 300, int8(-100), int16(-300), int32(1 << 20), int64(math.MinInt64), uint(300), uint8(200), uint16(300), uint32(1 << 31),
	uint64(math.MaxUint64), level(44), "text", []byte("bytes"), 1.5, float32(-0.5), math.NaN(), complex(1, -2), complex64(3i),
	[]int8{1, -128, 127}, []int64{300, -300, 1 << 40}, []uint16{1, 65535}, []bool{true, false}, []string{"a", "", "bc"},
	[]level{1, -1}, [][]byte{{1}, nil, {2, 3}}, [][]uint{{1}, {300}}, []float64{0, 2.5}, [3]int8{1, 2, 3}, [2][]string{{"x"}},
	leaf{true, "leaf", []byte{1, 2}}, []leaf{{}, {Text: "x"}}, point{-1, 300, "p"}, tree{1, []*tree{{Value: 2}}, map[string]tree{"x": {}}},
	map[string]int8{"a": 1, "b": -1}, map[int16][]string{-300: {"x"}}, map[bool]leaf{true: {Text: "y"}}, holder{3}, opaque{4},
	numbers{-1, -300, 1 << 20, 1 << 40, 5, 200, 300, 1 << 20, 1 << 40, 6, 7, 1.5, 2.5, 1i, 2, true},
	numbers{F32: math.MaxFloat32, F64: math.MaxFloat64, C64: complex(0, math.MaxFloat32), C128: complex(math.MaxFloat64, 0)},
	narrowed{[]int8{-1}, [][]uint8{{1}}, []uint16{300}, 2, "e", struct{ G, H int16 }{1, 2}},
	widened{[]int64{300}, [][]uint8{{1, 2}, {}}, []uint64{1 << 20}, 300, []byte("e"), struct{ G, H int64 }{1 << 20, 1}},
	collections{map[string]int8{"a": -1}, map[int16][]string{1: {"b"}}, [3]int8{4, 5, 6}, [2][2]bool{{true}}, &leaf{Text: "z"}, nil, []float32{1}},
	everything{I: 300, U8: 7, Leaf: leaf{true, "x", []byte{1}}, Words: []string{"a", "bc"}, Leaves: []leaf{{Text: "y"}, {}}, Table: [][]uint{{1}, {2, 300}}},
	onlyDecodes{1}, onlyUnmarshals{1}, []onlyDecodes{{1}}, struct{ D onlyUnmarshals }{onlyUnmarshals{1}},
}

// bodyOf returns the message of v without its length and the type id.
func bodyOf(f *testing.F, v any) []byte {
	message, err := Marshal(v)
	if err != nil {
		f.Fatal(err)
	}
	r := plainReader{b: message.whole()}
	r.uint()
	r.uint()
	return r.b
}

// asMessage returns body as a message of c's type. If whole is true, body is already a message, or several.
func (c *codec) asMessage(body []byte, whole bool) []byte {
	if whole || !c.described {
		return body
	}
	// The primer ends with the message of a zero value.
	var last []byte
	for rest := c.primer; len(rest) > 0; rest = rest[len(last):] {
		last = firstMessage(rest)
	}
	r := plainReader{b: last}
	r.uint()
	id := r.b
	r.uint()
	id = id[:len(id)-len(r.b)]
	return append(append(appendUint(nil, uint64(len(id)+len(body))), id...), body...)
}

// FuzzPlainAgainstGob decodes arbitrary bytes that follow the description of one type into variables of that type and of
// another one. Streams and messages must have the results that gob alone has: the same values, the same errors, and the same
// bytes left.
func FuzzPlainAgainstGob(f *testing.F) {
	for from, v := range fuzzed {
		if c := codecOf(reflect.TypeOf(v)); !c.described {
			continue
		}
		body := bodyOf(f, v)
		for step := range 4 {
			into := uint8((from + step*step) % len(fuzzed))
			f.Add(uint8(from), into, false, body)
			f.Add(into, uint8(from), false, body)
		}
		whole := codecOf(reflect.TypeOf(v)).asMessage(body, false)
		f.Add(uint8(from), uint8(from), true, bytes.Repeat(whole, 3))
		f.Add(uint8(from), uint8(from), true, whole[:len(whole)-1])
		f.Add(uint8(from), uint8(from), false, body[:len(body)-1])
		f.Add(uint8(from), uint8(from), false, append(bytes.Clone(body), 0, 1))
		f.Add(uint8(from), uint8(from), false, append([]byte{0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, body...))
		f.Add(uint8(from), uint8(from), false, bytes.ReplaceAll(body, []byte{2}, []byte{0xfe, 2, 88})) // 1 becomes 300
	}
	f.Fuzz(func(t *testing.T, from, into uint8, whole bool, data []byte) {
		c := codecOf(reflect.TypeOf(fuzzed[int(from)%len(fuzzed)]))
		if !c.described || holdsMap(c.zero.Type(), map[reflect.Type]bool{}) && slices.ContainsFunc(data, func(b byte) bool { return b >= 0x80 }) {
			return // gob allocates a map of any announced size, and numbers above 0x7f have bytes above it
		}
		other := reflect.TypeOf(fuzzed[int(into)%len(fuzzed)])
		message := c.asMessage(data, whole)
		sameStream(t, c, other, append(bytes.Clone(c.primer), message...))
		sameMessage(t, c, c.zero.Type().Elem(), message)
		sameMessage(t, c, other, message)
	})
}

func holdsMap(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Map:
		return true
	case reflect.Slice, reflect.Array, reflect.Pointer:
		return holdsMap(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if holdsMap(t.Field(i).Type, seen) {
				return true
			}
		}
	}
	return false
}

// sameStream decodes a stream that begins with c's primer.
func sameStream(t *testing.T, c *codec, other reflect.Type, stream []byte) {
	t.Helper()
	ourBytes, gobBytes := bytes.NewBuffer(bytes.Clone(stream)), bytes.NewBuffer(bytes.Clone(stream))
	ours, gobs := NewDecoder(ourBytes), gob.NewDecoder(gobBytes)
	base := c.zero.Type().Elem()
	for n, target := range []reflect.Type{base, base, other, base, base} {
		got, want := reflect.New(target), reflect.New(target)
		for range 1 + n%2 { // sometimes into a variable that is not zero
			same(t, target, got, want, ours.Decode(got.Interface()), gobs.Decode(want.Interface()), stream)
			if !bytes.Equal(ourBytes.Bytes(), gobBytes.Bytes()) {
				t.Fatalf("%v: % x: left % x, gob % x", target, stream, ourBytes, gobBytes)
			}
		}
	}
}

// sameMessage decodes a message without a description.
func sameMessage(t *testing.T, c *codec, target reflect.Type, data []byte) {
	t.Helper()
	for _, last := range []bool{false, true} {
		got, want := reflect.New(target), reflect.New(target)
		dec := gob.NewDecoder(bytes.NewBuffer(append(bytes.Clone(c.primer), data...)))
		if err := dec.DecodeValue(reflect.Value{}); err != nil {
			t.Fatal(err)
		}
		wantErr := dec.DecodeValue(want)
		err := Message{encoded: encoded{data: bytes.Clone(data)}, codec: c}.unmarshal(got.Interface(), last)
		same(t, target, got, want, err, wantErr, data)
	}
}

func same(t *testing.T, target reflect.Type, got, want reflect.Value, err, wantErr error, data []byte) {
	t.Helper()
	if err != nil && isLong(got) && isLong(want) {
		got, want = reflect.New(target), reflect.New(target) // to compare millions of zeros would take seconds
	}
	if errorText(err) != errorText(wantErr) || !reflect.DeepEqual(got.Interface(), want.Interface()) &&
		fmt.Sprintf("%#v", got.Elem()) != fmt.Sprintf("%#v", want.Elem()) { // NaNs are not DeepEqual
		t.Fatalf("%v: % x: %#v (%v), from gob %#v (%v)", target, data, got.Elem(), err, want.Elem(), wantErr)
	}
}

// isLong reports whether v holds a slice of thousands of elements. gob allocates one before it finds that the elements are
// missing.
func isLong(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer:
		return !v.IsNil() && isLong(v.Elem())
	case reflect.Slice, reflect.Array:
		if v.Len() > 1<<12 {
			return true
		}
		for i := range v.Len() {
			if isLong(v.Index(i)) {
				return true
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if isLong(v.Field(i)) {
				return true
			}
		}
	}
	return false
}

// errorText returns the text of an error without the lists of fields, whose order gob chooses at random.
func errorText(err error) string {
	text, _, _ := strings.Cut(fmt.Sprint(err), "{")
	return text
}
