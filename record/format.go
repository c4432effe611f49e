//go:build go1.25

package record

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// Bounds of what is shown, in bytes. They bound the time that it takes, too.
const (
	maxValue  = 60
	maxFields = 400
	maxDepth  = 5 // of pointers, structures and lists, some of which are in cycles
)

// words returns what a Stringer says of itself, in one line, and otherwise "". A stranger's method may panic.
func words(v any) (text string) {
	s, ok := v.(fmt.Stringer)
	if !ok {
		return ""
	}
	defer func() {
		if recover() != nil {
			text = ""
		}
	}()
	text, _, _ = strings.Cut(s.String(), "\n")
	return text
}

// Words are a command in words, which are shown as they are.
type Words string

// value returns a value in one line.
func value(v any, limit int) string {
	switch v := v.(type) {
	case int: // most commands of tests
		return strconv.Itoa(v)
	case Words:
		if len(v) > limit {
			return strings.ToValidUTF8(string(v[:limit]), "") + "…"
		}
		return string(v)
	}
	p := printer{b: make([]byte, 0, 2*limit), limit: limit}
	p.field(reflect.ValueOf(v))
	return string(p.b)
}

// structure returns the structure that v is or leads to, or the zero Value.
func structure(v any) reflect.Value {
	r := reflect.ValueOf(v)
	for range maxDepth {
		if k := r.Kind(); k != reflect.Pointer && k != reflect.Interface {
			break
		}
		r = r.Elem()
	}
	if r.Kind() != reflect.Struct {
		return reflect.Value{}
	}
	return r
}

// A printer appends values to b, as far as there is room. It reads exported fields only, since no others are sent, and no
// maps: another goroutine may be changing one, and to read it then would end the process.
type printer struct {
	b     []byte
	limit int  // of the value that is being appended
	start int  // of that value
	cut   bool // something was left out
}

// fields appends the fields of arguments or of a reply, a line each.
func (p *printer) fields(v any) {
	s := structure(v)
	if !s.IsValid() {
		p.field(reflect.ValueOf(v))
		return
	}
	for i, f := range fieldsOf(s.Type()) {
		if i > 0 {
			p.b = append(p.b, '\n')
		}
		if len(p.b) >= maxFields {
			p.b = append(p.b, "…"...)
			p.cut = true
			return
		}
		p.b = append(append(p.b, f.name...), ": "...)
		p.field(s.Field(f.index))
	}
}

// field appends one value of at most about p.limit bytes.
func (p *printer) field(v reflect.Value) {
	p.start = len(p.b)
	p.value(v, 0)
	if end := p.start + 2*p.limit; len(p.b) > end { // a string of bytes that are quoted
		for !utf8.RuneStart(p.b[end]) {
			end--
		}
		p.b = append(p.b[:end], "…"...)
		p.cut = true
	}
}

func (p *printer) room() int { return max(p.start+p.limit-len(p.b), 0) }

func (p *printer) value(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Invalid:
		p.b = append(p.b, "nil"...)
	case reflect.Bool:
		p.b = strconv.AppendBool(p.b, v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		p.b = strconv.AppendInt(p.b, v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		p.b = strconv.AppendUint(p.b, v.Uint(), 10)
	case reflect.Float32, reflect.Float64:
		p.b = strconv.AppendFloat(p.b, v.Float(), 'g', -1, 64)
	case reflect.Complex64, reflect.Complex128:
		p.b = append(p.b, strconv.FormatComplex(v.Complex(), 'g', -1, 128)...)
	case reflect.String:
		p.text(v.String(), v.Len())
	case reflect.Map:
		p.b = strconv.AppendInt(append(p.b, "map of "...), int64(v.Len()), 10)
	case reflect.Chan, reflect.Func, reflect.UnsafePointer:
		p.b = append(p.b, v.Kind().String()...)
	default:
		p.compound(v, depth)
	}
}

// text appends a string of n bytes, of which s is at least the beginning. It adds n if it leaves bytes out. Of what is no text
// it appends n only.
func (p *printer) text(s string, n int) {
	for i := range min(len(s), 16) {
		if s[i] < ' ' && s[i] != '\n' && s[i] != '\t' || s[i] == 0xff {
			p.b = append(strconv.AppendInt(append(p.b, '('), int64(n), 10), " bytes)"...)
			return
		}
	}
	end := min(p.room(), len(s))
	if end == n {
		p.b = strconv.AppendQuote(p.b, s)
		return
	}
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	p.b = append(strconv.AppendQuote(p.b, s[:end]), "… ("...)
	p.b = append(strconv.AppendInt(p.b, int64(n), 10), " bytes)"...)
	p.cut = true
}

// compound appends a value that holds others.
func (p *printer) compound(v reflect.Value, depth int) {
	switch k := v.Kind(); {
	case depth > maxDepth || p.room() == 0:
		p.b = append(p.b, "…"...)
		p.cut = true
	case k == reflect.Pointer || k == reflect.Interface:
		p.value(v.Elem(), depth+1)
	case k == reflect.Struct:
		all := fieldsOf(v.Type())
		p.parts(len(all), func(i int) {
			p.b = append(append(p.b, all[i].name...), ':')
			p.value(v.Field(all[i].index), depth+1)
		})
	case k == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
		p.text(string(v.Bytes()[:min(v.Len(), p.room()+1)]), v.Len())
	default: // a list
		p.b = append(strconv.AppendInt(append(p.b, '['), int64(v.Len()), 10), ']')
		if v.Len() > 0 {
			p.parts(v.Len(), func(i int) { p.value(v.Index(i), depth+1) })
		}
	}
}

// parts appends those of the n parts of a value for which there is room.
func (p *printer) parts(n int, part func(i int)) {
	p.b = append(p.b, '{')
	for i := range n {
		if i > 0 {
			p.b = append(p.b, ' ')
		}
		if i > 0 && p.room() == 0 {
			p.b = append(p.b, "…"...)
			p.cut = true
			break
		}
		part(i)
	}
	p.b = append(p.b, '}')
}

// A fieldName is an exported field of a structure.
type fieldName struct {
	index int
	name  string
}

var fieldNames sync.Map // reflect.Type to []fieldName

func fieldsOf(t reflect.Type) []fieldName {
	if known, ok := fieldNames.Load(t); ok {
		return known.([]fieldName)
	}
	var all []fieldName
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() {
			all = append(all, fieldName{i, f.Name})
		}
	}
	fieldNames.Store(t, all)
	return all
}
