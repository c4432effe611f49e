package labgob

import (
	"bytes"
	"testing"
)

// These three tests check what the course's tests of labgob check.

type inner struct {
	N0 int
	N1 int
	S0 string
	S1 string
}

type registered struct {
	N int
}

type outer struct {
	Slice []inner
	Map   map[int]*inner
	Any   interface{}
}

func TestGOB(t *testing.T) {
	before := errorCount
	Register(registered{})

	var stream bytes.Buffer
	enc := NewEncoder(&stream)
	for _, v := range []interface{}{
		0,
		1,
		inner{N1: 7, S1: "6.824"},
		outer{make([]inner, 2), map[int]*inner{99: {S1: "y"}}, registered{999}},
	} {
		if err := enc.Encode(v); err != nil {
			t.Fatalf("encoding %v: %v", v, err)
		}
	}

	var (
		i0, i1 int
		in     inner
		out    outer
	)
	dec := NewDecoder(&stream)
	for _, p := range []interface{}{&i0, &i1, &in, &out} {
		if err := dec.Decode(p); err != nil {
			t.Fatalf("decoding a %T: %v", p, err)
		}
	}
	if i0 != 0 || i1 != 1 {
		t.Errorf("decoded ints %d and %d, want 0 and 1", i0, i1)
	}
	if want := (inner{N1: 7, S1: "6.824"}); in != want {
		t.Errorf("decoded struct %+v, want %+v", in, want)
	}
	if len(out.Slice) != 2 || out.Slice[0] != (inner{}) || out.Slice[1] != (inner{}) {
		t.Errorf("decoded slice %+v, want two zero elements", out.Slice)
	}
	if len(out.Map) != 1 || out.Map[99] == nil || *out.Map[99] != (inner{S1: "y"}) {
		t.Errorf("decoded map %+v, want only 99 with S1 = y", out.Map)
	}
	if out.Any != (registered{999}) {
		t.Errorf("decoded interface %#v, want registered{999}", out.Any)
	}
	if errorCount != before {
		t.Errorf("errorCount rose by %d although no type has a mistake", errorCount-before)
	}
}

func TestCapital(t *testing.T) {
	forgetTypes()
	type mixed struct {
		Upper int
		lower int
	}
	_ = mixed{lower: 1}
	before := errorCount

	var stream bytes.Buffer
	if err := NewEncoder(&stream).Encode([]map[*mixed]int{}); err != nil {
		t.Fatal(err)
	}
	var byValue []map[mixed]int
	if err := NewDecoder(&stream).Decode(&byValue); err != nil {
		t.Fatal(err)
	}
	if errorCount != before+1 {
		t.Fatal("failed to warn about lower-case field")
	}
}

func TestDefault(t *testing.T) {
	type oneInt struct {
		X int
	}
	before := errorCount

	var stream bytes.Buffer
	if err := NewEncoder(&stream).Encode(oneInt{0}); err != nil {
		t.Fatal(err)
	}
	reply := oneInt{99}
	if err := NewDecoder(&stream).Decode(&reply); err != nil {
		t.Fatal(err)
	}
	if errorCount != before+1 {
		t.Fatal("failed to warn about decoding into non-default value")
	}
}
