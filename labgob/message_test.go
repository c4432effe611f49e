package labgob

import (
	"bytes"
	"encoding/gob"
	"errors"
	"io"
	"math/big"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

type point struct {
	X, Y int
	Name string
}

type tree struct {
	Value    int
	Children []*tree
	ByName   map[string]tree
}

type holder struct {
	Any interface{}
}

type opaque struct {
	secret int
}

func (o opaque) GobEncode() ([]byte, error) { return []byte{byte(o.secret)}, nil }

func (o *opaque) GobDecode(data []byte) error {
	if len(data) != 1 || data[0] == 255 {
		return errors.New("opaque: bad data")
	}
	o.secret = int(data[0])
	return nil
}

// GobEncode of a zero fussy panics.
type fussy struct {
	n int
}

func (f fussy) GobEncode() ([]byte, error) {
	if f.n == 0 {
		panic("fussy: zero")
	}
	return []byte{byte(f.n)}, nil
}

func (f *fussy) GobDecode(data []byte) error { f.n = int(data[0]); return nil }

// through encodes v as a Message, decodes it into a new variable of the same type and returns the result.
func through(t *testing.T, v interface{}) interface{} {
	t.Helper()
	msg, err := Marshal(v)
	if err != nil {
		t.Fatalf("Marshal(%T): %v", v, err)
	}
	target := reflect.New(reflect.TypeOf(v))
	if err := msg.Unmarshal(target.Interface()); err != nil {
		t.Fatalf("Unmarshal into %T: %v", target.Interface(), err)
	}
	return target.Elem().Interface()
}

func TestMessage_roundTrips(t *testing.T) {
	n := 5
	Register(point{})
	for _, v := range []interface{}{
		0, 7, -1, "", "text", true, 1.5, 2i, []byte("bytes"), []string{"a", ""}, [2]point{{X: 1}, {Y: 2}},
		map[string][]int{"a": {1, 2}}, &n,
		point{}, point{1, 2, "p"}, &point{3, 4, "q"}, []point{{}, {X: 1}}, map[point]*point{{X: 1}: {Y: 2}},
		tree{1, []*tree{{2, nil, nil}}, map[string]tree{"x": {3, nil, nil}}},
		holder{}, holder{point{X: 1}}, []interface{}{nil, 1, "x", point{}},
		opaque{3}, &opaque{3}, []opaque{{1}, {0}}, struct{ O opaque }{opaque{9}}, big.NewInt(1 << 40),
		struct{ At time.Time }{time.Unix(1, 2).UTC()},
		[1]fussy{{1}}, struct{ F *fussy }{&fussy{2}},
		[1]*point{{X: 1}}, struct{ A [1]*point }{[1]*point{{}}},
	} {
		for range 3 { // the first makes the codec, the others use it again
			if got := through(t, v); !reflect.DeepEqual(got, v) {
				t.Errorf("%T %+v was decoded as %+v", v, v, got)
			}
		}
	}
}

func TestMessage_hasNoDescription(t *testing.T) {
	for range 3 {
		msg, err := Marshal(&point{X: 1})
		if err != nil {
			t.Fatal(err)
		}
		// Length, type id (two bytes at least, user types begin at 64), field delta, field, end.
		if msg.Len() > 8 {
			t.Errorf("a struct with one small field takes %d bytes", msg.Len())
		}
	}
}

func TestMessage_isWhatGobSends(t *testing.T) {
	var stream bytes.Buffer
	enc := gob.NewEncoder(&stream)
	for _, v := range []point{{1, 2, "a"}, {3, 4, "b"}, {}} {
		stream.Reset()
		if err := enc.Encode(v); err != nil {
			t.Fatal(err)
		}
		stream.Reset()
		if err := enc.Encode(v); err != nil { // without the description
			t.Fatal(err)
		}
		msg, err := Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(msg.data, stream.Bytes()) {
			t.Errorf("%v: message % x, stream % x", v, msg.data, stream.Bytes())
		}
	}
}

func TestMessage_whichTypesDescribeThemselves(t *testing.T) {
	type wrapped struct{ M map[string][]*holder }
	type hidden struct {
		X   int
		any interface{} // not sent
	}
	_ = hidden{any: 1}
	type encoded struct{ O opaque }
	for _, test := range []struct {
		v    interface{}
		want bool
	}{
		{0, true}, {point{}, true}, {&point{}, true}, {tree{}, true}, {hidden{}, true}, {encoded{}, true},
		{[]time.Time{}, true},
		{holder{}, false}, {wrapped{}, false}, {[]interface{}{}, false}, {map[interface{}]int{}, false},
		{opaque{}, false}, {&opaque{}, false}, {[1]*point{}, false}, {[1]fussy{}, false},
		{struct{ x int }{1}, false}, {make(chan int), false},
	} {
		if got := codecOf(reflect.TypeOf(test.v)).described; got != test.want {
			t.Errorf("%T: described = %v, want %v", test.v, got, test.want)
		}
	}
	if codecOf(reflect.TypeFor[point]()) != codecOf(reflect.TypeFor[**point]()) {
		t.Error("a type and a pointer to it do not share a codec")
	}
}

// A lateCarrier is encoded with a lateInner in an interface.
type lateCarrier struct{}

type lateInner struct{ N int }

func (lateCarrier) GobEncode() ([]byte, error) {
	var buf bytes.Buffer
	var carried interface{} = lateInner{1}
	err := gob.NewEncoder(&buf).Encode(&carried)
	return buf.Bytes(), err
}

func (*lateCarrier) GobDecode([]byte) error { return nil }

var registerLateInner sync.Once

// A type that gob cannot encode until another one is registered has messages without a description from then on.
func TestMessage_registeredLater(t *testing.T) {
	type carriers [2]lateCarrier
	registerLateInner.Do(func() { // once a process: -count may repeat the test
		if _, err := Marshal(carriers{}); err == nil {
			t.Error("encoded before the type was registered")
		}
		Register(lateInner{})
	})
	if _, err := Marshal(carriers{}); err != nil || !codecOf(reflect.TypeFor[carriers]()).described {
		t.Errorf("after the type was registered: %v; the message describes its type", err)
	}
}

func TestMessage_recursivePointerType(t *testing.T) {
	type loop *loop
	var l loop
	l = &l
	if _, err := Marshal(l); err == nil {
		t.Error("gob's error for a pointer type that refers to itself was lost")
	}
	if err := NewEncoder(io.Discard).Encode(l); err == nil {
		t.Error("a stream lost gob's error for a pointer type that refers to itself")
	}
}

func TestMessage_intoAnotherType(t *testing.T) {
	type narrow struct {
		Name string
		X    int64
	}
	type other struct{ Z int }
	msg, err := Marshal(point{1, 2, "p"})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		var n narrow
		if err := msg.Unmarshal(&n); err != nil || n != (narrow{"p", 1}) {
			t.Errorf("decoded %+v with error %v", n, err)
		}
		if err := msg.Unmarshal(new(other)); err == nil {
			t.Error("a struct without any common field was accepted")
		}
		if err := msg.Unmarshal(new(string)); err == nil {
			t.Error("a string was accepted for a struct")
		}
		if err := msg.Unmarshal(n); err == nil {
			t.Error("a non-pointer was accepted")
		}
	}
}

func TestMessage_failureDoesNotAffectLaterMessages(t *testing.T) {
	good := []*point{{X: 1}}
	bad := []*point{nil}
	for range 20 {
		if msg, err := Marshal(bad); err == nil {
			t.Fatalf("a nil element was encoded as % x", msg.data)
		}
		if got := through(t, good); !reflect.DeepEqual(got, good) {
			t.Fatalf("after a failed encoding, %+v was decoded as %+v", good[0], got)
		}
		type secret struct{ O opaque }
		msg, err := Marshal(secret{opaque{255}})
		if err != nil {
			t.Fatal(err)
		}
		if err := msg.Unmarshal(new(secret)); err == nil {
			t.Fatal("GobDecode's error was lost")
		}
		if got := through(t, secret{opaque{7}}); got != (secret{opaque{7}}) {
			t.Fatalf("after a failed decoding, 7 was decoded as %+v", got)
		}
	}
}

func TestMessage_nilPointerPanicsLikeGob(t *testing.T) {
	for range 2 {
		func() {
			defer func() {
				if r, ok := recover().(string); !ok || !strings.Contains(r, "nil pointer") {
					t.Errorf("a nil *point: recovered %v", r)
				}
			}()
			Marshal((*point)(nil))
		}()
		through(t, point{X: 1})
	}
}

func TestMessage_errorHasTheBytesGobWrote(t *testing.T) {
	type closed struct{ x int }
	msg, err := Marshal(closed{1})
	if err == nil {
		t.Fatal("a struct without exported fields was encoded")
	}
	var stream bytes.Buffer
	gob.NewEncoder(&stream).Encode(closed{1})
	if !bytes.Equal(msg.data, stream.Bytes()) {
		t.Errorf("message % x, gob % x", msg.data, stream.Bytes())
	}
	if err := (Message{}).Unmarshal(new(int)); err != io.EOF {
		t.Errorf("zero Message: %v, want io.EOF", err)
	}
}

func TestMessage_large(t *testing.T) {
	for _, size := range []int{1 << 10, maxKept, 1 << 20} {
		want := bytes.Repeat([]byte("x"), size)
		for range 3 {
			if got := through(t, want).([]byte); !bytes.Equal(got, want) {
				t.Fatalf("%d bytes were decoded differently", size)
			}
		}
	}
}

func TestMessage_doesNotShareMemory(t *testing.T) {
	sent := struct{ B []byte }{[]byte("abc")}
	msg, err := Marshal(sent)
	if err != nil {
		t.Fatal(err)
	}
	sent.B[0] = 'x'
	first, second := sent, sent
	first.B, second.B = nil, nil
	if err := errors.Join(msg.Unmarshal(&first), msg.Unmarshal(&second)); err != nil {
		t.Fatal(err)
	}
	first.B[1] = 'x'
	if string(second.B) != "abc" {
		t.Errorf("second decoding %q, want abc", second.B)
	}
}

func TestMessage_concurrently(t *testing.T) {
	var wait sync.WaitGroup
	for g := range 8 {
		wait.Go(func() {
			for i := range 200 {
				want := tree{g, []*tree{{Value: i}}, nil}
				msg, err := Marshal(want)
				var got tree
				if err == nil {
					err = msg.Unmarshal(&got)
				}
				if err != nil || got.Value != g || got.Children[0].Value != i {
					t.Errorf("%d/%d was decoded as %+v, %v", g, i, got, err)
					return
				}
			}
		})
	}
	wait.Wait()
}

// Only UnmarshalLast of a large message gives memory of it away, and only to a slice of more than half of it.
func TestMessage_lastDecoding(t *testing.T) {
	type letter struct{ Head, Body, Tail []byte }
	for _, size := range []int{minOwned / 2, 2 * minOwned} {
		sent := letter{make([]byte, size/8), make([]byte, size), make([]byte, size/8)}
		for _, last := range []bool{false, true} {
			msg, err := Marshal(sent)
			if err != nil {
				t.Fatal(err)
			}
			var got letter
			decode := msg.Unmarshal
			if last {
				decode = msg.UnmarshalLast
			}
			if err := decode(&got); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, sent) {
				t.Fatalf("%d bytes, last %v: decoded another value", size, last)
			}
			for k := range msg.data {
				msg.data[k] = 0xff
			}
			if bytes.Contains(got.Head, []byte{0xff}) || bytes.Contains(got.Tail, []byte{0xff}) {
				t.Errorf("%d bytes, last %v: a small part shares the message's memory", size, last)
			}
			if kept := bytes.Contains(got.Body, []byte{0xff}); kept != (last && size > minOwned) {
				t.Errorf("%d bytes, last %v: the large part shares the message's memory: %v", size, last, kept)
			}
			if last && cap(got.Body) != len(got.Body) && size > minOwned {
				t.Errorf("%d bytes, last %v: appending to the large part would overwrite the rest", size, last)
			}
		}
	}
}

// A byte slice keeps a large message's memory only if it is more than half of it.
func TestMessage_lastDecodingOfHalves(t *testing.T) {
	type letter struct{ Head, Body []byte }
	for body, want := range map[int]bool{2 * minOwned: false, 3*minOwned - 100: false, 3*minOwned + 100: true} {
		var got letter
		msg, err := Marshal(letter{Head: make([]byte, 6*minOwned-body), Body: make([]byte, body)})
		if err != nil {
			t.Fatal(err)
		}
		if err := msg.UnmarshalLast(&got); err != nil {
			t.Fatal(err)
		}
		for k := range msg.data {
			msg.data[k] = 0xff
		}
		if kept := got.Body[0] == 0xff; kept != want {
			t.Errorf("%d bytes of %d: shares the message's memory: %v", body, msg.Len(), kept)
		}
	}
}

// The memory of a large message is not used again when the message is released.
func TestMessage_largeIsNotReused(t *testing.T) {
	msg, err := Marshal(make([]byte, minOwned))
	if err != nil {
		t.Fatal(err)
	}
	var got []byte
	if err := msg.UnmarshalLast(&got); err != nil {
		t.Fatal(err)
	}
	msg.Release()
	for range 100 {
		other, err := Marshal(bytes.Repeat([]byte{1}, minOwned))
		if err != nil {
			t.Fatal(err)
		}
		other.Release()
	}
	if bytes.Contains(got, []byte{1}) {
		t.Error("another message has overwritten the decoded value")
	}
}
