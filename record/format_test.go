package record

import (
	"math"
	"math/rand"
	"reflect"
	"strings"
	"testing"
	"testing/quick"
	"time"
	"unicode/utf8"
	"unsafe"
)

type node struct {
	Name string
	Next *node
	All  []*node
}

func cycle() *node {
	n := &node{Name: "n"}
	n.Next, n.All = n, []*node{n, n, nil}
	return n
}

// Values are shown in one short line, whatever they are.
func TestValue(t *testing.T) {
	type hidden struct{ secret int }
	var none *node
	for _, c := range []struct {
		v    any
		want string
	}{
		{nil, "nil"}, {none, "nil"}, {7, "7"}, {-7, "-7"}, {uint8(200), "200"}, {true, "true"}, {math.NaN(), "NaN"}, {math.Inf(-1), "-Inf"},
		{1.5, "1.5"}, {complex(1, -2), "(1-2i)"}, {"x\n</script>", `"x\n</script>"`}, {[]byte("ab\xff"), "(3 bytes)"}, {"\x02ab", "(3 bytes)"}, {[]int{}, "[0]"},
		{[]int{1, 2}, "[2]{1 2}"}, {[2]bool{true}, "[2]{true false}"}, {map[string]int{"a": 1}, "map of 1"}, {struct{}{}, "{}"}, {hidden{7}, "{}"},
		{struct {
			A int
			b int
			C string
		}{1, 2, "x"}, `{A:1 C:"x"}`}, {make(chan int), "chan"}, {func() {}, "func"}, {unsafe.Pointer(none), "unsafe.Pointer"},
		{&[]any{nil, "x"}, `[2]{nil "x"}`},
		{strings.Repeat("é", 100), `"` + strings.Repeat("é", 30) + `"… (200 bytes)`},
		{make([]byte, 1000), "(1000 bytes)"},
		{cycle(), `{Name:"n" Next:{Name:"n" Next:{`},
	} {
		got := value(c.v, maxValue)
		if got != c.want && (len(got) < maxValue || !strings.HasPrefix(got, c.want)) {
			t.Errorf("%T is shown as %s, want %s", c.v, got, c.want)
		}
	}
}

// Huge values cost no more than small ones.
func TestHuge(t *testing.T) {
	huge := strings.Repeat("x", 100<<20)
	many := make([]node, 1<<20)
	begun := time.Now()
	for range 1000 {
		value(huge, maxValue)
		value(many, maxValue)
		value(struct{ A, B any }{&many, huge}, maxValue)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("3000 huge values took %v", took)
	}
}

// A wild value has a field of every kind that a message may have.
type wild struct {
	I   int8
	U   uintptr
	F   float32
	C   complex64
	S   string
	B   []byte
	L   [][]string
	M   map[int]string
	P   **string
	A   [3]any
	N   *wild
	End struct{ X, Y, Z, V, W float64 }
}

func (wild) Generate(r *rand.Rand, size int) reflect.Value {
	type plain wild
	var fields []func(w *plain)
	text := func() string {
		b := make([]byte, r.Intn(1+size*size))
		r.Read(b)
		return string(b)
	}
	fields = append(fields, func(w *plain) { w.S = text() }, func(w *plain) { w.B = []byte(text()) },
		func(w *plain) { w.L = [][]string{{text()}, nil, {text(), text()}} }, func(w *plain) { s := text(); p := &s; w.P = &p },
		func(w *plain) { w.F = float32(math.NaN()); w.C = complex64(complex(math.Inf(1), math.NaN())) },
		func(w *plain) { w.A = [3]any{text(), []any{w.B, 1, nil}, map[string]any{"x": w}} },
		func(w *plain) { w.N = (*wild)(w) }, func(w *plain) { w.End.V = math.Float64frombits(r.Uint64()) })
	w := new(plain)
	for _, set := range fields {
		if r.Intn(2) == 0 {
			set(w)
		}
	}
	return reflect.ValueOf(wild(*w))
}

// No value makes the printer panic or write much, or anything that is not text.
func TestWild(t *testing.T) {
	shown := func(w wild) bool {
		p := printer{limit: maxValue}
		p.fields(&w)
		line := value(w, maxValue)
		return len(p.b) < maxFields+3*maxValue && utf8.Valid(p.b) && len(line) <= 3*maxValue && utf8.ValidString(line) && !strings.Contains(line, "\n")
	}
	if err := quick.Check(shown, &quick.Config{MaxCount: 3000}); err != nil {
		t.Error(err)
	}
}
