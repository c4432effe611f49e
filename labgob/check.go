//go:build go1.25

package labgob

import (
	"fmt"
	"reflect"
	"sync"
	"unicode"
	"unicode/utf8"
)

var (
	mu         sync.Mutex // guards errorCount
	errorCount int        // mistakes of both kinds found in this process, whether printed or not
	checked    sync.Map   // reflect.Type to struct{}: the types that are already checked
)

// checkType reports every lower-case field of t and of the types that t is made of. It does not examine the values in
// interfaces. Each type is checked once in a process. checkType panics if t is nil.
func checkType(t reflect.Type) {
	if _, done := checked.Load(t); done {
		return
	}
	checkNewType(t)
}

func checkNewType(t reflect.Type) {
	kind := t.Kind() // panics if t is nil
	if _, done := checked.LoadOrStore(t, struct{}{}); done {
		return // t is marked before its parts are checked, so a recursive type ends here
	}
	switch kind {
	case reflect.Struct:
		for i := range t.NumField() {
			field := t.Field(i)
			if first, _ := utf8.DecodeRuneInString(field.Name); !unicode.IsUpper(first) {
				reportLowerCase(field.Name, t.Name())
			}
			checkType(field.Type)
		}
	case reflect.Slice, reflect.Array, reflect.Pointer:
		checkType(t.Elem())
	case reflect.Map:
		checkType(t.Elem())
		checkType(t.Key())
	}
}

func reportLowerCase(field, structName string) {
	mu.Lock()
	defer mu.Unlock()
	fmt.Printf("labgob error: lower-case field %s of %s in RPC or persist/snapshot will break your Raft\n",
		field, structName)
	errorCount++
}

// maxDepth is the depth to which checkDefault examines a variable. A pointer has depth 1, the struct that it points to
// depth 2 and the fields of the struct depth 3; deeper fields are not examined.
const maxDepth = 3

// checkDefault reports every bool, number and string within maxDepth of e that is not zero. Complex numbers do not count.
func checkDefault(e interface{}) {
	if e != nil {
		checkDefaultValue(reflect.ValueOf(e), 1, place{})
	}
}

// A place is the field that is examined. Its name is expensive to find, and only a warning needs it.
type place struct {
	outer string       // the names of the enclosing fields, joined by dots
	in    reflect.Type // the struct that has the field; nil for the decoded variable itself
	field int          // index in the struct
}

// name returns the name of the field, with the names of the enclosing fields before it.
func (p place) name() string {
	name := p.in.Field(p.field).Name
	if p.outer != "" {
		return p.outer + "." + name
	}
	return name
}

func checkDefaultValue(v reflect.Value, depth int, at place) {
	switch v.Kind() {
	case reflect.Pointer:
		if depth < maxDepth && !v.IsNil() {
			checkDefaultValue(v.Elem(), depth+1, at)
		}
	case reflect.Struct:
		if depth < maxDepth {
			checkDefaultFields(v, depth+1, at)
		}
	default:
		if holdsScalar(v) {
			reportNonDefault(v, at)
		}
	}
}

func checkDefaultFields(v reflect.Value, depth int, at place) {
	inside := place{in: v.Type()}
	if at.in != nil {
		inside.outer = at.name()
	}
	for inside.field = range v.NumField() {
		// gob does not write to unexported fields.
		if field := v.Field(inside.field); field.CanInterface() {
			checkDefaultValue(field, depth, inside)
		}
	}
}

// holdsScalar reports whether v is of a kind that checkDefault examines and is not zero.
func holdsScalar(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Float32, reflect.Float64:
		return v.Float() != 0 // IsZero would be false for -0
	case reflect.Bool, reflect.String,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return !v.IsZero()
	}
	return false
}

// reportNonDefault counts the mistake, and prints a warning if it is the first mistake of either kind in the process. Later
// warnings would help little: when a call is repeated, its reply variable is rarely zero.
func reportNonDefault(v reflect.Value, at place) {
	mu.Lock()
	defer mu.Unlock()
	if errorCount == 0 {
		name := v.Type().Name()
		if at.in != nil {
			name = at.name()
		}
		fmt.Printf("labgob warning: Decoding into a non-default variable/field %s may not work\n", name)
	}
	errorCount++
}
