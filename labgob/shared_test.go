package labgob

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"unsafe"
)

// mixedWords returns a value with strings below, at and above the length of a shared string, in many orders.
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

// A message with shared strings has the bytes and the length of gob's message, and is decoded to the same value. Releasing
// the message does not change the decoded value.
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
		t.Errorf("was decoded as %+v, %v", first, err)
	}
	if err := message.UnmarshalLast(&last); err != nil || !reflect.DeepEqual(last, want.Interface()) {
		t.Errorf("was decoded by UnmarshalLast as %+v, %v", last, err)
	}
	message.Release()
	through(t, everything{Words: []string{strings.Repeat("y", 99)}}) // may use the released memory
	if !reflect.DeepEqual(last, want.Interface()) {
		t.Errorf("changed to %+v after the release", last)
	}
}

// Only strings of minShared bytes or more are shared.
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

// Decoding a message with shared strings into another type or a non-zero variable works as with gob.
func TestShared_intoOtherVariables(t *testing.T) {
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

// A stream shares no strings, because it may be sent to another process.
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

// Messages whose shared strings have a wrong position or length are not decoded.
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

// A message whose length takes five bytes has the same bytes as with gob.
func TestShared_largeLength(t *testing.T) {
	v := leaf{Text: strings.Repeat("x", 1<<24)}
	wire, _ := newGobConnection(t, reflect.ValueOf(leaf{})).through(t, reflect.ValueOf(v))
	message, err := Marshal(v)
	if err != nil || message.Len() != len(wire) || !bytes.Equal(message.whole()[:32], wire[:32]) {
		t.Errorf("% x..., %d bytes (%v), gob sends % x..., %d", message.whole()[:32], message.Len(), err, wire[:32], len(wire))
	}
	var got leaf
	if err := message.Unmarshal(&got); err != nil || got.Text != v.Text {
		t.Errorf("was decoded as %d bytes, %v", len(got.Text), err)
	}
}
