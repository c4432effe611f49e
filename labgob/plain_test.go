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

// everything is made of all that a plain type can be made of.
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

// A gobConnection is a gob stream that has carried the type before.
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

// through sends v and returns what went over the wire and what came out.
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

// Whatever the value, a plain type's message is what gob sends, and it comes out as from gob.
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
					t.Errorf("keep %v: came out as %#v, from gob as %#v", keep, got.Elem(), want)
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
			t.Errorf("%+v came out as %+v, from gob as %+v", v, got, want)
		}
	}
}

// What gob does not send is not counted among the fields either.
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
		t.Errorf("came out as %+v", got)
	}
}

// Types that gob treats in a way of its own are left to it.
func TestPlain_notEveryType(t *testing.T) {
	type self struct{ Children []self }
	for _, v := range []any{
		1.5, map[string]int{}, [2]int{}, holder{}, tree{}, self{}, opaque{1}, struct{ O []opaque }{}, time.Now(),
		struct {
			Done chan bool
			N    int
		}{}, struct{ P *int }{},
	} {
		if codecOf(reflect.TypeOf(v)).plain != nil {
			t.Errorf("%T is taken for plain", v)
		}
	}
}

// The strings of a small message are one piece of memory, but a string keeps no more than maxText from being collected.
func TestPlain_stringsShareLittle(t *testing.T) {
	type texts struct{ A, B, C string }
	for _, c := range []struct {
		length int // of each string
		pieces float64
	}{{30, 1}, {100, 3}} {
		text := strings.Repeat("x", c.length)
		message, err := Marshal(texts{text, text, text})
		if err != nil {
			t.Fatal(err)
		}
		var got texts
		pieces := testing.AllocsPerRun(100, func() {
			got = texts{}
			if !codecOf(reflect.TypeFor[texts]()).decodePlain(message.encoded, &got, false) {
				t.Error("not decoded")
			}
		})
		if want := (texts{text, text, text}); got != want || pieces != c.pieces {
			t.Errorf("length %d: %+v in %v pieces of memory, want %v", c.length, got, pieces, c.pieces)
		}
	}
}

// What is already in a variable is gob's business: it keeps what the message leaves out.
func TestPlain_intoUsedVariable(t *testing.T) {
	message, err := Marshal(leaf{Text: "new"})
	if err != nil {
		t.Fatal(err)
	}
	used := leaf{Bytes: []byte("old")}
	if err := message.Unmarshal(&used); err != nil || used.Text != "new" || string(used.Bytes) != "old" {
		t.Errorf("%+v, %v", used, err)
	}
}

// No damage makes a message panic, or leave something behind when it fails.
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

// What follows a value within its message is left to gob, whether bytes or a shared string.
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
