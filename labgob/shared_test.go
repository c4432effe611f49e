package labgob

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"unsafe"
)

// Strings that are long, nearly long, and short, in every order.
func mixedWords() everything {
	long, nearly := strings.Repeat("long ", minShared), strings.Repeat("x", minShared-1)
	return everything{
		I:      1,
		Leaf:   leaf{Text: long, Bytes: []byte("bytes")},
		Leaves: []leaf{{Text: nearly}, {}, {Yes: true, Text: long[:minShared], Bytes: []byte(long)}},
		Words:  []string{long, long[1:], "", nearly, "short", long, long[:minShared], "end"},
		Pieces: [][]byte{[]byte(long)},
	}
}

// A message that shares strings has the bytes that gob sends, all of them counted, and they come out of it, for good.
func TestShared_isWhatGobSends(t *testing.T) {
	v := mixedWords()
	wire, want := newGobConnection(t, reflect.ValueOf(everything{})).through(t, reflect.ValueOf(v))
	message, err := Marshal(&v)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(message.whole(), wire) || message.Len() != len(wire) {
		t.Errorf("%d bytes (Len: %d), gob sends %d", len(message.whole()), message.Len(), len(wire))
	}
	var first, last everything
	if err := message.Unmarshal(&first); err != nil || !reflect.DeepEqual(first, want.Interface()) {
		t.Errorf("came out as %+v, %v", first, err)
	}
	if err := message.UnmarshalLast(&last); err != nil || !reflect.DeepEqual(last, want.Interface()) {
		t.Errorf("came out at last as %+v, %v", last, err)
	}
	message.Release()
	through(t, everything{Words: []string{strings.Repeat("y", 99)}}) // in memory that was released
	if !reflect.DeepEqual(last, want.Interface()) {
		t.Errorf("became %+v", last)
	}
}

// A long string is shared, a shorter one is not: it may be a small part of something large.
func TestShared_onlyLongStrings(t *testing.T) {
	v := mixedWords()
	message, err := Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var got everything
	if err := message.Unmarshal(&got); err != nil {
		t.Fatal(err)
	}
	for k, word := range v.Words {
		if shared := unsafe.StringData(got.Words[k]) == unsafe.StringData(word); len(word) > 0 && shared != (len(word) >= minShared) {
			t.Errorf("a string of %d bytes: shared is %v", len(word), shared)
		}
	}
}

// Whoever decodes into another type, or into a variable in use, gets what gob makes of all the bytes.
func TestShared_otherReceivers(t *testing.T) {
	v := mixedWords()
	message, err := Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var other struct {
		Words  []string
		Absent int
		I      int64
	}
	if err := message.Unmarshal(&other); err != nil || !reflect.DeepEqual(other.Words, v.Words) || other.I != 1 {
		t.Errorf("%+v, %v", other, err)
	}
	used := everything{U: 5}
	if err := message.Unmarshal(&used); err != nil || used.U != 5 || !reflect.DeepEqual(used.Leaf, v.Leaf) {
		t.Errorf("%+v, %v", used, err)
	}
}

// A stream has all bytes: it may go anywhere.
func TestShared_notInStreams(t *testing.T) {
	var buf bytes.Buffer
	enc, dec := NewEncoder(&buf), NewDecoder(&buf)
	for range 3 {
		v, got := mixedWords(), everything{}
		if err := enc.Encode(v); err != nil {
			t.Fatal(err)
		}
		if err := dec.Decode(&got); err != nil || !reflect.DeepEqual(got.Words, v.Words) {
			t.Errorf("%+v, %v", got, err)
		}
		if unsafe.StringData(got.Words[0]) == unsafe.StringData(v.Words[0]) {
			t.Error("a stream shares a string")
		}
	}
}

// Nothing comes out of a message whose shared strings are not where they belong.
func TestShared_misplaced(t *testing.T) {
	message, err := Marshal(mixedWords())
	if err != nil {
		t.Fatal(err)
	}
	c := codecOf(reflect.TypeFor[everything]())
	for k := range message.shared {
		for _, change := range []func(s *sharedString){
			func(s *sharedString) { s.at++ },
			func(s *sharedString) { s.at-- },
			func(s *sharedString) { s.text += "more" },
			func(s *sharedString) { s.text = s.text[1:] },
		} {
			m := message.encoded
			m.shared = append([]sharedString(nil), m.shared...)
			change(&m.shared[k])
			var v everything
			if c.decodePlain(m, &v, false) || !reflect.ValueOf(v).IsZero() {
				t.Fatalf("shared string %d: decoded to %+v", k, v)
			}
		}
	}
}

// A message whose length takes five bytes, which no smaller one needs, is what gob sends.
func TestShared_largeLength(t *testing.T) {
	v := leaf{Text: strings.Repeat("x", 1<<24)}
	wire, _ := newGobConnection(t, reflect.ValueOf(leaf{})).through(t, reflect.ValueOf(v))
	message, err := Marshal(v)
	if err != nil || message.Len() != len(wire) || !bytes.Equal(message.whole()[:32], wire[:32]) {
		t.Errorf("% x..., %d bytes (%v), gob sends % x..., %d", message.whole()[:32], message.Len(), err, wire[:32], len(wire))
	}
	var got leaf
	if err := message.Unmarshal(&got); err != nil || got.Text != v.Text {
		t.Errorf("came out as %d bytes, %v", len(got.Text), err)
	}
}
