package labgob

import (
	"bytes"
	"encoding/gob"
	"errors"
	"io"
	"math"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
)

// diagnosed runs f. It returns what f printed and by how much errorCount rose.
func diagnosed(t *testing.T, f func()) (string, int) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	os.Stdout = w
	before := errorCount
	func() {
		defer func() { os.Stdout = stdout; w.Close() }()
		f()
	}()
	printed, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(printed), errorCount - before
}

// forgetTypes makes the checks treat every type as new, so that a test can run twice in a process.
func forgetTypes() {
	checked.Clear()
	codecs.Clear()
}

// forgetErrors sets errorCount to 0 until the test ends, so that the next non-default warning is printed.
func forgetErrors(t *testing.T) {
	before := errorCount
	errorCount = 0
	t.Cleanup(func() { errorCount += before })
}

func lowerCase(fieldsAndStructs ...string) string {
	var b strings.Builder
	for i := 0; i < len(fieldsAndStructs); i += 2 {
		b.WriteString("labgob error: lower-case field " + fieldsAndStructs[i] + " of " +
			fieldsAndStructs[i+1] + " in RPC or persist/snapshot will break your Raft\n")
	}
	return b.String()
}

func expect(t *testing.T, what, printed, wantPrinted string, count, wantCount int) {
	t.Helper()
	if printed != wantPrinted {
		t.Errorf("%s printed %q, want %q", what, printed, wantPrinted)
	}
	if count != wantCount {
		t.Errorf("%s counted %d, want %d", what, count, wantCount)
	}
}

func TestLowerCase_whichNames(t *testing.T) {
	forgetTypes()
	type base struct{ X int }
	type names struct {
		_hidden int
		lower   int
		Upper   int
		Éclair  int
		été     int
		base
	}
	_ = names{_hidden: 1, lower: 1, été: 1}
	printed, count := diagnosed(t, func() { checkType(reflect.TypeFor[names]()) })
	expect(t, "names", printed, lowerCase("_hidden", "names", "lower", "names", "été", "names",
		"base", "names"), count, 4)
}

func TestLowerCase_inWhichParts(t *testing.T) {
	forgetTypes()
	type inSlice struct{ a int }
	type inArray struct{ a int }
	type inPointer struct{ a int }
	type inElem struct{ a int }
	type inKey struct{ a int }
	type inField struct{ a int }
	type inUnexported struct{ a int }
	type inInterface struct{ a int }
	type inChan struct{ a int }
	_, _, _, _, _ = inSlice{1}.a, inArray{1}.a, inPointer{1}.a, inElem{1}.a, inKey{1}.a
	_, _, _, _ = inField{1}.a, inUnexported{1}.a, inInterface{1}.a, inChan{1}.a
	type all struct {
		S      [][]inSlice
		A      [2]inArray
		P      **inPointer
		M      map[inKey]inElem
		F      struct{ G inField }
		hidden inUnexported
		I      interface{}
		C      chan inChan
		Fn     func(inChan)
	}
	v := all{I: inInterface{}}
	_ = v.hidden
	printed, count := diagnosed(t, func() { checkType(reflect.TypeOf(v)) })
	expect(t, "all", printed, lowerCase("a", "inSlice", "a", "inArray", "a", "inPointer",
		"a", "inElem", "a", "inKey", "a", "inField", "hidden", "all", "a", "inUnexported"), count, 8)
}

func TestLowerCase_oncePerType(t *testing.T) {
	forgetTypes()
	type node struct {
		next *node
		Next *node
	}
	_ = node{}.next
	printed, count := diagnosed(t, func() {
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() { checkType(reflect.TypeFor[*node]()) })
		}
		wait.Wait()
	})
	expect(t, "node", printed, lowerCase("next", "node"), count, 1)
	printed, count = diagnosed(t, func() { checkType(reflect.TypeFor[[]node]()) })
	expect(t, "node again", printed, "", count, 0)
}

func TestLowerCase_everyEntryPoint(t *testing.T) {
	forgetTypes()
	type e struct {
		A int
		a int
	}
	type ev struct {
		A int
		a int
	}
	type d struct {
		A int
		a int
	}
	type r struct {
		A int
		a int
	}
	type rn struct {
		A int
		a int
	}
	type m struct {
		A int
		a int
	}
	type u struct {
		A int
		a int
	}
	_, _, _, _, _, _, _ = e{}.a, ev{}.a, d{}.a, r{}.a, rn{}.a, m{}.a, u{}.a
	var anyValue interface{} = ev{}
	one := Message{}
	for name, use := range map[string]func(){
		"e":  func() { NewEncoder(io.Discard).Encode(e{}) },
		"ev": func() { NewEncoder(io.Discard).EncodeValue(reflect.ValueOf(&anyValue).Elem()) },
		"d":  func() { NewDecoder(new(bytes.Buffer)).Decode(&d{}) },
		"r":  func() { Register(r{}) },
		"rn": func() { RegisterName("another name", rn{}) },
		"m":  func() { Marshal(&m{}) },
		"u":  func() { one.Unmarshal(&u{}) },
	} {
		printed, count := diagnosed(t, use)
		expect(t, name, printed, lowerCase("a", name), count, 1)
	}
}

func TestUntypedNil_panics(t *testing.T) {
	for name, use := range map[string]func(){
		"Encode":    func() { NewEncoder(io.Discard).Encode(nil) },
		"Decode":    func() { NewDecoder(new(bytes.Buffer)).Decode(nil) },
		"Register":  func() { Register(nil) },
		"Marshal":   func() { Marshal(nil) },
		"Unmarshal": func() { Message{}.Unmarshal(nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s(nil) did not panic", name)
				}
			}()
			use()
		}()
	}
}

func TestNonDefault_scalars(t *testing.T) {
	type scalars struct {
		B   bool
		I   int
		I8  int8
		I16 int16
		I32 int32
		I64 int64
		U   uint
		U8  uint8
		U16 uint16
		U32 uint32
		U64 uint64
		Ptr uintptr
		F32 float32
		F64 float64
		S   string
	}
	full := scalars{true, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, "x"}
	_, count := diagnosed(t, func() { checkDefault(&full) })
	if want := reflect.TypeFor[scalars]().NumField(); count != want {
		t.Errorf("counted %d of %d non-zero scalars", count, want)
	}
	negativeZero := scalars{F64: math.Copysign(0, -1)}
	if _, count := diagnosed(t, func() { checkDefault(&negativeZero) }); count != 0 {
		t.Errorf("-0 counted as %d non-default values", count)
	}
	if _, count := diagnosed(t, func() { checkDefault(&scalars{F64: math.NaN()}) }); count != 1 {
		t.Errorf("NaN counted as %d non-default values, want 1", count)
	}
}

func TestNonDefault_notExamined(t *testing.T) {
	type nested struct{ X int }
	type others struct {
		Slice     []int
		Map       map[int]int
		Array     [1]int
		Interface interface{}
		Complex   complex128
		Chan      chan int
		Func      func()
		Nested    nested
		Pointer   *nested
		hidden    int
	}
	v := others{[]int{1}, map[int]int{1: 1}, [1]int{1}, 1, 1i, make(chan int), func() {}, nested{1},
		&nested{1}, 1}
	printed, count := diagnosed(t, func() { checkDefault(&v) })
	expect(t, "others", printed, "", count, 0)
	printed, count = diagnosed(t, func() { checkDefault(nil) })
	expect(t, "nil", printed, "", count, 0)
	printed, count = diagnosed(t, func() { checkDefault((*others)(nil)) })
	expect(t, "nil pointer", printed, "", count, 0)
}

func TestNonDefault_depthAndName(t *testing.T) {
	type named int
	type leaf struct{ X, Y int }
	type tree struct{ Leaf leaf }
	i, n, p := 5, named(5), &leaf{X: 1}
	pi := &i
	for _, test := range []struct {
		what   string
		target interface{}
		name   string // "" if no warning is expected
	}{
		{"int", &i, "int"},
		{"named int", &n, "named"},
		{"field", &leaf{Y: 1}, "Y"},
		{"scalar behind two pointers", &pi, "int"},
		{"field behind two pointers", &p, ""},
		{"nested field", &tree{leaf{X: 1}}, ""},
		{"nested field without pointer", tree{leaf{X: 1}}, "Leaf.X"},
	} {
		forgetErrors(t)
		wantPrinted, wantCount := "", 0
		if test.name != "" {
			wantPrinted = "labgob warning: Decoding into a non-default variable/field " + test.name +
				" may not work\n"
			wantCount = 1
		}
		printed, count := diagnosed(t, func() { checkDefault(test.target) })
		expect(t, test.what, printed, wantPrinted, count, wantCount)
	}
}

// A variable of a plain type that is not zero causes a warning and keeps the fields that the message omits.
func TestNonDefault_plainTypes(t *testing.T) {
	var stream bytes.Buffer
	enc, dec := NewEncoder(&stream), NewDecoder(&stream)
	message, err := Marshal(point{Y: 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := enc.Encode(point{}); err != nil {
		t.Fatal(err)
	}
	if err := dec.Decode(new(point)); err != nil || dec.known == nil {
		t.Fatal(err, dec.known)
	}
	for name, decode := range map[string]func(p *point) error{
		"Unmarshal":     func(p *point) error { return message.Unmarshal(p) },
		"UnmarshalLast": func(p *point) error { return message.UnmarshalLast(p) },
		"Decode":        func(p *point) error { return errors.Join(enc.Encode(point{Y: 2}), dec.Decode(p)) },
	} {
		forgetErrors(t)
		used := point{X: 5}
		printed, count := diagnosed(t, func() { err = decode(&used) })
		expect(t, name, printed, "labgob warning: Decoding into a non-default variable/field X may not work\n", count, 1)
		if err != nil || used != (point{X: 5, Y: 2}) {
			t.Errorf("%s: %+v, %v", name, used, err)
		}
		printed, count = diagnosed(t, func() { err = decode(new(point)) })
		expect(t, name+" into a zero variable", printed, "", count, 0)
	}
}

// Encoding a nil pointer panics as with gob, even if the stream has its type already.
func TestNilPointer_encode(t *testing.T) {
	send := func(encode func(any) error) (panicked any) {
		defer func() { panicked = recover() }()
		if err := encode(&point{X: 1}); err != nil {
			t.Fatal(err)
		}
		return encode((*point)(nil))
	}
	ours, gobs := send(NewEncoder(io.Discard).Encode), send(gob.NewEncoder(io.Discard).Encode)
	if ours != gobs || ours == nil {
		t.Errorf("%v, with gob %v", ours, gobs)
	}
}

// Decoding into a nil pointer returns the same error as gob, even if the stream has its type already.
func TestNilPointer_decode(t *testing.T) {
	var stream bytes.Buffer
	enc, dec := NewEncoder(&stream), NewDecoder(&stream)
	message, err := Marshal(point{Y: 2})
	if err := errors.Join(err, enc.Encode(point{}), dec.Decode(new(point)), enc.Encode(point{})); err != nil {
		t.Fatal(err)
	}
	want := gob.NewDecoder(&bytes.Buffer{}).Decode((*point)(nil))
	for name, err := range map[string]error{"Unmarshal": message.Unmarshal((*point)(nil)), "Decode": dec.Decode((*point)(nil))} {
		if err == nil || err.Error() != want.Error() {
			t.Errorf("%s: %v, from gob %v", name, err, want)
		}
	}
}

func TestNonDefault_printsOnlyFirst(t *testing.T) {
	forgetErrors(t)
	i := 1
	if printed, _ := diagnosed(t, func() { checkDefault(&i) }); printed == "" {
		t.Error("the first warning was not printed")
	}
	printed, count := diagnosed(t, func() { checkDefault(&i) })
	expect(t, "the second warning", printed, "", count, 1)
}

func TestChecks_doNotChangeResults(t *testing.T) {
	type v struct{ X, Y int }
	var stream bytes.Buffer
	if err := NewEncoder(&stream).Encode(v{X: 1}); err != nil {
		t.Fatal(err)
	}
	got := v{X: 5, Y: 5}
	if err := NewDecoder(&stream).Decode(&got); err != nil || got != (v{1, 5}) {
		t.Errorf("decoded %+v with error %v, want X sent and Y kept", got, err)
	}
	if err := NewDecoder(&stream).Decode(new(v)); err != io.EOF {
		t.Errorf("decoding at the end: %v, want io.EOF", err)
	}
	if err := NewEncoder(io.Discard).Encode(make(chan int)); err == nil {
		t.Error("a channel was encoded without an error")
	}
}
