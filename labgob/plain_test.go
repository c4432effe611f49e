package labgob

import (
	"bytes"
	"encoding/gob"
	"math"
	"reflect"
	"strings"
	"testing"
	"testing/quick"
	"time"
)

type level int8

type leaf struct {
	Yes   bool
	Text  string
	Bytes []byte
}

// everything has fields of all kinds that a plain type can have.
type everything struct {
	I            int
	I8           level
	I16          int16
	I32          int32
	I64          int64
	U            uint
	U8           uint8
	U16          uint16
	U32          uint32
	U64          uint64
	Leaf         leaf
	Leaves       []leaf
	Levels       []level
	Flags        []bool
	Words        []string
	Pieces       [][]byte
	Table        [][]uint
	ManyTables   [][][]int64
	Nothing      leaf
	LastOfFields int
}

// A gobConnection is a gob stream that already has the description of the type.
type gobConnection struct {
	buf bytes.Buffer
	enc *gob.Encoder
	dec *gob.Decoder
}

func newGobConnection(t *testing.T, zero reflect.Value) *gobConnection {
	t.Helper()
	c := new(gobConnection)
	c.enc, c.dec = gob.NewEncoder(&c.buf), gob.NewDecoder(&c.buf)
	c.through(t, zero)
	return c
}

// through encodes v and decodes it. It returns the bytes of the message and the decoded value.
func (c *gobConnection) through(t *testing.T, v reflect.Value) (wire []byte, got reflect.Value) {
	t.Helper()
	if err := c.enc.EncodeValue(v); err != nil {
		t.Fatal(err)
	}
	wire, got = bytes.Clone(c.buf.Bytes()), reflect.New(v.Type())
	if err := c.dec.DecodeValue(got); err != nil {
		t.Fatal(err)
	}
	return wire, got.Elem()
}

// Messages of plain types have the same bytes as with gob, and are decoded to the same values.
func TestPlain_isWhatGobSends(t *testing.T) {
	for _, zero := range []any{
		everything{}, leaf{}, 0, level(0), uint64(0), true, "", []byte(nil), []string(nil), [][]leaf(nil), []everything(nil),
	} {
		typ := reflect.TypeOf(zero)
		if codecOf(typ).plain == nil {
			t.Errorf("%v is not plain", typ)
			continue
		}
		connection := newGobConnection(t, reflect.Zero(typ))
		same := func(v reflect.Value) bool {
			wire, want := connection.through(t, v)
			message, err := MarshalValue(v)
			if err != nil || !bytes.Equal(message.whole(), wire) {
				t.Errorf("%#v: message % x, gob % x", v, message.whole(), wire)
				return false
			}
			for _, keep := range []bool{false, true} {
				got := reflect.New(typ)
				if !codecOf(typ).decodePlain(message.encoded, got.Interface(), keep) || !reflect.DeepEqual(got.Elem().Interface(), want.Interface()) {
					t.Errorf("keep %v: was decoded as %#v, from gob as %#v", keep, got.Elem(), want)
					return false
				}
			}
			message.Release()
			return true
		}
		same(reflect.Zero(typ))
		random := reflect.MakeFunc(reflect.FuncOf([]reflect.Type{typ}, []reflect.Type{reflect.TypeFor[bool]()}, false),
			func(args []reflect.Value) []reflect.Value { return []reflect.Value{reflect.ValueOf(same(args[0]))} })
		if err := quick.Check(random.Interface(), nil); err != nil {
			t.Error(err)
		}
	}
}

func TestPlain_limits(t *testing.T) {
	connection := newGobConnection(t, reflect.ValueOf(everything{}))
	for _, v := range []everything{
		{I: math.MinInt, I8: math.MinInt8, I16: math.MinInt16, I32: math.MinInt32, I64: math.MinInt64},
		{I: math.MaxInt, I8: math.MaxInt8, I16: math.MaxInt16, I32: math.MaxInt32, I64: math.MaxInt64},
		{U: math.MaxUint, U8: math.MaxUint8, U16: math.MaxUint16, U32: math.MaxUint32, U64: math.MaxUint64},
		{I: 63, I64: 64, U: 127, U64: 128}, {I: -64, I64: -65, U: 255, U64: 256},
		{Words: []string{}, Pieces: [][]byte{{}, nil, {0}}, Leaves: []leaf{{}}, Leaf: leaf{Bytes: []byte{}}},
		{Leaf: leaf{Text: string(make([]byte, 1<<16))}},
	} {
		wire, want := connection.through(t, reflect.ValueOf(v))
		message, err := Marshal(&v)
		if err != nil || !bytes.Equal(message.whole(), wire) {
			t.Errorf("%+v: message % x, gob % x (%v)", v, message.whole(), wire, err)
		}
		if got := through(t, v); !reflect.DeepEqual(got, want.Interface()) {
			t.Errorf("%+v was decoded as %+v, from gob as %+v", v, got, want)
		}
	}
}

// Unexported fields and channels are neither sent nor counted in the numbers of the fields.
func TestPlain_hiddenFields(t *testing.T) {
	type hiding struct {
		first int
		X     int
		then  chan int
		Y     string
	}
	v := hiding{1, 2, make(chan int), "y"}
	wire, want := newGobConnection(t, reflect.ValueOf(v)).through(t, reflect.ValueOf(v))
	message, err := Marshal(v)
	if err != nil || !bytes.Equal(message.whole(), wire) || codecOf(reflect.TypeOf(v)).plain == nil {
		t.Errorf("message % x, gob % x (%v)", message.whole(), wire, err)
	}
	if got := through(t, v); got != (hiding{X: 2, Y: "y"}) || got != want.Interface() {
		t.Errorf("was decoded as %+v", got)
	}
}

// These types are not plain.
func TestPlain_otherTypes(t *testing.T) {
	type self struct{ Children []self }
	for _, v := range []any{
		1.5, map[string]int{}, [2]int{}, holder{}, tree{}, self{}, opaque{1}, struct{ O []opaque }{}, time.Now(),
		struct {
			Done chan bool
			N    int
		}{}, struct{ P *int }{},
	} {
		if codecOf(reflect.TypeOf(v)).plain != nil {
			t.Errorf("%T is plain", v)
		}
	}
}

// The strings of a small message share one allocation, but one string keeps at most maxText bytes in memory.
func TestPlain_allocationsOfStrings(t *testing.T) {
	type texts struct{ A, B, C string }
	for _, c := range []struct {
		length int // of each string
		allocs float64
	}{{30, 1}, {100, 3}} {
		text := strings.Repeat("x", c.length)
		message, err := Marshal(texts{text, text, text})
		if err != nil {
			t.Fatal(err)
		}
		var got texts
		allocs := testing.AllocsPerRun(100, func() {
			got = texts{}
			if !codecOf(reflect.TypeFor[texts]()).decodePlain(message.encoded, &got, false) {
				t.Error("not decoded")
			}
		})
		if want := (texts{text, text, text}); got != want || allocs != c.allocs {
			t.Errorf("length %d: %+v in %v allocations, want %v", c.length, got, allocs, c.allocs)
		}
	}
}

// A non-zero variable keeps the fields that the message omits.
func TestPlain_intoNonZeroVariable(t *testing.T) {
	message, err := Marshal(leaf{Text: "new"})
	if err != nil {
		t.Fatal(err)
	}
	used := leaf{Bytes: []byte("old")}
	if err := message.Unmarshal(&used); err != nil || used.Text != "new" || string(used.Bytes) != "old" {
		t.Errorf("%+v, %v", used, err)
	}
}

// Decoding a damaged message does not panic, and leaves the variable zero when it fails.
func TestPlain_damage(t *testing.T) {
	message, err := Marshal(everything{I: 300, Words: []string{"a", "b"}, Leaves: []leaf{{Text: "x"}, {}}, Table: [][]uint{{1}, {2, 3}}})
	if err != nil {
		t.Fatal(err)
	}
	c := codecOf(reflect.TypeFor[everything]())
	for at := range message.data {
		for bit := range 8 {
			damaged := bytes.Clone(message.data)
			damaged[at] ^= 1 << bit
			for _, data := range [][]byte{damaged, damaged[:at]} {
				var v everything
				if !c.decodePlain(encoded{data: data}, &v, false) && !reflect.ValueOf(v).IsZero() {
					t.Fatalf("% x left %+v", data, v)
				}
			}
		}
	}
}

// A message with bytes or a shared string after its value is not decoded as plain.
func TestPlain_leftovers(t *testing.T) {
	c := codecOf(reflect.TypeFor[leaf]())
	for name, test := range map[string]struct {
		more   []byte
		shared []sharedString
		want   bool
	}{
		"nothing":         {want: true},
		"a byte":          {more: []byte{0}},
		"a shared string": {shared: []sharedString{{1 << 10, "more"}}},
		"both":            {[]byte{0}, []sharedString{{1 << 10, "more"}}, false},
	} {
		value := plainWriter{}
		c.plain.write(&value, reflect.ValueOf(leaf{Text: "x"}))
		value.data = append(append(bytes.Clone(c.typeID), value.data...), test.more...)
		value.shared = test.shared
		message := encoded{append(appendUint(nil, uint64(value.length())), value.data...), test.shared}
		var got leaf
		if ok := c.decodePlain(message, &got, false); ok != test.want || ok != (got.Text == "x") {
			t.Errorf("%s: decoded %v, to %+v", name, ok, got)
		}
	}
}
